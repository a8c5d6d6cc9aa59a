"""The model texts of the twin, composed of the core and the modules a protocol lists."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from .. import engine
from ..base.errors import Fault, InputError

CORE = "tcrt_core"
MODULES = ("marrow",)


@cache
def twin_text(modules: tuple[str, ...] = ()) -> str:
    """The Antimony text of the core followed by the modules; raises InputError for a module we do not have."""
    faults = [
        Fault(f"model.modules {name}", "no such module of the twin", f"choose from {', '.join(MODULES)}")
        for name in modules
        if name not in MODULES
    ]
    if faults:
        raise InputError(faults)
    folder = files(__package__)
    names = (CORE, *(name for name in MODULES if name in modules))
    return "\n".join(folder.joinpath(f"{name}.ant").read_text(encoding="utf-8") for name in names)


@cache
def twin_model(modules: tuple[str, ...] = ()) -> engine.Model:
    """The equations of one patient, read and checked once per process."""
    return engine.load_antimony(twin_text(modules), name="+".join((CORE, *modules)))
