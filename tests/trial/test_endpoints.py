"""Endpoints from a subject-level data set: counts, exact intervals, medians, populations."""

import polars as pl
import pytest

from graftline.protocol import load_protocol
from graftline.trial import endpoint_table


@pytest.fixture(scope="module")
def published_trial():
    """A trial that came out as published: 38 apheresed, 21 infused, 1 CR, 1 PR, 12 SD, 7 PD, CRS in 6."""
    best = ["CR", "PR", *["SD"] * 12, *["PD"] * 7]
    rows = []
    for k in range(40):
        infused = k < 21
        rows.append(
            {
                "REPLICATE": 0,
                "SCRNFL": True,
                "LEUKFL": k < 38,
                "TRTFL": infused,
                "BOR": best[k] if infused else None,
                "CRSGR": (1 if k < 6 else 0) if infused else None,
                "DLTFL": (None if k == 20 else False) if infused else None,
                "DLTEVFL": k != 20 if infused else None,
                "PFSDY": 10 * (k + 1) if infused else None,
                "PFSEV": True if infused else None,
                "OSDY": 100 + k if infused else None,
                "OSEV": False if infused else None,
                "DORDY": 50 if k < 2 else None,
                "DOREV": True if k < 2 else None,
                "OSLKDY": 30 + k if k < 38 else None,
                "OSLKEV": True if k < 38 else None,
            }
        )
    return endpoint_table(load_protocol("adp_a2afp").protocol, pl.DataFrame(rows, infer_schema_length=None))


def row(table, name, population="infused"):
    return table.filter((pl.col("ENDPOINT") == name) & (pl.col("POPULATION") == population)).to_dicts()[0]


def test_response_and_control_rates_carry_the_exact_published_intervals(published_trial):
    response, control = (row(published_trial, name) for name in ("objective_response_rate", "disease_control_rate"))
    assert (response["EVENTS"], response["N"]) == (2, 21)
    assert (response["LOW"], response["HIGH"]) == pytest.approx((0.011749, 0.303774), abs=1e-6)
    assert (control["LOW"], control["HIGH"]) == pytest.approx((0.430325, 0.854123), abs=1e-6)
    assert response["WILSONLO"] == pytest.approx(0.027, abs=1e-3) and response["WILSONHI"] == pytest.approx(
        0.289, abs=1e-3
    )


def test_best_responses_add_up_and_crs_counts_any_grade(published_trial):
    kinds = [row(published_trial, f"best_overall_response {kind}")["EVENTS"] for kind in ("CR", "PR", "SD", "PD")]
    assert kinds == [1, 1, 12, 7]
    assert row(published_trial, "cytokine_release_syndrome")["EVENTS"] == 6


def test_who_cannot_be_judged_is_not_evaluable_for_toxicity(published_trial):
    assert row(published_trial, "dose_limiting_toxicity", "dlt_evaluable")["N"] == 20


def test_medians_and_their_absence(published_trial):
    assert row(published_trial, "progression_free_survival")["VALUE"] == 110
    assert row(published_trial, "overall_survival")["VALUE"] is None
    assert row(published_trial, "overall_survival", "apheresed")["N"] == 38
    assert row(published_trial, "duration_of_response")["VALUE"] == 50
