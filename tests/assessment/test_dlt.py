"""Dose-limiting toxicity under the placeholder definition of the reference trial."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.assessment import (
    Attribution,
    DltCriterion,
    DltDefinition,
    ToxicityEvent,
    free_of_dose_limiting_toxicity,
    is_evaluable,
    toxicity_events,
)

SPECIAL = ("crs", "icans", "neutropenia", "thrombocytopenia", "anaemia", "lymphopenia", "leukopenia")
CRS_3 = DltCriterion(
    name="CRS grade 3 not 2 or less within 7 days", kinds=("crs",), least_grade=3, most_grade=3, allowed_days=7
)
OTHER = DltCriterion(
    name="other grade 3 not resolved within 7 days", other_than=SPECIAL, least_grade=3, allowed_days=7, resolves_to=1
)
DEFINITION = DltDefinition(
    first_day=1,
    last_day=29,
    least_attribution=Attribution.POSSIBLE,
    excluded_kinds=("progression",),
    least_dose_fraction=0.8,
    criteria=(
        DltCriterion(name="death", least_grade=5),
        DltCriterion(name="CRS grade 4", kinds=("crs",), least_grade=4),
        CRS_3,
        DltCriterion(name="ICANS grade 3 for more than 3 days", kinds=("icans",), least_grade=3, allowed_days=3),
        OTHER,
        DltCriterion(
            name="grade 4 count beyond Day 42",
            kinds=("neutropenia", "thrombocytopenia"),
            least_grade=4,
            beyond_day=42,
            even_if_expected=True,
        ),
    ),
)


def event(kind, grade, first, last, **more):
    return ToxicityEvent(
        kind=kind, grade=grade, first_day=first, last_day=last, **{"attribution": Attribution.POSSIBLE, **more}
    )


def judged(*events, until=60):
    return free_of_dose_limiting_toxicity(events, DEFINITION, observed_until=until)


@pytest.mark.parametrize(
    "harmless",
    [
        event("crs", 3, 2, 8),  # seven days
        event("crs", 2, 2, 40),
        event("icans", 3, 5, 7),
        event("hepatitis", 3, 3, 9),
        event("hepatitis", 3, 30, 50),  # begins after the window
        event("neutropenia", 4, 1, 42),
        event("lymphopenia", 4, 1, 50, expected_from_lymphodepletion=True),
        event("progression", 5, 20, 20),
        event("crs", 4, 2, 3, attribution=Attribution.UNLIKELY),
        event("fatigue", 3, 2, 40, expected_from_lymphodepletion=True),
    ],
)
def test_what_the_definition_excludes_is_not_dose_limiting(harmless):
    assert judged(harmless).passed


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (event("crs", 4, 2, 2), "CRS grade 4: crs grade 4 from Day 2"),
        (event("crs", 3, 2, 9), "CRS grade 3 not 2 or less within 7 days: crs grade 3 from Day 2"),
        (event("icans", 3, 5, 8), "ICANS grade 3 for more than 3 days: icans grade 3 from Day 5"),
        (event("hepatitis", 4, 3, 10), "other grade 3 not resolved within 7 days: hepatitis grade 4 from Day 3"),
        (event("haemorrhage", 5, 29, 29), "death: haemorrhage grade 5 from Day 29"),
        (
            event("neutropenia", 4, 1, 43, expected_from_lymphodepletion=True),
            "grade 4 count beyond Day 42: neutropenia grade 4 from Day 1",
        ),
    ],
)
def test_a_dose_limiting_toxicity_is_named(harm, reason):
    assert judged(harm).failed
    assert reason in judged(harm).reasons


def test_before_the_window_is_over_freedom_is_unknown():
    assert judged(until=28).reasons == ("not known: window to Day 29",)
    assert judged(until=29).passed


def test_a_toxicity_that_goes_on_is_open_until_its_time_has_run_out():
    hepatitis = event("hepatitis", 3, 25, None)
    assert judged(hepatitis, until=30).unknown
    assert judged(hepatitis, until=32).failed
    assert judged(event("thrombocytopenia", 4, 2, None), until=40).unknown


def test_a_toxicity_without_attribution_leaves_it_open():
    assert judged(event("crs", 4, 2, 3, attribution=None)).reasons == (
        "attribution not judged: CRS grade 4: crs grade 4 from Day 2",
    )
    assert judged(event("crs", 2, 2, 3, attribution=None)).passed


def test_a_failure_stands_however_much_else_is_open():
    assert judged(event("crs", 4, 2, 3), event("icans", 3, 4, None), until=5).failed


@pytest.mark.parametrize(
    ("events", "until", "dose", "gone", "expected"),
    [
        ((), 29, 1.0, False, "passed"),
        ((), 20, 1.0, False, "unknown"),
        ((), 20, 1.0, True, "failed"),
        ((event("crs", 4, 2, 3),), 5, 1.0, True, "passed"),
        ((), 29, 0.5, False, "failed"),
        ((), 29, None, False, "unknown"),
    ],
)
def test_who_counts_for_dose_finding(events, until, dose, gone, expected):
    verdict = is_evaluable(events, DEFINITION, observed_until=until, dose_fraction=dose, gone=gone)
    assert getattr(verdict, expected)


def test_daily_grades_become_episodes_that_end_at_the_level_the_criterion_asks_for():
    grades = [0, 3, 3, -1, 2, 4, 2, 1, 0, 3]
    found = toxicity_events("hepatitis", grades, OTHER, attribution=Attribution.PROBABLE)
    assert [(one.grade, one.first_day, one.last_day) for one in found] == [(4, 2, 7), (3, 10, None)]
    crs = toxicity_events("crs", [1, 3, 3, 2, 3, 1], CRS_3, attribution=Attribution.PROBABLE)
    assert [(one.first_day, one.last_day) for one in crs] == [(2, 3), (5, 5)]


@given(st.integers(1, 5), st.integers(1, 60), st.integers(0, 60), st.integers(0, 30))
def test_a_longer_toxicity_is_never_better(grade, first, length, more):
    short, long = (
        judged(event("hepatitis", grade, first, first + days), until=150) for days in (length, length + more)
    )
    assert long.outcome <= short.outcome
