"""Writes the page of the tables: `python -m graftline.journey docs/reference/journey.md`."""

import sys
from pathlib import Path

from .draw import write_page

if __name__ == "__main__":
    write_page(Path(sys.argv[1]))
