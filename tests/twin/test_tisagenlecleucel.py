"""CAR-T cells in leukaemia by the model that the protocol brings, against the kinetics that Stein 2019 published.

Published (doi 10.1002/psp4.12388, Table 1, n 90, as carried by nlmixr2lib): typical value and random effect, without
intervals and without saying whether the random effect is a variance or a standard deviation of the logarithm. The
intervals are derived here: 95 % of the geometric mean of 90 patients lie within typical * exp(+-1.96 sd / sqrt(90)),
sd in the reading that gives the narrower interval; 95 % of the standard deviation of 90 patients lie within
sd * sqrt(89 / chi-square), from the lower end in the one reading to the upper end in the other.
"""

import re

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.stats import chi2

from graftline.base.errors import InputError
from graftline.base.streams import Keys, Streams
from graftline.protocol import load_protocol
from graftline.twin import (
    Conditioning,
    Infusion,
    OwnCourseRequest,
    draw_own_parameters,
    run_own_courses,
)

PATIENTS_OF_STEIN = 90
PUBLISHED = {
    "peak": (24_000, 0.65),
    "time of peak": (9.3, 0.38),
    "fast half-life": (np.log(2) / 0.16, 0.91),
    "slow half-life": (np.log(2) / 0.0032, 0.86),
}
"""typical value (copies/ug, days) and random effect as printed"""
SAMPLED = np.array([1, 2, 4, 7, 9, 11, 14, 17, 21, 28, 42, 60, 90, 120, 180, 270, 365, 540, 730], dtype=float)
TIMES = np.concatenate([np.arange(-6, 40, 0.5), np.arange(40, 120, 4), np.arange(120, 731, 10)])
PATIENTS = 500


@pytest.fixture(scope="module")
def text():
    return load_protocol("tisagenlecleucel_all").model_text


def drawn(text, patients=PATIENTS, seed=1, **measured):
    keys = Keys.of(np.zeros(patients), 1, np.arange(patients))
    return draw_own_parameters(text, keys, Streams(seed), measured), keys


def conditioning(patients):
    """Fludarabine 30 mg/m2 on four days, cyclophosphamide 500 mg/m2 on the first two."""
    rows = [
        (who, drug, dose, day, hours)
        for who in range(patients)
        for drug, dose, days, hours in (
            ("fludarabine", 30, (-6, -5, -4, -3), 0.5),
            ("cyclophosphamide", 500, (-6, -5), 1),
        )
        for day in days
    ]
    who, drug, dose, day, hours = zip(*rows, strict=True)
    return Conditioning(
        patient=np.array(who), drug=np.array(drug), dose=np.array(dose, float), protocol_day=np.array(day),
        hours=np.array(hours, float),
    )  # fmt: skip


def request(text, parameters, cells, *, lymphodepleted=True):
    """Body surface after Costeff, from weight alone: (4 W + 7) / (W + 90) m2."""
    weight = parameters["W"]
    return OwnCourseRequest(
        text=text,
        parameters=parameters,
        body_surface_area=(4 * weight + 7) / (weight + 90),
        conditioning=conditioning(len(weight)) if lymphodepleted else Conditioning(),
        infusions=(Infusion(cells=cells, time=np.zeros(len(weight))),),
    )


def doses_of_stein(weight, keys):
    """1e9 cells: median 3.1e6 per kg (0.2 to 5.4) up to 50 kg, 1.0e8 (0.03 to 2.6) above; log-SD 0.5 assumed."""
    spread = np.exp(0.5 * Streams(7).named("dose").normal(keys)[:, 0])
    by_weight = np.clip(3.1e-3 * spread, 0.2e-3, 5.4e-3) * weight
    return np.where(weight <= 50, by_weight, np.clip(0.1 * spread, 0.003, 0.26))


@pytest.fixture(scope="module")
def leukaemias(text):
    parameters, keys = drawn(text)
    courses = run_own_courses(request(text, parameters, doses_of_stein(parameters["W"], keys)), TIMES)
    assert not courses.messages
    return parameters, courses


def closed_form(logarithms, days):
    """Logarithm of the closed form of Stein: growth to the peak, then two exponentials."""
    fold, time_of_peak, fast, slow = np.exp(logarithms[[0, 1, 3, 4]])
    peak, share = logarithms[2], 1 / (1 + np.exp(-logarithms[5]))
    since = np.maximum(days - time_of_peak, 0)
    falling = np.log((1 - share) * np.exp(-fast * since) + share * np.exp(-slow * since))
    return np.where(days < time_of_peak, peak - fold + fold * days / time_of_peak, peak + falling)


