"""One simulated trial patient by patient: swimmer, waterfall, spider and the path over dose levels."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl
from markupsafe import Markup

from ...base.clock import model_time
from ...base.units import DAYS_PER_WEEK
from .style import BLUE, GREY, RED, RESPONSES, WIDTH, colours, to_svg, values

_LANE = 20
_GUIDES = [{"y": -30.0}, {"y": 20.0}]
"""RECIST 1.1 limits of partial response and progression, % of baseline or nadir: guides for the eye only"""
_STATES = {**RESPONSES, "not yet assessed": "#d9dde3"}
_PALETTE = colours(RESPONSES)


def _weeks(time: float) -> float:
    return round(time / DAYS_PER_WEEK, 2)


def _since_infusion(protocol_day: int) -> float:
    """Weeks from the infusion on Day 1 to a protocol day."""
    return _weeks(model_time(protocol_day))


def _lane_order(people: pl.DataFrame) -> list[str]:
    return people.sort("ORDER")["USUBJID"].to_list()


def swimmer(people: pl.DataFrame, responses: pl.DataFrame) -> Markup | None:
    """A lane per infused patient: response at each visit until the next, then death or the end of observation."""
    if people.is_empty() or "OSDY" not in people.columns:
        return None
    bars, ends = [], []
    for person in people.sort("ORDER").to_dicts():
        who, last = person["USUBJID"], person["OSDY"]
        if last is None:
            continue
        visits = responses.filter(pl.col("USUBJID") == who).sort("ADY").to_dicts()
        bars += _segments(who, last, visits)
        ends.append({"who": who, "end": _weeks(last), "what": "died" if person["OSEV"] else "alive at last contact"})
    lane = alt.Y("who:N", sort=_lane_order(people), title="Patient, in order of infusion")
    base = (
        alt.Chart(values(bars))
        .mark_bar(height=11)
        .encode(
            y=lane,
            x=alt.X("start:Q", title="Weeks since infusion", axis=alt.Axis(tickCount=10)),
            x2="end:Q",
            color=alt.Color("state:N", scale=colours(_STATES), title="Response at last visit"),
        )
    )
    marks = (
        alt.Chart(values(ends))
        .mark_point(size=70, filled=True, color="#1f2933", opacity=1, xOffset=6)
        .encode(
            y=lane,
            x="end:Q",
            shape=alt.Shape(
                "what:N",
                scale=alt.Scale(domain=["died", "alive at last contact"], range=["cross", "triangle-right"]),
                title=None,
            ),
        )
    )
    chart = alt.layer(base, marks).resolve_scale(shape="independent")
    return to_svg(chart.properties(width=WIDTH - 120, height=_LANE * max(people.height, 3)), "swimmer")


def _segments(who: str, last: float, visits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Stretches of one lane, in weeks: each visit's response holds until the next visit, progression for good."""
    days = [min(max(model_time(visit["ADY"]), 0), last) for visit in visits]
    states = _progression_stays([str(visit["AVALC"]) if visit["AVALC"] in RESPONSES else "NE" for visit in visits])
    edges = [0, *days, last]
    names = ["not yet assessed", *states]
    if visits:
        names[-1] = states[-1]
    return [
        {"who": who, "start": _weeks(start), "end": _weeks(end), "state": name}
        for start, end, name in zip(edges[:-1], edges[1:], names, strict=True)
        if end > start
    ]


def _progression_stays(states: list[str]) -> list[str]:
    """Whatever is seen after the first progression, the patient has progressed."""
    first = states.index("PD") if "PD" in states else len(states)
    return [*states[:first], *["PD"] * (len(states) - first)]


def best_changes(people: pl.DataFrame, scans: pl.DataFrame) -> pl.DataFrame:
    """Best change of the sum of diameters, %, of infused patients with at least one scan after infusion."""
    after = scans.filter((pl.col("ADY") > 1) & pl.col("PCHG").is_not_null())
    best = after.group_by("USUBJID").agg(pl.col("PCHG").min().alias("best"))
    return people.join(best, on="USUBJID", how="inner").sort(["best", "USUBJID"], descending=[True, False])


