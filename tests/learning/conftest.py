"""The real table of visits, where it is at hand."""

import pytest
from visit_tables import REAL

from graftline.learning import read_natural_history


@pytest.fixture(scope="session")
def real():
    """The Guangzhou table."""
    if not REAL.is_file():
        pytest.skip("../shared/data/hcc_natural_history.csv is not at hand")
    return read_natural_history(REAL)
