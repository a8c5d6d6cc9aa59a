"""What a protocol must say consistently across its chapters: one small check per rule, all faults at once.

Each check yields flaws with the path they concern; it is run when the chapters it needs are readable by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches

from ..base.units import Quantity
from ..records.variables import VARIABLES
from ._chapter_checks import (
    dates_follow_each_other,
    dose_by_weight_makes_sense,
    hla_rule_is_consistent,
    model_is_said_once,
    product_lasts_and_is_ready,
    receptor_potency_is_said_once,
    renal_adjustment_makes_sense,
    response_is_said_whole,
    scales_can_be_graded,
    site_keys_differ,
    somebody_is_screened,
)
from ._yaml import Flaw, Path
from .criteria import Moment, variables_of
from .model_text import assessed_without_role
from .schema import DoseLimitingToxicity, Protocol

Check = Callable[[Protocol], Iterable[Flaw]]

MEASURED_AT_THE_BEDSIDE = frozenset(
    {"lesion_count", "largest_lesion", "sum_of_diameters", "measurable_disease", "active_infection", "fever"}
)
"""looked at again before lymphodepletion and infusion, whether or not a screening step lists them"""
_FULL_SHARE = 1.0


def _names_stand_once(protocol: Protocol) -> Iterator[Flaw]:
    dosing, dlt = protocol.dosing, protocol.safety.dose_limiting_toxicity
    lists: tuple[tuple[Path, Sequence[str]], ...] = (
        (("countries",), [one.code for one in protocol.countries]),
        (("sites",), [one.id for one in protocol.sites]),
        (("screening",), [one.name for one in protocol.screening]),
        (("eligibility",), [one.name for one in protocol.eligibility]),
        (("conditioning", "regimens"), [one.name for one in protocol.conditioning.regimens]),
        (("dosing", "levels"), [one.name for one in dosing.levels]),
        (("assessments",), [one.name for one in protocol.assessments]),
        (("amendments",), [one.id for one in protocol.amendments]),
        (("safety", "dose_limiting_toxicity", "criteria"), [one.name for one in dlt.criteria]),
    )
    for path, names in lists:
        yield from _repeated(path, names)
    endpoints = [f"{one.name} in {one.population} from {one.time_zero}" for one in protocol.endpoints]
    yield from _repeated(("endpoints",), endpoints)
    for index, regimen in enumerate(protocol.conditioning.regimens):
        yield from _repeated(("conditioning", "regimens", index, "drugs"), [one.drug for one in regimen.drugs])


def _repeated(path: Path, names: Sequence[str]) -> Iterator[Flaw]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Flaw((*path, index), f"{name!r} stands twice in {path[-1]}", "keep one, or give it another name")
        seen.add(name)


def _names_exist(protocol: Protocol) -> Iterator[Flaw]:
    levels = [one.name for one in protocol.dosing.levels]
    escalation, expansion = protocol.dosing.escalation, protocol.dosing.expansion
    for key in () if escalation is None else ("start_level", "highest_level"):
        yield from _known(("dosing", "escalation", key), getattr(escalation, key), levels, "dose level")
    yield from _known(("dosing", "expansion", "level"), expansion.level, levels, "dose level")
    regimens = [one.name for one in protocol.conditioning.regimens]
    yield from _known(("conditioning", "in_force"), protocol.conditioning.in_force, regimens, "conditioning regimen")
    countries = [one.code for one in protocol.countries]
    for index, site in enumerate(protocol.sites):
        yield from _known(("sites", index, "country"), site.country, countries, "country")


def _known(path: Path, name: str, known: Sequence[str], kind: str) -> Iterator[Flaw]:
    if name not in known:
        # every name, not the nearest: level_0 and level_3 are one letter apart and far from each other
        yield Flaw(path, f"there is no {kind} {name!r}", f"write {' or '.join(dict.fromkeys(known))}")


def _everything_asked_is_measured(protocol: Protocol) -> Iterator[Flaw]:
    steps = protocol.screening
    for index, step in enumerate(steps):
        yield from _measures_known_variables(index, step.measures)
        if step.stage == "prescreening" and any(one.stage == "screening" for one in steps[:index]):
            found = f"the prescreening step {step.name!r} comes after full screening has begun"
            yield Flaw(("screening", index, "stage"), found, "move it up, or write stage: screening")
    everything = {name for step in steps for name in step.measures}
    early = {name for step in steps if step.stage == "prescreening" for name in step.measures}
    for index, criterion in enumerate(protocol.eligibility):
        for moment in dict.fromkeys(criterion.when):
            measured = early if moment is Moment.PRESCREENING else everything
            if moment in (Moment.BEFORE_LYMPHODEPLETION, Moment.BEFORE_INFUSION):
                measured = everything | MEASURED_AT_THE_BEDSIDE
            for name in sorted(variables_of(criterion.rule) - measured):
                found = (
                    f"{criterion.name!r} asks for {name} at {moment.value}, but no screening step measures it by then"
                )
                yield Flaw(("eligibility", index), found, f"add {name} to the measures of a {_stage(moment)} step")


def _stage(moment: Moment) -> str:
    return "prescreening" if moment is Moment.PRESCREENING else "screening"


def _measures_known_variables(step: int, measures: Sequence[str]) -> Iterator[Flaw]:
    for index, name in enumerate(measures):
        if name not in VARIABLES:
            near = get_close_matches(name, VARIABLES)
            remedy = f"write {' or '.join(near)}" if near else f"write one of {', '.join(sorted(VARIABLES))}"
            yield Flaw(("screening", step, "measures", index), f"nobody can measure {name!r}", remedy)
    for name, times in Counter(measures).items():
        if times > 1:
            yield Flaw(("screening", step, "measures"), f"{name!r} stands twice", "keep one")


def _dose_levels_make_sense(protocol: Protocol) -> Iterator[Flaw]:
    levels, escalation = protocol.dosing.levels, protocol.dosing.escalation
    for index, level in enumerate(levels):
        lowest, target, highest = (one.to("cells") for one in (level.lowest, level.target, level.highest))
        if not lowest <= target <= highest:
            found = f"lowest {level.lowest}, target {level.target}, highest {level.highest}"
            yield Flaw(("dosing", "levels", index), found, "write lowest <= target <= highest")
    names = [one.name for one in levels]
    if escalation is None:
        if len(levels) > 1:
            found = f"{len(levels)} dose levels, and no escalation that climbs them"
            yield Flaw(("dosing", "levels"), found, "write 'escalation: ...' under dosing, or one level")
        return
    if escalation.start_level not in names or escalation.highest_level not in names:
        return
    start, top = names.index(escalation.start_level), names.index(escalation.highest_level)
    if top < start:
        found = f"the highest level {escalation.highest_level!r} stands below the start {escalation.start_level!r}"
        yield Flaw(("dosing", "escalation", "highest_level"), found, "name a level at or above start_level")
    for index in range(start + 1, top + 1):
        if levels[index].target.to("cells") <= levels[index - 1].target.to("cells"):
            found = f"the target {levels[index].target} is not above that of {names[index - 1]!r}"
            yield Flaw(("dosing", "levels", index, "target"), found, "list the levels from the lowest dose upwards")


def _cohorts_make_sense(protocol: Protocol) -> Iterator[Flaw]:
    escalation = protocol.dosing.escalation
    path = ("dosing", "escalation")
    if escalation is None:
        return
    if escalation.expanded_cohort_size < escalation.cohort_size:
        found = f"{escalation.expanded_cohort_size} is less than the cohort size {escalation.cohort_size}"
        yield Flaw((*path, "expanded_cohort_size"), found, f"write {escalation.cohort_size} or more")
    if escalation.lowest_level_may_escalate_after > escalation.cohort_size:
        found = f"{escalation.lowest_level_may_escalate_after} is more than the cohort size {escalation.cohort_size}"
        yield Flaw((*path, "lowest_level_may_escalate_after"), found, f"write {escalation.cohort_size} or less")


def _second_infusion_is_complete(protocol: Protocol) -> Iterator[Flaw]:
    second, path = protocol.dosing.second_infusion, ("dosing", "second_infusion")
    if not second.allowed:
        return
    for key in ("earliest", "latest", "share_of_eligible", "after_best_response"):
        if getattr(second, key) in (None, ()):
            yield Flaw(path, f"second infusions are allowed, but {key!r} is missing", f"write '{key}: ...'")
    if second.earliest is not None and second.latest is not None and not 1 < second.earliest <= second.latest:
        found = f"earliest Day {second.earliest}, latest Day {second.latest}"
        yield Flaw((*path, "earliest"), found, "write days after Day 1, earliest not after latest")


def _shares_are_at_most_one(protocol: Protocol) -> Iterator[Flaw]:
    release, second = protocol.manufacture.release, protocol.dosing.second_infusion
    shares: list[tuple[Path, Quantity | None]] = [
        (("manufacture", "release", key), getattr(release, key))
        for key in ("minimum_viability", "minimum_cd3", "minimum_transduced")
    ]
    shares.append((("dosing", "second_infusion", "share_of_eligible"), second.share_of_eligible))
    shares += [
        (("conditioning", "fludarabine_by_renal_function", index, "fraction"), one.fraction)
        for index, one in enumerate(protocol.conditioning.fludarabine_by_renal_function)
    ]
    for path, share in shares:
        if share is not None and share.to("1") > _FULL_SHARE:
            yield Flaw(path, f"{share} is more than the whole", "write at most 100 percent")


def _conditioning_fits_the_infusion(protocol: Protocol) -> Iterator[Flaw]:
    window = protocol.infusion
    earliest, target, latest = (
        one.to("days")
        for one in (
            window.earliest_after_conditioning,
            window.target_after_conditioning,
            window.latest_after_conditioning,
        )
    )
    if not earliest <= target <= latest:
        found = f"earliest {earliest:g}, target {target:g}, latest {latest:g} days after conditioning"
        yield Flaw(("infusion",), found, "write earliest <= target <= latest")
    for index, regimen in enumerate(protocol.conditioning.regimens):
        path: Path = ("conditioning", "regimens", index)
        for place, drug in enumerate(regimen.drugs):
            yield from _days_in_order((*path, "drugs", place, "days"), drug.days)
            if max(drug.days) > 0:
                found = f"{drug.drug} is given on Day {max(drug.days)}"
                yield Flaw(
                    (*path, "drugs", place, "days"), found, "conditioning comes before Day 1: write days like -7"
                )
        gap = -max(day for drug in regimen.drugs for day in drug.days)
        if gap > 0 and not earliest <= gap <= latest:
            found = f"{regimen.name} ends {gap} days before the infusion; the window is {earliest:g} to {latest:g} days"
            yield Flaw(path, found, "change the days of the regimen or the infusion window")


def _days_in_order(path: Path, days: Sequence[int]) -> Iterator[Flaw]:
    if list(days) != sorted(set(days)):
        yield Flaw(path, f"the days {list(days)} are not in order or repeat", f"write {sorted(set(days))}")


def _toxicity_definition_is_complete(protocol: Protocol) -> Iterator[Flaw]:
    dlt, path = protocol.safety.dose_limiting_toxicity, ("safety", "dose_limiting_toxicity")
    if dlt.window.first_day > dlt.window.last_day:
        found = f"the window begins on Day {dlt.window.first_day} and ends on Day {dlt.window.last_day}"
        yield Flaw((*path, "window"), found, "write first_day <= last_day")
    if dlt.window.last_day < 1:
        yield Flaw((*path, "window", "last_day"), "the window ends before the infusion", "write a day after Day 1")
    if not dlt.evaluable_set.strip():
        yield Flaw((*path, "evaluable_set"), "nobody is evaluable", "say in words who counts as evaluable")
    yield from _toxicity_criteria(dlt)


def _toxicity_criteria(dlt: DoseLimitingToxicity) -> Iterator[Flaw]:
    for index, one in enumerate(dlt.criteria):
        path: Path = ("safety", "dose_limiting_toxicity", "criteria", index)
        if (one.lasting is None) != (one.resolves_to is None):
            yield Flaw(path, "'lasting' and 'resolves_to' belong together", "write both or neither")
        if one.resolves_to is not None and one.resolves_to >= one.grade:
            found = f"resolves_to {one.resolves_to} is not below grade {one.grade}"
            yield Flaw((*path, "resolves_to"), found, f"write {one.grade - 1} or less")


def _assessments_are_scheduled(protocol: Protocol) -> Iterator[Flaw]:
    for index, one in enumerate(protocol.assessments):
        path: Path = ("assessments", index)
        yield from _days_in_order((*path, "days"), one.days)
        if one.then_every is not None and one.until is None:
            yield Flaw((*path, "then_every"), "'then_every' without an end", "write 'until: ...' with the last day")
        if one.then_every is None and one.until is not None:
            yield Flaw((*path, "until"), "'until' without an interval", "write 'then_every: ...', or take it out")
        if one.then_every is not None and one.then_every.to("days") < 1:
            yield Flaw(
                (*path, "then_every"), f"the interval {one.then_every} is shorter than a day", "write 1 day or more"
            )
        if one.until is not None and one.until < max(one.days):
            found = f"until Day {one.until} lies before Day {max(one.days)}"
            yield Flaw((*path, "until"), found, f"write a day after {max(one.days)}")


_JUDGED_ON = {"RECIST 1.1": "imaging", "marrow remission": "marrow"}


def _response_is_assessed(protocol: Protocol) -> Iterator[Flaw]:
    needed = _JUDGED_ON[protocol.response.criteria]
    if all(one.name != needed for one in protocol.assessments):
        yield Flaw(("assessments",), f"there is no {needed}", f"add an assessment {needed!r}: response needs it")


def _laboratory_covers_the_toxicity_window(protocol: Protocol) -> Iterator[Flaw]:
    window = protocol.safety.dose_limiting_toxicity.window
    laboratory = next((one for one in protocol.assessments if one.name == "laboratory"), None)
    if laboratory is None:
        found = "there is no laboratory schedule"
        yield Flaw(("assessments",), found, "add an assessment 'laboratory': dose-limiting toxicity needs it")
        return
    last = max(*laboratory.days, laboratory.until or min(laboratory.days), min(laboratory.days))
    if min(laboratory.days) > window.first_day or last < window.last_day:
        place = next(index for index, one in enumerate(protocol.assessments) if one is laboratory)
        found = f"laboratory from Day {min(laboratory.days)} to {last} does not cover the DLT window"
        remedy = f"plan laboratory days from Day {window.first_day} or before to Day {window.last_day} or after"
        yield Flaw(("assessments", place, "days"), found, remedy)


_TIME_ZEROS = {
    "progression_free_survival": {"infused": ("infusion",)},
    "overall_survival": {"infused": ("infusion",), "apheresed": ("apheresis",)},
    "duration_of_response": {"infused": ("first_response",)},
}
"""endpoint over time -> population -> time zeros it may be counted from"""
_COUNTED = {
    "dose_limiting_toxicity": ("dlt_evaluable", "infused"),
    "best_overall_response": ("infused",),
    "objective_response_rate": ("infused", "apheresed"),
    "overall_remission_rate": ("infused", "apheresed"),
    "disease_control_rate": ("infused", "apheresed"),
    "cytokine_release_syndrome": ("infused",),
}


def _endpoints_can_be_estimated(protocol: Protocol) -> Iterator[Flaw]:
    """Each endpoint in a population it exists in, and counted from that population's own start."""
    for index, one in enumerate(protocol.endpoints):
        zeros = _TIME_ZEROS.get(one.name)
        if (one.within is not None) != (one.name == "overall_remission_rate"):
            belongs = "'within' belongs to overall_remission_rate, and to nothing else"
            yield Flaw(("endpoints", index), belongs, "write 'within: 3 months' there, or take it out here")
        populations = tuple(zeros) if zeros is not None else _COUNTED[one.name]
        if one.population not in populations:
            found = f"{one.name} in the {one.population} population is not analysed"
            yield Flaw(("endpoints", index, "population"), found, f"write {' or '.join(populations)}")
        elif zeros is not None and one.time_zero not in zeros[one.population]:
            found = f"{one.name} of {one.population} patients counted from {one.time_zero} favours those who lived"
            yield Flaw(("endpoints", index, "time_zero"), found, f"write {' or '.join(zeros[one.population])}")