def waterfall(people: pl.DataFrame, scans: pl.DataFrame) -> Markup | None:
    """Best change of each patient with a scan, largest growth first; colour is the confirmed best response."""
    best = best_changes(people, scans)
    if best.is_empty():
        return None
    rows = [{"who": one["USUBJID"], "best": one["best"], "BOR": one["BOR"] or "NE"} for one in best.to_dicts()]
    bars = (
        alt.Chart(values(rows))
        .mark_bar()
        .encode(
            x=alt.X("who:N", sort=[row["who"] for row in rows], title="Patient", axis=alt.Axis(labelAngle=-60)),
            y=alt.Y("best:Q", title="Best change of target sum, % of baseline"),
            color=alt.Color("BOR:N", scale=_PALETTE, title="Confirmed best response"),
        )
    )
    guides = alt.Chart(values(_GUIDES)).mark_rule(strokeDash=[5, 4], color=GREY).encode(y="y:Q")
    return to_svg(alt.layer(bars, guides).properties(width=WIDTH - 80, height=280), "waterfall")


def spider(people: pl.DataFrame, scans: pl.DataFrame) -> Markup | None:
    """Change of the target sum at each scan, from (0, 0); colour is the confirmed best response."""
    rows: list[dict[str, Any]] = []
    for person in people.to_dicts():
        own = scans.filter((pl.col("USUBJID") == person["USUBJID"]) & (pl.col("ADY") > 1)).drop_nulls("PCHG")
        if own.is_empty():
            continue
        head = {"who": person["USUBJID"], "BOR": person["BOR"] or "NE"}
        rows.append({**head, "week": 0.0, "change": 0.0})
        rows += [
            {**head, "week": _since_infusion(one["ADY"]), "change": one["PCHG"]} for one in own.sort("ADY").to_dicts()
        ]
    if not rows:
        return None
    lines = (
        alt.Chart(values(rows))
        .mark_line(point=alt.OverlayMarkDef(size=28), strokeWidth=1.6)
        .encode(
            x=alt.X("week:Q", title="Weeks since infusion", axis=alt.Axis(tickCount=10)),
            y=alt.Y("change:Q", title="Change of target sum, % of baseline"),
            detail="who:N",
            color=alt.Color("BOR:N", scale=_PALETTE, title="Confirmed best response"),
        )
    )
    guides = alt.Chart(values(_GUIDES)).mark_rule(strokeDash=[5, 4], color=GREY).encode(y="y:Q")
    return to_svg(alt.layer(lines, guides).properties(width=WIDTH - 80, height=300), "spider")


_DLT = {"no": BLUE, "yes": RED, "not known": GREY}


def dose_tiles(people: pl.DataFrame) -> Markup | None:
    """A tile per infused patient, left to right in order of infusion, at the height of the dose level."""
    if people.is_empty():
        return None
    levels = people.group_by("TRT01A").agg(pl.col("DOSE").median()).sort("DOSE", "TRT01A", descending=True)
    names = {one["TRT01A"]: f"{one['TRT01A']} ({one['DOSE'] or 0:.3g})" for one in levels.to_dicts()}
    known = {True: "yes", False: "no", None: "not known"}
    rows = [
        {
            "place": place,
            "level": names[one["TRT01A"]],
            "dlt": known[one["DLTFL"]],
            "grade": "–" if one["CRSGR"] is None else str(int(one["CRSGR"])),
        }
        for place, one in enumerate(people.sort("ORDER").to_dicts(), start=1)
    ]
    base = alt.Chart(values(rows)).encode(
        x=alt.X("place:O", title="Order of infusion in the trial", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("level:N", sort=list(names.values()), title=None, axis=alt.Axis(labelLimit=260)),
    )
    tiles = base.mark_rect(stroke="white", strokeWidth=2).encode(
        color=alt.Color("dlt:N", scale=colours(_DLT), title="Dose-limiting toxicity")
    )
    texts = base.mark_text(color="white", fontSize=12).encode(text="grade:N")
    chart = alt.layer(tiles, texts).properties(
        width=alt.Step(26), height=alt.Step(30), title="Dose level (median given, 10⁹ cells)"
    )
    return to_svg(chart, "tiles")
