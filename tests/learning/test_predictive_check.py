"""The check of the twin against visits: what it compares, and that it passes a table made by the model itself."""

from dataclasses import replace

import numpy as np
import pytest
from visit_tables import made, visits_of

from graftline.base.streams import Keys, Streams
from graftline.learning import Assumptions, Repetition, check_courses, check_survival
from graftline.learning.predictive_check import (
    ALL_PATIENTS,
    RISK_DAYS,
    UNTREATED_PATIENTS,
    _binned,
    _latents,
    _like_the_data,
    _series,
    _simulated,
)
from graftline.report.figures.natural_history import course_check, survival_check
from graftline.statistics import kaplan_meier
from graftline.twin import DeathCoefficients

SHIPPED = Assumptions.as_shipped()
SHRINKING = replace(SHIPPED, name="twin with fitted numbers", growth=(-0.0005, 0.002), erratic=(0.3, -0.013, 0.01, 1.4))


@pytest.fixture(scope="module")
def table():
    """150 patients, four visits each, every third treated at the third visit."""
    subject, day = visits_of(150, 4, gap=70.0)
    chance = np.random.default_rng(1)
    diameter = np.repeat(chance.uniform(25, 120, 150), 4)
    treated = np.zeros(600, dtype=bool)
    treated[2::12] = True
    days_left = np.repeat(chance.integers(220, 1500, 150), 4) - day
    return made(
        subject, day, diameter=diameter, embolization=treated, afp=np.repeat(chance.uniform(30, 4000, 150), 4),
        child_pugh=np.repeat(chance.integers(5, 9, 150), 4).astype(float), days_left=days_left,
        died=np.repeat(chance.random(150) < 0.7, 4),
    )  # fmt: skip


def test_a_series_runs_from_the_first_untreated_lesion_to_the_first_treatment(table):
    rows, seen = _series(table)
    assert len(rows) == 150
    assert seen.sum(axis=1).tolist() == [3 if patient % 3 == 0 else 4 for patient in range(150)]
    assert np.array_equal(rows[:, 0], np.arange(0, 600, 4))


def test_patients_carry_the_first_row_and_nothing_later(table):
    rows = table.first
    people = _like_the_data(table, rows, Keys.of(0, 0, np.arange(len(rows))), Streams(1))
    assert np.array_equal(people.largest_lesion, table.diameter[rows]) and np.all(people.lesion_count == 1)
    assert np.array_equal(people.afp_serum, table.afp[rows])
    assert np.array_equal(people.child_pugh, table.child_pugh[rows])
    assert len(np.unique(people.albumin)) > 50  # the rest differs from patient to patient


def test_simulated_courses_follow_gompertz_and_start_from_the_real_readings(table):
    rows, seen = _series(table)
    days = np.where(seen, table.day[rows] - table.day[rows[:, :1]], np.nan)
    exact = replace(SHIPPED, growth=(0.002, 0.0), diameter_error=0.0, afp_errors=(0.0, 0.0, 80.0))
    drawn = _simulated(table, rows, days, exact, Streams(1), 0)
    latents = _latents(table, rows[:, 0], exact, Keys.of(0, 0, np.arange(len(rows))), Streams(1))
    largest, volume = latents.parameters["Vmax"][:, None], table.volume[rows[:, :1]]
    grown = largest * (volume / largest) ** np.exp(-0.002 * np.nan_to_num(days))
    expected = 10 * np.cbrt(6 * grown / np.pi)
    assert np.all(np.abs(drawn["diameter"] - expected)[seen] <= 0.51)
    assert drawn["afp"][:, 0] == pytest.approx(table.afp[rows[:, 0]], rel=1e-6)
    # AFP stays in proportion to volume while growth is slow against its elimination and antigen is not lost fast
    ratio = drawn["afp"] / drawn["afp"][:, :1] / (grown / volume)
    assert np.median(np.abs(ratio[seen] - 1)) < 0.01
    assert np.quantile(np.abs(ratio[seen] - 1), 0.95) < 0.1


