"""Draws of the twin: what they are tied to, that they stay, and that spreads mean what their kind says."""

import numpy as np
import pytest
from house_patients import keys_of, latents_of, make_baseline, typical_latents, varied_baseline
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from graftline.base.errors import InputError
from graftline.base.streams import Streams
from graftline.evidence import Card, card
from graftline.twin import referral_state
from graftline.twin.parameters import draw_around
from graftline.twin.simulate import draw_latents

GRID = (np.arange(20_000) + 0.5) / 20_000


def spread_card(kind, spread, value=2.0, bounds=None):
    return Card(
        name="test", value=value, unit="1", meaning="test", source="test", sure="C",
        spread={"kind": kind, "value": spread}, bounds=bounds,
    )  # fmt: skip


def test_a_coefficient_of_variation_is_one_of_the_log_normal():
    drawn = draw_around(spread_card("cv", 0.5), GRID)
    assert np.median(drawn) == pytest.approx(2.0, rel=1e-3)
    assert drawn.std() / drawn.mean() == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize(
    ("kind", "scale"),
    [("log_sd", np.log), ("sd", np.asarray), ("logit_sd", lambda x: np.log(x / (1 - x)))],
)
def test_a_standard_deviation_is_one_on_its_own_scale(kind, scale):
    drawn = scale(draw_around(spread_card(kind, 0.7, value=0.4), GRID))
    assert drawn.std() == pytest.approx(0.7, rel=0.01)
    assert np.median(drawn) == pytest.approx(scale(0.4), abs=1e-3)


def test_a_variance_is_not_taken_for_a_standard_deviation():
    assert draw_around(spread_card("variance", 0.49), GRID).std() == pytest.approx(0.7, rel=0.01)


def test_nothing_is_drawn_from_a_spread_whose_kind_is_unsettled():
    with pytest.raises(InputError, match=r"card test: its spread 0.9 may be a variance or a standard deviation"):
        draw_around(spread_card("unsettled", 0.9), GRID)


def test_bounds_truncate_and_do_not_pile_up():
    drawn = draw_around(spread_card("sd", 1.0, value=0.0, bounds=(-1.0, 0.5)), GRID)
    assert drawn.min() > -1 and drawn.max() < 0.5
    inside = (norm.cdf(0) - norm.cdf(-1)) / (norm.cdf(0.5) - norm.cdf(-1))
    assert np.mean(drawn < 0) == pytest.approx(inside, abs=1e-3)


def test_the_quartiles_of_a_group_do_not_move_a_patient():
    drawn = draw_around(card("twin_R0"), GRID)
    assert np.all(drawn == card("twin_R0").number)


@given(st.integers(0, 2**31), st.lists(st.integers(0, 30), min_size=1, max_size=6, unique=True))
def test_latents_depend_on_the_patient_alone(seed, chosen):
    baseline, keys = varied_baseline(31), keys_of(31)
    whole = draw_latents(baseline, keys, Streams(seed)).take(np.array(chosen))
    alone = draw_latents(baseline.take(np.array(chosen)), keys.take(np.array(chosen)), Streams(seed))
    for symbol, values in whole.parameters.items():
        assert np.array_equal(values, alone.parameters[symbol]), symbol


def test_another_baseline_value_moves_only_what_depends_on_it():
    one, other = latents_of(varied_baseline(5)), latents_of(varied_baseline(5), seed=4)
    assert np.all(one.parameters["rh"] != other.parameters["rh"])
    sicker = latents_of(make_baseline(1, alt=90.0)).parameters
    reference = latents_of(make_baseline(1)).parameters
    assert {symbol for symbol in reference if sicker[symbol] != reference[symbol]} == {"U0"}


def test_the_typical_drug_rates_are_those_of_the_sources():
    p = typical_latents().parameters
    assert p["kF"][0] == pytest.approx(1.63, abs=0.005)
    at_reference = typical_latents(weight=1.58**2 * 3600 / 173.28).parameters
    assert at_reference["kY"][0] == pytest.approx(2.79, abs=0.005)


def test_worse_kidneys_and_livers_keep_the_drugs_longer():
    eGFR = typical_latents(3, egfr=np.array([30.0, 60.0, 90.0])).parameters["kF"]
    assert np.all(np.diff(eGFR) > 0)
    liver = typical_latents(4, child_pugh=np.array([5.0, 6.0, 8.0, 12.0])).parameters["kY"]
    assert liver[0] == liver[1] > liver[2] > liver[3] == pytest.approx(0.71 * liver[0])


def test_afp_at_referral_is_the_measured_one_for_secretors_and_others():
    afp = np.array([2.0, 40.0, 400.0, 100_000.0])
    latents = latents_of(make_baseline(4, afp_serum=afp, afp_tumour_ihc=np.array([0.0, 30.0, 90.0, 100.0])))
    assert np.allclose(referral_state(latents).states["P"], afp, rtol=1e-12)


def test_the_tumour_at_referral_is_the_sum_of_its_lesions_and_fits_the_liver():
    diameters = np.array([100.0, 50.0, 20.0, np.nan, np.nan])
    latents = latents_of(make_baseline(200, lesion_diameters=diameters))
    expected = np.pi / 6 * np.nansum((diameters / 10) ** 3)
    assert np.allclose(latents.parameters["V0"], expected)
    assert np.allclose(np.nansum(latents.lesion_shares, axis=1), 1)
    assert np.all(np.isnan(latents.lesion_shares[:, 3:]))
    huge = latents_of(make_baseline(200, lesion_diameters=np.array([180.0, 120.0, np.nan, np.nan, np.nan])))
    assert np.all(huge.parameters["V0"] <= 0.6 * huge.parameters["Vmax"] * (1 + 1e-12))


def test_a_patient_without_the_allele_gives_no_signal_and_two_give_twice_the_strength():
    s = latents_of(make_baseline(3), seed=2).parameters["s"]
    changed = latents_of(make_baseline(3, hla_a0201p_alleles=np.array([0.0, 1.0, 2.0])), seed=2).parameters["s"]
    assert np.allclose(changed, s * [0, 1, 2])


def test_missing_measurements_fall_back_to_cards():
    names = ["egfr", "child_pugh", "afp_serum", "lymphocytes", "neutrophils", "platelets", "alt", "crp", "bilirubin"]
    missing = dict.fromkeys(names, np.nan)
    latents = latents_of(make_baseline(20, afp_tumour_ihc=np.nan, afp_nontumour_ihc=np.nan, **missing))
    for symbol, values in {**latents.parameters, "bilirubin": latents.bilirubin}.items():
        assert np.all(np.isfinite(values)), symbol
    assert np.all(latents.parameters["fN"] <= 0.8) and np.all(latents.parameters["J0"] <= 0.05)
    assert len(np.unique(latents.parameters["L0"])) == 20
