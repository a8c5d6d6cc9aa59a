"""Hazards: made with known numbers, seen at visits only, and found again."""

import numpy as np
import pytest
from visit_tables import made, visits_of

from graftline.learning import fit_child_pugh, fit_death, fit_new_lesions
from graftline.learning.hazards import decompensated_so_far
from graftline.twin import DeathCoefficients


def test_worsening_and_recovery_are_found_from_visits_alone():
    chance = np.random.default_rng(1)
    worse, better, patients = 0.002, 0.006, 1500
    subject, day = visits_of(patients, 6, gap=70.0)
    high = np.zeros((patients, 6), dtype=bool)
    total = worse + better
    for visit in range(1, 6):
        moved = -np.expm1(-total * 70.0) / total
        leave = np.where(high[:, visit - 1], better, worse) * moved
        high[:, visit] = high[:, visit - 1] ^ (chance.random(patients) < leave)
    found = fit_child_pugh(made(subject, day, child_pugh=np.where(high.ravel(), 8.0, 5.0)))
    assert found.worsening[1] < worse < found.worsening[2]
    assert found.recovery[1] < better < found.recovery[2]
    assert found.worsening[2] / found.worsening[1] < 1.3


@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_new_lesions_and_their_dependence_on_volume_are_found(exponent):
    chance = np.random.default_rng(2)
    subject, day = visits_of(3000, 3, gap=60.0)
    diameter = np.exp(np.log(66) + 0.5 * chance.standard_normal(len(subject)))
    volume = np.pi / 6 * (diameter / 10) ** 3
    hazard = 0.003 * (volume / 151) ** exponent
    seen = np.zeros(len(subject), dtype=bool)
    before = np.flatnonzero(np.diff(subject) == 0)
    seen[before + 1] = chance.random(len(before)) < -np.expm1(-hazard[before] * 60.0)
    found = fit_new_lesions(made(subject, day, diameter=diameter, new_lesion=seen))
    assert abs(found.fit["exponent"] - exponent) < 3.5 * found.fit.standard_error("exponent") < 0.15
    assert found.level[1] < 0.003 < found.level[2] or found.level[0] == pytest.approx(0.003, rel=0.1)


def died_by(coefficients, patients, seed, gap=60.0, per_patient=5):
    """Patients seen every 60 days until they die by the hazard of their last findings; 120 days after the last visit."""
    chance = np.random.default_rng(seed)
    subject, day = visits_of(patients, per_patient, gap)
    rows = len(subject)
    diameter = np.where(chance.random(rows) < 0.2, 0.0, np.exp(np.log(66) + 0.5 * chance.standard_normal(rows)))
    score = np.where(chance.random(rows) < 0.25, chance.integers(7, 10, rows), chance.integers(5, 7, rows)).astype(
        float
    )
    score[::per_patient] = 5.0
    afp = np.exp(np.log(300) + 2 * chance.standard_normal(rows))
    history = made(subject, day, diameter=diameter, child_pugh=score, afp=afp)
    hazard = coefficients.hazard(history.volume, score, decompensated_so_far(history), afp)
    span = np.where(np.arange(rows) % per_patient == per_patient - 1, 120.0, gap)
    wait = chance.exponential(1.0, rows) / hazard
    here = np.flatnonzero(wait < span)
    death = np.full(patients, np.inf)
    for row in here[::-1]:
        death[subject[row]] = day[row] + wait[row]
    end = np.minimum(death, day[per_patient - 1] + 120.0)
    kept = day < end[subject]
    columns = {"diameter": diameter, "child_pugh": score, "afp": afp}
    return made(
        subject[kept],
        day[kept],
        days_left=(end[subject] - day)[kept],
        died=np.isfinite(death)[subject][kept],
        **{name: values[kept] for name, values in columns.items()},
    )


def test_the_hazard_of_death_is_found_in_the_form_of_the_twin():
    truth = DeathCoefficients(level=0.0012, volume=0.3, points=0.4, decompensated=0.7, high_afp=0.5)
    found = fit_death(died_by(truth, 4000, seed=3))
    wanted = {"ln_level": np.log(1.2), "volume": 0.3, "points": 0.4, "decompensated": 0.7, "high_afp": 0.5}
    for name, value in wanted.items():
        assert abs(found.fit[name] - value) < 3.5 * found.fit.standard_error(name), name
        assert found.fit.standard_error(name) < 0.15
    assert found.coefficients.level == found.level[0]


def test_who_is_not_seen_again_is_followed_no_longer_than_findings_are_fresh():
    truth = DeathCoefficients(level=0.0012, volume=0.3, points=0.4, decompensated=0.7, high_afp=0.5)
    history = died_by(truth, 3000, seed=4)
    found = fit_death(history, fresh_days=70.0)
    left = history.days_left[history.last]
    assert found.deaths == int(np.sum(history.died[history.last] & (left <= 70)))
    assert found.deaths < int(history.died[history.last].sum())
    gaps = np.diff(history.day)[np.diff(history.subject) == 0]
    assert found.days_at_risk == pytest.approx(gaps.sum() + np.minimum(left, 70).sum())
    assert abs(found.fit["ln_level"] - np.log(1.2)) < 3.5 * found.fit.standard_error("ln_level")


def test_decompensated_is_who_fell_from_six_or_less_and_stays_so():
    score = np.array([5, 7, 6, 5, 8, 5, 6, 6, 6.0])
    history = made(np.repeat([0, 1, 2], [4, 2, 3]), np.array([0, 60, 120, 180, 0, 60, 0, 60, 120.0]), child_pugh=score)
    assert decompensated_so_far(history).tolist() == [False, True, True, True, False, False, False, False, False]


def test_the_real_table_gives_the_hazards_in_the_documentation(real):
    death = fit_death(real)
    assert death.deaths == 743
    assert [death.fit[name] for name in ("volume", "points", "decompensated", "high_afp")] == pytest.approx(
        [0.241, 0.362, 0.457, 0.658], abs=0.002
    )
    assert death.level[0] == pytest.approx(6.65e-4, rel=0.01)
    assert fit_child_pugh(real).worsening[0] == pytest.approx(8.19e-4, rel=0.01)
    assert fit_new_lesions(real).fit["exponent"] == pytest.approx(0.050, abs=0.002)
