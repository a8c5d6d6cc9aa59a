"""The model text that a protocol brings: equations and cards read, every name of the chapter found in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

from .. import engine
from ..base.errors import InputError
from ..base.units import Quantity, UnitError
from ..evidence import Card, EvidenceError, card, read_cards
from ..records.variables import VARIABLES
from ._yaml import Flaw, Path
from .roles import NEEDED_BY_ASSESSMENT, NEEDED_BY_ENDPOINT, NEEDED_BY_TOXICITY, ROLES
from .schema import OwnModel, Protocol

_Found = TypeVar("_Found")
Companions = Callable[[str], str | None]
"""name of a file that belongs to a protocol -> its text; None if there is none"""
_CHAPTER: Path = ("model", "own")
_COUNTED = "item"
"""what a model text counts in: cells, copies and enzyme units alike"""


@dataclass(frozen=True, kw_only=True)
class ModelText:
    """A model of one's own, ready for patients: equations, the card of each parameter, units, and the chapter."""

    chapter: OwnModel
    model: engine.Model
    cards: Mapping[str, Card]
    """symbol -> card"""
    texts: tuple[str, ...]
    """the files as read, for the protocol's digest"""

    @cached_property
    def units(self) -> Mapping[str, engine.DeclaredUnit]:
        """Symbol -> its declared unit."""
        return engine.declared_units(self.model)

    def in_text(self, symbol: str, unit: str) -> float:
        """One `unit` in the unit that the text declares for the symbol; raises UnitError if they differ in kind."""
        declared = self.units.get(symbol)
        if declared is None:
            raise UnitError(f"{symbol} has no declared unit in the text")
        spelled = declared.base.replace(_COUNTED, "cell")
        try:
            return Quantity(1.0, unit).to(spelled) / declared.factor
        except UnitError:
            bare = "*".join(part for part in spelled.split("*") if not part.startswith("cell")) or "1"
            try:
                return Quantity(1.0, unit).to(bare) / declared.factor
            except UnitError:
                raise UnitError(f"{unit} does not fit the unit that the text declares for {symbol}") from None

    def symbol_of(self, role: str) -> str | None:
        """The symbol that holds what is seen under this role; None if the text does not tell."""
        return self.chapter.roles.get(role)


def read_model_text(chapter: OwnModel, companions: Companions) -> tuple[ModelText | None, list[Flaw]]:
    """The model text of a chapter, or None, and everything that is wrong with it."""
    flaws: list[Flaw] = []
    texts = {key: _text_of(key, getattr(chapter, key), companions, flaws) for key in ("text", "cards")}
    model = _checked("text", flaws, lambda: _model(texts["text"], chapter.text)) if texts["text"] else None
    own = _checked("cards", flaws, lambda: read_cards(texts["cards"], chapter.cards)) if texts["cards"] else None
    if model is None or own is None:
        return None, flaws
    cards = dict(own)
    for symbol, name in chapter.evidence.items():
        if symbol in own:
            flaws.append(
                Flaw((*_CHAPTER, "evidence", symbol), f"{symbol} has a card of its own", "keep one of the two")
            )
        try:
            cards[symbol] = card(name)
        except EvidenceError as error:
            found, _, near = str(error.args[0]).partition("; ")
            flaws.append(Flaw((*_CHAPTER, "evidence", symbol), found, near or "try 'graftline evidence list'"))
    text = ModelText(
        chapter=chapter,
        model=model,
        cards=MappingProxyType(cards),
        texts=(texts["text"], texts["cards"]),
    )
    return text, [*flaws, *_numbers(text), *_names(text), *_patient(text), *_units_of_roles(text)]


def _text_of(key: str, name: str, companions: Companions, flaws: list[Flaw]) -> str:
    text = companions(name)
    if text is None:
        found = f"there is no file {name!r} beside the protocol, and none of that name comes with the package"
        flaws.append(Flaw((*_CHAPTER, key), found, "write the name of a file in the folder of the protocol"))
    elif not text.strip():
        flaws.append(Flaw((*_CHAPTER, key), f"the file {name!r} is empty", "write the model's text and cards"))
    return text or ""


def _model(text: str, name: str) -> engine.Model:
    model = engine.load_antimony(text, name)
    engine.check_units(model)
    return model


def _checked(key: str, flaws: list[Flaw], read: Callable[[], _Found]) -> _Found | None:
    """What is read, or None with its faults, each at the key that names the file."""
    try:
        return read()
    except InputError as error:
        flaws += [Flaw((*_CHAPTER, key), f"{fault.place}: {fault.found}", fault.remedy) for fault in error.faults]
        return None


