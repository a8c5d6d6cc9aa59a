"""Best overall response, confirmation, progression-free survival and duration of response."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.assessment import (
    BestResponse,
    ConfirmationRule,
    ProgressionRule,
    Response,
    Visit,
    best_overall_response,
    best_overall_responses,
    duration_of_response,
    overall_survival,
    progression_free,
    recist_rule,
    visits_in,
)
from graftline.base.clock import day_number

CR, PR, SD, PD, NE, ND = Response.CR, Response.PR, Response.SD, Response.PD, Response.NE, Response.ND
OTHER, MISSING = Response.NON_CR_NON_PD, Response.MISSING
FOUR_WEEKS = ConfirmationRule(confirmation_days=28, minimum_stable_days=28)
TWO_WEEKS = ConfirmationRule(
    confirmation_days=14, minimum_stable_days=28, accept_stable_between=True, not_evaluable_between=0
)


def on(text):
    return day_number(date.fromisoformat(text))


def course(text):
    """'2020-01-01 PR, 2020-02-01 CR' to visits."""
    pairs = [entry.split() for entry in text.split(",")] if text else []
    return [Visit(on(day), OTHER if name == "NON" else Response[name]) for day, name in pairs]


# The nine patients on whom pharmaverse/admiralonco (Apache-2.0) tests its confirmed best response: start of treatment,
# visits, then what is expected with confirmation after 28 days, and after 14 days with one stable visit accepted for a
# partial response and no visit not evaluable between. (Patient 7 has another visit in the second case.)
NINE = {
    1: ("2020-01-01", "2020-01-01 PR, 2020-02-01 CR, 2020-02-16 NE, 2020-03-01 CR, 2020-04-01 SD", CR, PR),
    2: ("2019-12-12", "2020-01-01 SD, 2020-02-01 PR, 2020-03-01 SD, 2020-03-13 CR", SD, PR),
    3: ("2019-11-11", "2019-11-12 CR, 2019-12-02 CR, 2020-01-01 SD", SD, CR),
    4: ("2019-12-30", "2020-01-01 PR, 2020-03-01 SD, 2020-04-01 SD, 2020-05-01 PR, 2020-05-15 NON", SD, SD),
    5: ("2020-01-01", "2020-01-01 PR, 2020-01-10 SD, 2020-01-20 PR, 2020-05-15 NON", OTHER, PR),
    6: ("2020-02-02", "2020-02-06 PR, 2020-02-16 CR, 2020-03-30 PR", SD, SD),
    7: ("2020-02-02", "2020-02-06 PR, 2020-02-16 CR, 2020-04-01 NE", NE, None),
    8: ("2020-04-01", "", MISSING, MISSING),
    9: ("2020-02-01", "2020-02-16 PD, 2020-03-06 SD", PD, PD),
}
FIRST_DATES = {1: "2020-02-01", 2: "2020-02-01", 3: "2020-01-01", 4: "2020-03-01", 5: "2020-05-15", 6: "2020-03-30"} | {
    7: "2020-02-06",
    9: "2020-02-16",
}
SECOND_DATES = {
    1: "2020-01-01",
    2: "2020-02-01",
    3: "2019-11-12",
    4: "2020-03-01",
    5: "2020-01-01",
    6: "2020-03-30",
} | {9: "2020-02-16"}


@pytest.mark.parametrize("patient", NINE)
def test_the_nine_published_patients_have_their_confirmed_response_on_its_date(patient):
    start, visits, expected, _ = NINE[patient]
    found = best_overall_response(course(visits), FOUR_WEEKS, time_zero=on(start))
    assert found.response is expected
    assert found.day == (on(FIRST_DATES[patient]) if patient in FIRST_DATES else None)


@pytest.mark.parametrize("patient", [number for number, row in NINE.items() if row[3] is not None])
def test_the_nine_published_patients_under_the_milder_rule(patient):
    start, visits, _, expected = NINE[patient]
    found = best_overall_response(course(visits), TWO_WEEKS, time_zero=on(start))
    assert found.response is expected
    assert found.day == (on(SECOND_DATES[patient]) if patient in SECOND_DATES else None)


def test_a_patient_with_no_visit_done_is_not_done():
    assert best_overall_response(course("2020-04-02 ND"), TWO_WEEKS, time_zero=on("2020-02-02")).response is ND


def test_reading_past_progression_would_make_the_ninth_patient_stable():
    rule = ConfirmationRule(confirmation_days=28, minimum_stable_days=28, stop_at_progression=False)
    start, visits, *_ = NINE[9]
    assert best_overall_response(course(visits), rule, time_zero=on(start)).response is SD


def weeks(*responses, every=4):
    return [Visit(7 * every * (place + 1), response) for place, response in enumerate(responses)]


@pytest.mark.parametrize(
    ("responses", "expected", "day"),
    [
        ((PR, PR), PR, 28),
        ((PR, CR), PR, 28),
        ((CR, CR), CR, 28),
        ((PR, CR, CR), CR, 56),
        ((PR, NE, PR), PR, 28),
        ((PR, NE, NE, PR), SD, 28),  # more not evaluable than allowed
        ((PR, ND, PR), PR, 28),  # a missed visit counts as not evaluable
        ((PR, SD, PR), SD, 28),
        ((PR, PD), SD, 28),
        ((PD, PR, PR), PD, 28),  # nothing after progression counts
        ((SD, PD), SD, 28),
        ((NE, NE), NE, 28),
        ((NE, PD), PD, 56),
    ],
)
def test_what_a_course_of_visits_amounts_to(responses, expected, day):
    found = best_overall_response(weeks(*responses), FOUR_WEEKS, time_zero=0)
    assert (found.response, found.day) == (expected, day)
    assert found.confirmed == (expected in (CR, PR))


def test_partial_response_then_progression_before_the_stable_minimum_is_progression_on_its_date():
    visits = [Visit(14, PR), Visit(28, PD)]
    rule = ConfirmationRule(confirmation_days=28, minimum_stable_days=42)
    assert best_overall_response(visits, rule, time_zero=0) == BestResponse(response=PD, day=28, confirmed=False)


def test_early_progression_counts_unless_the_protocol_says_otherwise():
    visits = [Visit(14, PD)]
    strict = ConfirmationRule(confirmation_days=28, minimum_stable_days=42)
    lenient = ConfirmationRule(confirmation_days=28, minimum_stable_days=42, early_progression_counts=False)
    assert best_overall_response(visits, strict, time_zero=0).response is PD
    assert best_overall_response(visits, lenient, time_zero=0).response is NE


def test_stable_disease_counts_from_its_minimum_duration_only():
    rule = ConfirmationRule(confirmation_days=28, minimum_stable_days=42)
    assert best_overall_response([Visit(41, SD)], rule, time_zero=0).response is NE
    assert best_overall_response([Visit(42, SD)], rule, time_zero=0).response is SD


def test_complete_response_that_shrinks_back_to_less_raises_a_query():
    found = best_overall_response(weeks(CR, PR, PR), FOUR_WEEKS, time_zero=0)
    assert found.response is PR  # the complete response is not confirmed, the partial ones are
    assert found.queries == ("complete response followed by PR on day 56: confirm with the reader",)
    assert best_overall_response(weeks(PR, CR, CR), FOUR_WEEKS, time_zero=0).queries == ()


def test_one_stable_visit_between_is_accepted_for_partial_response_only():
    rule = ConfirmationRule(confirmation_days=28, minimum_stable_days=28, accept_stable_between=True)
    assert best_overall_response(weeks(PR, SD, PR), rule, time_zero=0).response is PR
    assert best_overall_response(weeks(PR, SD, SD, PR), rule, time_zero=0).response is SD
    assert best_overall_response(weeks(CR, SD, CR), rule, time_zero=0).response is SD


def test_without_confirmation_the_first_response_counts():
    rule = ConfirmationRule(confirmation_days=28, minimum_stable_days=28, required=False)
    assert best_overall_response(weeks(SD, PR, PD), rule, time_zero=0).response is PR


def test_what_happens_under_another_therapy_or_before_time_zero_is_not_read():
    visits = weeks(PR, SD, CR, CR)
    assert best_overall_response(visits, FOUR_WEEKS, time_zero=0, last_day=60).response is SD
    assert best_overall_response(weeks(PD, SD, SD), FOUR_WEEKS, time_zero=28, last_day=30).response is PD
    assert best_overall_response([Visit(-20, SD), Visit(40, SD)], FOUR_WEEKS, time_zero=0).day == 40


def test_the_default_rule_is_that_of_the_cards():
    assert (recist_rule().confirmation_days, recist_rule().minimum_stable_days) == (28, 42)


codes = st.lists(st.sampled_from([CR, PR, SD, PD, NE, ND]), min_size=1, max_size=8)


@given(codes)
def test_confirmation_never_improves_a_response(responses):
    free = ConfirmationRule(confirmation_days=28, minimum_stable_days=28, required=False)
    visits = weeks(*responses)
    with_it, without = (best_overall_response(visits, rule, time_zero=0).response for rule in (FOUR_WEEKS, free))
    assert without <= with_it


@given(codes, st.integers(0, 3), st.integers(0, 3))
def test_allowing_more_between_never_makes_a_response_worse(responses, one, two):
    few, more = sorted((one, two))
    found = [
        best_overall_response(
            weeks(*responses),
            ConfirmationRule(confirmation_days=50, minimum_stable_days=28, not_evaluable_between=allowed),
            time_zero=0,
        ).response
        for allowed in (few, more)
    ]
    assert found[1] <= found[0]


@given(codes, st.randoms(use_true_random=False))
def test_the_order_of_the_list_of_visits_is_irrelevant(responses, chance):
    visits = weeks(*responses)
    mixed = visits.copy()
    chance.shuffle(mixed)
    assert best_overall_response(mixed, FOUR_WEEKS, time_zero=0) == best_overall_response(
        visits, FOUR_WEEKS, time_zero=0
    )


@given(st.lists(codes.map(lambda row: (row * 4)[:4]), min_size=1, max_size=5))
def test_many_patients_are_judged_like_one_by_one(rows):
    days = np.tile(np.arange(1, 5) * 28, (len(rows), 1))
    courses = visits_in(days, np.array(rows, dtype=np.int8))
    together = best_overall_responses(courses, FOUR_WEEKS, time_zero=np.zeros(len(rows), dtype=np.int64))
    for row, responses in enumerate(rows):
        alone = best_overall_response(weeks(*responses), FOUR_WEEKS, time_zero=0)
        assert (together.response[row], together.day[row], together.confirmed[row]) == (
            alone.response,
            alone.day,
            alone.confirmed,
        )


# ---- time to event
ANY_GAP = ProgressionRule()


@pytest.mark.parametrize(
    ("responses", "death", "expected"),
    [
        ((SD, PD), None, (56, True, "progression")),
        ((SD, SD), None, (56, False, "last evaluable visit")),
        ((SD, NE), None, (28, False, "last evaluable visit")),
        ((NE, ND), None, (0, False, "no evaluable visit")),
        ((SD, SD), 70, (70, True, "death")),
        ((SD, PD), 70, (56, True, "progression")),
        ((), 10, (10, True, "death")),
        ((), None, (0, False, "no evaluable visit")),
    ],
)
def test_progression_or_death_ends_freedom_from_progression(responses, death, expected):
    found = progression_free(weeks(*responses), ANY_GAP, time_zero=0, death_day=death)
    assert (found.days, found.event, found.reason) == expected


def test_an_event_after_missed_visits_is_censored_where_the_protocol_says_so():
    visits = [Visit(28, SD), Visit(56, ND), Visit(84, ND), Visit(112, PD)]
    found = progression_free(visits, ProgressionRule(longest_gap_days=60), time_zero=0)
    assert (found.days, found.event, found.reason) == (28, False, "progression after missed visits")
    assert progression_free(visits, ANY_GAP, time_zero=0).days == 112


def test_another_therapy_censors_at_the_last_evaluable_visit_before_it():
    found = progression_free(weeks(SD, SD, PD), ANY_GAP, time_zero=0, death_day=100, last_day=60)
    assert (found.days, found.event) == (56, False)


def test_duration_runs_from_the_first_partial_response_of_a_complete_one():
    visits = weeks(SD, PR, NE, CR, CR, PD)
    best = best_overall_response(visits, FOUR_WEEKS, time_zero=0)
    assert (best.response, best.day) == (CR, 112)
    found = duration_of_response(visits, best, ANY_GAP)
    assert found is not None
    assert (found.days, found.event) == (168 - 56, True)


def test_without_a_confirmed_response_there_is_no_duration():
    visits = weeks(PR, SD)
    assert duration_of_response(visits, best_overall_response(visits, FOUR_WEEKS, time_zero=0), ANY_GAP) is None


def test_survival_ends_with_death_or_is_censored_when_last_seen_alive():
    assert overall_survival(time_zero=10, death_day=40, last_alive_day=39).days == 30
    alive = overall_survival(time_zero=10, death_day=None, last_alive_day=100)
    assert (alive.days, alive.event) == (90, False)


@given(codes, st.one_of(st.none(), st.integers(230, 400)))
def test_time_to_event_is_never_negative_and_an_earlier_zero_never_shortens_it(responses, death):
    found = [
        progression_free(weeks(*responses), ANY_GAP, time_zero=zero, death_day=death).days for zero in (-30, -10, 0)
    ]
    assert all(later <= earlier for earlier, later in pairwise(found))
    assert min(found) >= 0
