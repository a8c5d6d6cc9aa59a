"""The report page: complete, self-contained, honest about what is missing."""

import re

import polars as pl
import pytest

from graftline.base.errors import InputError
from graftline.report import Kind, compare, read_results, write_report

SECTIONS = ("summary", "flow", "comparison", "one-trial", "courses", "survival", "toxicity", "limits", "patient")


@pytest.fixture(scope="module")
def page(results_folder):
    return write_report(results_folder).read_text("utf-8")


def test_the_page_needs_nothing_from_elsewhere(page):
    assert "<script" not in page
    assert not re.search(r'\bsrc\s*=|@import|url\(\s*["\']?(?!#)', page)
    assert all(link.startswith("#") for link in re.findall(r'href="([^"]*)"', page))


def test_every_section_and_every_figure_is_there(page):
    assert [name for name in SECTIONS if f'<section id="{name}"' not in page] == []
    assert page.count("<svg") == 14  # flow, 4 of one trial, 3 courses, 3 survival, 2 tornados, the patient


def test_names_inside_the_figures_do_not_collide(page):
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(names)


def test_the_recipe_and_every_placeholder_are_printed(page):
    for text in ("--replicates 20 --seed 1", "ab" * 32, "cd" * 32, "dosing.levels[2].target", "twin.kill.rate"):
        assert text in page
    assert "0.123456789" not in page
    assert "Nothing is fitted yet" in page


def test_nothing_half_written_stays_behind(results_folder, page):
    assert [file.name for file in results_folder.glob("report*")] == ["report.html"]


def test_equal_results_give_equal_pages(results_folder, page):
    assert write_report(results_folder).read_text("utf-8") == page


def test_hostile_text_is_printed_not_run(results_folder, make_folder):
    hostile = '<script>alert("x")</script>'
    folder = make_folder(replicates=2, infused=3, title=hostile)
    subjects = pl.read_parquet(folder / "adsl.parquet").with_columns(
        pl.when(pl.col("TRTFL")).then("DCREAS").otherwise(pl.lit(hostile)).alias("DCREAS"),
        pl.col("TRT01A") + hostile,
        pl.col("USUBJID") + hostile,
    )
    subjects.write_parquet(folder / "adsl.parquet")
    written = write_report(folder).read_text("utf-8")
    assert "<script" not in written
    assert "&lt;script&gt;" in written


def test_a_trial_without_infusions_still_gives_a_page_that_says_so(make_folder):
    written = write_report(make_folder(replicates=3, infused=0)).read_text("utf-8")
    assert [name for name in SECTIONS if f'<section id="{name}"' not in written] == []
    assert "Nobody was infused in any simulated trial" in written
    assert "not reached" in written
    assert "3 of 3 trials had fewer than 9 infusions" in written


def test_no_replicate_at_all_still_gives_a_page(make_folder):
    folder = make_folder(replicates=1, infused=2)
    for name in ("adsl", "adtr", "adrs", "replicates"):
        pl.read_parquet(folder / f"{name}.parquet").clear().write_parquet(folder / f"{name}.parquet")
    assert "There is no simulated trial to show" in write_report(folder).read_text("utf-8")


def test_without_tornado_and_followed_patient_the_page_says_so(make_folder):
    folder = make_folder(replicates=1, infused=2)
    for name in ("tornado.parquet", "patient.parquet", "patient.json"):
        (folder / name).unlink()
    written = write_report(folder).read_text("utf-8")
    assert "No sensitivity analysis of CRS came with these results" in written
    assert "No patient was followed in these results" in written


def test_missing_and_damaged_files_are_named_all_at_once(make_folder):
    folder = make_folder(replicates=1, infused=2)
    (folder / "bands.parquet").unlink()
    (folder / "summary.json").write_text("{", "utf-8")
    (folder / "adtr.parquet").write_bytes(b"no parquet")
    pl.read_parquet(folder / "adsl.parquet").drop("BOR").write_parquet(folder / "adsl.parquet")
    with pytest.raises(InputError) as raised:
        write_report(folder)
    text = str(raised.value)
    assert len(raised.value.faults) == 4
    assert "bands.parquet: no such file" in text
    assert "summary.json: cannot be read" in text
    assert "adtr.parquet: cannot be read" in text
    assert "adsl.parquet: lacks the column BOR" in text
    assert not (folder / "report.html").exists()


def test_the_trial_shown_is_the_one_closest_to_the_median_infused(results_folder):
    results = read_results(results_folder)
    counts = pl.DataFrame({"REPLICATE": [7, 3, 5, 9], "INFUSED": [20, 20, 2, 30]})
    object.__setattr__(results, "replicates", counts)
    assert results.representative() == 3


def _hand_made(**columns):
    return pl.DataFrame({"REPLICATE": list(range(len(next(iter(columns.values()))))), **columns})


def _one(replicates, row, published, **more):
    extra = more.pop("beside", [])
    return compare(replicates, [{"row": row, "published": published, **more}, *extra])[0]


def _often(*values):
    """Each value in enough trials for an interval."""
    return [value for value in values for _ in range(20)]


