"""Published models that are shipped: peaks, minima and invariants known from their papers or from other engines."""

import re
from decimal import Decimal
from pathlib import Path

import antimony
import libsbml
import numpy as np
import pytest

from graftline import engine
from graftline.base.errors import InputError
from graftline.cli._published import head
from graftline.twin import models_left_out, published_model, published_models

SHARED = Path(__file__).parents[3] / "shared" / "data" / "published_models"
BIOMODELS = {
    "kimmel_2021": "BIOMD0000001041",
    "cartmath_hdlm2": "BIOMD0000001019",
    "cartmath_raji": "BIOMD0000001020",
    "chaudhury_2020": "BIOMD0000001024",
    "leon_triana_2020": "BIOMD0000001012",
}
NAMES = sorted(published_models())
COMMENT = re.compile(r"<!--\n.*?\n-->\n", re.DOTALL)


def solved(name, times, outputs=None, rtol=1e-9, extinct=True):
    known = published_model(name)
    model = known.engine_model()
    extinctions = known.extinctions if extinct else ()
    small = min([1.0, *(one.threshold for one in extinctions)])
    request = engine.Request(
        times=np.asarray(times, dtype=float),
        outputs=outputs or model.states,
        start=np.zeros(1),
        extinctions=extinctions,
        relative_tolerance=rtol,
        absolute_tolerance=1e-3 * rtol * small,
    )
    result = engine.solve(model, request)
    assert not result.messages
    return result


def printed(*numbers):
    """Numbers as printed, to 1e-4 or, where too few digits are printed for that, to half of the last."""
    rounding = [0.5 * 10.0 ** Decimal(text).as_tuple().exponent for text in numbers]
    values = [float(text) for text in numbers]
    return [pytest.approx(one, rel=1e-4, abs=half) for one, half in zip(values, rounding, strict=True)]


# What is shipped


