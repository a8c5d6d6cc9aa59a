"""Data sets of treated patients: scans, responses, laboratory, transgene, adverse events."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..base.clock import protocol_day
from ..base.units import PERCENT
from ..trial import Reading, TreatedPatients
from ._subjects import response_labels

Table = pl.DataFrame
SCHEMAS: Mapping[str, Mapping[str, type[pl.DataType]]] = {
    "adtr": {"REPLICATE": pl.Int64, "USUBJID": pl.String, "ADY": pl.Int64, "AVAL": pl.Float64, "PCHG": pl.Float64},
    "adrs": {"REPLICATE": pl.Int64, "USUBJID": pl.String, "ADY": pl.Int64, "AVALC": pl.String},
    "adlb": {
        "REPLICATE": pl.Int64,
        "USUBJID": pl.String,
        "PARAMCD": pl.String,
        "ADY": pl.Int64,
        "AVAL": pl.Float64,
        "AVALC": pl.String,
        "AVALU": pl.String,
    },
    "adpc": {
        "REPLICATE": pl.Int64,
        "USUBJID": pl.String,
        "ADY": pl.Int64,
        "AVAL": pl.Float64,
        "AVALC": pl.String,
        "AVALU": pl.String,
    },
    "adae": {
        "REPLICATE": pl.Int64,
        "USUBJID": pl.String,
        "AETERM": pl.String,
        "ATOXGR": pl.Int64,
        "ASTDY": pl.Int64,
        "DLT": pl.Boolean,
    },
}


def findings(treated: TreatedPatients, identity: NDArray[np.str_], readings: tuple[Reading, ...]) -> dict[str, Table]:
    """Scans, responses, laboratory, transgene and adverse events of treated patients."""
    replicate, seen = treated.treatment.keys.replicate.astype(np.int64), treated.with_cells.seen
    who, visit = np.nonzero(seen.series.done)
    days = protocol_day(seen.series.days[who, visit])
    labels = response_labels()
    head = {"REPLICATE": replicate[who], "USUBJID": identity[who], "ADY": days}
    sums = seen.series.sums[who, visit]
    change = PERCENT * (sums / seen.series.baseline_sums[who] - 1)
    found = {
        "adtr": pl.DataFrame({**head, "AVAL": sums, "PCHG": change}, schema=SCHEMAS["adtr"]),
        "adrs": pl.DataFrame(
            {**head, "AVALC": [labels[int(code)] for code in seen.responses[who, visit]]}, schema=SCHEMAS["adrs"]
        ),
        "adae": _adverse_events(treated, replicate, identity),
    }
    long = [_long(reading, replicate, identity) for reading in readings]
    blood = pl.concat(long)
    transgene = blood.filter(pl.col("PARAMCD") == "TRANSGENE").drop("PARAMCD")
    return found | {"adlb": blood.filter(pl.col("PARAMCD") != "TRANSGENE"), "adpc": transgene}


def _long(reading: Reading, replicate: NDArray[np.int64], identity: NDArray[np.str_]) -> Table:
    who, visit = np.nonzero(~np.isnan(reading.values))
    return pl.DataFrame(
        {
            "REPLICATE": replicate[who],
            "USUBJID": identity[who],
            "PARAMCD": reading.code,
            "ADY": protocol_day(reading.times[who, visit]),
            "AVAL": reading.values[who, visit],
            "AVALC": _sign(reading, who, visit),
            "AVALU": reading.unit,
        },
        schema=SCHEMAS["adlb"],
    )


def _sign(reading: Reading, who: NDArray[np.intp], visit: NDArray[np.intp]) -> list[str]:
    """'<50' or '>121000' where a limit of quantification was passed, else empty."""
    values = reading.values[who, visit]
    marks = np.where(reading.below_limit[who, visit], "<", np.where(reading.above_limit[who, visit], ">", ""))
    return [f"{mark}{value:g}" if mark else "" for mark, value in zip(marks.tolist(), values.tolist(), strict=True)]


def _adverse_events(treated: TreatedPatients, replicate: NDArray[np.int64], identity: NDArray[np.str_]) -> Table:
    """Cytokine release syndrome by its worst grade and first day, and every dose-limiting toxicity."""
    rows = []
    crs = treated.with_cells.crs
    for patient, worst in enumerate(crs.worst.tolist()):
        head = {"REPLICATE": int(replicate[patient]), "USUBJID": str(identity[patient])}
        if worst > 0:
            day = protocol_day(int(crs.onset[patient]))
            rows.append({**head, "AETERM": "Cytokine release syndrome", "ATOXGR": worst, "ASTDY": day, "DLT": False})
        for reason in treated.with_cells.toxicity[patient].reasons:
            rows.append({**head, "AETERM": reason, "ATOXGR": None, "ASTDY": None, "DLT": True})
    return pl.DataFrame(rows, schema=SCHEMAS["adae"])