def fitted(days, transgene):
    """Least squares of the closed form on the logarithm of one course as sampled, without error: six logarithms."""
    seen = np.log(np.maximum(transgene, 5))
    low = np.array([-1, 0, 0, np.log(0.005), np.log(1e-4), -12])
    high = np.array([3, np.log(60), 20, np.log(5), np.log(0.1), 3])
    start = [2, np.log(max(days[seen.argmax()], 3)), seen.max(), 0, np.log(0.003), -4.5]
    fits = [
        least_squares(
            lambda at: closed_form(at, days) - seen,
            np.clip([*start[:3], np.log(fast), *start[4:]], low + 0.01, high - 0.01),
            bounds=(low, high),
        )
        for fast in (0.1, 0.4)
    ]
    return min(fits, key=lambda fit: fit.cost).x


@pytest.fixture(scope="module")
def kinetics(leukaemias):
    """Logarithms of peak, time of peak and half-lives of each patient.

    The slow half-life is the slope from day 180 to day 730: a fit without error leaves it to the tail of the fast one.
    """
    transgene = leukaemias[1].seen("transgene")
    rows = [np.exp(np.interp(SAMPLED, TIMES, np.log(np.maximum(row, 1e-12)))) for row in transgene]
    fits = np.array([fitted(SAMPLED, row) for row in rows])
    early, late = (transgene[:, np.argmin(np.abs(TIMES - day))] for day in (180, 730))
    falls = (late > 1e-6) & (early > late)
    slope = np.log(early[falls] / late[falls]) / 550
    assert falls.mean() > 0.95
    return {
        "peak": fits[:, 2],
        "time of peak": fits[:, 1],
        "fast half-life": np.log(np.log(2)) - fits[:, 3],
        "slow half-life": np.log(np.log(2) / slope),
    }


@pytest.mark.parametrize("what", PUBLISHED)
def test_the_geometric_mean_lies_within_the_interval_of_stein(kinetics, what):
    typical, effect = PUBLISHED[what]
    half_width = 1.96 * min(effect, np.sqrt(effect)) / np.sqrt(PATIENTS_OF_STEIN)
    assert abs(kinetics[what].mean() - np.log(typical)) < half_width


@pytest.mark.parametrize("what", PUBLISHED)
def test_the_spread_between_patients_lies_within_the_interval_of_stein(kinetics, what):
    readings = sorted((PUBLISHED[what][1], np.sqrt(PUBLISHED[what][1])))
    freedom = PATIENTS_OF_STEIN - 1
    lowest = readings[0] * np.sqrt(freedom / chi2.ppf(0.975, freedom))
    highest = readings[1] * np.sqrt(freedom / chi2.ppf(0.025, freedom))
    assert lowest < kinetics[what].std(ddof=1) < highest


def test_the_closed_form_is_found_again_in_its_own_course():
    truth = np.array([np.log(np.log(3900)), np.log(9.3), np.log(24000), np.log(0.16), np.log(0.0032), -4.83])
    assert fitted(SAMPLED, np.exp(closed_form(truth, SAMPLED))) == pytest.approx(truth, rel=1e-3)


def test_cells_are_never_negative_and_blasts_are_a_share(leukaemias):
    courses = leukaemias[1]
    states = courses.result.values[:, :, : len(courses.text.model.states)]
    assert np.nanmin(states) >= 0
    assert np.nanmax(courses.seen("marrow_blasts")) <= 1 + 1e-9


def paired(text, change, patients=40):
    """Peak transgene and blasts on day 28 of the same patients, without and with a change of their parameters."""
    parameters, keys = drawn(text, patients, seed=3)
    cells = doses_of_stein(parameters["W"], keys)
    runs = [
        run_own_courses(request(text, one, cells), TIMES) for one in (parameters, {**parameters, **change(parameters)})
    ]
    day = np.argmin(np.abs(TIMES - 28))
    return [(np.nanmax(one.seen("infused_cells"), axis=1), one.seen("marrow_blasts")[:, day]) for one in runs]


