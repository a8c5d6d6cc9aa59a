"""The simulated trial: what must not depend on company, order or number of workers, and what must follow from what."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from graftline.base.streams import Streams
from graftline.base.units import Quantity
from graftline.exchange import course_table, example_patient, refusal_table, replicate_table, tables
from graftline.population import BASELINE_RULES, implausible_baseline
from graftline.protocol import load_protocol
from graftline.trial import simulate_part
from graftline.trial.accrual import draw_arrivals
from graftline.twin import LATENT_RULES, implausible_latents

SEED = 11


@pytest.fixture(scope="module")
def reference_file():
    return load_protocol("adp_a2afp")


def changed(file, **chapters):
    """The same protocol file with some chapters changed in every version."""
    versions = tuple(version.model_copy(update=chapters) for version in file.versions)
    return replace(file, protocol=file.protocol.model_copy(update=chapters), versions=versions)


@pytest.fixture(scope="module")
def part(reference_file):
    return simulate_part(reference_file, [0, 1], SEED)


@pytest.fixture(scope="module")
def adam(part):
    return tables(part, SEED)


def test_a_replicate_is_the_same_alone_and_in_company(reference_file, adam):
    alone = tables(simulate_part(reference_file, [1], SEED), SEED)
    for name, table in adam.items():
        assert table.filter(pl.col("REPLICATE") == 1).equals(alone[name]), name


def test_nobody_impossible_is_simulated_and_every_refused_draw_is_told_by_its_rule(part, reference_file):
    assert not any(flags.any() for flags in implausible_baseline(part.baseline).values())
    assert not any(flags.any() for flags in implausible_latents(part.waiting.latents).values())
    table = refusal_table(part)
    assert set(table["RULE"]) == {*BASELINE_RULES, *LATENT_RULES}
    assert table["REFUSED"].sum() == sum(part.refused.counts.values()) + sum(part.refused_underneath.counts.values())
    looked_at = table.filter(pl.col("RULE") == "transaminases")
    assert looked_at["PATIENTS"].to_list() == [int((part.arrivals.keys.replicate == number).sum()) for number in (0, 1)]
    alone = refusal_table(simulate_part(reference_file, [1], SEED))
    assert alone.equals(table.filter(pl.col("REPLICATE") == 1))


def test_the_order_of_sites_moves_nobody(reference_file, adam):
    turned = changed(reference_file, sites=reference_file.protocol.sites[::-1])
    other = tables(simulate_part(turned, [0], SEED), SEED)["adsl"].sort("USUBJID")
    assert adam["adsl"].filter(pl.col("REPLICATE") == 0).sort("USUBJID").equals(other)


def test_a_further_site_moves_nobody_elsewhere(reference_file):
    protocol = reference_file.protocol
    fewer = protocol.model_copy(update={"sites": protocol.sites[:-1]})
    replicates = np.arange(3)
    all_sites, without = (draw_arrivals(one, replicates, Streams(SEED)) for one in (protocol, fewer))
    kept = all_sites.site < len(protocol.sites) - 1
    assert np.array_equal(all_sites.day[kept], without.day) and not kept.all()


def test_everyone_ends_in_exactly_one_place_with_a_reason(adam):
    adsl = adam["adsl"]
    assert adsl["LEUKFL"].sum() >= adsl["TRTFL"].sum() > 0
    assert adsl.filter(pl.col("DISPO") != "infused")["DCREAS"].str.len_chars().min() > 0
    assert set(adsl.filter("TRTFL")["DISPO"]) == {"infused"}


def test_nobody_is_treated_before_collection_or_after_dosing_closed(adam, reference_file):
    treated = adam["adsl"].filter("TRTFL")
    assert (treated["TRTSDT"] > treated["LEUKDT"]).all()
    assert (treated["LEUKDT"] > treated["RFICDT"]).all()


def test_doses_rise_level_by_level_and_never_exceed_the_product_or_the_range(part):
    levels = [level.name for level in part.protocol.dosing.levels]
    for finished in part.finished:
        climbed = [levels.index(one.ask.level) for one in finished.treated]
        assert climbed == sorted(climbed)
        for one in finished.treated:
            level = next(level for level in one.ask.protocol.dosing.levels if level.name == one.ask.level)
            assert one.ask.dose.given <= one.ask.dose.achieved
            assert one.ask.dose.given <= level.highest.to("cells") / 1e9 * (1 + 1e-12)


def test_the_stagger_within_a_cohort_holds(part):
    stagger = part.protocol.dosing.escalation.stagger_within_cohort.to("days")
    for finished in part.finished:
        first = [one.ask for one in finished.treated if one.ask.level == "level_1"]
        for earlier, later in pairwise(first):
            assert later.lymphodepletion - earlier.infusion >= stagger


def test_without_kill_there_are_not_fewer_progressions(adam):
    counts = replicate_table(adam["adsl"])
    assert counts["PD_NC"].sum() >= counts["PD"].sum()
    assert counts["CR_NC"].sum() + counts["PR_NC"].sum() <= counts["CR"].sum() + counts["PR"].sum()


def test_the_single_patient_is_of_the_expansion_and_courses_stop_at_death(part):
    table, facts = example_patient(part)
    assert facts["events"] == sorted(facts["events"], key=lambda event: event["day"])
    assert table["TIME"].max() <= 168
    assert course_table(part)["TUMOUR"].is_not_nan().all()


def test_no_accrual_gives_an_empty_trial_and_not_an_error(reference_file):
    protocol = reference_file.protocol
    nobody = protocol.sites[0].model_copy(update={"screening_rate": Quantity(0.0, "people/month")})
    empty = changed(reference_file, sites=(nobody,))
    part = simulate_part(empty, [0], SEED)
    assert len(part.arrivals) == 0
    assert len(tables(part, SEED)["adsl"]) == 0
