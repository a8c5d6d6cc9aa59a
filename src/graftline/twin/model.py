"""The model texts of the twin, composed of the core and the modules a protocol lists.

A module is Antimony text of its own. A line ``name += formula`` (or ``name' += formula``) in it adds to the line of the
core that defines that name: the composed text is plain Antimony, and without the module the core stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from .. import engine
from ..base.errors import Fault, InputError

CORE = "tcrt_core"
MODULES = ("marrow", "tocilizumab", "corticosteroid", "immunity", "second_product")
_DEFINITION = re.compile(r"(?P<name>\w+'?) (?P<how>:=|=|\+=) (?P<formula>[^;]+)")


@cache
def twin_text(modules: tuple[str, ...] = ()) -> str:
    """The Antimony text of the core with the modules; raises InputError for a module we do not have.

    The order in which modules are named does not matter.
    """
    faults = [
        Fault(f"model.modules {name}", "no such module of the twin", f"choose from {', '.join(MODULES)}")
        for name in modules
        if name not in MODULES
    ]
    if faults:
        raise InputError(faults)
    return composed(text_of(CORE), [text_of(name) for name in MODULES if name in modules])


def text_of(part: str) -> str:
    """The text of the core or of one module as it stands in the package."""
    return files(__package__).joinpath(f"{part}.ant").read_text(encoding="utf-8")


def composed(core: str, modules: Sequence[str]) -> str:
    """One Antimony text of a core and modules: what a module adds with += is added where the name is defined.

    Raises InputError for an addition to a name that nothing defines.
    """
    lines = [line for text in (core, *modules) for line in text.splitlines()]
    found = {line: match for line in lines if (match := _DEFINITION.fullmatch(line))}
    defined = {match["name"]: place for place, line in enumerate(lines) if (match := found.get(line))
               and match["how"] == (":=" if not match["name"].endswith("'") else "=")}  # fmt: skip
    added = [(place, found[line]) for place, line in enumerate(lines) if line in found and found[line]["how"] == "+="]
    faults = [
        Fault(f"model.modules {match['name']}", "a module adds to a name that no text defines", "define it in the core")
        for _, match in added
        if match["name"] not in defined
    ]
    if faults:
        raise InputError(faults)
    for place, match in added:
        lines[defined[match["name"]]] += f" + ({match['formula']})"
        lines[place] = f"#   {match['name']} has + {match['formula']}"
    return "\n".join(lines) + "\n"


@cache
def twin_model(modules: tuple[str, ...] = ()) -> engine.Model:
    """The equations of one patient, read once per process, with the units of every equation checked.

    Raises InputError for an unknown module, and for an equation whose units do not fit, by its name.
    """
    named = (CORE, *(name for name in MODULES if name in modules))
    model = engine.load_antimony(twin_text(modules), name="+".join(named))
    engine.check_units(model)
    return model


@cache
def twin_meanings(modules: tuple[str, ...] = ()) -> Mapping[str, str]:
    """What each equation says, in a line: name of what it defines -> meaning (the comment above it in the text).

    A name with ' is the change per day of a state, one without follows at once from the states. What modules add to an
    equation is told after a semicolon.
    """
    parts = (CORE, *(name for name in MODULES if name in modules))
    meanings: dict[str, str] = {}
    for one in (equation for part in parts for equation in twin_equations(part)):
        words = one.meaning
        meanings[one.name] = f"{meanings[one.name]}; {words[0].lower()}{words[1:]}" if one.adds else words
    return MappingProxyType(meanings)


@dataclass(frozen=True, kw_only=True)
class Equation:
    """One equation of a model text, as written there."""

    name: str
    """what it defines; with ' the change per day of a state"""
    formula: str
    meaning: str
    """in a line"""
    adds: bool
    """whether a module adds this to an equation of the core"""


@cache
def twin_equations(part: str = CORE) -> tuple[Equation, ...]:
    """The equations of the core or of one module in the order of its text (initial values are no equations)."""
    found = []
    above = ""
    for line in text_of(part).splitlines():
        match = _DEFINITION.fullmatch(line)
        if match and (match["how"] != "=" or match["name"].endswith("'")):
            meaning = above.removeprefix("# ") if above.startswith("# ") else ""
            adds = match["how"] == "+="
            found.append(Equation(name=match["name"], formula=match["formula"], meaning=meaning, adds=adds))
        above = line
    return tuple(found)
