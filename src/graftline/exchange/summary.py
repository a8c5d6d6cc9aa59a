"""Counts of each simulated trial: the rows that stand beside published figures."""

from __future__ import annotations

import polars as pl

_GRADES = (1, 2, 3, 4)
_COMPARED_INFUSIONS = (2, 9, 12, 18)


def replicate_table(adsl: pl.DataFrame) -> pl.DataFrame:
    """One row per replicate: funnel, best responses with and without effect of the cells, CRS, infusion days."""

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
            pl.col("CRSGR").is_in((1, 2)).sum().alias("CRS_G1_2"),
            *[(pl.col("CRSGR") == grade).sum().alias(f"CRS_G{grade}") for grade in _GRADES],
            pl.col("DLTFL").sum().alias("DLT"),
            *[day_of(order) for order in _COMPARED_INFUSIONS],
            pl.col("SECFL").sum().alias("SECOND"),
        )
        .sort("REPLICATE")
    )
