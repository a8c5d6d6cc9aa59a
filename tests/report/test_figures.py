"""What the figures show, read back from the page or from the numbers that go into them."""

import re

import polars as pl
import pytest

from graftline.base.errors import InputError
from graftline.report import write_report
from graftline.report.figures import courses, flow, one_trial, patient, sensitivity, survival
from graftline.report.figures.style import WITHOUT_EFFECT
from graftline.report.tables import early_deaths, facts, plain, with_unit


def _words(svg):
    return " ".join(re.findall(r">([^<>]+)<", svg))


@pytest.fixture(scope="module")
def tables(results_folder):
    return {name: pl.read_parquet(results_folder / f"{name}.parquet") for name in ("adsl", "adrs", "bands", "tornado")}


def test_blood_counts_below_one_per_nanolitre_are_on_the_axis():
    course = pl.DataFrame({"TIME": [0.0, 7.0, 14.0], "ANC": [2.4, 0.25, 3.0], "LYM": [0.9, 0.26, 0.8]})
    words = _words(patient.follow(course, []))
    assert "10⁹/L" in words
    assert "µL" not in words
    assert " 0.1 " in words


def test_the_cells_without_kill_are_named_so_and_left_out_of_the_transgene(tables):
    drawn = {marker.code: _words(courses.course(tables["bands"], marker)) for marker in courses.MARKERS}
    assert WITHOUT_EFFECT in drawn["AFP"]
    assert WITHOUT_EFFECT in drawn["TUMOUR"]
    assert WITHOUT_EFFECT not in drawn["TRANSGENE"]


def test_a_course_with_the_transgene_of_the_no_cells_column_only_is_not_drawn(tables):
    only = tables["bands"].filter(pl.col("ARM") == "no cells")
    assert courses.course(only, courses.MARKERS[1]) is None


def test_continuous_axes_count_from_the_infusion(results_folder):
    page = write_report(results_folder).read_text("utf-8")
    assert "Protocol day" not in page
    assert page.count("Weeks since infusion") >= 7


def test_progression_stays_progression_in_the_swimmer():
    visits = [{"ADY": day, "AVALC": code} for day, code in ((29, "SD"), (57, "PD"), (85, "SD"), (113, "NE"))]
    lane = one_trial._segments("A", 168, visits)
    assert [stretch["state"] for stretch in lane] == ["not yet assessed", "SD", "PD", "PD", "PD"]
    assert lane[1]["start"] == 4  # Day 29 is four weeks after Day 1


def test_reasons_in_the_flow_are_never_cut(tables):
    long = "not met: " + " ".join(f"word{number}" for number in range(40))
    subjects = tables["adsl"].with_columns(
        pl.when(pl.col("DISPO") == "screen failure").then(pl.lit(long)).otherwise("DCREAS").alias("DCREAS")
    )
    counts = pl.DataFrame({"REPLICATE": [0], "SCREENED": [60], "APHERESED": [26], "INFUSED": [20]})
    words = " ".join(_words(flow.draw(subjects, counts)).split())
    assert long in words
    assert "…" not in words


def _tornado(**more):
    row = {"PARAMETER": "a", "LABEL": "kill", "FACTOR": 2.0, "N": 269}
    row |= {"RESPONSE_LOW": 0.02, "RESPONSE_BASE": 0.02, "RESPONSE_HIGH": 0.02}
    row |= {"RESPONSE_LOW_SE": 0.0, "RESPONSE_HIGH_SE": 0.0} | more
    return sensitivity.tornado(pl.DataFrame([row]), "RESPONSE", "share")


def test_the_tornado_says_the_range_the_patients_and_how_many_parameters():
    caption = _tornado(RESPONSE_HIGH=0.05, RESPONSE_HIGH_SE=0.01).caption
    for text in ("divided and multiplied by 2.", "269 infused patients", "All 1 parameter", "paired difference"):
        assert text in caption


def test_a_parameter_that_changes_nobody_has_no_error_line():
    still, moved = _tornado(), _tornado(RESPONSE_HIGH=0.05, RESPONSE_HIGH_SE=0.01)
    assert still.svg.count('aria-roledescription="rule mark"') == 1  # the base
    assert moved.svg.count('aria-roledescription="rule mark"') == 2
    assert "No patient's outcome changed." in still.caption


def test_results_without_paired_errors_draw_none():
    table = pl.DataFrame([{"LABEL": "kill", "CRS_LOW": 0.1, "CRS_BASE": 0.2, "CRS_HIGH": 0.3, "SE": 0.05}])
    drawn = sensitivity.tornado(table, "CRS", "share")
    assert drawn.svg.count('aria-roledescription="rule mark"') == 1
    assert "standard error" not in drawn.caption


