"""Patients whose parameters nobody can have are drawn again; nobody else notices."""

import numpy as np
import pytest
from house_patients import keys_of, typical_latents, varied_baseline

from graftline.base.streams import Streams
from graftline.population import implausible_baseline
from graftline.twin import LATENT_RULES, implausible_latents
from graftline.twin.simulate import draw_latents, draw_plausible_latents

PATIENTS = 1500


def possible_baseline():
    """Varied patients whose tumour finds room in a liver."""
    varied = varied_baseline(PATIENTS)
    rows = np.flatnonzero(~implausible_baseline(varied)["tumour_without_room"])
    return varied.take(rows), keys_of(PATIENTS).take(rows)


@pytest.fixture(scope="module")
def drawn():
    return draw_latents(*possible_baseline(), Streams(3))


@pytest.fixture(scope="module")
def plausible():
    return draw_plausible_latents(*possible_baseline(), Streams(3))


def test_nobody_breaks_a_rule_and_only_those_who_did_are_others(drawn, plausible):
    latents, refusals = plausible
    assert not any(flags.any() for flags in implausible_latents(latents).values())
    broke = np.logical_or.reduce(list(implausible_latents(drawn).values()))
    assert 0 < broke.sum() < 0.05 * PATIENTS
    assert np.array_equal(refusals.draws > 1, broke)
    for symbol, values in drawn.parameters.items():
        assert np.array_equal(values[~broke], latents.parameters[symbol][~broke]), symbol
    assert np.all(drawn.parameters["rh"][broke] != latents.parameters["rh"][broke])
    for symbol in ("V0", "L0", "U0"):  # what was measured stays
        assert np.array_equal(drawn.parameters[symbol], latents.parameters[symbol]), symbol
    assert list(refusals.counts) == list(LATENT_RULES)


def test_who_is_drawn_again_does_not_depend_on_company(plausible):
    some = np.concatenate([[0, 1], np.flatnonzero(plausible[1].draws > 1)[:2]])
    baseline, keys = possible_baseline()
    alone, _ = draw_plausible_latents(baseline.take(some), keys.take(some), Streams(3))
    for symbol, values in alone.parameters.items():
        assert np.array_equal(values, plausible[0].parameters[symbol][some]), symbol


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("no_number", {"rho": np.nan}),
        ("no_number", {"kap": -1.0}),
        ("no_number", {"mT": np.inf}),
        ("tumour_doubling", {"lam0": 0.1}),
        ("liver_capacity", {"Vmax": 9000.0}),
        ("tumour_fills_liver", {"V0": 2500.0}),
        ("fludarabine_half_life", {"kF": 24.0}),
        ("fludarabine_half_life", {"kF": 0.1}),
        ("cyclophosphamide_half_life", {"kY": 30.0}),
        ("cyclophosphamide_half_life", {"kY": 0.2}),
        ("not_at_rest", {"toci": 5.0}),
    ],
)
def test_each_rule_refuses_what_it_says_and_the_typical_patient_passes(rule, changed):
    typical = typical_latents(2)
    assert not any(flags.any() for flags in implausible_latents(typical).values())
    assert implausible_latents(typical.changed(**changed))[rule].all()


def test_rest_is_not_looked_at_where_numbers_are_missing():
    one = implausible_latents(typical_latents(3).changed(rho=np.array([0.3, np.nan, 0.3])))
    assert one["no_number"].tolist() == [False, True, False]
    assert not one["not_at_rest"].any()


def test_without_a_refusal_the_draw_is_that_without_rules():
    baseline = varied_baseline(5)
    free, (ruled, refusals) = (
        draw_latents(baseline, keys_of(5), Streams(3)),
        draw_plausible_latents(baseline, keys_of(5), Streams(3)),
    )
    assert refusals.patients == 0
    assert all(np.array_equal(values, ruled.parameters[symbol]) for symbol, values in free.parameters.items())
