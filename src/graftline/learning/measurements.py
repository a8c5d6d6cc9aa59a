"""What is measured, when, and with what error; schedules as small YAML or CSV files."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ..base.errors import Fault, InputError

Numbers = NDArray[np.float64]
_ERRORS = ("log_sd", "sd")
_MORE = ("shared_sd", "slow_sd", "slow_time", "lower_limit", "upper_limit")
_KEYS = ("output", "times", *_ERRORS, *_MORE)


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Readings of one output, with normal errors: of its logarithm if `logarithmic`, else of itself."""

    output: str
    times: tuple[float, ...]
    """in the model's unit of time; a time may stand twice"""
    sd: float
    """standard deviation of the error of a reading, anew each time"""
    logarithmic: bool = True
    shared_sd: float = 0.0
    """of an error that all readings have in common"""
    slow_sd: float = 0.0
    """of an error that wanders: readings near in time err alike (first-order autoregression)"""
    slow_time: float = math.inf
    """time in which the wandering forgets its past (to 1/e)"""
    lower_limit: float = -math.inf
    """below it nothing is reported"""
    upper_limit: float = math.inf
    meaning: str = ""
    unit: str = ""

    @property
    def covariance(self) -> Numbers:
        """(readings, readings)"""
        apart = np.abs(np.subtract.outer(self.times, self.times))
        common = self.shared_sd**2 + self.slow_sd**2 * np.exp(-apart / self.slow_time)
        return np.asarray(self.sd**2 * np.eye(len(self.times)) + common, dtype=np.float64)

    def spelled(self) -> str:
        """In words, for captions."""
        scale = "log-normal" if self.logarithmic else "normal"
        parts = [f"{self.meaning or self.output}: {len(self.times)} readings, {scale} error {self.sd:g}"]
        if self.shared_sd:
            parts.append(f"{self.shared_sd:g} in common")
        if self.slow_sd:
            parts.append(f"{self.slow_sd:g} wandering over {self.slow_time:g}")
        return ", ".join(parts)


