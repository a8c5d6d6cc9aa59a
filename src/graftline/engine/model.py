"""A model, ready to be solved: what it is made of, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import Fault, InputError
from .compiling.native import kept
from .compiling.program import Program, from_json

if TYPE_CHECKING:
    from .system import System

_ANTIMONY, _SBML = (".ant", ".txt"), (".xml", ".sbml")


@dataclass(frozen=True, kw_only=True)
class Model:
    """The equations of one patient, without the patient.

    Every name is one of: a *state* (it has a rate), a *parameter* (it has none; an event may set it) or an
    *observable* (it follows from time, states and parameters). `own_values` are the numbers that stand in the text; a
    state or parameter for which the text gives neither a number nor a formula must be given when the model is run.
    """

    name: str
    text: str
    """as it was read"""
    format: str
    """'antimony' or 'sbml'"""
    program: Program
    """the equations, ready to be compiled"""

    @property
    def states(self) -> tuple[str, ...]:
        """Names of what is integrated."""
        return self.program.states

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of what stays as it is unless an event sets it."""
        return self.program.constants

    @property
    def observables(self) -> tuple[str, ...]:
        """Names of what follows from the others."""
        return tuple(self.program.observables)

    @property
    def units(self) -> Mapping[str, str]:
        """name -> unit as declared in the text; names without a unit are missing"""
        return self.program.units

    @property
    def own_values(self) -> Mapping[str, float]:
        """Initial values of states and values of parameters that stand in the text as numbers."""
        return self.program.own_values

    @property
    def needed(self) -> tuple[str, ...]:
        """States and parameters that the text leaves open: they must be given."""
        own = self.program.initial
        return tuple(name for slot, name in enumerate(self.program.quantities, start=1) if slot not in own)

    @cached_property
    def system(self) -> System:
        """The equations as sympy expressions, to be shown or checked by other means."""
        return _read(self.text, self.name, self.format)


def load(path: Path | str) -> Model:
    """Read a model file: Antimony (.ant, .txt) or SBML (.xml, .sbml).

    Raises InputError with every fault found: what cannot be read, and what the engine does not support, each with the
    element's id.
    """
    path = Path(path)
    form = "antimony" if path.suffix in _ANTIMONY else "sbml" if path.suffix in _SBML else ""
    if not form:
        endings = ", ".join((*_ANTIMONY, *_SBML))
        raise InputError(Fault(str(path), "has an ending that says nothing about its format", f"name it {endings}"))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Fault(str(path), f"cannot be read: {error}", "name a readable model file")) from error
    return _loaded(text, path.name, form)


def load_antimony(text: str, name: str = "model") -> Model:
    """Read an Antimony text; `name` is what faults call it. Raises InputError with every fault found."""
    return _loaded(text, name, "antimony")


def load_sbml(text: str, name: str = "model") -> Model:
    """Read an SBML text; `name` is what faults call it. Raises InputError with every fault found."""
    return _loaded(text, name, "sbml")


def _loaded(text: str, name: str, form: str) -> Model:
    """From the cache if the same text was read before by the same code."""

    def lowered() -> bytes:
        from .compiling.lowering import lower  # imports sympy, which a known text does not need

        return lower(_read(text, name, form)).json.encode()

    program = from_json(kept("program", [_version(), form, text], lowered).decode())
    return Model(name=name, text=text, format=form, program=program)


def _read(text: str, name: str, form: str) -> System:
    from .sbml import read_antimony, read_sbml  # heavy

    return read_antimony(text, name) if form == "antimony" else read_sbml(text, name)


@cache
def _version() -> str:
    """A digest of the files that decide what a text means."""
    here = Path(__file__).parent
    files = [*sorted((here / "sbml").glob("*.py")), *sorted((here / "compiling").glob("*.py")), here / "system.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
