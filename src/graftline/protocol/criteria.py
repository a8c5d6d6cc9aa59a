"""Eligibility: a tree of all / any / not over criteria, evaluated to pass, fail or unknown for one patient or many."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from ..base.units import Quantity, UnitError, parse_quantity
from ..base.verdict import Verdicts
from ..records.variables import VARIABLES, Variable, VariableKind
from ._types import Duration, Name, Part, PartError, Text


class Moment(StrEnum):
    """When a criterion must hold (points of the patient's path)."""

    PRESCREENING = "prescreening"
    SCREENING = "screening"
    BEFORE_APHERESIS = "before_apheresis"
    BEFORE_LYMPHODEPLETION = "before_lymphodepletion"
    BEFORE_INFUSION = "before_infusion"


def _no_yes_or_no(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is no bound; write a number and a unit")
    return value


Limit = Annotated[str | int | float, Field(union_mode="left_to_right"), BeforeValidator(_no_yes_or_no)]
Measurements = Mapping[str, NDArray[Any]]
"""variable name -> (patients,) in the unit of `records.VARIABLES`; NaN (numbers) or '' (categories) is missing"""
Ages = Mapping[str, NDArray[Any]]
"""variable name -> (patients,) days since it was measured"""


class Criterion(Part):
    """One comparison of one variable: bounds for a number, `is_in` for a category, `holds` for a yes/no."""

    variable: str
    at_least: Limit | None = None
    at_most: Limit | None = None
    above: Limit | None = None
    below: Limit | None = None
    is_in: tuple[str, ...] | None = None
    holds: bool | None = None
    window: Duration | None = None
    """how old the measurement may be when it counts"""

    @model_validator(mode="after")
    def _fits_its_variable(self) -> Self:
        variable = VARIABLES.get(self.variable)
        if variable is None:
            found = f"nobody measures {self.variable!r}; write one of {', '.join(sorted(VARIABLES))}"
            raise PartError({"variable": found})
        bounds = [text for text in (self.at_least, self.at_most, self.above, self.below) if text is not None]
        wanted, given = _wanted_and_given(variable, bounds, self)
        if not given or (bounds and wanted != "bounds"):
            found = f"{self.variable} is a {variable.kind.value}; {_HOW_TO[variable.kind]}"
            astray = sorted(self.model_fields_set - _KEYS[variable.kind] - {"variable", "window"})
            raise PartError({astray[0]: found}) if astray else ValueError(found)
        slips = _slips_of_bounds(self, variable)
        if slips:
            raise PartError(slips)
        unknown = set(self.is_in or ()) - set(variable.categories)
        if unknown:
            found = f"{self.variable} has no {', '.join(sorted(unknown))}; write {', '.join(variable.categories)}"
            raise PartError({"is_in": found})
        return self

    def evaluate(self, measured: Measurements, ages: Ages | None = None) -> Verdicts:
        """Pass, fail or unknown per patient; a measurement older than the window is as if there were none."""
        variable = VARIABLES[self.variable]
        values = np.asarray(measured[self.variable])
        fresh = self._fresh(ages, len(values))
        if variable.kind is VariableKind.CATEGORY:
            return Verdicts.from_test(np.isin(values, self.is_in or ()), fresh & (values != ""), str(self))
        if variable.kind is VariableKind.FLAG:
            known = fresh & ~np.isnan(values.astype(np.float64))
            return Verdicts.from_test(values.astype(np.float64) == float(bool(self.holds)), known, str(self))
        numbers = values.astype(np.float64)
        holds = np.ones(numbers.shape, dtype=np.bool_)
        for text, compare in self._bounds():
            holds &= compare(numbers, limit_in(text, variable))
        return Verdicts.from_test(holds, fresh & ~np.isnan(numbers), str(self))

    def _fresh(self, ages: Ages | None, patients: int) -> NDArray[np.bool_]:
        """Where the measurement is no older than the window allows; an age that nobody gave counts as 0."""
        if self.window is None or ages is None or self.variable not in ages:
            return np.ones(patients, dtype=np.bool_)
        return np.asarray(ages[self.variable] <= self.window.to("days"), dtype=np.bool_)

    def _bounds(self) -> list[tuple[Limit, Any]]:
        pairs = (
            (self.at_least, np.greater_equal),
            (self.at_most, np.less_equal),
            (self.above, np.greater),
            (self.below, np.less),
        )
        return [(text, compare) for text, compare in pairs if text is not None]

    def __str__(self) -> str:
        name = self.variable.replace("_", " ")
        if self.is_in is not None:
            return f"{name} is {' or '.join(self.is_in)}"
        if self.holds is not None:
            return name if self.holds else f"not {name}"
        words = (("at least", self.at_least), ("at most", self.at_most), ("above", self.above), ("below", self.below))
        return name + " " + " and ".join(f"{word} {text}" for word, text in words if text is not None)


_HOW_TO = {
    VariableKind.NUMBER: "write at_least, at_most, above or below with a unit",
    VariableKind.CATEGORY: "write is_in: [...]",
    VariableKind.FLAG: "write holds: true or holds: false",
}
_KEYS = {
    VariableKind.NUMBER: {"at_least", "at_most", "above", "below"},
    VariableKind.CATEGORY: {"is_in"},
    VariableKind.FLAG: {"holds"},
}


def _wanted_and_given(variable: Variable, bounds: list[Limit], criterion: Criterion) -> tuple[str, bool]:
    if variable.kind is VariableKind.NUMBER:
        return "bounds", bool(bounds) and criterion.is_in is None and criterion.holds is None
    if variable.kind is VariableKind.CATEGORY:
        return "is_in", bool(criterion.is_in) and criterion.holds is None
    return "holds", criterion.holds is not None and criterion.is_in is None


def limit_in(text: Limit, variable: Variable) -> float:
    """The bound as a plain number in the variable's unit. A bare number will do only where the unit is 1."""
    if isinstance(text, int | float):
        if variable.unit != "1":
            raise UnitError(f"{text} has no unit; write for example '{text} {variable.unit}'")
        text = f"{text} 1"
    words = text if " " in text.strip() or variable.unit != "1" else f"{text} 1"
    try:
        quantity: Quantity = parse_quantity(words, variable.unit)
    except UnitError as error:
        raise UnitError(_in_moles(words, variable) or str(error)) from None
    return quantity.to(variable.unit)


def _in_moles(text: str, variable: Variable) -> str | None:
    """What a mass per volume ("2.5 mg/dL" of bilirubin) is in the unit of the record."""
    if variable.grams_per_mole is None:
        return None
    try:
        mass = parse_quantity(text, "g/L")
        per_mass = Quantity(1 / variable.grams_per_mole, "mol/L").to(variable.unit)
    except UnitError:
        return None
    written, one = mass.to("g/L") * per_mass, Quantity(1, mass.unit).to("g/L") * per_mass
    return (
        f"{text!r} is not a quantity in {variable.unit}; write '{written:.4g} {variable.unit}' "
        f"(1 {mass.unit} of {variable.name} is {one:.3g} {variable.unit})"
    )


def _slips_of_bounds(criterion: Criterion, variable: Variable) -> dict[str, str]:
    """What is wrong with each bound: unreadable, beyond the variable's scale, or leaving nobody."""
    slips: dict[str, str] = {}
    limits: dict[str, float] = {}
    for key in ("at_least", "above", "at_most", "below"):
        written = getattr(criterion, key)
        if written is None:
            continue
        try:
            limits[key] = limit_in(written, variable)
        except UnitError as error:
            slips[key] = str(error)
            continue
        if not variable.lowest <= limits[key] <= variable.highest:
            lowest, highest = f"{variable.lowest:g}", f"{variable.highest:g} {variable.unit}".removesuffix(" 1")
            slips[key] = f"no patient has {variable.name} {written}; write a bound from {lowest} to {highest}"
    return slips or _slip_of_empty_interval(criterion, variable, limits)


def _slip_of_empty_interval(criterion: Criterion, variable: Variable, limits: Mapping[str, float]) -> dict[str, str]:
    low, strictly_above, low_key = max(
        (limits.get("at_least", variable.lowest), False, "at_least"), (limits.get("above", -np.inf), True, "above")
    )
    high, only_up_to, high_key = min(
        (limits.get("at_most", variable.highest), True, "at_most"), (limits.get("below", np.inf), False, "below")
    )
    if low < high or (low == high and only_up_to and not strictly_above):
        return {}
    given = [f"{key} {getattr(criterion, key)}" for key in (low_key, high_key) if key in limits]
    key = high_key if high_key in limits else low_key
    found = f"{variable.name} {' and '.join(given)} leaves nobody"
    if len(given) > 1:
        return {key: f"{found}; write the smaller bound as {low_key}, the larger as {high_key}"}
    return {key: f"{found}: the scale is {variable.lowest:g} to {variable.highest:g}; write a bound within it"}


class All(Part):
    """Every branch must pass."""

    all: tuple[Branch, ...] = Field(min_length=1)

    def evaluate(self, measured: Measurements, ages: Ages | None = None) -> Verdicts:
        """Pass, fail or unknown per patient."""
        verdicts = [branch.evaluate(measured, ages) for branch in self.all]
        joined = verdicts[0]
        for verdict in verdicts[1:]:
            joined = joined & verdict
        return joined

    def variables(self) -> set[str]:
        """The variables asked anywhere below."""
        return set().union(*(variables_of(branch) for branch in self.all))


class AnyOf(Part):
    """At least one branch must pass; unknown if none passes and one is unknown."""

    any: tuple[Branch, ...] = Field(min_length=1)

    def evaluate(self, measured: Measurements, ages: Ages | None = None) -> Verdicts:
        """Pass, fail or unknown per patient."""
        verdicts = [branch.evaluate(measured, ages) for branch in self.any]
        joined = verdicts[0]
        for verdict in verdicts[1:]:
            joined = joined | verdict
        return joined


class Not(Part):
    """The branch must fail."""

    not_: Branch = Field(alias="not")

    def evaluate(self, measured: Measurements, ages: Ages | None = None) -> Verdicts:
        """Pass, fail or unknown per patient."""
        return ~self.not_.evaluate(measured, ages)


def _kind_of(value: Any) -> str:
    if isinstance(value, Mapping):
        return next((kind for kind in ("all", "any", "not") if kind in value), "criterion")
    kinds: dict[type, str] = {All: "all", AnyOf: "any", Not: "not"}
    return kinds.get(type(value), "criterion")


Branch = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Criterion, Tag("criterion")],
    Discriminator(_kind_of),
]
for _model in (All, AnyOf, Not):
    _model.model_rebuild()


def variables_of(branch: All | AnyOf | Not | Criterion) -> set[str]:
    """The variables asked anywhere in the tree."""
    if isinstance(branch, Criterion):
        return {branch.variable}
    if isinstance(branch, Not):
        return variables_of(branch.not_)
    children = branch.all if isinstance(branch, All) else branch.any
    return set().union(*(variables_of(child) for child in children))


class EligibilityCriterion(Part):
    """A named criterion of the protocol with the moments at which it must hold."""

    name: Name
    text: Text
    """the criterion in words, as a clinician would write it"""
    when: tuple[Moment, ...] = Field(min_length=1)
    rule: Branch

    def evaluate(self, measured: Measurements, ages: Ages | None = None) -> Verdicts:
        """Pass, fail or unknown per patient, with the criterion's text as the reason."""
        return self.rule.evaluate(measured, ages).labelled(self.text)
