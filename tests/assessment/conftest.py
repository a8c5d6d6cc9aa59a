"""Read the evidence cards once, so that no property test pays for the files within its time limit."""

import pytest

from graftline.evidence import all_cards


@pytest.fixture(scope="session", autouse=True)
def cards():
    return all_cards()
