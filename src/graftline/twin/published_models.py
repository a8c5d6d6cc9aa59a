"""Published models of T-cell therapy that come with the package: a text each, and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from ruamel.yaml import YAML

from .. import engine
from ..base.errors import Fault, InputError
from ..evidence import Sure

_LEFT_OUT = "left_out.yaml"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedSpread(_Record):
    """How much a number varies between patients, as printed.

    `kind` is `iqr` (`low` and `high` are quartiles) or `unsettled`: `value` is the printed random effect, and whether
    it is a variance or a standard deviation of the logarithm is not known. Draw nothing from an unsettled spread.
    """

    kind: Literal["iqr", "unsettled"]
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    """where it is not the unit of the number itself"""
    note: str | None = None


class PublishedQuantity(_Record):
    """A symbol of a model text in words, with its unit and its number there; None where the text has a formula."""

    meaning: str
    unit: str
    value: float | None = None
    spread: PublishedSpread | None = None


class ExtinctionRule(_Record):
    """States that must be set to zero together once their sum falls below `threshold`, in their unit."""

    states: tuple[str, ...]
    threshold: float
    unit: str
    meaning: str


class PublishedModel(_Record):
    """A published model of T-cell therapy: where it is from, what its symbols mean, and what is wrong with it.

    Its equations are `engine_model()`. `extinctions` go into a `engine.Request`; without them, what the equations give
    below one cell means nothing.
    """

    name: str
    title: str
    form: Literal["antimony", "sbml"]
    disease: str
    data: str
    reference: str
    doi: str
    pubmed: str | None = None
    source: str
    """where equations and numbers were read"""
    licence: str
    sure: Sure
    shows: str
    """what can be learnt from it"""
    time_unit: str
    states: Mapping[str, PublishedQuantity]
    parameters: Mapping[str, PublishedQuantity]
    observables: Mapping[str, PublishedQuantity]
    """those worth a word"""
    also_shown: tuple[str, ...] = ()
    """observables that belong into a picture"""
    corrections: tuple[str, ...]
    """what we changed in the equations or numbers of the source"""
    faults: tuple[str, ...]
    """known faults and limits"""
    extinction_rules: tuple[ExtinctionRule, ...]

    @property
    def quantities(self) -> Mapping[str, PublishedQuantity]:
        """States, parameters and observables in one."""
        return MappingProxyType({**self.states, **self.parameters, **self.observables})

    @property
    def extinctions(self) -> tuple[engine.Extinction, ...]:
        """The extinction rules as the engine takes them."""
        return tuple(engine.Extinction(states=one.states, threshold=one.threshold) for one in self.extinction_rules)

    @property
    def text(self) -> str:
        """The model text, Antimony or SBML."""
        suffix = ".ant" if self.form == "antimony" else ".xml"
        return files(__package__).joinpath("published", self.name + suffix).read_text(encoding="utf-8")

    def engine_model(self) -> engine.Model:
        """The equations of one patient, ready to be run."""
        read = engine.load_antimony if self.form == "antimony" else engine.load_sbml
        return read(self.text, self.name)


class LeftOutModel(_Record):
    """A published model that is not shipped, and what a run of it lacks."""

    title: str
    lacks: str


@cache
def published_models() -> Mapping[str, PublishedModel]:
    """Every shipped published model by name, in alphabetical order."""
    folder = files(__package__).joinpath("published")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".yaml") and file.name != _LEFT_OUT)
    models = {}
    for file in names:
        name = file.removesuffix(".yaml")
        models[name] = PublishedModel.model_validate({"name": name, **_content(file)})
    return MappingProxyType(models)


def published_model(name: str) -> PublishedModel:
    """The shipped published model of that name; raises InputError with the names there are, or why it is left out."""
    models = published_models()
    if name in models:
        return models[name]
    left_out = models_left_out()
    if name in left_out:
        raise InputError(Fault(name, f"is left out: lacks {left_out[name].lacks}", "bring a model file of your own"))
    near = get_close_matches(name, models, n=1)
    raise InputError(Fault(name, "no published model of that name", f"write {' or '.join(near or models)}"))


@cache
def models_left_out() -> Mapping[str, LeftOutModel]:
    """Published models that are not shipped, by the name they would have."""
    return MappingProxyType(TypeAdapter(dict[str, LeftOutModel]).validate_python(_content(_LEFT_OUT)))


def _content(file: str) -> dict[str, object]:
    text = files(__package__).joinpath("published", file).read_text(encoding="utf-8")
    return dict(YAML(typ="safe", pure=True).load(text))
