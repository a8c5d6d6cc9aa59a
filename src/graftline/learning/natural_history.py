"""The natural-history table: one row for each visit of patients with hepatocellular carcinoma, read and checked.

Columns, in any order: `COLUMNS`. A treatment flag means "at or after this visit": a resection shows in the lesion of
the next visit, and an interval is untreated if no flag stands at the visit that begins it. The days to death or last
contact run from the row's own visit. A diameter of 0 is no visible lesion, after the first visit mostly one treated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..base.errors import Fault, InputError
from ..base.units import MM_PER_CM, SPHERE_VOLUME_PER_CUBED_DIAMETER

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]


class _Column(NamedTuple):
    """What a column may hold: smallest, largest (infinite: no limit), whole numbers only, and how to say it."""

    low: float
    high: float
    whole: bool
    remedy: str


_FLAG = _Column(0, 1, True, "write 0 or 1")
COLUMNS: Mapping[str, _Column] = MappingProxyType(
    {
        "subject": _Column(0, np.inf, True, "write the patient's number"),
        "day": _Column(0, np.inf, True, "write whole days since the patient's first visit"),
        "age_years": _Column(0, 130, False, "write years"),
        "lesion_count": _Column(0, 100, True, "write how many lesions are seen, 0 for none"),
        "largest_diameter_mm": _Column(0, 500, False, "write millimetres, 0 for no visible lesion"),
        "new_lesion": _Column(0, 100, True, "write 0 for no new lesion, else 1 (or how many)"),
        "vascular_invasion": _FLAG,
        "node_metastasis": _FLAG,
        "distant_metastasis": _FLAG,
        "child_pugh_score": _Column(5, 15, True, "write a Child-Pugh score, 5 to 15"),
        "afp_ng_per_ml": _Column(0, np.inf, False, "write ng/mL"),
        "targeted_therapy": _FLAG,
        "embolization": _FLAG,
        "resection": _FLAG,
        "died": _FLAG,
        "days_to_death_or_last_contact": _Column(0, np.inf, False, "write days from this visit on"),
    }
)
"""Columns of the table, all needed."""

_MOST_FAULTS_OF_A_KIND = 20
_LINE_OF_FIRST_ROW = 2
_SAME_END_DAYS = 1.0  # hours and minutes of a visit stand in the survival days, but not in the day of the visit


@dataclass(frozen=True, kw_only=True)
class NaturalHistory:
    """Visits of many patients in the order of patients and days; every array is over visits."""

    subject: NDArray[np.int64]
    """0, 1, … in the order of the file"""
    day: Numbers
    """since the patient's first visit"""
    lesion_count: Numbers
    diameter: Numbers
    """mm, of the largest lesion; 0 if none is seen"""
    new_lesion: Flags
    """seen for the first time at this visit"""
    child_pugh: Numbers
    afp: Numbers
    """ng/mL"""
    embolization: Flags
    targeted_therapy: Flags
    resection: Flags
    died: Flags
    """whether the patient's follow-up ended with death"""
    days_left: Numbers
    """from this visit to death or last contact"""

    def __len__(self) -> int:
        return len(self.subject)

    @property
    def patients(self) -> int:
        """How many patients."""
        return int(self.subject[-1]) + 1

    @property
    def volume(self) -> Numbers:
        """Volume of the largest lesion as a sphere, cm^3; 0 if none is seen."""
        return np.asarray(SPHERE_VOLUME_PER_CUBED_DIAMETER * (self.diameter / MM_PER_CM) ** 3, dtype=np.float64)

    @property
    def treated(self) -> Flags:
        """Whether a treatment is recorded at or after this visit (before the next)."""
        return self.embolization | self.targeted_therapy | self.resection

    @property
    def first(self) -> Places:
        """Row of each patient's first visit, (patients,)."""
        return np.flatnonzero(np.diff(self.subject, prepend=-1) > 0)

    @property
    def last(self) -> Places:
        """Row of each patient's last visit, (patients,)."""
        return np.flatnonzero(np.diff(self.subject, append=self.patients) > 0)

    @property
    def treated_before(self) -> Flags:
        """Whether a treatment is recorded at an earlier visit of the patient."""
        flags = self.treated.astype(np.int64)
        running = np.cumsum(flags) - flags
        return np.asarray(running > running[self.first][self.subject])

    @property
    def intervals(self) -> Intervals:
        """From each visit to the patient's next, if that is on a later day."""
        start = np.flatnonzero((np.diff(self.subject) == 0) & (np.diff(self.day) > 0))
        return Intervals(start=start, end=start + 1, days=self.day[start + 1] - self.day[start])


