"""The calendar by itself: made-up patients and answers, no model. When the committee learns, who is next, what it costs."""

from dataclasses import replace
from itertools import pairwise

import pytest

from graftline.base.clock import day_number
from graftline.base.verdict import Outcome
from graftline.protocol import load_protocol
from graftline.trial.calendar import Answer, Candidate, OnTheDay, Patients, calendar, days_after_conditioning

FIT = OnTheDay(reasons=(), days=0)


@pytest.fixture(scope="module")
def protocol():
    return load_protocol("adp_a2afp").protocol


def waiting(number, protocol, *, apart=5, cells=8.0):
    first = day_number(protocol.recruitment.opens) + 100
    return [
        Candidate(
            row=row,
            available=first + apart * row,
            no_product="",
            cells=cells,
            expires=first + 700,
            leaves=first + 10_000,
            leaving="died while waiting",
        )
        for row in range(number)
    ]


def patients(protocol, *, against=lambda row, day: (), on_the_day=lambda row: FIT):
    return Patients(protocol_of=lambda row: protocol, against_lymphodepletion=against, on_the_day=on_the_day)


def run(candidates, asked, answer):
    """Drive a calendar with the same kind of answer for everyone; the questions, and what it came to."""
    steps, asks = calendar(candidates, asked), []
    try:
        ask = next(steps)
        while True:
            asks.append(ask)
            ask = steps.send(answer(ask))
    except StopIteration as stop:
        return asks, stop.value


def planned_gap(protocol):
    """Days from the last chemotherapy to the infusion when nothing goes wrong: Day -5 to Day 1 here."""
    asks, _ = run(waiting(1, protocol), patients(protocol), tolerated)
    return days_after_conditioning(asks[0])


def tolerated(ask):
    return Answer(free_of_dlt=Outcome.PASS, evaluable=True, dlt_day=None, death=None)


def dlt_on_day(day):
    def answer(ask):
        return Answer(free_of_dlt=Outcome.FAIL, evaluable=True, dlt_day=ask.infusion + day, death=None)

    return answer


def test_a_dose_limiting_toxicity_counts_from_the_day_after_it_and_not_from_the_end_of_the_window(protocol):
    asks, finished = run(waiting(10, protocol), patients(protocol), dlt_on_day(3))
    assert [ask.level for ask in asks] == ["level_1", "level_1"]
    assert finished.decisions[-1][1] == "stop"
    late, _ = run(waiting(10, protocol), patients(protocol), dlt_on_day(28))
    assert len(late) > len(asks)


def test_without_toxicity_the_levels_are_climbed_and_the_expansion_filled(protocol):
    asks, finished = run(waiting(60, protocol), patients(protocol), tolerated)
    levels = [ask.level for ask in asks]
    assert levels == sorted(levels, key=[level.name for level in protocol.dosing.levels].index)
    assert levels.count("expansion") == protocol.dosing.expansion.size
    assert finished.closed is not None


def test_planned_enrolment_ends_dosing(protocol):
    fewer = protocol.model_copy(
        update={"recruitment": protocol.recruitment.model_copy(update={"planned_enrolment": 4})}
    )
    asks, finished = run(waiting(20, fewer), patients(fewer), tolerated)
    assert len(asks) == 4
    assert set(finished.not_treated.values()) == {"dosing closed: planned enrolment reached"}


@pytest.mark.parametrize("level", ["level_1", "level_2", "level_3"])
def test_the_stagger_within_every_cohort_is_kept(protocol, level):
    asks, _ = run(waiting(30, protocol, apart=1), patients(protocol), tolerated)
    here = [ask for ask in asks if ask.level == level]
    stagger = protocol.dosing.escalation.stagger_within_cohort.to("days")
    assert len(here) >= 2
    for earlier, later in pairwise(here):
        assert later.lymphodepletion - earlier.infusion >= stagger


def test_an_expansion_without_stagger_treats_everyone_who_is_ready(protocol):
    asks, _ = run(waiting(40, protocol, apart=0), patients(protocol), tolerated)
    expansion = [ask.lymphodepletion for ask in asks if ask.level == "expansion"]
    assert len(expansion) > 5 and len(set(expansion[1:])) == 1


def test_a_patient_who_is_not_evaluable_is_replaced_unless_the_protocol_says_otherwise(protocol):
    def lost(ask):
        return Answer(free_of_dlt=Outcome.UNKNOWN, evaluable=False, dlt_day=None, death=ask.infusion + 5)

    written = protocol.safety.dose_limiting_toxicity
    keeps = protocol.model_copy(
        update={
            "safety": protocol.safety.model_copy(
                update={"dose_limiting_toxicity": written.model_copy(update={"replace_not_evaluable": False})}
            )
        }
    )
    replaced, _ = run(waiting(12, protocol), patients(protocol), lost)
    kept, _ = run(waiting(12, keeps), patients(keeps), lost)
    assert {ask.level for ask in replaced} == {"level_1"}
    assert {ask.level for ask in kept} > {"level_1"}


def test_the_infusion_falls_five_days_after_the_last_chemotherapy_of_the_first_regimen(protocol):
    assert planned_gap(protocol) == 5


def test_fever_within_the_window_puts_the_infusion_off(protocol):
    asks, _ = run(
        waiting(1, protocol), patients(protocol, on_the_day=lambda row: OnTheDay(reasons=("fever",), days=2)), tolerated
    )
    assert asks[0].put_off == "fever" and len(asks[0].conditioning) == 1
    assert days_after_conditioning(asks[0]) == planned_gap(protocol) + 2


def test_beyond_the_window_conditioning_is_repeated_and_the_window_kept_again(protocol):
    asks, _ = run(
        waiting(1, protocol), patients(protocol, on_the_day=lambda row: OnTheDay(reasons=("fever",), days=9)), tolerated
    )
    assert len(asks[0].conditioning) == 2
    assert days_after_conditioning(asks[0]) == planned_gap(protocol)


def test_beyond_everything_the_patient_is_lymphodepleted_without_cells(protocol):
    asks, finished = run(
        waiting(1, protocol),
        patients(protocol, on_the_day=lambda row: OnTheDay(reasons=("fever",), days=60)),
        tolerated,
    )
    assert not asks and not finished.treated
    assert finished.not_treated[0] == "lymphodepleted, not infused: fever"
    assert finished.lymphodepleted[0].died is False


def test_who_died_or_whose_product_is_out_of_date_is_never_asked_for(protocol):
    first, second = waiting(2, protocol)
    gone = replace(first, leaves=first.available)
    old = replace(second, expires=second.available + 3)
    asks, finished = run([gone, old], patients(protocol), tolerated)
    assert not asks
    assert finished.not_treated == {0: "died while waiting", 1: "product out of date"}


def test_death_between_lymphodepletion_and_infusion_is_no_infusion(protocol):
    def dies_before(ask):
        return Answer(free_of_dlt=Outcome.UNKNOWN, evaluable=False, dlt_day=None, death=ask.infusion - 2)

    _, finished = run(waiting(1, protocol), patients(protocol), dies_before)
    assert not finished.treated
    assert finished.not_treated[0] == "died after lymphodepletion, before infusion"


def test_a_second_look_after_an_infection_comes_later_and_can_succeed(protocol):
    seen = []

    def infected_once(row, day):
        seen.append(day)
        return ("active infection",) if len(seen) == 1 else ()

    asks, finished = run(waiting(1, protocol), patients(protocol, against=infected_once), tolerated)
    assert len(asks) == 1 and seen[1] - seen[0] == 14
    assert finished.postponed == {0: seen[0]}
