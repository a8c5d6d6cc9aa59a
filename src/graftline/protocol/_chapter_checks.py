"""Checks of single chapters: sites and dates, HLA, the product's times, kidney function, grading scales."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..base.streams import site_key
from ..base.units import Quantity, UnitError, parse_quantity
from ._yaml import Flaw, Path
from .schema import Protocol, RenalAdjustment

_LONGEST_TURNAROUND = Quantity(365, "days")
_LONGEST_SHELF_LIFE = Quantity(20, "years")
"""beyond these a time is a slip of the unit"""
SCALES = {
    "crs_scale": (("ASTCT", "2019"),),
    "icans_scale": (("ASTCT", "2019"),),
    "adverse_event_scale": (("CTCAE", "5.0"), ("CTCAE", "4.03")),
}
"""the scales, with their versions, by which events can be graded here"""


def site_keys_differ(protocol: Protocol) -> Iterator[Flaw]:
    """No two sites share the 32-bit key of their chance."""
    keys: dict[int, str] = {}
    for index, site in enumerate(protocol.sites):
        other = keys.setdefault(site_key(site.id), site.id)
        if other != site.id:
            found = f"{site.id!r} would draw the same chance as {other!r}"
            yield Flaw(("sites", index, "id"), found, "give one of the two another id, for example with a digit more")


def somebody_is_screened(protocol: Protocol) -> Iterator[Flaw]:
    """At least one site has a rate above zero."""
    if all(site.screening_rate.value == 0 for site in protocol.sites):
        found = "every site has a screening_rate of 0: nobody would be screened"
        yield Flaw(("sites",), found, "write a rate above zero for one site at least, for example 0.8 people/month")


def dates_follow_each_other(protocol: Protocol) -> Iterator[Flaw]:
    """Recruitment opens, ends, cells stop, data are cut, in this order; sites open while patients are recruited."""
    dates = protocol.recruitment
    order = ("opens", "ends", "last_infusion", "data_cutoff")
    for before, after in pairwise(order):
        if getattr(dates, after) < getattr(dates, before):
            found = f"{after} {getattr(dates, after)} lies before {before} {getattr(dates, before)}"
            yield Flaw(("recruitment", after), found, f"write a day on or after {getattr(dates, before)}")
    for index, site in enumerate(protocol.sites):
        if site.closes is not None and site.closes < site.opens:
            found = f"{site.id} closes on {site.closes}, before it opens ({site.opens})"
            yield Flaw(("sites", index, "closes"), found, f"write a day after {site.opens}")
        if dates.ends < dates.opens:
            continue  # told once, above; the sites are not to blame
        if site.opens > dates.ends:
            found = f"{site.id} opens on {site.opens}, after recruitment ends ({dates.ends})"
            yield Flaw(("sites", index, "opens"), found, f"write a day until {dates.ends}, or leave the site out")
        if site.opens < dates.opens:
            found = f"{site.id} opens on {site.opens}, before recruitment opens ({dates.opens})"
            remedy = f"write a day from {dates.opens} on, or an earlier recruitment.opens"
            yield Flaw(("sites", index, "opens"), found, remedy)


def hla_rule_is_consistent(protocol: Protocol) -> Iterator[Flaw]:
    """Required alleles and their group present the peptide; no allele, nor one that contains it, is excluded too."""
    hla, molecule = protocol.hla, protocol.receptor.presented_by
    if hla is None:
        if protocol.receptor.kind == "TCR":
            yield Flaw((), "'hla' is missing", "write 'hla: ...' here: a TCR sees its peptide on HLA only")
        return
    if molecule is None:
        yield Flaw(("hla",), "a CAR sees its target without HLA", "take the chapter out")
        return
    for index, allele in enumerate(hla.excluded_alleles):
        clash = next((one for one in hla.required_alleles if _within(one, allele)), None)
        if clash is not None:
            found = (
                f"{clash} is required and excluded" if clash == allele else f"{clash} is required, {allele} excluded"
            )
            yield Flaw(("hla", "excluded_alleles", index), found, "keep it in one of the lists")
    remedy = f"write an allele of {molecule}, or correct receptor.presented_by"
    for index, allele in enumerate(hla.required_alleles):
        if not _same_molecule(allele, molecule):
            found = f"{allele} does not present the peptide: the receptor needs {molecule}"
            yield Flaw(("hla", "required_alleles", index), found, remedy)
    if not _same_molecule(hla.required_group.split(" ")[0].rstrip("PG"), molecule):
        found = f"{hla.required_group} does not present the peptide: the receptor needs {molecule}"
        yield Flaw(("hla", "required_group"), found, remedy.replace("an allele", "a group"))


def _fields(allele: str) -> list[str]:
    return allele.removeprefix("HLA-").replace("*", ":").split(":")


def _within(one: str, other: str) -> bool:
    """Whether the first name falls under the second: A*02:01 under A*02."""
    return _fields(one)[: len(_fields(other))] == _fields(other)


def _same_molecule(one: str, other: str) -> bool:
    return _within(one, other) or _within(other, one)


def product_lasts_and_is_ready(protocol: Protocol) -> Iterator[Flaw]:
    """Turnaround and shelf life are possible times; cells outlast their way to the patient and the sterility test."""
    plant = protocol.manufacture
    for key, longest in (("turnaround", _LONGEST_TURNAROUND), ("shelf_life", _LONGEST_SHELF_LIFE)):
        time: Quantity = getattr(plant, key)
        if not 0 < time.to("days") <= longest.to("days"):
            yield Flaw(("manufacture", key), f"found {time}", f"write a time above zero, at most {longest}")
    test = plant.release.sterility_takes
    if plant.release.sterility == "required" and 0 < plant.turnaround.to("days") < test.to("days"):
        found = f"the turnaround of {plant.turnaround} is shorter than the required sterility test ({test})"
        yield Flaw(("manufacture", "turnaround"), found, f"write {test} or more, or sterility: conditional")
    used = {site.country for site in protocol.sites}
    ways = [one.transit_from_plant for one in protocol.countries if one.code in used]
    longest_way = max(ways, key=lambda one: one.to("days"), default=None)
    if longest_way is not None and 0 < plant.shelf_life.to("days") <= longest_way.to("days"):
        found = f"the cells keep for {plant.shelf_life}; their longest way from the plant takes {longest_way}"
        yield Flaw(("manufacture", "shelf_life"), found, f"write more than {longest_way}")


def renal_adjustment_makes_sense(protocol: Protocol) -> Iterator[Flaw]:
    """Limits of clearance are readable and differ; a lower clearance never gets a larger fraction of the dose."""
    path: Path = ("conditioning", "fludarabine_by_renal_function")
    bands: list[tuple[float, int, RenalAdjustment]] = []
    for index, one in enumerate(protocol.conditioning.fludarabine_by_renal_function):
        try:
            limit = parse_quantity(one.below, "mL/min")
        except UnitError as error:
            found, _, remedy = str(error).partition("; ")
        else:
            bands.append((limit.to("mL/min"), index, one))
            if limit.value > 0:
                continue
            found, remedy = f"{limit} is not above zero", "write a clearance, for example 70 mL/min"
        yield Flaw((*path, index, "below"), found, remedy)
    for (lower, index, one), (higher, _, other) in pairwise(sorted(bands, key=lambda band: band[0])):
        if lower == higher:
            yield Flaw((*path, index, "below"), f"{one.below} stands twice", "keep one of the two")
        elif one.fraction.to("1") > other.fraction.to("1"):
            found = f"below {one.below} the dose is {one.fraction}, more than the {other.fraction} below {other.below}"
            yield Flaw((*path, index, "fraction"), found, f"write {other.fraction} or less")


def scales_can_be_graded(protocol: Protocol) -> Iterator[Flaw]:
    """Each grading scale, in its version, is one by which events are graded here."""
    for key, known in SCALES.items():
        scale = getattr(protocol.safety, key)
        if (scale.name, scale.version) in known:
            continue
        wrong = "version" if scale.name in {name for name, _ in known} else "name"
        remedy = " or ".join(f'{{name: {name}, version: "{version}"}}' for name, version in known)
        yield Flaw(("safety", key, wrong), f"nobody can grade by {scale.name} {scale.version} here", f"write {remedy}")


def receptor_potency_is_said_once(protocol: Protocol) -> Iterator[Flaw]:
    """EC50 and dissociation rate are two ways to say one thing; the limited form needs the rate."""
    known, path = protocol.receptor.potency, ("receptor", "potency")
    if known.ec50 is not None and known.dissociation_rate is not None:
        found = f"both ec50 {known.ec50} and dissociation_rate {known.dissociation_rate}: the potency would count twice"
        yield Flaw(path, found, "write ec50 if it is measured, else dissociation_rate")
    elif known.ec50 is not None and known.form == "limited":
        found = "an EC50 says nothing about how firmly the receptor binds, which the limited form needs"
        yield Flaw((*path, "ec50"), found, "write dissociation_rate, or form: monotone")


def model_is_said_once(protocol: Protocol) -> Iterator[Flaw]:
    """A twin that comes with the package or a model of one's own, not both; modules belong to the twin, each once."""
    model = protocol.model
    if model.own is None and model.twin is None:
        yield Flaw(("model",), "'twin' is missing", "write 'twin: tcrt_core', or 'own: ...' with a model text")
    if model.own is not None:
        for key in ("twin", "modules"):
            if getattr(model, key):
                yield Flaw(("model", key), "the protocol brings a model of its own", f"take {key} or own out")
    for index, name in enumerate(protocol.model.modules):
        if name in protocol.model.modules[:index]:
            yield Flaw(("model", "modules", index), f"{name!r} stands twice in modules", "keep one")


