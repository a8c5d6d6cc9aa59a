"""What a results folder holds, read once and checked: every missing file or column is named at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..base.errors import Fault, InputError

_HEAD = ("REPLICATE", "USUBJID")
_BANDS = ("P05", "P25", "P50", "P75", "P95")
_COUNTS = ("SCREENED", "APHERESED", "INFUSED", "CR", "PR", "SD", "PD", "NE", "CR_NC", "PR_NC", "SD_NC", "PD_NC")
_GRADES = ("CRS_ANY", "CRS_G1", "CRS_G2", "CRS_G3", "CRS_G4", "DLT")
_ENDS = ("RESPONSE_LOW", "RESPONSE_HIGH", "RESPONSE_BASE", "CRS_LOW", "CRS_HIGH", "CRS_BASE")
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "adsl": (*_HEAD, "LEUKFL", "TRTFL", "DISPO", "DCREAS", "TRT01A", "DOSE", "ORDER", "BOR", "BORN", "CRSGR", "DLTFL"),
    "adtr": (*_HEAD, "ADY", "PCHG"),
    "adrs": (*_HEAD, "ADY", "AVALC"),
    "bands": ("PARAMCD", "ADY", "ARM", *_BANDS),
    "replicates": ("REPLICATE", *_COUNTS, *_GRADES, "DAY_2", "DAY_9", "DAY_12", "DAY_18"),
    "tornado": ("PARAMETER", "LABEL", *_ENDS),
    "patient": ("TIME",),
    "endpoints": ("REPLICATE", "ENDPOINT", "POPULATION", "TIMEZERO", "KIND", "N", "EVENTS", "VALUE", "LOW", "HIGH"),
}
"""Files of the page and the columns it cannot do without; other columns are used where present."""


_MAY_BE_ABSENT = {"tornado", "patient", "endpoints"}
"""no sensitivity analysis was run; nobody was treated whom one could follow: the page says so"""


@dataclass(frozen=True, kw_only=True)
class Results:
    """One results folder: tables as written by a simulation, days of ADSL and replicates since 2000-01-01."""

    subjects: pl.DataFrame
    scans: pl.DataFrame
    responses: pl.DataFrame
    bands: pl.DataFrame
    replicates: pl.DataFrame
    tornado: pl.DataFrame
    patient: pl.DataFrame
    story: Mapping[str, Any]
    summary: Mapping[str, Any]
    endpoints: pl.DataFrame

    def infused(self) -> pl.DataFrame:
        """Everyone who got cells, in every replicate."""
        return self.subjects.filter(pl.col("TRTFL"))

    def representative(self) -> int | None:
        """The replicate shown patient by patient: infused closest to the median, the lowest number among equals."""
        counts = self.replicates.select("REPLICATE", "INFUSED").drop_nulls().sort("REPLICATE")
        if counts.is_empty():
            return None
        infused = counts["INFUSED"].to_numpy().astype(np.float64)
        return int(counts["REPLICATE"][int(np.argmin(np.abs(infused - np.median(infused))))])


def read_results(folder: Path) -> Results:
    """The results in a folder; InputError naming every file that is missing, unreadable or lacks a column.

    A folder that is not there, holds no results or holds those of an unfinished run is one fault.
    """
    unusable = _unusable(folder)
    if unusable is not None:
        raise InputError(unusable)
    faults: list[Fault] = []
    tables = {name: _table(folder / f"{name}.parquet", needed, faults) for name, needed in _NEEDED.items()}
    texts = {name: _text(folder / f"{name}.json", faults) for name in ("summary", "patient")}
    if faults:
        raise InputError(faults)
    return Results(
        subjects=tables["adsl"].with_columns(pl.col("TRTFL", "LEUKFL").cast(pl.Boolean).fill_null(False)),
        scans=tables["adtr"],
        responses=tables["adrs"],
        bands=tables["bands"],
        replicates=tables["replicates"],
        tornado=tables["tornado"],
        patient=tables["patient"],
        story=texts["patient"],
        summary=texts["summary"],
        endpoints=tables["endpoints"],
    )


def _unusable(folder: Path) -> Fault | None:
    """Why this is no folder of a finished simulation, in one sentence; None if it may be one."""
    if not folder.exists():
        return Fault(str(folder), "no such folder", "name the folder of a finished simulation")
    if not folder.is_dir():
        return Fault(str(folder), "not a folder", "name the folder of a finished simulation, not a file in it")
    if (folder / "summary.json").exists():
        return None
    if (folder / "recipe.json").exists():
        return Fault(str(folder), "unfinished run", f"give the simulate command again{_command(folder)}")
    if not any((folder / f"{name}.parquet").exists() for name in _NEEDED):
        return Fault(str(folder), "no results of a simulation in it", "name the folder of a finished simulation")
    return None


def _command(folder: Path) -> str:
    """The command that makes the run go on, with the folder as it was named here; nothing if it is not recorded."""
    try:
        command = json.loads((folder / "recipe.json").read_text("utf-8"))["command"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    head, option, named = str(command).partition(" --out ")
    return f": {head}{option}{folder}" if named == folder.name else f": {command}"


def _table(path: Path, needed: tuple[str, ...], faults: list[Fault]) -> pl.DataFrame:
    if path.stem in _MAY_BE_ABSENT and not path.exists():
        return pl.DataFrame(schema=dict.fromkeys(needed, pl.Float64))
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        faults.append(_unread(path, error))
        return pl.DataFrame()
    missing = [name for name in needed if name not in table.columns]
    if missing:
        found = f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        faults.append(Fault(str(path), found, "run the simulation again with this version"))
    floats = [name for name, kind in table.schema.items() if kind.is_float()]
    return table.with_columns(pl.col(floats).fill_nan(None)) if floats else table


def _text(path: Path, faults: list[Fault]) -> Mapping[str, Any]:
    if path.stem in _MAY_BE_ABSENT and not path.exists():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        faults.append(_unread(path, error))
        return {}
    if not isinstance(content, dict):
        faults.append(Fault(str(path), "holds no named values", "run the simulation again with this version"))
        return {}
    return content


def _unread(path: Path, error: Exception) -> Fault:
    if not path.is_file():
        return Fault(str(path), "no such file", "name a folder written by a finished simulation")
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Fault(str(path), f"cannot be read ({reason})", "run the simulation again into an empty folder")