@dataclass(frozen=True, kw_only=True)
class Series:
    """Chains of visits side by side, each measured from its own first visit; arrays are (chains, later visits).

    `days` and `change` are 0 where `seen` is false. `start` is the value at the first visit, (chains,).
    """

    person: NDArray[np.int64]
    """whose chain it is, 0, 1, … without gaps, (chains,)"""
    start: Numbers
    days: Numbers
    change: Numbers
    seen: Flags

    @property
    def people(self) -> int:
        """How many patients have a chain."""
        return int(self.person.max()) + 1 if len(self.person) else 0

    def per_person(self, contributions: Numbers) -> Numbers:
        """Sums over the chains of each person, (people,)."""
        return np.bincount(self.person, weights=contributions, minlength=self.people).astype(np.float64)


def series(history: NaturalHistory, chains: list[list[int]], values: Numbers) -> Series:
    """The values (one per visit of the table) along chains of rows."""
    longest = max((len(chain) for chain in chains), default=1)
    rows = np.zeros((len(chains), longest), dtype=np.intp)
    seen = np.zeros((len(chains), longest), dtype=np.bool_)
    for place, chain in enumerate(chains):
        rows[place, : len(chain)], seen[place, : len(chain)] = chain, True
    first = rows[:, :1]
    _, person = np.unique(history.subject[first[:, 0]], return_inverse=True)
    return Series(
        person=person.astype(np.int64),
        start=values[first[:, 0]],
        days=np.where(seen, history.day[rows] - history.day[first], 0.0)[:, 1:],
        change=np.where(seen, values[rows] - values[first], 0.0)[:, 1:],
        seen=seen[:, 1:],
    )


def without_copies(chains: list[list[int]], values: Numbers) -> list[list[int]]:
    """The chains without visits that repeat the very value of the visit before; chains of one visit are left out.

    A whole-millimetre diameter comes back the same far more often than scans can be read alike: it was carried over.
    """
    kept = [[chain[0], *(b for a, b in pairwise(chain) if values[a] != values[b])] for chain in chains]
    return [chain for chain in kept if len(chain) > 1]


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """From visit to visit; arrays over intervals: rows of both visits in the table, and the days between them."""

    start: Places
    end: Places
    days: Numbers

    def __len__(self) -> int:
        return len(self.start)

    def where(self, wanted: Flags) -> Intervals:
        """Only these."""
        return Intervals(start=self.start[wanted], end=self.end[wanted], days=self.days[wanted])

    def chains(self) -> list[list[int]]:
        """Rows of visits that follow one another without a gap in these intervals, at least two in each chain."""
        chains: list[list[int]] = []
        for start, end in zip(self.start.tolist(), self.end.tolist(), strict=True):
            if chains and chains[-1][-1] == start:
                chains[-1].append(end)
            else:
                chains.append([start, end])
        return chains


def read_natural_history(path: Path) -> NaturalHistory:
    """Read a table of visits (CSV). Raises InputError with every fault, each with its line and column.

    Of more than twenty faults of a kind the first twenty are told, and how many follow. What rows of one patient
    contradict is looked at once every cell is a number. Refused: columns that are missing or unknown; cells that are
    empty, no number or out of range; a patient whose rows are apart, out of order, or do not begin with day 0; a
    patient who both died and did not, or whose end of follow-up differs between rows by more than a day.
    """
    table = _numbers_of(path)
    faults = list(_faults_of_cells(table, path.name)) or list(_faults_of_patients(table, path.name))
    if faults:
        raise InputError(faults)
    columns = {name: table[name].to_numpy().astype(np.float64) for name in table.columns}
    newcomer = np.diff(columns["subject"], prepend=np.nan) != 0
    return NaturalHistory(
        subject=np.cumsum(newcomer).astype(np.int64) - 1,
        day=columns["day"],
        lesion_count=columns["lesion_count"],
        diameter=columns["largest_diameter_mm"],
        new_lesion=columns["new_lesion"] > 0,
        child_pugh=columns["child_pugh_score"],
        afp=columns["afp_ng_per_ml"],
        embolization=columns["embolization"] > 0,
        targeted_therapy=columns["targeted_therapy"] > 0,
        resection=columns["resection"] > 0,
        died=columns["died"] > 0,
        days_left=columns["days_to_death_or_last_contact"],
    )