CHECKS: tuple[tuple[frozenset[str], Check], ...] = tuple(
    (frozenset(chapters.split()), check)
    for chapters, check in (
        (
            "countries sites screening eligibility conditioning dosing assessments amendments safety endpoints",
            _names_stand_once,
        ),
        ("countries sites conditioning dosing", _names_exist),
        ("sites", site_keys_differ),
        ("screening eligibility", _everything_asked_is_measured),
        ("dosing", _dose_levels_make_sense),
        ("dosing", _cohorts_make_sense),
        ("dosing", _second_infusion_is_complete),
        ("manufacture dosing conditioning", _shares_are_at_most_one),
        ("recruitment sites", dates_follow_each_other),
        ("sites", somebody_is_screened),
        ("conditioning infusion", _conditioning_fits_the_infusion),
        ("conditioning", renal_adjustment_makes_sense),
        ("countries sites manufacture", product_lasts_and_is_ready),
        ("safety", _toxicity_definition_is_complete),
        ("assessments", _assessments_are_scheduled),
        ("assessments response", _response_is_assessed),
        ("response", response_is_said_whole),
        ("dosing", dose_by_weight_makes_sense),
        ("model assessments safety endpoints", assessed_without_role),
        ("safety assessments", _laboratory_covers_the_toxicity_window),
        ("hla receptor", hla_rule_is_consistent),
        ("receptor", receptor_potency_is_said_once),
        ("model", model_is_said_once),
        ("safety", scales_can_be_graded),
        ("endpoints", _endpoints_can_be_estimated),
    )
)
"""which chapters a check reads, and the check"""


def flaws_of(protocol: Protocol, readable: frozenset[str] | None = None) -> list[Flaw]:
    """Every cross-chapter flaw; with `readable`, only checks whose chapters are all among them are run."""
    return [flaw for chapters, check in CHECKS if readable is None or chapters <= readable for flaw in check(protocol)]