def test_counts_stand_with_median_interval_control_and_naive_interval():
    replicates = _hand_made(CR=_often(0, 1, 2, 3, 9), CR_NC=_often(0, 0, 0, 1, 1), INFUSED=_often(42, 42, 42, 42, 42))
    row = _one(replicates, "CR", 1, beside=[{"row": "INFUSED", "published": 21}])
    assert (row.published, row.median, row.interval, row.outside) == ("1", "1.0", "0.0 to 4.5", "")
    assert row.label == "Best response: complete, per 21 infused"
    assert row.no_cells == "0.0 (0.0 to 0.5)"
    assert row.naive == "0 to 5"
    assert row.kind is Kind.PREDICTED


def test_a_trial_twice_as_large_with_twice_the_responses_changes_nothing():
    beside = [{"row": "INFUSED", "published": 21}]
    row = _one(_hand_made(SD=[6, 12, 24], INFUSED=[10, 20, 40]), "SD", 12, beside=beside)
    assert (row.median, row.interval) == ("12.6", "12.6")


def test_a_trial_that_infused_nobody_does_not_count_for_responses():
    row = _one(_hand_made(SD=[0, 2], INFUSED=[0, 4]), "SD", 1, beside=[{"row": "INFUSED", "published": 4}])
    assert row.interval == "2.0"


def test_without_a_published_number_infused_responses_are_plain_counts():
    row = _one(_hand_made(SD=[1, 3], INFUSED=[10, 10]), "SD", 1)
    assert (row.label, row.interval) == ("Best response: stable disease", "1 to 3")


@pytest.mark.parametrize(("published", "side"), [(4, "below"), (5, ""), (8, ""), (9, "above")])
def test_a_published_count_is_marked_only_outside_the_interval(published, side):
    assert _one(_hand_made(INFUSED=_often(5, 6, 7, 8)), "INFUSED", published).outside == side


@pytest.mark.parametrize(("trials", "side"), [(1, ""), (19, ""), (20, "above")])
def test_nothing_is_marked_with_too_few_trials_for_an_interval(trials, side):
    assert _one(_hand_made(INFUSED=[5] * trials), "INFUSED", 9).outside == side


def test_the_monte_carlo_limits_of_the_median_are_those_of_the_sign_test():
    """Ten trials: the second lowest and the second highest hold the median with 97.9 %."""
    assert _one(_hand_made(INFUSED=list(range(10))), "INFUSED", 5).error == "1 to 8"
    assert _one(_hand_made(INFUSED=list(range(5))), "INFUSED", 2).error == "–"


RESPONSES = [{"row": row, "published": n} for row, n in (("INFUSED", 21), ("CR", 1), ("PR", 1), ("SD", 12), ("PD", 7))]


def test_who_was_not_evaluable_follows_from_the_published_responses():
    rows = compare(_hand_made(INFUSED=[10], NE=[1], PD=[2]), RESPONSES)
    derived = rows[-1]
    assert (derived.label, derived.published, derived.median) == (
        "Best response: not evaluable, per 21 infused",
        "0",
        "2.1",
    )
    assert derived.note == "derived: 21 − (1 + 1 + 12 + 7)"


@pytest.mark.parametrize("absent", ["INFUSED", "CR", "PD"])
def test_no_row_of_not_evaluable_is_made_up_where_a_published_count_is_missing(absent):
    rows = compare(_hand_made(INFUSED=[10], NE=[1]), [one for one in RESPONSES if one["row"] != absent])
    assert [row.label for row in rows if "not evaluable" in row.label] == []


def test_grades_one_and_two_are_added_within_each_trial():
    assert _one(_hand_made(CRS_G1=[1, 2, 3], CRS_G2=[3, 2, 1]), "CRS_G1_2", 5).interval == "4"


def test_trials_that_never_reach_an_infusion_count_as_latest():
    row = _one(_hand_made(DAY_2=[6838, None, None]), "DAY_2", "2018-09-21")
    assert (row.median, row.interval) == ("not reached", "2018-09-21 to not reached")
    assert row.outside == ""


@pytest.mark.parametrize(("day", "side"), [(7517, "later"), (7518, ""), (7548, ""), (7549, "earlier")])
def test_a_published_month_counts_with_all_its_days(day, side):
    """2020-08-01 is day 7518 and 2020-08-31 is day 7548 since 2000-01-01."""
    assert _one(_hand_made(DAY_9=_often(day)), "DAY_9", "2020-08").outside == side


def test_screening_is_a_free_rate_without_a_naive_interval():
    row = _one(_hand_made(SCREENED=[470, 480]), "SCREENED", 477)
    assert (row.kind, row.naive, row.no_cells) == (Kind.FREE_RATE, "–", "–")


def test_a_published_row_that_nobody_simulates_says_so():
    assert _one(_hand_made(CR=[1]), "weather", "fair").median == "not simulated"


def test_the_page_tells_which_virtual_patients_were_drawn_again(make_folder):
    page = write_report(make_folder()).read_text("utf-8")
    assert "first draw was impossible: 2 of 38, a tumour that doubles too fast.</p>" in page
    assert "AST and ALT" not in page
