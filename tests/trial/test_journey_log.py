"""The simulated patients walk the tables of the journey, and nobody takes a step that is not there."""

from dataclasses import replace

import polars as pl
import pytest

from graftline.exchange.journey import JOURNEY_SCHEMA, journey_table
from graftline.journey import MACHINES
from graftline.protocol import load_protocol
from graftline.trial import simulate_part
from graftline.trial.journey_log import walk


@pytest.fixture(scope="module")
def part():
    return simulate_part(load_protocol("adp_a2afp"), [0, 1, 2], 11)


@pytest.fixture(scope="module")
def table(part):
    return journey_table(part)


def test_every_step_of_three_simulated_trials_is_legal_and_counted(part, table):
    counts = walk(part)
    assert sum(counts.values()) == len(table)
    assert counts["subject.consent_to_prescreening"] == len(part.arrivals)
    assert counts["subject.start_treatment"] == sum(len(one.treated) for one in part.finished)
    assert counts["infusion.infuse"] >= counts["subject.start_treatment"]
    assert counts["course.start_manufacture"] <= int(part.apheresed.attempts.sum())


def test_the_table_says_where_each_step_led(table):
    assert dict(table.schema) == dict(JOURNEY_SCHEMA)
    for machine, before, after, name in table.select("MACHINE", "FROM", "TO", "TRANSITION").unique().iter_rows():
        way = MACHINES[machine].find(before, name)
        assert way is not None and way.to == after


def test_every_patient_is_referred_once_and_days_never_run_backwards(part, table):
    first = table.filter(pl.col("TRANSITION") == "consent_to_prescreening")
    assert len(first) == len(part.arrivals) == first.select("REPLICATE", "USUBJID").n_unique()
    steps_back = table.select((pl.col("DAY").diff() < 0).over("REPLICATE", "USUBJID").sum())
    assert steps_back.item() == 0


def test_nobody_takes_a_step_after_death_but_closing_the_books(table):
    dead = table.filter(pl.col("TO") == "DIED").select("REPLICATE", "USUBJID", died="DAY")
    later = table.join(dead, on=["REPLICATE", "USUBJID"]).filter(pl.col("DAY") > pl.col("died"))
    assert set(later["MACHINE"]) <= {"course", "bag", "shipment"}


def test_an_infusion_before_the_product_is_out_of_the_plant_is_found_out(part):
    ready = part.apheresed
    treated = part.treated.asks[0].row
    late = ready.made.copy()
    late[treated] += 10_000
    broken = tuple(
        tuple(replace(one, decided=one.decided + 10_000) for one in batches) if row == treated else batches
        for row, batches in enumerate(ready.history)
    )
    apheresed = replace(ready, made=late, ready=late, history=broken)
    with pytest.raises(AssertionError, match="the product is not released"):
        walk(replace(part, apheresed=apheresed))


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, 100, 10))
def test_a_hundred_replicates_fit_through_the_tables(first):
    """Rare ways (repeated lymphodepletion, rescue, remake after death) turn up only in many patients."""
    counts = walk(simulate_part(load_protocol("adp_a2afp"), list(range(first, first + 10)), 77))
    assert counts["infusion.infuse"] > 0
