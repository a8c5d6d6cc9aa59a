"""Per-replicate counts, bands over time and the published figures beside which they stand."""

from __future__ import annotations

from typing import Any

import polars as pl

from ..base.clock import calendar_date

_GRADES = (1, 2, 3, 4)


def replicate_table(adsl: pl.DataFrame) -> pl.DataFrame:
    """One row per replicate: the funnel, best responses with and without kill, CRS, toxicity, infusion days."""

    def counts(column: str, suffix: str) -> list[pl.Expr]:
        return [
            (pl.col("TRTFL") & (pl.col(column) == code)).sum().alias(f"{code}{suffix}")
            for code in ("CR", "PR", "SD", "PD", "NE")
        ]

    def day_of(order: int) -> pl.Expr:
        return pl.col("TRTSDT").filter(pl.col("ORDER") == order).first().alias(f"DAY_{order}")

    return (
        adsl.group_by("REPLICATE")
        .agg(
            pl.len().alias("SCREENED"),
            pl.col("LEUKFL").sum().alias("APHERESED"),
            pl.col("TRTFL").sum().alias("INFUSED"),
            *counts("BOR", ""),
            *counts("BORN", "_NC"),
            (pl.col("CRSGR") > 0).sum().alias("CRS_ANY"),
            *[(pl.col("CRSGR") == grade).sum().alias(f"CRS_G{grade}") for grade in _GRADES],
            pl.col("DLTFL").sum().alias("DLT"),
            *[day_of(order) for order in (2, 9, 12, 18)],
            pl.col("SECFL").sum().alias("SECOND"),
        )
        .sort("REPLICATE")
    )


PUBLISHED: tuple[dict[str, Any], ...] = (
    {"row": "SCREENED", "published": 477, "kind": "free rate"},
    {"row": "APHERESED", "published": 38, "kind": "predicted"},
    {"row": "INFUSED", "published": 21, "kind": "predicted"},
    {"row": "CR", "published": 1, "kind": "predicted"},
    {"row": "PR", "published": 1, "kind": "predicted"},
    {"row": "SD", "published": 12, "kind": "predicted"},
    {"row": "PD", "published": 7, "kind": "predicted"},
    {"row": "CRS_ANY", "published": 6, "kind": "predicted"},
    {"row": "CRS_G4", "published": 1, "kind": "predicted"},
    {"row": "DAY_2", "published": "2018-09-21", "kind": "predicted"},
    {"row": "DAY_9", "published": "2020-08-31", "kind": "predicted"},
    {"row": "DAY_12", "published": "2020-11-30", "kind": "predicted"},
    {"row": "DAY_18", "published": "2021-04-05", "kind": "predicted"},
)
"""cancerresearchuk.org/node/333781; J Hepatol abstract; AACR 2019 abstract 3183; cgtlive.com; France Bleu; ILCA 2021"""


def compared(replicates: pl.DataFrame) -> list[dict[str, Any]]:
    """Each published figure with the median and the 5th and 95th percentile over replicates."""
    rows = []
    for one in PUBLISHED:
        values = replicates[one["row"]].drop_nulls()
        found: dict[str, Any] = {**one, "replicates": len(values)}
        for name, share in (("low", 0.05), ("median", 0.5), ("high", 0.95)):
            value = values.quantile(share, interpolation="nearest") if len(values) else None
            as_date = one["row"].startswith("DAY_") and value is not None
            found[name] = calendar_date(int(value)).isoformat() if as_date and value is not None else value
        rows.append(found)
    return rows