def _numbers_of(path: Path) -> pl.DataFrame:
    """The cells as numbers, NaN where a cell is none; raises InputError if the file has not these columns."""
    if not path.is_file():
        raise InputError(Fault(str(path), "no such file", "name a table of visits, for example natural_history.csv"))
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(Fault(path.name, f"no table ({reason})", "write a CSV file with a header")) from None
    remedy = f"write the header {','.join(COLUMNS)}"
    missing = [name for name in COLUMNS if name not in table.columns]
    unknown = [name for name in table.columns if name not in COLUMNS]
    faults = [Fault(f"{path.name}:1 {name}", "the column is missing", remedy) for name in missing]
    faults += [Fault(f"{path.name}:1 {name}", "no column of this table", remedy) for name in unknown]
    if not faults and table.is_empty():
        faults.append(Fault(path.name, "holds no visit", "write one line for each visit"))
    if faults:
        raise InputError(faults)
    return table.with_columns(pl.all().cast(pl.Float64, strict=False).fill_null(float("nan")))


def _faults_of_cells(table: pl.DataFrame, name: str) -> Iterator[Fault]:
    for column, rule in COLUMNS.items():
        cells = table[column].to_numpy()
        wrong = ~np.isfinite(cells) | (cells < rule.low) | (cells > rule.high)
        if rule.whole:
            wrong |= np.nan_to_num(cells) != np.floor(np.nan_to_num(cells))
        found = {row: _spelled(cells[row]) for row in np.flatnonzero(wrong).tolist()}
        yield from _told(found, name, column, rule.remedy)


def _spelled(cell: float) -> str:
    return "empty, or no number" if np.isnan(cell) else f"{cell:g}"


def _faults_of_patients(table: pl.DataFrame, name: str) -> Iterator[Fault]:
    """What rows of a patient contradict; for cells that are numbers."""
    subject, day, died, left = (
        table[column].to_numpy() for column in ("subject", "day", "died", "days_to_death_or_last_contact")
    )
    newcomer = np.diff(subject, prepend=np.nan) != 0
    known = np.zeros(len(subject), dtype=np.bool_)
    _, firsts = np.unique(subject, return_index=True)
    known[firsts] = True
    apart = newcomer & ~known
    rules = (
        ("subject", apart, "the patient's rows are apart", "put the rows of each patient together"),
        ("day", newcomer & ~apart & (day != 0), "the first visit is not on day 0", "count days from the first visit"),
        ("day", ~newcomer & (np.diff(day, prepend=0) < 0), "before the row above", "sort each patient's rows by day"),
        ("died", ~newcomer & (np.diff(died, prepend=0) != 0), "not as in the row above", "write the same on all rows"),
    )
    for column, wrong, found, remedy in rules:
        yield from _told(dict.fromkeys(np.flatnonzero(wrong).tolist(), found), name, column, remedy)
    end = day + left
    expected = end[np.flatnonzero(newcomer)][np.cumsum(newcomer) - 1]
    differs = {
        row: f"follow-up would end on day {end[row]:g}, by the patient's first row on day {expected[row]:g}"
        for row in np.flatnonzero(np.abs(end - expected) > _SAME_END_DAYS).tolist()
    }
    yield from _told(differs, name, "days_to_death_or_last_contact", "count from each row's own visit")


def _told(found: Mapping[int, str], name: str, column: str, remedy: str) -> Iterator[Fault]:
    """A fault for each row, with its line in the file; of very many only the first, and how many more there are."""
    rows = list(found)
    for row in rows[:_MOST_FAULTS_OF_A_KIND]:
        yield Fault(f"{name}:{row + _LINE_OF_FIRST_ROW} {column}", found[row], remedy)
    more = len(rows) - _MOST_FAULTS_OF_A_KIND
    if more > 0:
        yield Fault(f"{name}:{rows[-1] + _LINE_OF_FIRST_ROW} {column}", f"the last of {more} more like these", remedy)
