"""`graftline twin`: what it prints and writes, and its refusals by name with the allowed range."""

import json
import math
import shlex

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftline.assessment import OBSERVABLES
from graftline.cli import run
from graftline.cli._patient_values import OPTION_OF, PRODUCT_OPTION_OF, Reading
from graftline.evidence import all_cards
from graftline.records import PRODUCT_VARIABLES, VARIABLES

PATIENT = [
    "--age", "59", "--sex", "male", "--afp", "2000 ng/mL", "--lesion", "66 mm", "--lesion", "3 cm", "--egfr", "60",
    "--dose", "5e9 cells", "--regimen", "cy600_flu30", "--samples", "12",
]  # fmt: skip
VALUES = {**{OPTION_OF[name]: VARIABLES[name] for name in OPTION_OF}, "--lesion": VARIABLES["largest_lesion"]}
VALUES |= {PRODUCT_OPTION_OF[name]: PRODUCT_VARIABLES[name] for name in PRODUCT_OPTION_OF}


def told(arguments, capsys):
    assert run(["twin", "run", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("option", VALUES)
@settings(deadline=None)  # the first call builds the registry of units
@given(data=st.data())
def test_a_value_outside_its_range_is_refused_by_name_with_the_range(option, data):
    variable = VALUES[option]
    low, high = variable.plausible
    outside = st.one_of(
        st.floats(max_value=low, exclude_max=True, allow_infinity=False),
        st.floats(min_value=high, exclude_min=True, allow_infinity=False),
    )
    value = data.draw(outside)
    reading = Reading()
    assert reading.number(option, repr(value), variable) is None
    (fault,) = reading.faults
    assert fault.place == option
    assert variable.plausible_in_words in fault.remedy


@pytest.mark.parametrize("option", VALUES)
@settings(deadline=None)  # the first call builds the registry of units
@given(data=st.data())
def test_a_value_within_its_range_is_taken_with_and_without_unit(option, data):
    variable = VALUES[option]
    low, high = variable.plausible
    whole = st.integers(math.ceil(low), math.floor(high)).map(float)
    value = data.draw(whole if variable.whole else st.floats(low, high))
    reading = Reading()
    assert reading.number(option, repr(value), variable) == value
    assert reading.number(option, f"{value!r} {variable.unit}", variable) == value
    assert not reading.faults


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("--bilirubin", "1 mg/dL", 17.104),
        ("--albumin", "3.5 g/dL", 35),
        ("--platelets", "150000 cells/uL", 150),
        ("--lymphocytes", "1.1e9 cells/L", 1100),
        ("--height", "1.75 m", 175),
        ("--afp-tumour-stained", "80 %", 80),
        ("--memory-share", "15 percent", 0.15),
        ("--lesion", "3 cm", 30),
        ("--crp", "2 mg/dL", 20),
    ],
)
def test_units_that_laboratories_use_are_converted(option, text, value):
    reading = Reading()
    assert reading.number(option, text, VALUES[option]) == pytest.approx(value, rel=1e-4)
    assert not reading.faults


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--albumin", "3.5", "write 10 to 70 g/L"),  # g/dL without the unit
        ("--lymphocytes", "1.1", "write 10 to 100000 cells/uL"),  # 1e9/L without the unit
        ("--dose", "5", "write 1e+06 to 1e+12 cells"),
        ("--afp", "2000 ng", "is not a quantity in ng/mL"),
        ("--age", "nan", "is not a finite number"),
        ("--hla-alleles", "0.5", "write a whole number, 0 to 2"),
        ("--bilirubin", "1 mg", "is not a quantity in umol/L"),
        ("--inr", "1,1", "comma"),
        ("--lesion", "", "is no quantity"),
    ],
)
def test_a_slip_of_the_pen_or_the_unit_is_refused(option, text, words):
    reading = Reading()
    assert reading.number(option, text, VALUES[option]) is None
    (fault,) = reading.faults
    assert fault.place == option and words in str(fault)
    assert VALUES[option].plausible_in_words in fault.remedy


def test_every_wrong_option_is_told_at_once_and_nothing_is_written(tmp_path, capsys):
    wrong = dict.fromkeys(VALUES, "1e99")
    wrong |= {"--sex": "x", "--until": "7", "--samples": "0", "--seed": "-1", "--module": "x", "--regimen": "x"}
    wrong["--out"] = str(tmp_path / "course.doc")
    good = tmp_path / "course.csv"
    arguments = [part for pair in wrong.items() for part in pair]
    assert run(["twin", "run", *arguments, "--out", str(good)]) == 2
    lines = capsys.readouterr().err.splitlines()
    for option in wrong:
        (line,) = [one for one in lines if one.startswith((f"{option}: ", f"{option} "))]
        assert "write" in line
    assert len(lines) == len(wrong)
    assert not list(tmp_path.iterdir())


