"""Dated amendments: applied to the file's content in order, each resulting version checked like the first."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

from ._schema_faults import known_keys
from ._yaml import Content, Flaw, Path, name_of
from .schema import Amendment, Protocol, Site

_LONGEST_LAG = 3653  # days, ten years
_FIXED = ("graftline", "amendments", "short_name", "registry_id")
Applied = frozenset[int]
"""places of the amendments that are applied"""
Validate = Callable[[Content], tuple[Protocol | None, list[Flaw]]]


def effective_days(protocol: Protocol, site: Site) -> tuple[date, ...]:
    """From which day each amendment binds those who consent at the site: approval there, at earliest the opening."""
    return tuple(max(_approval(one, site.id), site.opens) for one in protocol.amendments)


def _approval(amendment: Amendment, site: str) -> date:
    lag = timedelta(days=math.ceil(amendment.approval_lag.to("days")))
    return amendment.approvals.get(site) or amendment.date + lag


def versions_met(protocol: Protocol) -> tuple[Applied, ...]:
    """Every set of amendments that some site works under at some time, and every prefix; the first version first."""
    count = len(protocol.amendments)
    met = {frozenset(range(length)) for length in range(count + 1)}
    for site in protocol.sites:
        days = effective_days(protocol, site)
        met |= {frozenset(place for place in range(count) if days[place] <= day) for day in days}
    return tuple(sorted(met, key=lambda one: (len(one), sorted(one))))


def amendment_flaws(protocol: Protocol, content: Content) -> list[Flaw]:
    """Amendments out of order, for unknown sites, or changing what does not exist."""
    flaws: list[Flaw] = []
    sites = {site.id for site in protocol.sites}
    before = protocol.version_date
    for index, one in enumerate(protocol.amendments):
        path: Path = ("amendments", index)
        if one.date < before:
            found = f"{one.id} is dated {one.date}, before {before} of what it follows"
            flaws.append(Flaw((*path, "date"), found, "list the amendments in the order of their dates"))
        before = max(before, one.date)
        if one.approval_lag.to("days") > _LONGEST_LAG:
            flaws.append(Flaw((*path, "approval_lag"), f"{one.approval_lag} is over ten years", "write a shorter time"))
        for site, day in one.approvals.items():
            if site not in sites:
                found, remedy = f"there is no site {site!r}", f"write one of {', '.join(sorted(sites))}"
                flaws.append(Flaw((*path, "approvals", site), found, remedy))
            elif day < one.date:
                found = f"approved at {site} on {day}, before the amendment of {one.date}"
                flaws.append(Flaw((*path, "approvals", site), found, f"write a day on or after {one.date}"))
        flaws += _change_flaws(one, index, content)
    return flaws


def _change_flaws(amendment: Amendment, index: int, content: Content) -> Iterator[Flaw]:
    taken: dict[Path, str] = {}
    for written in amendment.changes:
        place: Path = ("amendments", index, "changes", written)
        path = find(content, written)
        if path is None:
            yield Flaw(
                place, f"there is no {written!r} in this file", "write an existing path, as dosing.levels.NAME.target"
            )
        elif path[0] in _FIXED or (path[0] == "sites" and (len(path) == 1 or path[-1] == "id")):
            yield Flaw(place, f"{written!r} cannot be amended", "change another part of the protocol")
        elif clash := next((other for other in taken if other[: len(path)] == path[: len(other)]), None):
            yield Flaw(place, f"{written!r} and {taken[clash]!r} change the same part", "keep one of the two")
        else:
            taken[path] = written


def find(content: Content, written: str) -> Path | None:
    """The path in the content that 'dosing.levels.expansion.highest' means: list entries by name or by place."""
    return _find(content, tuple(written.split(".")), ())


def _find(here: Content, steps: tuple[str, ...], path: Path) -> Path | None:
    if not steps:
        return path
    for length in range(len(steps), 0, -1):  # a name may itself hold a full stop
        step, rest = ".".join(steps[:length]), steps[length:]
        if isinstance(here, Mapping):
            if step in here and (found := _find(here[step], rest, (*path, step))):
                return found
            if step not in here and not rest and step in known_keys(path):
                return (*path, step)
        elif isinstance(here, list):
            for place, entry in enumerate(here):
                if step in (name_of(entry), str(place)) and (found := _find(entry, rest, (*path, place))):
                    return found
    return None


def amended(content: Content, amendments: tuple[Amendment, ...], applied: Applied) -> Content:
    """The content with the changes of these amendments made in the order of the file."""
    result = copy.deepcopy(content)
    for place in sorted(applied):
        for written, value in amendments[place].changes.items():
            path = find(result, written)
            assert path, "amendments are checked before they are applied"
            here: Content = result
            for step in path[:-1]:
                here = here[step]  # type: ignore[index]
            here[path[-1]] = copy.deepcopy(value)  # type: ignore[index]
    return result


def build_versions(
    protocol: Protocol, content: Content, sets: tuple[Applied, ...], validate: Validate
) -> tuple[tuple[Protocol, ...], list[Flaw]]:
    """The protocol under each set of amendments; flaws stand at the change that brings them about."""
    versions: list[Protocol] = []
    flaws: dict[tuple[str, str, Path], Flaw] = {}
    for applied in sets:
        changed = amended(content, protocol.amendments, applied)
        version, wrong = validate(changed) if applied else (protocol, [])
        for flaw in wrong:
            blamed = Flaw(_blamed(flaw.path, protocol, applied, changed), flaw.found, _under(protocol, applied, flaw))
            flaws.setdefault((flaw.found, flaw.remedy, blamed.path), blamed)
        if version is not None:
            versions.append(version)
    return tuple(versions), list(flaws.values())


def _blamed(path: Path, protocol: Protocol, applied: Applied, content: Content) -> Path:
    """The change that touches the path (the latest if several do), or else the latest amendment."""
    for place in sorted(applied, reverse=True):
        for written in protocol.amendments[place].changes:
            changed = find(content, written)
            if changed is not None and (path[: len(changed)] == changed or changed[: len(path)] == path):
                return ("amendments", place, "changes", written)
    return ("amendments", max(applied), "changes")


def _under(protocol: Protocol, applied: Applied, flaw: Flaw) -> str:
    names = " and ".join(protocol.amendments[place].id for place in sorted(applied))
    return f"{flaw.remedy} (the protocol as amended by {names} is not valid)"