def test_more_antigen_brings_more_cells(text):
    (few, _), (many, _) = paired(text, lambda one: {"KA": one["KA"] / 3})
    assert np.median(many / few) > 1.05
    assert np.all(many > 0.99 * few)


def test_a_leukaemia_without_cd19_is_not_killed(text):
    (_, killed), (_, spared) = paired(text, lambda one: {"fN": np.full_like(one["fN"], 0.5)})
    assert np.all(spared > killed)
    assert np.median(spared) > 0.05


def test_without_lymphodepletion_there_are_fewer_cells(text):
    parameters, keys = drawn(text, 40, seed=3)
    cells = doses_of_stein(parameters["W"], keys)
    with_it, without = (
        np.nanmax(
            run_own_courses(request(text, parameters, cells, lymphodepleted=given), TIMES).seen("infused_cells"), axis=1
        )
        for given in (True, False)
    )
    assert np.median(with_it / without) > 1


def test_without_cells_nothing_of_them_is_seen_and_the_leukaemia_grows(text):
    parameters, _ = drawn(text, 20)
    courses = run_own_courses(request(text, parameters, np.zeros(20), lymphodepleted=False), np.arange(0.0, 100, 10))
    assert np.all(courses.seen("transgene") == 0)
    assert np.all(np.diff(courses.seen("marrow_blasts"), axis=1) > 0)
    assert courses.seen("il6") == pytest.approx(5)


def test_the_untreated_patient_is_at_rest_but_for_the_leukaemia(text):
    parameters, _ = drawn(text, 20)
    parameters = {**parameters, "lamL": np.zeros(20)}
    courses = run_own_courses(request(text, parameters, np.zeros(20), lymphodepleted=False), np.arange(0.0, 300, 50))
    for role in ("lymphocytes", "neutrophils", "platelets", "marrow_blasts"):
        assert courses.seen(role) == pytest.approx(courses.seen(role)[:, :1].repeat(6, axis=1), rel=1e-4)


def test_what_was_measured_stands_for_the_parameter_and_moves_no_other_draw(text):
    weights = np.array([20.0, np.nan, 60.0])
    (plain, _), (known, _) = drawn(text, 3), drawn(text, 3, weight=weights)
    assert known["W"].tolist() == [20.0, plain["W"][1], 60.0]
    assert all(np.array_equal(plain[name], known[name]) for name in plain if name != "W")


def test_units_of_cards_and_measurements_become_those_of_the_text(text):
    parameters, _ = drawn(text, 2, egfr=np.array([100.0, 50.0]), marrow_blasts=np.array([60.0, 6.0]))
    assert parameters["egfr"] == pytest.approx([144, 72])
    assert parameters["blasts"] == pytest.approx([0.6, 0.06])
    assert parameters["GFR0"] == pytest.approx(90 * 1.44)


def test_a_role_that_the_text_does_not_fill_is_refused_by_name(leukaemias, text):
    assert leukaemias[1].shows("il6")
    assert not leukaemias[1].shows("alt")
    with pytest.raises(InputError, match=r"role alt: tisagenlecleucel_all.ant does not tell it; write under model.own"):
        leukaemias[1].seen("alt")


def test_courses_of_the_twin_are_seen_by_the_same_roles(population_course):
    for role, read_out in (("transgene", "copies_per_ug"), ("infused_cells", "tcrt_per_microlitre"), ("il6", "il6")):
        seen = population_course.seen(role)
        assert np.array_equal(seen, getattr(population_course, read_out), equal_nan=True)
    assert not population_course.shows("marrow_blasts")
    with pytest.raises(InputError, match="role marrow_blasts: tcrt_core does not tell it"):
        population_course.seen("marrow_blasts")


def test_every_equation_says_what_it_means_in_a_line_above_it(text):
    lines = text.model.text.splitlines()
    equations = [place for place, line in enumerate(lines) if re.match(r"\w+( :=|' =) ", line)]
    assert len(equations) == len(text.model.states) + len(text.model.observables)
    assert not [lines[place] for place in equations if not re.match(r"# [A-Z]", lines[place - 1])]


def test_every_symbol_stands_in_the_table_at_the_top_of_the_text(text):
    table = text.model.text.split("model tisagenlecleucel_all()")[0]
    words = set(re.findall(r"\w+", table.replace("N1-N3", "N1 N2 N3").replace("P1-P3", "P1 P2 P3")))
    assert not {*text.model.states, *text.model.parameters} - words
