"""AFP: the truth behind made tables is found; half-lives are those of the real one."""

import numpy as np
import pytest
from visit_tables import made

from graftline.learning import fit_secretion, fit_wander, half_lives

CAP = 121_000.0


def first_visits(patients, seed, exponent=1.0):
    """65 % secretors with AFP of 20 ng/mL per cm^3 (log-SD 2), the others 5 ng/mL (log-SD 1); capped, low ones 0."""
    chance = np.random.default_rng(seed)
    diameter = np.exp(np.log(66) + 0.52 * chance.standard_normal(patients))
    volume = np.pi / 6 * (diameter / 10) ** 3
    secretes = chance.random(patients) < 0.65
    made_by_tumour = 20 * 151 * (volume / 151) ** exponent * np.exp(2.0 * chance.standard_normal(patients))
    afp = np.where(secretes, made_by_tumour, 5 * np.exp(chance.standard_normal(patients)))
    afp = np.where(afp < 1, 0.0, np.minimum(afp, CAP))
    return made(np.arange(patients), np.zeros(patients), diameter=diameter, afp=afp)


def test_secretors_are_told_apart_in_spite_of_cap_and_low_values():
    history = first_visits(6000, seed=1)
    assert np.mean(history.afp == CAP) > 0.01 and np.mean(history.afp == 0) > 0.01
    found = fit_secretion(history)
    assert found.per_volume == pytest.approx(20.0, rel=0.2)
    assert found.log_sd == pytest.approx(2.0, rel=0.08)
    assert found.secretor_share[1] < 0.65 < found.secretor_share[2]
    assert found.background[0] == pytest.approx(5.0, rel=0.15)


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_the_power_of_volume_is_found(exponent):
    found = fit_secretion(first_visits(6000, seed=2, exponent=exponent), exponent=None)
    assert abs(found.fit["exponent"] - exponent) < 3.5 * found.fit.standard_error("exponent")
    assert found.fit.standard_error("exponent") < 0.06


def followed(patients, slope, short, slow, slow_days, seed):
    chance = np.random.default_rng(seed)
    on_days = np.array([0.0, 10.0, 60.0, 75.0, 150.0, 160.0])  # near and far, to tell the errors apart
    subject, day = np.repeat(np.arange(patients), 6), np.tile(on_days, patients)
    ln_volume = np.log(150) + 0.8 * chance.standard_normal(len(subject))
    state = np.empty((patients, 6))
    state[:, 0] = chance.standard_normal(patients)
    for visit in range(1, 6):
        memory = np.exp(-(on_days[visit] - on_days[visit - 1]) / slow_days)
        state[:, visit] = memory * state[:, visit - 1] + np.sqrt(1 - memory**2) * chance.standard_normal(patients)
    level = 7.5 + 0.3 * chance.standard_normal(patients)
    ln_afp = level[subject] + slope * (ln_volume - np.log(150)) + slow * state.ravel()
    ln_afp += short * chance.standard_normal(len(subject))
    return made(subject, day, diameter=10 * np.cbrt(6 * np.exp(ln_volume) / np.pi), afp=np.exp(ln_afp))


def test_slope_and_wandering_of_afp_are_found():
    found = fit_wander(followed(600, slope=0.5, short=0.25, slow=0.6, slow_days=100.0, seed=3))
    assert abs(found.fit["slope"] - 0.5) < 4 * found.fit.standard_error("slope") < 0.1
    for name, truth in (("ln_short", np.log(0.25)), ("ln_slow", np.log(0.6)), ("ln_time", np.log(100 / 80))):
        assert abs(found.fit[name] - truth) < 3 * found.fit.standard_error(name) < 1.0, name
    expected = np.sqrt(2 * 0.25**2 + 2 * 0.6**2 * (1 - np.exp(-0.8)))
    assert found.residual == pytest.approx(expected, rel=0.05)


def test_half_lives_are_exact_where_afp_falls_alone():
    days = np.array([30.0, 30.0, 90.0, 30.0, 30.0])  # the third comes back too late
    subject, day = np.repeat(np.arange(5), 2), np.zeros(10)
    day[1::2] = days
    afp = np.full(10, 1000.0)
    afp[1::2] = 1000 * 0.5 ** (days / 6.6)
    afp[7] = 1100.0  # rises: no half-life
    diameter = np.tile([60.0, 0.0], 5)
    diameter[9] = 12.0  # a lesion is left
    cut = np.tile([True, False], 5)
    cut[2:4] = [False, True]  # at or after the visit: the operation comes after the second visit
    assert half_lives(made(subject, day, afp=afp, diameter=diameter, resection=cut)) == pytest.approx([6.6])


def test_k12_the_half_life_after_resection_is_that_of_the_design_texts(real):
    """twin.md 2.2 and K12: apparent half-life 6.6 d (IQR 5.5-8.4), n 173; 2 360 patients, 11 684 rows."""
    assert (real.patients, len(real)) == (2360, 11684)
    lives = half_lives(real)
    assert len(lives) == 173
    assert np.quantile(lives, (0.25, 0.5, 0.75)) == pytest.approx([5.5, 6.6, 8.4], abs=0.05)
