"""The report page: reads a results folder, draws every figure and writes one HTML file that needs nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup

from ..base.errors import SurroundingsError
from .comparison import LEVEL, ComparisonRow, compare, spread_of
from .figures import courses, flow, one_trial, sensitivity
from .figures import patient as one_patient
from .results import Results, read_results
from .tables import GRADES, endpoint_rows, events, facts, flagged, plain, toxicity

NAME = "report.html"
_CELLS_AND_NONE = {
    "PFS": (courses.Followed("cells", "PFSDY", "PFSEV"), courses.Followed("no cells", "PFSDYN", "PFSEVN")),
    "OS": (courses.Followed("cells", "OSDY", "OSEV"), courses.Followed("no cells", "OSDYN", "OSEVN")),
}
_FROM_APHERESIS = (courses.Followed("apheresed", "OSLKDY", "OSLKEV"),)


def write_report(folder: Path) -> Path:
    """Write `report.html` into a results folder and return its path; written aside, then renamed.

    Raises InputError naming every missing or unreadable file, SurroundingsError if the page cannot be written.
    """
    text = render(read_results(folder))
    final = folder / NAME
    aside = folder / f"{NAME}.writing"
    try:
        aside.write_text(text, "utf-8")
        os.replace(aside, final)  # noqa: PTH105 - the one atomic call
    except OSError as error:
        raise SurroundingsError(
            f"{final} cannot be written ({error})", "free some space or check who may write"
        ) from None
    return final


def render(results: Results) -> str:
    """The page as text."""
    loader = jinja2.PackageLoader("graftline.report", ".")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["plain"] = plain
    style = Markup(loader.get_source(environment, "style.css")[0])
    content = {**_numbers(results), **_one_trial(results), **_all_trials(results), **_grounds(results)}
    return environment.get_template("page.html.j2").render(style=style, **content)


def _numbers(results: Results) -> dict[str, Any]:
    """Header, summary, flow and the comparison."""
    summary = results.summary
    rows = compare(results.replicates, list(summary.get("published", [])))
    replicates = results.replicates
    return {
        "protocol": _mapping(summary.get("protocol")),
        "recipe": _mapping(summary.get("recipe")),
        "replicates": replicates.height,
        "failures": summary.get("solver_failures") or 0,
        "screened": spread_of(replicates, "SCREENED"),
        "apheresed": spread_of(replicates, "APHERESED"),
        "infused": spread_of(replicates, "INFUSED"),
        "responses": spread_of(replicates, "CR", "PR"),
        "responses_without": spread_of(replicates, "CR_NC", "PR_NC"),
        "crs": spread_of(replicates, "CRS_ANY"),
        "nobody": results.infused().is_empty(),
        "flow": flow.draw(results.subjects, replicates),
        "rows": rows,
        "outside": [row.label for row in rows if row.outside],
        "level": f"{LEVEL:.0%}".replace("%", " %"),
        "short": _short_of_infusions(replicates, rows),
    }


def _short_of_infusions(replicates: pl.DataFrame, rows: list[ComparisonRow]) -> list[str]:
    """Sentences on replicates that never came to a compared infusion."""
    said = []
    for number in (2, 9, 12, 18):
        missing = int(replicates[f"DAY_{number}"].is_null().sum())
        if missing and rows:
            said.append(f"{missing} of {replicates.height} trials had fewer than {number} infusions")
    return said


def _one_trial(results: Results) -> dict[str, Any]:
    """Figures of the representative replicate."""
    number = results.representative()
    chosen = pl.lit(False) if number is None else pl.col("REPLICATE") == number
    people = results.infused().filter(chosen)
    scans, responses = results.scans.filter(chosen), results.responses.filter(chosen)
    return {
        "chosen": number,
        "people": people.height,
        "scanned": one_trial.best_changes(people, scans).height,
        "swimmer": one_trial.swimmer(people, responses),
        "waterfall": one_trial.waterfall(people, scans),
        "spider": one_trial.spider(people, scans),
        "tiles": one_trial.dose_tiles(people),
        "endpoints": endpoint_rows(results.endpoints, number),
    }


def _all_trials(results: Results) -> dict[str, Any]:
    """Courses, survival and toxicity over all replicates."""
    infused = results.infused()
    apheresed = results.subjects.filter(pl.col("LEUKFL"))
    pairs = _CELLS_AND_NONE
    return {
        "courses": [(marker, courses.course(results.bands, marker)) for marker in courses.MARKERS],
        "pfs": courses.survival(infused, pairs["PFS"], "Alive without progression", "pfs-infusion"),
        "os": courses.survival(infused, pairs["OS"], "Alive", "os-infusion"),
        "os_apheresis": courses.survival(apheresed, _FROM_APHERESIS, "Alive", "os-apheresis"),
        "followed": {"infused": infused.height, "apheresed": apheresed.height},
        "toxicity": toxicity(infused),
        "grades": GRADES,
        "dlt": flagged(infused, "DLTFL"),
        "second": flagged(infused, "SECFL"),
    }


def _grounds(results: Results) -> dict[str, Any]:
    """What cannot be concluded, and the patient followed."""
    story = events(results.story)
    days = [float(one["time"]) for one in story if isinstance(one.get("time"), int | float)]
    return {
        "tornado_response": sensitivity.tornado(results.tornado, "RESPONSE", "Infused patients with CR or PR"),
        "tornado_crs": sensitivity.tornado(results.tornado, "CRS", "Infused patients with CRS of any grade"),
        "protocol_placeholders": list(_mapping(results.summary.get("protocol")).get("placeholders") or []),
        "evidence_placeholders": list(results.summary.get("evidence_placeholders") or []),
        "facts": facts(results.story),
        "story": story,
        "patient": one_patient.follow(results.patient, days),
    }


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}
