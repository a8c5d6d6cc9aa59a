"""Cases of the SBML Test Suite (semantic, deterministic time courses) from the shared data."""

import csv
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "sbml-test-suite.zip"


@dataclass(frozen=True)
class Case:
    """One model with its expected course and what differs from it at most."""

    number: str
    model: str
    times: np.ndarray
    names: list[str]
    """of the outputs, as the engine calls them"""
    expected: np.ndarray
    absolute: float
    relative: float

    def wrong(self, found):
        """Which numbers are not as expected."""
        with np.errstate(invalid="ignore"):  # infinite where infinity is expected
            near = np.abs(found - self.expected) <= self.absolute + self.relative * np.abs(self.expected)
        return ~(near | (found == self.expected) | (np.isnan(found) & np.isnan(self.expected)))


@cache
def _archive():
    return zipfile.ZipFile(ARCHIVE)


def numbers():
    """All cases by number, none where the data are absent."""
    if not ARCHIVE.exists():
        return []
    return sorted({name.split("/")[-1][:5] for name in _archive().namelist() if name.endswith("-settings.txt")})


def case(number):
    folder = next(name for name in _archive().namelist() if name.endswith(f"{number}-settings.txt")).rsplit("/", 1)[0]

    def text(ending):
        return _archive().read(f"{folder}/{number}-{ending}").decode()

    settings = dict(line.split(":", 1) for line in text("settings.txt").splitlines() if ":" in line)
    header, *rows = (row for row in csv.reader(io.StringIO(text("results.csv"))) if row)
    table = np.array([[float(cell) if cell.strip() else np.nan for cell in row] for row in rows])
    return Case(
        number=number,
        model=text("sbml-l3v2.xml"),
        times=table[:, 0],
        names=[_as_asked(name.strip(), settings) for name in header[1:]],
        expected=table[:, 1:],
        absolute=float(settings["absolute"]),
        relative=float(settings["relative"]),
    )


def _as_asked(name, settings):
    for kind in ("amount", "concentration"):
        if name in [one.strip() for one in settings.get(kind, "").split(",")]:
            return f"{kind}({name})"
    return name


def levels(number):
    """Levels and versions in which the suite has the case."""
    file = next(name for name in _archive().namelist() if name.endswith(f"{number}-model.m"))
    line = next(row for row in _archive().read(file).decode(errors="replace").splitlines() if row.startswith("levels:"))
    return {tuple(map(int, one.strip().split("."))) for one in line.removeprefix("levels:").split(",")}