def _people(*trials):
    rows = [
        {"REPLICATE": number, "OSDY": day, "OSEV": event}
        for number, people in enumerate(trials)
        for day, event in people
    ]
    return pl.DataFrame(rows)


_OS = (survival.Followed("cells", "OSDY", "OSEV"),)


def test_survival_is_the_spread_between_trials_not_one_pool():
    """One large trial in which all die early does not outvote two small ones in which nobody does."""
    early, late = [(10, True)] * 60, [(400, False)] * 4
    found = survival.survival(_people(early, late, late), _OS, "Alive", "os-infusion")
    assert found.rows[0].landmarks[0].replace("\u00a0", " ") == "100 % (0 % to 100 %)"
    assert found.at_risk[0][1][0] == 4


def test_the_survival_axis_ends_where_fewer_than_five_percent_are_at_risk():
    people = [(day, True) for day in range(1, 100)] + [(1400, True)]
    found = survival.survival(_people(people), _OS, "Alive", "os-infusion")
    assert found.weeks[-1] * 7 <= 96
    assert found.rows[0].landmarks == ("–", "–", "–")
    assert found.rows[0].median.startswith("1.7 ")  # halfway between day 50 and day 51


def test_a_median_that_is_not_reached_says_so():
    found = survival.survival(_people([(300, False)] * 5), _OS, "Alive", "os-infusion")
    assert found.rows[0].median == "not reached (not reached to not reached)"


def test_deaths_by_day_29_count_day_29_itself_and_name_the_cause():
    infused = pl.DataFrame(
        {
            "OSDY": [28, 28, 29, 5, 400],
            "OSEV": [True, False, True, True, True],
            "DTHCAUS": ["disease", None, "disease", "cytokine release", "disease"],
        }
    )
    expected = "2 of 5 infused (40\u00a0%): cytokine release 1, disease 1"
    assert early_deaths(infused) == expected
    assert early_deaths(infused.drop("DTHCAUS")) == "2 of 5 infused (40\u00a0%)"
    assert early_deaths(infused.clear()) == "–"


def test_the_page_says_what_early_deaths_mean(results_folder):
    page = write_report(results_folder).read_text("utf-8")
    assert "Died by Day 29" in page
    assert "not dose limiting, but they make a patient not evaluable" in page


@pytest.mark.parametrize(("trials", "warned"), [(3, True), (20, False)])
def test_a_page_of_too_few_trials_warns_and_marks_nothing(make_folder, trials, warned):
    page = write_report(make_folder(replicates=trials, infused=2)).read_text("utf-8")
    assert ("Too few trials for an interval" in page) is warned
    assert ("✕ outside" in page) is not warned
    assert ("90\u00a0% prediction interval" in page) is not warned


def test_the_interval_of_the_weak_test_is_named(results_folder):
    page = write_report(results_folder).read_text("utf-8").replace("&nbsp;", " ")
    assert "2 responses in 21 patients leave true response rates from 2 % to 27 % open" in page
    assert "Clopper-Pearson: 1 % to 30 %" in page


def test_values_read_without_brackets_and_pure_numbers_without_a_unit():
    assert plain("(0.3669, 0.5)") == "0.367, 0.5"
    assert plain("not (a, b) list") == "not (a, b) list"
    assert with_unit("0.7", "1") == "0.7"
    assert with_unit("0.7", "1/day") == "0.7 1/day"


def test_facts_of_the_patient_have_names_that_a_clinician_reads():
    told = facts({"afp_ng_mL": 900.0, "child_pugh": 6, "age": 59, "something_new": 1, "events": []})
    assert told == [("Age, years", "59"), ("Child-Pugh score", "6"), ("AFP, ng/mL", "900"), ("something new", "1")]


def _one_fault(folder):
    with pytest.raises(InputError) as raised:
        write_report(folder)
    assert len(raised.value.faults) == 1
    return str(raised.value)


def test_a_folder_that_is_not_there_is_one_fault(tmp_path):
    assert "no such folder" in _one_fault(tmp_path / "nosuch")


def test_a_file_is_no_folder_of_results(tmp_path):
    (tmp_path / "file").write_text("x", "utf-8")
    assert "not a folder" in _one_fault(tmp_path / "file")
    assert "no results of a simulation" in _one_fault(tmp_path)


def test_an_unfinished_run_names_the_command_that_goes_on(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    recipe = folder / "recipe.json"
    recipe.write_text('{"command": "graftline simulate p --seed 1 --out run"}', "utf-8")
    text = _one_fault(folder)
    assert f"unfinished run; give the simulate command again: graftline simulate p --seed 1 --out {folder}" in text
    recipe.write_text("{", "utf-8")
    assert _one_fault(folder).endswith("give the simulate command again")
