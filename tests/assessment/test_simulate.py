"""What is measured of virtual patients: visits, assays, scans, and the placeholder link from IL-6 to CRS."""

from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from graftline.assessment import Response, VisitSchedule, check_schedule, in_window, planned_times, responses
from graftline.assessment.parameters import ASSAYS, assay
from graftline.assessment.simulate import LesionCourse, Visits, at_visits, diameter_mm, draw_scans, draw_visits, measure
from graftline.assessment.simulate_crs import crs_from_cytokine
from graftline.base.errors import InputError
from graftline.base.streams import Keys, Streams
from graftline.evidence import card

IMAGING = VisitSchedule(name="imaging", protocol_days=(29, 57, 85, 113), days_before=3, days_after=3)
STREAMS = Streams(11)


def keys(patients):
    return Keys.of(1, 7, np.arange(patients))


# ---- schedule
def test_planned_days_have_no_day_zero():
    labs = VisitSchedule(name="labs", protocol_days=(-7, -1, 1, 2, 29))
    assert planned_times(labs).tolist() == [-7, -1, 0, 1, 28]
    assert planned_times(labs, until=1).tolist() == [-7, -1, 0, 1]


@pytest.mark.parametrize(
    ("days", "window", "words"),
    [
        ((1, 0), 0, "a Day 0"),
        ((5, 3), 0, "out of order: 5, 3"),
        ((), 0, "no days"),
        ((1, 4), -1, "negative window"),
        ((1, 4), 2, "overlap"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(days, window, words):
    with pytest.raises(InputError, match=words):
        check_schedule(
            VisitSchedule(name="labs", protocol_days=days, days_before=window, days_after=window), "x.yaml:3"
        )


def test_a_visit_is_in_its_window_or_the_reason_is_given():
    assert in_window(IMAGING, 0, 31).passed
    assert in_window(IMAGING, 0, 32).reasons == ("imaging after the window of Day 29",)
    assert in_window(IMAGING, 0, 24).reasons == ("imaging before the window of Day 29",)
    assert in_window(IMAGING, 0, None).unknown


# ---- visits
def test_visits_fill_their_windows_and_are_missed_at_the_stated_rate():
    visits = draw_visits(IMAGING, keys(4000), STREAMS)
    shift = visits.times - planned_times(IMAGING)
    assert set(np.unique(shift)) == set(range(-3, 4))
    missed, expected = 1 - visits.done.mean(), card("visit_missed_probability").number
    assert abs(missed - expected) < 4 * np.sqrt(expected * (1 - expected) / visits.done.size)


def test_more_visits_or_other_patients_move_nobody():
    few = VisitSchedule(name="imaging", protocol_days=(29, 57), days_before=3, days_after=3)
    long, short = draw_visits(IMAGING, keys(50), STREAMS), draw_visits(few, keys(20), STREAMS)
    assert np.array_equal(long.times[:20, :2], short.times)
    assert np.array_equal(long.done[:20, :2], short.done)


def test_a_visit_after_infusion_is_never_drawn_before_it():
    early = VisitSchedule(name="labs", protocol_days=(-2, 1), days_before=1, days_after=0)
    times = draw_visits(early, keys(500), STREAMS).times
    assert times[:, 0].min() == -3
    assert (times[:, 1] == 0).all()


# ---- assays
@pytest.mark.parametrize("quantity", [one for one in ASSAYS if assay(one).sd == 0])
def test_readings_scatter_around_the_truth_with_the_stated_error(quantity):
    rule = assay(quantity)
    truth = np.full((20_000, 1), 2000.0)
    reading = measure(truth, quantity, keys(20_000), STREAMS, times=np.zeros(1)).value
    error = np.log(reading[reading < (rule.upper_limit or np.inf)] / 2000)
    expected = np.hypot(rule.log_sd, rule.slow_log_sd)
    if rule.upper_limit is None:
        assert abs(error.mean()) < 4 * expected / np.sqrt(error.size)
        assert error.std() == pytest.approx(expected, rel=0.03)
    else:
        assert abs(np.median(error)) < 6 * expected / np.sqrt(error.size) + 0.02


def test_afp_errs_alike_at_neighbouring_visits_and_as_published_over_eighty_days():
    times = np.array([0.0, 1.0, 81.0])
    reading = np.log(measure(np.full((20_000, 3), 2000.0), "afp", keys(20_000), STREAMS, times=times).value)
    next_day, eighty_days = (reading[:, 1] - reading[:, 0]).std(), (reading[:, 2] - reading[:, 1]).std()
    assert eighty_days == pytest.approx(1.23, rel=0.04)  # DTSDHCC, residual SD per about 80 days
    assert next_day < 0.5
    with pytest.raises(ValueError, match="give the times"):
        measure(np.ones((1, 1)), "afp", keys(1), STREAMS)


def test_readings_beyond_the_limits_are_reported_at_them_with_a_flag():
    truth = np.array([[0.0, 1e-6, 1e9, np.nan, 100.0]])
    found = measure(truth, "il6", keys(1), STREAMS)
    assert found.below_limit.tolist() == [[True, True, False, False, False]]
    assert found.above_limit.tolist() == [[False, False, True, False, False]]
    assert found.value[0, :3].tolist() == [1.5, 1.5, 5000]
    assert np.isnan(found.value[0, 3])


def test_a_missed_visit_has_no_reading():
    truth = np.full((2, 3), 1e9)
    visits = Visits(times=np.tile([0, 7, 14], (2, 1)), done=np.array([[True, False, True], [False, True, True]]))
    found = at_visits(measure(truth, "il6", keys(2), STREAMS), visits)
    assert np.array_equal(np.isnan(found.value), ~visits.done)
    assert np.array_equal(found.above_limit, visits.done)


def test_an_unknown_quantity_is_refused_with_the_known_ones():
    with pytest.raises(KeyError, match="known are transgene"):
        measure(np.ones((1, 1)), "sodium", keys(1), STREAMS)


# ---- scans
def test_diameters_are_those_of_spheres():
    assert diameter_mm(np.array([0.0, np.pi / 6, 1000 * np.pi / 6, -1e-9])) == pytest.approx([0, 10, 100, 0])


def scans_of(volumes, *, baseline=None, new_lesion=np.inf, days=(28, 56, 84)):
    volumes = np.asarray(volumes, dtype=np.float64)
    patients = len(volumes)
    course = LesionCourse(
        baseline_day=np.full(patients, -8),
        baseline_volumes=volumes[:, 0] if baseline is None else np.asarray(baseline, dtype=np.float64),
        volumes=volumes,
        new_lesion_time=np.full(patients, new_lesion),
    )
    visits = Visits(times=np.tile(days, (patients, 1)), done=np.ones((patients, len(days)), dtype=np.bool_))
    return draw_scans(course, visits, keys(patients), STREAMS)


def test_a_lesion_is_written_in_whole_millimetres_five_if_too_small_and_zero_if_gone():
    volumes = np.full((400, 3, 1), 100.0)
    volumes[:, 1], volumes[:, 2] = 0.02, 0.001  # 3.4 mm and 1.2 mm
    series = scans_of(volumes)
    assert np.nanmax(np.abs(series.diameters - np.rint(series.diameters))) == 0
    assert set(np.unique(series.diameters[:, 1][~np.isnan(series.diameters[:, 1])])) == {5}
    assert set(np.unique(series.diameters[:, 2][~np.isnan(series.diameters[:, 2])])) == {0}
    found = responses(series)
    assert set(np.unique(found[:, 2])) <= {Response.CR, Response.NE}


def test_a_scan_repeated_at_once_shows_the_published_change():
    series = scans_of(np.full((8000, 3, 1), 150.0), days=(1, 2, 3))
    one, two = series.diameters[:, 0, 0], series.diameters[:, 1, 0]
    change = (two / one - 1)[~np.isnan(one + two)]
    assert np.mean(np.abs(change) <= 0.1) == pytest.approx(0.84, abs=0.02)  # Oxnard, J Clin Oncol 2011


def test_at_most_two_lesions_of_the_liver_are_targets_and_the_others_keep_a_response_partial():
    volumes = np.full((300, 3, 4), 60.0)
    volumes[:, 1:, :] = 0.0
    volumes[:, 1, 3] = 60.0  # one lesion stays for a visit
    volumes[:, :, 2] = np.nan  # there are only three lesions
    series = scans_of(volumes)
    assert (np.sum(~np.isnan(series.baseline), axis=1) == 2).all()
    found = responses(series)
    other_left = np.isnan(series.baseline[:, 3]) & ~np.isnan(series.sums[:, 1])
    assert other_left.any()
    assert set(np.unique(found[other_left, 1])) == {Response.PR}


def test_a_new_lesion_shows_at_the_first_scan_after_it_became_visible():
    found = responses(scans_of(np.full((200, 3, 1), 100.0), new_lesion=50))
    assert (found[:, 1:] == Response.PD).all()
    assert (found[:, 0] != Response.PD).mean() > 0.9


def test_growing_lesions_progress_and_shrinking_ones_respond():
    start = np.full((200, 1), 100.0)
    grown = responses(scans_of(np.full((200, 3, 1), 500.0), baseline=start))
    shrunk = responses(scans_of(np.full((200, 3, 1), 10.0), baseline=start))
    assert np.isin(grown, [Response.PD, Response.NE]).all()
    assert np.isin(shrunk, [Response.PR, Response.NE, Response.PD]).all()
    assert (shrunk == Response.PR).mean() > 0.9


# ---- CRS
def il6(patients, peak, days=12):
    return peak * np.exp(-0.5 * ((np.arange(days) - 3) / 1.5) ** 2)[None, :] * np.ones((patients, 1))


def test_no_cytokine_no_syndrome_and_onset_is_the_first_day_over_the_limit():
    quiet, loud = (crs_from_cytokine(il6(50, peak), keys(50), STREAMS) for peak in (40, 100))
    assert (quiet.grade == 0).all() and (quiet.onset == -1).all()
    assert (loud.onset == 2).all()
    assert (loud.worst >= 1).all()


@given(st.floats(1, 1e5), st.floats(1, 3))
def test_more_cytokine_never_gives_a_milder_syndrome(peak, factor):
    less, more = (crs_from_cytokine(il6(20, level), keys(20), STREAMS).grade for level in (peak, peak * factor))
    assert (less <= more).all()


def test_grades_spread_between_patients_and_all_occur():
    worst = crs_from_cytokine(il6(3000, 400), keys(3000), STREAMS).worst
    assert set(np.unique(worst)) == {1, 2, 3, 4}


def test_a_masked_fever_keeps_the_grade_of_what_is_left():
    level = np.array([[100.0, 1000.0, 55.0, 55.0]])
    level = np.repeat(level, 500, axis=0)
    treated = np.zeros(level.shape, dtype=np.bool_)
    treated[:, 1] = True
    bare, masked = (crs_from_cytokine(level, keys(500), STREAMS, masking_treatment=drug) for drug in (False, treated))
    assert (bare.grade[:, 2:] == 0).all()
    assert (masked.grade[:, 2] >= bare.grade[:, 2]).all()
    assert (masked.grade[:, 2] > 0).any()  # patients whose pressure falls below the level of fever


def test_a_failed_course_has_an_unknown_grade_not_none():
    level = np.array([[100.0, np.nan, 100.0]])
    assert crs_from_cytokine(level, keys(1), STREAMS).grade[0, 1] == -1


# ---- evidence
def test_every_card_of_this_step_is_asked_for_somewhere():
    package = files("graftline")
    code = "".join(
        file.read_text(encoding="utf-8")
        for file in package.joinpath("assessment").iterdir()
        if file.name.endswith(".py")
    )
    for topic in ("assessment", "grading"):
        text = package.joinpath("evidence", "cards", f"{topic}.yaml").read_text(encoding="utf-8")
        names = YAML(typ="safe", pure=True).load(text)
        unused = [name for name in names if name not in code and name not in {"crs_il6_pressure", "crs_il6_oxygen"}]
        assert unused == []
