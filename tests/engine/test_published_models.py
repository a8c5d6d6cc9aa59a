"""Published models of T-cell therapy: peaks, minima and invariants known from their papers or from other engines."""

from pathlib import Path

import numpy as np
import pytest

from graftline import engine

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "published_models"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the shared data with the published models are absent")


def solved(number, times, outputs=None, rtol=1e-9):
    model = engine.load(FOLDER / f"BIOMD000000{number}.xml")
    request = engine.Request(
        times=times,
        outputs=outputs or model.states,
        start=np.zeros(1),
        relative_tolerance=rtol,
        absolute_tolerance=1e-3 * rtol,
    )
    result = engine.solve(model, request)
    assert not result.messages
    return result


@pytest.mark.parametrize("number", [1012, 1019, 1020, 1024, 1041])
def test_every_published_model_runs(number):
    assert np.all(np.isfinite(solved(number, np.linspace(0, 60, 61)).values))


def test_kimmel_2021_reaches_the_counts_three_other_solvers_give():
    """Kimmel 2021 (BIOMD0000001041): CAR-T cells per uL, normal T cells per uL, tumour in mL."""
    days = np.array([0, 5, 7, 7.01, 14, 28, 90.0])
    result = solved(1041, days)
    cells, normal, tumour = (
        result[name][0] for name in ("CAR_T_cells", "Normal_T_cells", "Antigen_presenting_tumour_cells")
    )
    assert cells[[2, 3, 4, 5, 6]] == pytest.approx([30.11, 30.109, 8.975, 2.487, 0.3377], rel=2e-4)
    assert normal[[1, 4, 5]] == pytest.approx([65.66, 295.2, 472.9], rel=2e-4)
    assert tumour[[1, 4, 5]] == pytest.approx([3.817, 7.895e-4, 3.771e-7], rel=2e-4)
    around = solved(1041, np.linspace(6.5, 7.5, 1001), ("CAR_T_cells",)).values[0, :, 0]
    assert around.max() == pytest.approx(30.109, rel=1e-4)
    assert 6.5 + np.argmax(around) / 1000 == pytest.approx(7.01, abs=0.02)


def test_barros_2021_grows_as_the_closed_form_and_meets_its_events():
    """CARTmath (BIOMD0000001019): untouched growth to day 45, then infused; memory peaks; a second tumour is cleared."""
    result = solved(1019, np.array([45.0 - 1e-9, 81.0, 250.0 + 1e-6, 300.0]))
    assert result["T"][0, 0] == pytest.approx(2.5423e7, rel=1e-4)
    assert result["Cm"][0, 1] == pytest.approx(2.5958e6, rel=1e-4)
    assert result["T"][0, 2] == pytest.approx(1e6, rel=1e-2)
    assert result["T"][0, 3] < 1
    assert solved(1019, np.linspace(60, 100, 401), ("Cm",)).values.max() == pytest.approx(2.5958e6, rel=1e-4)


def test_chaudhury_2020_keeps_its_invariant():
    """BIOMD0000001024: rho U - kE ln U + d E - g ln E is conserved; peak and nadir as two other solvers give."""
    result = solved(1024, np.linspace(0, 60, 6001), rtol=1e-11)
    cells, tumour = result["Expanding_CAR_T_cells"][0], result["Tumor_cells"][0]
    conserved = 0.0018 * tumour - 0.16 * np.log(tumour) + 0.00015 * cells - 0.15 * np.log(cells)
    assert conserved[0] == pytest.approx(0.187729, abs=1e-6)
    assert np.max(np.abs(conserved - conserved[0])) < 1e-8
    assert (cells.max(), np.argmax(cells) / 100) == (pytest.approx(14557.3, rel=1e-4), pytest.approx(4.99, abs=0.02))
    assert (tumour.min(), np.argmin(tumour) / 100) == (
        pytest.approx(1.2165e-3, rel=1e-3),
        pytest.approx(22.25, abs=0.03),
    )
