"""Pictures of sensitivity and identifiability: what they show, and that they show nothing false at the edges."""

import numpy as np
import polars as pl

from graftline.report.figures.identifiability import identifiability
from graftline.report.figures.indices import sobol_bars


def indices(total, **more):
    row = {"output": "y", "output_meaning": "y", "factor": "k", "factor_meaning": "kill constant (a remark)"}
    row |= dict.fromkeys(("first", "first_low", "first_high", "total", "total_low", "total_high"), total) | more
    return pl.DataFrame([row])


def test_bars_carry_symbol_and_meaning_without_the_remark():
    drawn = str(sobol_bars(indices(0.5), {"y": "Best change (%)"}, ["what was done"]))
    for text in ("k: kill constant", "Best change (%)", "what was done", "total index"):
        assert text in drawn
    assert "a remark" not in drawn


def test_a_result_without_indices_says_so_instead_of_drawing_bars():
    assert "does not vary" in str(sobol_bars(indices(float("nan")), {"y": "y"}, []))


def known(**more):
    row = {"parameter": "k", "meaning": "kill constant", "error_prior": 1.0, "error_data": np.inf, "error_both": 0.9}
    combination = {"combination": 1, "information": 0.0, "error": np.inf, "made_of": "k^1.00"}
    profile = [
        {"value": place, "misfit": place**2, "kind": kind} for place in (-5.0, 0.0, 5.0) for kind in ("data", "both")
    ]
    return str(
        identifiability(
            pl.DataFrame([row | more]), pl.DataFrame([combination]), np.ones((1, 1)), [("k", profile)], ["caption"]
        )
    )


def test_an_open_parameter_stands_at_the_end_of_the_axis_and_a_missing_prior_is_not_drawn():
    drawn, without = known(), known(error_prior=np.inf)
    for text in ("k: kill constant", "1. k^1.00", "loss of fit", "at the right end: open", "caption"):
        assert text in drawn
    assert drawn.count("known before (prior)") - without.count("known before (prior)") >= 1
    assert "Infinity" not in drawn