def test_a_file_in_a_folder_that_is_not_there_is_refused_before_anything_is_solved(tmp_path, capsys):
    assert run(["twin", "run", "--out", str(tmp_path / "none" / "course.csv")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_fault_of_the_protocol_is_told_with_the_others(capsys):
    assert run(["twin", "run", "--protocol", "adp", "--age", "1"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("--age: ") and "no shipped protocol" in lines[1]


def test_run_prints_outcomes_assumptions_and_what_they_do_not_say(capsys):
    text = told(PATIENT, capsys)
    for words in (
        *("12 samples of one patient", "given: sex male, age 59 years", "drawn around their cards", "bilirubin"),
        *("Transgene in blood, peak", "Lymphocytes on Day 29", "Neutrophils, nadir", "IL-6, peak", "ALT, peak"),
        *("AFP, nadir", "best change", "CRS, worst grade 4 (placeholder link)", "Best response PR", "New lesion"),
        *("Decompensation", "Death", "0 of 12 (cells), 0 of 12 (no cells)", "No treatment advice", "Free priors"),
        *(
            "given: sex male, age 59 years, AFP 2000 ng/mL",
            "fludarabine 22.5 mg/m^2 on Day -7, -6, -5, -4",
            "cyclophosphamide 600 mg/m^2 on Day -7, -6, -5",
        ),
    ):
        assert words in " ".join(text.split()), words
    assert "no cells" not in told([*PATIENT, "--cells-only"], capsys)


def test_the_json_has_its_fields_and_is_the_same_for_the_same_seed(capsys):
    first, again = (json.loads(told([*PATIENT, "--json"], capsys)) for _ in range(2))
    assert first == again
    other = json.loads(told([*PATIENT, "--seed", "2", "--json"], capsys))
    assert first["outcomes"] != other["outcomes"]
    keys = [
        "samples",
        "solved",
        "given",
        "assumed",
        "treatment",
        "outcomes",
        "probabilities",
        "notes",
        "free_priors",
        "recipe",
    ]
    assert list(first) == keys
    assert first["solved"] == {"cells": 12, "no cells": 12}
    assert first["given"]["afp_serum"] == "2000 ng/mL" and first["given"]["lesion_diameters"] == "66 + 30 mm"
    assert not set(first["given"]) & {row["name"] for row in first["assumed"]}
    for row in first["assumed"]:
        assert set(row) == {"name", "unit", "median", "p05", "p95", "cards"}
        assert set(row["cards"]) <= set(all_cards()) and row["p05"] <= row["median"] <= row["p95"]
    for row in first["outcomes"]:
        assert set(row) == {"name", "label", "unit", "arms"} and set(row["arms"]) <= {"cells", "no cells"}
        for one in row["arms"].values():
            assert set(one) == {"median", "low", "high", "samples"} and one["low"] <= one["median"] <= one["high"]
    for row in first["probabilities"]:
        assert set(row["arms"]) == {"cells", "no cells"}
        assert all(set(one) == {"share", "low", "high", "samples"} for one in row["arms"].values())
    assert first["treatment"]["transduced_cells"] == 5e9 and first["treatment"]["first_day"] == -7
    assert {"command", "seed", "protocol_digest", "parameter_set", "code_version"} == set(first["recipe"])
    assert "no treatment advice" in first["notes"][0].lower()


def test_the_command_in_the_recipe_repeats_the_result(capsys):
    first = json.loads(told([*PATIENT, "--cells-only", "--json"], capsys))
    command = shlex.split(first["recipe"]["command"])
    assert command[:3] == ["graftline", "twin", "run"]
    assert json.loads(told([*command[3:], "--json"], capsys)) == first


def test_courses_are_written_as_tables_and_pictures(tmp_path, capsys):
    names = ("course.csv", "course.parquet", "course.svg", "course.png")
    outs = [part for name in names for part in ("--out", str(tmp_path / name))]
    told([*PATIENT, *outs], capsys)
    table = pl.read_csv(tmp_path / "course.csv")
    assert set(table["ARM"]) == {"cells", "no cells"} and table["ADY"].min() == -7
    assert table.columns == pl.read_parquet(tmp_path / "course.parquet").columns
    drawn = (tmp_path / "course.svg").read_text()
    for words in ("Transgene, copies/µg DNA", "AFP, ng/mL", "no cells (same conditioning)", "no treatment advice"):
        assert words in drawn
    assert (tmp_path / "course.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == len(names)


def test_observables_are_listed_with_error_limits_and_cards(capsys, monkeypatch):
    assert run(["twin", "observables", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == list(OBSERVABLES)
    assert rows["transgene"]["error_kind"] == "log" and rows["transgene"]["error_size"] == 0.56
    assert rows["lymphocytes"]["error_kind"] == "proportional" and rows["temperature"]["error_kind"] == "additive"
    assert rows["afp"]["upper_limit"] == 121000 and rows["afp"]["lower_limit"] == 1
    assert rows["fever"]["placeholders"] and rows["crs_grade"]["placeholders"]
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["twin", "observables"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in OBSERVABLES)


def test_a_protocol_that_doses_by_weight_or_brings_its_own_model_is_refused(capsys):
    assert run(["twin", "run", "--protocol", "tisagenlecleucel_all"]) == 2
    assert capsys.readouterr().err.startswith("--dose: tisagenlecleucel_all doses by body weight; write the dose")
    assert run(["twin", "run", "--protocol", "tisagenlecleucel_all", "--dose", "1e8 cells"]) == 2
    assert capsys.readouterr().err.startswith("protocol: brings a model of its own")