def test_the_models_that_were_asked_for_are_shipped():
    assert sorted([*BIOMODELS, "chaudhury_2020_ec50", "stein_2019"]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_a_model_is_about_its_text(name):
    """Every number with a value in the file of facts stands in the text, and the other way round."""
    known, model = published_model(name), published_model(name).engine_model()
    said = {symbol: one.value for symbol, one in {**known.states, **known.parameters}.items() if one.value is not None}
    assert said == dict(model.own_values)
    assert (set(known.states), set(known.parameters)) == (set(model.states), set(model.parameters))
    assert {*known.observables, *known.also_shown} <= set(model.observables)
    assert model.needed == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_text_says_at_its_top_what_it_is(name):
    """Edit the file of facts, then write these lines at the top of the text."""
    known = published_model(name)
    if known.form == "sbml":
        lines = COMMENT.search(known.text).group().splitlines()[1:-1]
    else:
        lines = [line.removeprefix("#").removeprefix(" ") for line in known.text.split("\n\n", 1)[0].splitlines()]
    assert lines == [line.rstrip() for line in head(known)]
    words = "\n".join(lines)
    assert all(
        part in words for part in ("source: ", "licence: ", "how sure: ", "known fault: ", "symbols (time in d)")
    )


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_complete(name):
    known = published_model(name)
    for text in (known.title, known.disease, known.data, known.reference, known.source, known.licence, known.shows):
        assert text.strip()
    assert known.doi.startswith("10.")
    assert known.faults
    assert all(one.meaning and one.unit for one in known.quantities.values())
    spreads = [one.spread for one in known.quantities.values() if one.spread is not None]
    for spread in spreads:
        assert (spread.low < spread.high) if spread.kind == "iqr" else spread.value > 0


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data with the published models are absent")
@pytest.mark.parametrize(("name", "number"), BIOMODELS.items())
def test_shipped_sbml_is_that_of_biomodels_below_its_comment(name, number):
    folder = Path(engine.__file__).parents[1] / "twin" / "published"
    shipped = (folder / f"{name}.xml").read_bytes().decode()
    assert COMMENT.sub("", shipped, count=1).encode() == (SHARED / f"{number}.xml").read_bytes()
    assert number in published_model(name).source


@pytest.mark.parametrize("name", ["stein_2019", "chaudhury_2020_ec50"])
def test_the_units_of_our_own_texts_fit(name):
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(published_model(name).text) >= 0, antimony.getLastError()
    model = libsbml.readSBMLFromString(antimony.getSBMLString(antimony.getMainModuleName())).getModel()
    assert all(one.isSetUnits() for one in model.getListOfParameters())
    settings = [one for event in model.getListOfEvents() for one in event.getListOfEventAssignments()]
    for rule in [*model.getListOfRules(), *model.getListOfInitialAssignments(), *settings]:
        formula = rule.getMath().deepCopy()
        _pure_numbers(formula)
        rule.setMath(formula)
    document = libsbml.readSBMLFromString(libsbml.writeSBMLToString(model.getSBMLDocument()))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    assert [document.getError(index).getMessage() for index in range(document.getNumErrors())] == []


def _pure_numbers(node):
    """Say of the numbers in a formula that they have no unit; libsbml cannot check them otherwise."""
    if node.isNumber():
        node.setUnits("dimensionless")
    for index in range(node.getNumChildren()):
        _pure_numbers(node.getChild(index))


def test_a_name_that_is_not_shipped_is_told_why_or_what_there_is():
    with pytest.raises(InputError, match=r"singh_2021: is left out: lacks infused cells; .*; bring a model file"):
        published_model("singh_2021")
    with pytest.raises(InputError, match="no published model of that name; write kimmel_2021"):
        published_model("kimmel")
    with pytest.raises(InputError, match="write cartmath_hdlm2 or cartmath_raji or"):
        published_model("quite another")


def test_no_model_is_both_shipped_and_left_out_and_each_lack_is_named():
    left_out = models_left_out()
    assert not set(left_out) & set(NAMES)
    assert {"singh_2021", "minucci_2024", "kirouac_2023", "hardiansyah_2019", "leon_triana_2021"} <= set(left_out)
    assert all(one.title and one.lacks for one in left_out.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_model_runs_and_its_sbml_gives_the_same_again(name, tmp_path):
    known, file = published_model(name), tmp_path / "again.xml"
    model, times = known.engine_model(), np.linspace(0, 30, 61)
    file.write_text(engine.as_sbml(model), encoding="utf-8")
    again = engine.load(file).run(times=times, outputs=model.states, rtol=1e-9)
    once = model.run(times=times, rtol=1e-9)
    assert np.all(np.isfinite(once.values))
    assert np.ptp(once.values, axis=1).max() > 0
    assert again.values == pytest.approx(once.values, rel=1e-9, abs=1e-12)


# K1, Stein 2019


def test_stein_2019_by_its_equations_is_its_closed_form():
    for until in (28, 365):
        result = solved("stein_2019", np.linspace(0, until, 1001), ("transgene", "closed_form"), rtol=1e-11)
        assert np.max(np.abs(result["transgene"] / result["closed_form"] - 1)) < 1e-8


def test_stein_2019_is_the_closed_form_for_other_patients_too():
    model = published_model("stein_2019").engine_model()
    patients = {"fold": [50.0, 1e5], "Tmax": [6.2, 21.0], "Cmax": [800.0, 2e5], "alpha": [0.05, 0.9], "FB": [0.3, 1e-3]}
    result = model.run(
        times=np.linspace(0, 200, 401), outputs=["transgene", "closed_form"], parameters=patients, rtol=1e-11
    )
    assert np.max(np.abs(result["transgene"] / result["closed_form"] - 1)) < 1e-8


def test_stein_2019_has_the_printed_and_derived_numbers():
    """Abstract: doubling 0.78 d, half-lives 4.3 and 220 d; the rest derived from Table 1."""
    outputs = ("transgene", "rho", "exposure", "closed_fast", "closed_slow")
    result = solved("stein_2019", [0, 9.3, 28, 40.12, 90, 365], outputs, rtol=1e-11)
    own = published_model("stein_2019").engine_model().own_values
    assert np.log(2) / result["rho"][0, 0] == pytest.approx(0.78, abs=0.005)
    assert np.log(2) / own["alpha"] == pytest.approx(4.3, abs=0.05)
    assert np.log(2) / own["beta"] == pytest.approx(220, abs=5)
    expected = [6.154, 24000, 1373.6, 146.51, 60.745]
    assert result["transgene"][0, [0, 1, 2, 4, 5]] == pytest.approx(expected, rel=1e-4)
    assert result["exposure"][0, 2] == pytest.approx(171774, rel=1e-4)
    assert result["closed_fast"][0, 3] == pytest.approx(result["closed_slow"][0, 3], rel=1e-3)  # 40.12 is rounded


def test_the_exposure_of_stein_2019_is_the_area_under_its_equations():
    times = np.union1d(np.linspace(0, 9.3, 4001), np.linspace(9.3, 28, 4001))
    result = solved("stein_2019", times, ("transgene", "exposure"), rtol=1e-11)
    area = np.trapezoid(result["transgene"][0], times)
    assert result["exposure"][0, -1] == pytest.approx(area, rel=1e-5)


def test_random_effects_of_stein_2019_are_not_said_to_be_what_is_not_known():
    spreads = {name: one.spread for name, one in published_model("stein_2019").parameters.items() if one.spread}
    assert set(spreads) == {"fold", "Tmax", "Cmax", "alpha", "beta", "FB"}
    assert {one.kind for one in spreads.values()} == {"unsettled"}


# K2, Kimmel 2021


def test_kimmel_2021_reaches_the_counts_three_other_solvers_give():
    """CAR-T cells per uL, normal T cells per uL, tumour in mL."""
    result = solved("kimmel_2021", [0, 5, 7, 7.01, 14, 28, 90])
    cells, normal, tumour = (
        result[name][0] for name in ("CAR_T_cells", "Normal_T_cells", "Antigen_presenting_tumour_cells")
    )
    assert list(cells[[2, 4, 5, 6]]) == printed("30.11", "8.975", "2.487", "0.3377")
    assert list(normal[[1, 4, 5]]) == printed("65.66", "295.2", "472.9")
    assert list(tumour[[1, 4, 5]]) == printed("3.817", "7.895e-4", "3.771e-7")
    times = np.linspace(6.5, 7.5, 1001)
    around = solved("kimmel_2021", [0, *times], ("CAR_T_cells",)).values[0, 1:, 0]
    assert around.max() == pytest.approx(30.109, rel=1e-4)
    assert times[np.argmax(around)] == pytest.approx(7.01, abs=0.005)


def test_kimmel_2021_stays_within_the_published_quartiles():
    """Moffitt subset, CAR+ per uL on days 7, 14, 28, 90."""
    cells = solved("kimmel_2021", [0, 7, 14, 28, 90], ("CAR_T_cells",)).values[0, 1:, 0]
    assert np.all(cells > [16.5, 3.8, 0.6, 0.01])
    assert np.all(cells < [57.5, 31.1, 6.1, 0.4])


def test_the_tumour_of_kimmel_2021_dies_out_on_the_day_its_facts_say():
    """Below 100 cells on day 31, below one on day 45; without the rule it goes on without meaning."""
    tumour = "Antigen_presenting_tumour_cells"
    times = np.linspace(0, 400, 8001)
    ended, unended = (solved("kimmel_2021", times, (tumour,), extinct=one)[tumour][0] for one in (True, False))
    assert round(times[np.argmax(ended < 1e-7)]) == 31
    assert round(times[np.argmax(ended < 1e-9)]) == 45
    assert np.all(ended[times > 45] == 0)
    assert 0 < unended[times > 45].min() < 1e-12


# K7, CARTmath


def test_barros_2021_grows_as_the_closed_form_and_meets_its_events():
    """Untouched growth to day 45, then infused; memory peaks on day 81; a second tumour on day 250 is cleared."""
    result = solved("cartmath_hdlm2", [0, 45.0 - 1e-9, 81.0, 250.0 + 1e-6, 300.0])
    own = published_model("cartmath_hdlm2").engine_model().own_values
    assert result["T"][0, 1] == pytest.approx(2.5423e7, rel=1e-4)
    assert result["T"][0, 1] == pytest.approx(2e6 * np.exp(45 * own["rho"]), rel=1e-4)  # beta T is below 4e-5
    assert result["Cm"][0, 2] == pytest.approx(2.5958e6, rel=1e-4)
    assert result["T"][0, 3] == pytest.approx(1e6, rel=1e-3)
    assert result["T"][0, 4] == 0
    times = np.linspace(0, 240, 2401)
    memory = solved("cartmath_hdlm2", times, ("Cm",)).values[0, :, 0]
    assert memory.max() == pytest.approx(2.5958e6, rel=1e-4)
    assert times[np.argmax(memory)] == pytest.approx(81, abs=0.5)


def test_the_tumour_of_cartmath_falls_below_one_cell_on_day_48_and_memory_does_not_notice_the_rule():
    times = np.linspace(0, 240, 4801)
    ended, unended = (solved("cartmath_hdlm2", times, extinct=one) for one in (True, False))
    assert round(times[np.argmax(ended["T"][0] < 1)]) == 48
    assert ended["Cm"] == pytest.approx(unended["Cm"], rel=1e-6, abs=1)


def test_the_raji_tumour_passes_1e9_cells_on_day_15_and_has_no_limit():
    times = np.linspace(0, 60, 1201)
    tumour = solved("cartmath_raji", times, ("T",))["T"][0]
    assert round(times[np.argmax(tumour > 1e9)]) == 15
    assert tumour[-1] > 1e18


def test_a_raji_tumour_that_makes_ido_wears_effectors_out_more():
    model, times = published_model("cartmath_raji").engine_model(), np.linspace(0, 12, 25)
    ido, inhibited, neither = (
        model.run(times=times, outputs=["Ct", "alpha"], parameters=given)
        for given in ({"Raji_IDO_CAT19": 1}, {"Raji_IDO_CART_19_1MT": 1}, {})
    )
    assert ido["alpha"][0, 0] > inhibited["alpha"][0, 0] > neither["alpha"][0, 0]
    assert ido["Ct"][0, -1] < inhibited["Ct"][0, -1] < neither["Ct"][0, -1]


# K9, Chaudhury 2020


def test_chaudhury_2020_keeps_its_invariant():
    """rho U - kE ln U + d E - g ln E is conserved; peak and nadir as two other solvers give."""
    result = solved("chaudhury_2020", np.linspace(0, 60, 6001), rtol=1e-11)
    cells, tumour = result["Expanding_CAR_T_cells"][0], result["Tumor_cells"][0]
    conserved = 0.0018 * tumour - 0.16 * np.log(tumour) + 0.00015 * cells - 0.15 * np.log(cells)
    assert conserved[0] == pytest.approx(0.187729, abs=1e-6)
    assert np.max(np.abs(conserved - conserved[0])) < 1e-8
    assert (cells.max(), np.argmax(cells) / 100) == (pytest.approx(14557.3, rel=1e-4), pytest.approx(4.99, abs=0.01))
    assert (tumour.min(), np.argmin(tumour) / 100) == (
        pytest.approx(1.2165e-3, rel=1e-4),
        pytest.approx(22.25, abs=0.01),
    )


def test_the_ec50_form_has_the_tumour_of_another_engine_on_day_9():
    """BIOMD0000001025 in Tellurium, ten daily values: 900 to 73.681 (Biosimulant/models-oncology, chaudhury2020-ec50)."""
    tumour = solved("chaudhury_2020_ec50", np.arange(10.0), ("U",)).values[0, :, 0]
    assert tumour[[0, 9]] == pytest.approx([900, 73.681], abs=5e-4)


def test_the_tumour_of_the_ec50_form_comes_back_as_its_facts_say():
    times = np.linspace(0, 2000, 20001)
    tumour = solved("chaudhury_2020_ec50", times, ("U",)).values[0, :, 0]
    assert tumour.min() > 0.008
    late = times > 200
    assert round(times[late][np.argmax(tumour[late] > 0.1)]) == 1677


# León-Triana 2020


def test_leon_triana_2020_is_the_system_in_print():
    """C' = 0.25 alpha (L + B) C - C/14 and L' = L/30 - alpha L C, with what the facts say of the term that does not fit."""
    times = np.linspace(0, 60, 60001)
    result = solved("leon_triana_2020", times, rtol=1e-11)
    cells, sick, healthy = (result[name][0] for name in ("CAR_T_cells", "Leukaemic_B_cells", "B_cells_healthy"))
    growth = np.gradient(np.log(cells), times)[1:-1]
    assert growth == pytest.approx(0.25 * 4.5e-11 * (sick + healthy)[1:-1] - 1 / 14, abs=1e-5)
    growth = np.gradient(np.log(sick), times)[1:-1]
    assert growth == pytest.approx(1 / 30 - 4.5e-11 * cells[1:-1], abs=1e-5)
    odd = 0.25 * 4.5e-11 * 0.1 * 1e7
    assert odd < 1.2e-5