def _numbers(text: ModelText) -> Iterator[Flaw]:
    """Every open parameter has a card that fits, every card a parameter."""
    model, path = text.model, (*_CHAPTER, "cards")
    for symbol in model.needed:
        if symbol not in text.cards:
            found = f"{symbol} of the model text has no number: neither a card nor a value in the text"
            yield Flaw(path, found, f"write a card named {symbol}, or name one under evidence")
    for symbol, one in text.cards.items():
        place = (*_CHAPTER, "evidence", symbol) if symbol in text.chapter.evidence else path
        if symbol not in model.parameters:
            yield Flaw(place, f"the model text has no parameter {symbol!r}", "take the card out, or correct its name")
            continue
        if isinstance(one.value, tuple):
            yield Flaw(place, f"the card of {symbol} holds a list", "write one number")
        yield from _fits(text, symbol, one.unit, place)


def _fits(text: ModelText, symbol: str, unit: str, path: Path) -> Iterator[Flaw]:
    try:
        text.in_text(symbol, unit)
    except UnitError as error:
        yield Flaw(path, str(error), "correct the unit here, or in the text")


def _names(text: ModelText) -> Iterator[Flaw]:
    """Doses go into states, what dies out are states."""
    states, receives = text.model.states, text.chapter.receives
    remedy = f"write one of {', '.join(states)}"
    for key, unit in (("cells", "cell"), ("fludarabine", "mg"), ("cyclophosphamide", "mg")):
        symbol, path = getattr(receives, key), (*_CHAPTER, "receives", key)
        if symbol is None:
            continue
        if symbol not in states:
            yield Flaw(path, f"{symbol!r} is no state of the model text", remedy)
        else:
            yield from _fits(text, symbol, unit, path)
    for index, group in enumerate(text.chapter.dies_out):
        for key in ("states", "not_while"):
            for place, symbol in enumerate(getattr(group, key)):
                path = (*_CHAPTER, "dies_out", index, key, place)
                if symbol not in states:
                    yield Flaw(path, f"{symbol!r} is no state of the model text", remedy)
                elif key == "states":
                    yield from _fits(text, symbol, "cell", path)


def _patient(text: ModelText) -> Iterator[Flaw]:
    """What is measured of a patient is a variable, stands for a parameter, and fits its unit."""
    for symbol, name in text.chapter.patient.items():
        path: Path = (*_CHAPTER, "patient", symbol)
        if name not in VARIABLES:
            yield Flaw(path, f"nobody can measure {name!r}", f"write one of {', '.join(sorted(VARIABLES))}")
        elif symbol not in text.model.parameters:
            yield Flaw(path, f"the model text has no parameter {symbol!r}", "correct the symbol")
        else:
            yield from _fits(text, symbol, VARIABLES[name].unit, path)


def _units_of_roles(text: ModelText) -> Iterator[Flaw]:
    known = {*text.model.states, *text.model.observables}
    for role, symbol in text.chapter.roles.items():
        path: Path = (*_CHAPTER, "roles", role)
        if role not in ROLES:
            yield Flaw(path, f"there is no role {role!r}", f"write one of {', '.join(ROLES)}")
        elif symbol not in known:
            yield Flaw(path, f"{symbol!r} is no state and no observable of the model text", "correct the symbol")
        else:
            yield from _fits(text, symbol, ROLES[role].unit, path)


def assessed_without_role(protocol: Protocol) -> Iterator[Flaw]:
    """Whatever the protocol assesses must be told by the model: of one's own, by a role."""
    own = protocol.model.own
    if own is None:
        return
    for index, one in enumerate(protocol.assessments):
        if one.name in ("imaging", "afp"):
            found = f"a model of one's own shows nothing for {one.name!r}"
            yield Flaw(("assessments", index, "name"), found, f"write one of {', '.join(NEEDED_BY_ASSESSMENT)}")
        yield from _unfilled(own, NEEDED_BY_ASSESSMENT.get(one.name, ()), ("assessments", index, "name"), one.name)
    for index, line in enumerate(protocol.safety.dose_limiting_toxicity.criteria):
        path: Path = ("safety", "dose_limiting_toxicity", "criteria", index, "event")
        yield from _unfilled(own, NEEDED_BY_TOXICITY.get(line.event, ()), path, line.event)
    for index, endpoint in enumerate(protocol.endpoints):
        needed = NEEDED_BY_ENDPOINT.get(endpoint.name, ())
        yield from _unfilled(own, needed, ("endpoints", index, "name"), endpoint.name)


def _unfilled(own: OwnModel, needed: tuple[str, ...], path: Path, what: str) -> Iterator[Flaw]:
    for role in needed:
        if role not in own.roles:
            found = f"{what} needs {role}, which no quantity of {own.text} is"
            yield Flaw(path, found, f"write under model.own.roles '{role}: ...', or take {what} out")
