"""Impossible patients are drawn again; nobody else notices."""

from dataclasses import fields, replace

import numpy as np
import pytest

from graftline.base.errors import InputError
from graftline.base.streams import Keys, Streams
from graftline.evidence import card
from graftline.population import BASELINE_RULES, PopulationPlan, implausible_baseline
from graftline.population.plausibility import draw_plausible
from graftline.population.simulate import draw_baseline, draw_plausible_baseline

PATIENTS = 4000


def plan_of(patients):
    return PopulationPlan(country=np.full(patients, "FR"))


def keys_of(patients):
    return Keys.of(0, 1, np.arange(patients))


@pytest.fixture(scope="module")
def drawn():
    return draw_baseline(plan_of(PATIENTS), keys_of(PATIENTS), Streams(7))


@pytest.fixture(scope="module")
def plausible():
    return draw_plausible_baseline(plan_of(PATIENTS), keys_of(PATIENTS), Streams(7))


def differs(one, other):
    """Patients in whom any field differs."""
    rows = np.zeros(len(one), dtype=bool)
    for field in fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        unequal = (mine != theirs) & ~((mine != mine) & (theirs != theirs))
        rows |= unequal.reshape(len(one), -1).any(axis=1)
    return rows


def test_nobody_breaks_a_rule_and_only_those_who_did_are_others(drawn, plausible):
    baseline, refusals = plausible
    assert not any(flags.any() for flags in implausible_baseline(baseline).values())
    broke = np.logical_or.reduce(list(implausible_baseline(drawn).values()))
    assert 0 < broke.sum() < 0.02 * PATIENTS
    assert np.array_equal(differs(drawn, baseline), broke)
    assert np.array_equal(refusals.draws > 1, broke)
    assert refusals.patients == broke.sum()


def test_every_rule_is_counted_used_or_not(plausible):
    refusals = plausible[1]
    assert list(refusals.counts) == list(BASELINE_RULES)
    assert sum(refusals.counts.values()) >= refusals.patients > 0
    assert np.array_equal(sum(refusals.by_rule.values()) > 0, refusals.draws > 1)


def test_who_is_drawn_again_does_not_depend_on_company(plausible):
    some = np.flatnonzero(plausible[1].draws > 1)[:3]
    some = np.sort(np.concatenate([some, [0, 1]]))
    alone, refusals = draw_plausible_baseline(plan_of(len(some)), keys_of(PATIENTS).take(some), Streams(7))
    assert not differs(alone, plausible[0].take(some)).any()
    assert np.array_equal(refusals.draws, plausible[1].draws[some])


def spoilt(baseline, **values):
    if "largest" in values:
        return replace(baseline, lesion_diameters=np.full((len(baseline), 1), float(values["largest"])))
    return replace(baseline, **{name: np.full(len(baseline), float(value)) for name, value in values.items()})


@pytest.mark.parametrize(
    ("rule", "broken", "kept"),
    [
        ("resting_lymphocytes", {"lymphocytes": 150}, {"lymphocytes": 250}),
        ("resting_lymphocytes", {"lymphocytes": 5500}, {"lymphocytes": 4500}),
        ("transaminases", {"ast": 900, "alt": 60}, {"ast": 900, "alt": 300}),
        (
            "liver_contradiction",
            {"inr": 2.8, "albumin": 50, "bilirubin": 10},
            {"inr": 2.8, "albumin": 25, "bilirubin": 10},
        ),
        ("active_in_encephalopathy", {"encephalopathy": 2, "ecog": 0}, {"encephalopathy": 2, "ecog": 2}),
        ("tumour_without_room", {"largest": 210}, {"largest": 200}),
        ("afp_without_tumour", {"afp_serum": 1e10}, {"afp_serum": 1e4}),
    ],
)
def test_each_rule_refuses_what_it_says(drawn, rule, broken, kept):
    some = spoilt(drawn.take(np.arange(5)), lymphocytes=1000, ast=60, alt=40, inr=1.1, albumin=35, bilirubin=17, ecog=1)
    assert implausible_baseline(spoilt(some, **broken))[rule].all()
    assert not implausible_baseline(spoilt(some, **kept))[rule].any()


def test_what_is_missing_is_not_refused(drawn):
    names = ("lymphocytes", "ast", "alt", "inr", "albumin", "bilirubin", "afp_serum", "encephalopathy")
    unknown = spoilt(drawn.take(np.arange(5)), **dict.fromkeys(names, np.nan))
    assert not any(flags.any() for flags in implausible_baseline(unknown).values())


def test_rules_that_leave_nobody_are_told():
    class Row:
        def take(self, _):
            return self

        def replaced(self, *_):
            return self

    with pytest.raises(InputError, match="refused 100 draws in a row, most often because of never"):
        draw_plausible(lambda *_: Row(), lambda _: {"never": np.ones(1, dtype=bool)}, 1, Streams(1))
    assert card("plausible_most_draws").number == 100


def test_what_is_drawn_again_has_streams_of_its_own():
    streams, keys = Streams(3), keys_of(4)
    first, second, third = (one.named("x").uniform(keys) for one in (streams, streams.again(1), streams.again(2)))
    assert not np.any(first == second) and not np.any(second == third)
    assert np.array_equal(streams.again(1).named("x").uniform(keys), second)
