"""The report page: reads a results folder, draws every figure and writes one HTML file that needs nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup, escape

from ..base.errors import SurroundingsError
from ..base.units import PERCENT
from ..statistics import clopper_pearson, jeffreys
from .comparison import ComparisonRow, compare, infused_of
from .figures import courses, flow, one_trial, sensitivity, survival
from .figures import patient as one_patient
from .results import Results, read_results
from .spreads import ENOUGH, NOTHING, per_infused, quantiles, span_name, spread_of
from .tables import GRADES, early_deaths, endpoint_rows, events, facts, flagged, plain, toxicity, with_unit

NAME = "report.html"
_CELLS_AND_NONE = {
    "PFS": (survival.Followed("cells", "PFSDY", "PFSEV"), survival.Followed("no cells", "PFSDYN", "PFSEVN")),
    "OS": (survival.Followed("cells", "OSDY", "OSEV"), survival.Followed("no cells", "OSDYN", "OSEVN")),
}
_FROM_APHERESIS = (survival.Followed("apheresed", "OSLKDY", "OSLKEV"),)


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
    environment.filters["with_unit"] = with_unit
    environment.filters["whole_dates"] = _whole_dates
    style = Markup(loader.get_source(environment, "style.css")[0])
    content = {**_numbers(results), **_one_trial(results), **_all_trials(results), **_grounds(results)}
    return environment.get_template("page.html.j2").render(style=style, **content)


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _whole_dates(text: str) -> Markup:
    """Dates that no line break cuts in two."""
    return Markup(_DATE.sub(r'<span class="now">\g<0></span>', str(escape(text))))


def _numbers(results: Results) -> dict[str, Any]:
    """Header, summary, flow and the comparison."""
    summary = results.summary
    published = list(summary.get("published", []))
    replicates, infused = results.replicates, infused_of(published)
    rows = compare(replicates, published)
    return {
        "protocol": _mapping(summary.get("protocol")),
        "recipe": _mapping(summary.get("recipe")),
        "replicates": replicates.height,
        "failures": summary.get("solver_failures") or 0,
        "refused": [one for one in _mapping(summary.get("implausible_draws")).values() if one["refused"]],
        "screened": spread_of(replicates, "SCREENED"),
        "apheresed": spread_of(replicates, "APHERESED"),
        "infused": spread_of(replicates, "INFUSED"),
        "responses": _told(replicates, ("CR", "PR"), infused),
        "responses_without": _told(replicates, ("CR_NC", "PR_NC"), infused),
        "crs": _told(replicates, ("CRS_ANY",), infused),
        "whole": infused,
        "nobody": results.infused().is_empty(),
        "flow": flow.draw(results.subjects, replicates),
        "rows": rows,
        "outside": [row.label for row in rows if row.outside],
        "level": span_name(replicates.height),
        "enough": replicates.height >= ENOUGH,
        "least": ENOUGH,
        "short": _short_of_infusions(replicates, rows),
    }


def _told(replicates: pl.DataFrame, columns: tuple[str, ...], infused: int | None) -> str:
    """A count for as many infused as were published, or as it is where nothing was."""
    if infused is None:
        return spread_of(replicates, *columns)
    middle, low, high = quantiles(per_infused(replicates, columns, infused))
    return f"{middle:.1f} ({span_name(replicates.height)} {low:.1f} to {high:.1f})" if middle == middle else NOTHING


def _weak_test(published: list[dict[str, Any]]) -> dict[str, str | int] | None:
    """What true rates a published number of responses leaves open; None where it is not known."""
    known = {str(one["row"]).upper(): one.get("published") for one in published}
    counts, infused = [known.get("CR"), known.get("PR")], infused_of(published)
    responses = sum(count for count in counts if isinstance(count, int))
    if infused is None or None in counts or responses > infused:
        return None
    texts = {
        name: f"{PERCENT * float(low):.0f} % to {PERCENT * float(high):.0f} %"
        for name, (low, high) in (
            ("jeffreys", jeffreys(responses, infused)),
            ("exact", clopper_pearson(responses, infused)),
        )
    }
    return {"responses": responses, "infused": infused, **texts}


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
        "pfs": survival.survival(infused, pairs["PFS"], "Alive without progression", "pfs-infusion"),
        "os": survival.survival(infused, pairs["OS"], "Alive", "os-infusion"),
        "os_apheresis": survival.survival(apheresed, _FROM_APHERESIS, "Alive", "os-apheresis"),
        "followed": {"infused": infused.height, "apheresed": apheresed.height},
        "toxicity": toxicity(infused),
        "grades": GRADES,
        "dlt": flagged(infused, "DLTFL"),
        "second": flagged(infused, "SECFL"),
        "early_deaths": early_deaths(infused),
        "not_simulated": [name.replace("_", " ") for name in results.summary.get("toxicities_not_simulated", [])],
        "landmarks": survival.LANDMARKS,
    }


def _grounds(results: Results) -> dict[str, Any]:
    """What cannot be concluded, and the patient followed."""
    story = events(results.story)
    days = [float(one["time"]) for one in story if isinstance(one.get("time"), int | float)]
    return {
        "weak_test": _weak_test(list(results.summary.get("published", []))),
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