def read_schedule(path: Path, outputs: Collection[str], usual: Mapping[str, Measurement]) -> tuple[Measurement, ...]:
    """The measurements of a schedule file.

    YAML: a list under `measurements`, each with `output`, `times` and `log_sd` or `sd` (and, if wanted, `shared_sd`,
    `slow_sd`, `slow_time`, `lower_limit`, `upper_limit`). CSV: columns `output`, `time` and, if wanted, `log_sd` or
    `sd`, a row per reading. Outputs in `usual` need no error: theirs is taken. Raises InputError with every fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Fault(str(path), f"cannot be read: {error}", "name a readable schedule file")) from error
    if path.suffix not in (".yaml", ".yml", ".csv"):
        raise InputError(Fault(str(path), "is no schedule", "name a .yaml or .csv file"))
    entries = _entries_of_csv(path, text) if path.suffix == ".csv" else _entries_of_yaml(path, text)
    faults: list[Fault] = []
    found = []
    for number, entry in enumerate(entries):
        place = f"{path.name} measurements[{number}]"
        wrong = list(_faults(place, entry, outputs, usual))
        faults += wrong
        if not wrong:
            found.append(_measurement(entry, usual))
    if not entries:
        faults.append(Fault(path.name, "has no measurements", "list them under 'measurements', or as rows of a CSV"))
    if faults:
        raise InputError(faults)
    return tuple(found)


def _entries_of_yaml(path: Path, text: str) -> list[dict[str, object]]:
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise InputError(Fault(path.name, f"is no YAML: {error}", "mend the file")) from error
    listed = content.get("measurements") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        remedy = "write for example\nmeasurements:\n  - {output: x, times: [1, 2], log_sd: 0.2}"
        raise InputError(Fault(path.name, "has no list 'measurements' of entries", remedy))
    return [dict(one) for one in listed]


def _entries_of_csv(path: Path, text: str) -> list[dict[str, object]]:
    """Rows of the same output and error belong to one entry."""
    rows = list(csv.DictReader(io.StringIO(text)))
    columns = set(rows[0]) if rows else set()
    faults = [Fault(path.name, f"no column {name}", "add it") for name in ("output", "time") if name not in columns]
    unknown = sorted(str(name) for name in columns - {"output", "time", *_ERRORS})
    faults += [Fault(path.name, f"column {name}", "write output, time, log_sd or sd") for name in unknown]
    if rows and faults:
        raise InputError(faults)
    entries: dict[tuple[str, str], dict[str, object]] = {}
    for line, row in enumerate(rows):
        errors = {name: row[name] for name in _ERRORS if row.get(name)}
        try:
            given: dict[str, object] = {name: float(value) for name, value in errors.items()}
            time = float(row["time"])
        except (TypeError, ValueError):
            raise InputError(
                Fault(f"{path.name}:{line + 2}", "is no row of numbers", "write output,time,log_sd")
            ) from None
        new: dict[str, object] = {"output": row["output"], **given, "times": []}
        entry = entries.setdefault((row["output"], repr(given)), new)
        times = entry["times"]
        assert isinstance(times, list)
        times.append(time)
    return list(entries.values())


def _faults(
    place: str, entry: Mapping[str, object], outputs: Collection[str], usual: Mapping[str, Measurement]
) -> Iterator[Fault]:
    for key in entry:
        if key not in _KEYS:
            yield Fault(f"{place} {key}", "is no key of a measurement", f"write {', '.join(_KEYS)}")
    output = entry.get("output")
    if output not in usual and output not in outputs:
        known = ", ".join((*usual, *sorted(set(outputs) - set(usual))))
        yield Fault(f"{place} output", f"there is no {output}", f"choose from {known}")
    times = entry.get("times")
    if not isinstance(times, list) or not times or not all(_is_number(one) for one in times):
        yield Fault(f"{place} times", f"{times!r} is no list of times", "write for example [0, 7, 28]")
    for key in set(_KEYS) & set(entry) - {"output", "times"}:
        if not _is_number(entry[key]):
            yield Fault(f"{place} {key}", f"{entry[key]!r} is no number", "write for example 0.2")
        elif key in ("log_sd", "sd", "slow_time") and float(str(entry[key])) <= 0:
            yield Fault(f"{place} {key}", f"is {entry[key]}", "write a number above 0")
    given = [key for key in _ERRORS if key in entry]
    if len(given) > 1 or (not given and output not in usual):
        yield Fault(
            f"{place}", "needs one error, log_sd or sd", "log_sd: 0.2 is about 20 %; sd is in the output's unit"
        )
    if "slow_sd" in entry and "slow_time" not in entry:
        yield Fault(f"{place} slow_time", "is missing", "say in what time the wandering error forgets its past")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _measurement(entry: Mapping[str, Any], usual: Mapping[str, Measurement]) -> Measurement:
    """An entry without faults; what it does not say is as usual."""
    known = usual.get(entry["output"])
    times = tuple(sorted(float(one) for one in entry["times"]))
    more: dict[str, Any] = {key: float(entry[key]) for key in _MORE if key in entry}
    for key in _ERRORS:
        if key in entry:
            more |= {"sd": float(entry[key]), "logarithmic": key == "log_sd"}
    if known is None:
        return Measurement(output=entry["output"], times=times, **more)
    own_error = any(key in entry for key in _ERRORS)
    forgotten: dict[str, Any] = {"shared_sd": 0.0, "slow_sd": 0.0, "slow_time": math.inf} if own_error else {}
    return replace(known, times=times, **{**forgotten, **more})


def all_times(measurements: Sequence[Measurement]) -> Numbers:
    """Every time at which something is measured, rising, each once."""
    return np.unique(np.concatenate([one.times for one in measurements]))