def test_tables_made_by_the_model_lie_within_its_bands_about_nine_times_in_ten(table):
    rows, seen = _series(table)
    days = np.where(seen, table.day[rows] - table.day[rows[:, :1]], np.nan)

    def percentiles(seed, replicate, factor=1.0):
        drawn = _simulated(table, rows, days, SHRINKING, Streams(seed), replicate)
        return _binned(np.where(seen, drawn["diameter"] * factor, np.nan), days)

    copies = np.stack([percentiles(3, replicate) for replicate in range(80)])
    low, high = np.quantile(copies, (0.05, 0.95), axis=0)
    told = ~np.isnan(low)
    assert told.sum() == 9  # three percentiles in three bins
    inside = [(low <= own)[told] & (own <= high)[told] for own in (percentiles(99, k) for k in range(40))]
    assert 0.8 < np.mean(inside) < 0.97  # 90 % with very many copies; bands of few are a little narrow
    wrong = [(percentiles(98, k, factor=1.4) > high)[told] for k in range(3)]
    assert np.mean(wrong) > 0.6


def test_the_same_seed_gives_the_same_bands_and_another_set_moves_nobody(table):
    once, twice = (
        check_courses(table, sets, Repetition(replicates=3, seed=7)) for sets in ([SHIPPED], [SHIPPED, SHRINKING])
    )
    assert once == twice[: len(once)]


@pytest.fixture(scope="module")
def survival(table):
    constant = DeathCoefficients(level=0.001, volume=0.0, points=0.0, decompensated=0.0, high_afp=0.0)
    sets = [replace(SHIPPED, death=constant), SHRINKING]
    return check_survival(table, sets, constant, Repetition(replicates=4, seed=5))


def test_a_constant_hazard_gives_exponential_curves(survival):
    for line in survival.lines:
        if line.name in ("twin as shipped", "fitted hazard, real findings"):
            for day in (180, 365, 730):
                within = 0.001 if line.name.startswith("fitted hazard") else 0.06
                assert line.survival[day] == pytest.approx(np.exp(-0.001 * day), abs=within), line.name


def test_the_data_are_kaplan_meier_and_end_at_the_first_treatment(survival, table):
    lines = {(line.panel, line.name): line for line in survival.lines}
    first = table.first
    expected = kaplan_meier(table.days_left[first], table.died[first], transform="log-log")
    assert lines[ALL_PATIENTS, "data"].survival == pytest.approx(expected.at(np.arange(RISK_DAYS[-1] + 1)))
    days = np.where(np.arange(150) % 3 == 0, 140.0, table.days_left[first])
    cut = kaplan_meier(days, table.died[first] & (days != 140.0), transform="log-log")
    assert lines[UNTREATED_PATIENTS, "data"].survival == pytest.approx(cut.at(np.arange(RISK_DAYS[-1] + 1)))
    assert dict(survival.at_risk)[UNTREATED_PATIENTS][:2] == (150, int(cut.at_risk_on(np.array([365]))[0]))


def test_figures_show_every_line_and_count(survival, table):
    bands = check_courses(table, [SHIPPED, SHRINKING], Repetition(replicates=3, seed=7))
    for quantity, title in (("diameter", "Largest lesion, mm"), ("afp", "Serum AFP, ng/mL")):
        drawn = course_check(bands, quantity)
        for text in (
            title,
            "twin as shipped",
            "twin with fitted numbers",
            "median",
            "10th and 90th percentile",
            ">150<",
        ):
            assert text in drawn
    drawn = survival_check(survival)
    for text in (
        "data",
        "twin as shipped",
        "fitted hazard, real findings",
        ALL_PATIENTS,
        UNTREATED_PATIENTS,
        "at risk",
    ):
        assert text in drawn