def dose_by_weight_makes_sense(protocol: Protocol) -> Iterator[Flaw]:
    """Per kilogram as in all: lowest, target and highest in this order."""
    for index, level in enumerate(protocol.dosing.levels):
        part = level.by_weight
        if part is not None and not part.lowest.to("cells/kg") <= part.target.to("cells/kg") <= part.highest.to(
            "cells/kg"
        ):
            found = f"lowest {part.lowest}, target {part.target}, highest {part.highest}"
            yield Flaw(("dosing", "levels", index, "by_weight"), found, "write lowest <= target <= highest")


def response_is_said_whole(protocol: Protocol) -> Iterator[Flaw]:
    """Remission has its thresholds, which are shares of the whole; nothing else has any."""
    rule, path = protocol.response, ("response", "remission")
    if rule.criteria != "marrow remission":
        if rule.remission is not None:
            yield Flaw(path, f"{rule.criteria} knows no remission", "take 'remission' out, or write marrow remission")
        return
    if rule.remission is None:
        remedy = "write 'remission: {blasts_below: 5 percent, relapse_at: 5 percent}'"
        yield Flaw(("response",), "'remission' is missing", remedy)
        return
    below, at = rule.remission.blasts_below.to("1"), rule.remission.relapse_at.to("1")
    if not 0 < below <= at <= 1:
        found = f"remission below {rule.remission.blasts_below}, relapse at {rule.remission.relapse_at}"
        yield Flaw(path, found, "write 0 percent < blasts_below <= relapse_at <= 100 percent")
