"""From a text to a checked SBML document of Level 3 Version 2, with functions and local parameters written out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import antimony
import libsbml

from ...base.errors import Fault, InputError
from ..system import System
from .translation import Translation
from .units import unit_faults

_LEVEL, _VERSION = 3, 2
_DRAWINGS = ("layout", "render", "groups")  # packages that never change the equations, whatever a file says


def read_antimony(text: str, name: str) -> System:
    """The equations of an Antimony text; `name` is what faults call it. Raises InputError with every fault found."""
    return read_sbml(antimony_as_sbml(text, name), name)


def antimony_as_sbml(text: str, name: str) -> str:
    """An Antimony text as SBML. Raises InputError with the line of what cannot be read."""
    antimony.clearPreviousLoads()
    try:
        if antimony.loadAntimonyString(text) < 0:
            raise InputError(_syntax_fault(antimony.getLastError(), name))
        return str(antimony.getSBMLString(antimony.getMainModuleName()))
    finally:
        antimony.clearPreviousLoads()


def newest_sbml(text: str, name: str) -> str:
    """An SBML text in Level 3 Version 2. Raises InputError if it cannot be converted."""
    document = libsbml.readSBMLFromString(text)
    if (document.getLevel(), document.getVersion()) != (_LEVEL, _VERSION):
        document.setLevelAndVersion(_LEVEL, _VERSION, False)
    if (document.getLevel(), document.getVersion()) != (_LEVEL, _VERSION):
        raise InputError(Fault(name, "cannot be converted to SBML Level 3 Version 2", "save it in that version"))
    return str(libsbml.writeSBMLToString(document))


def faults_of_units(text: str, name: str) -> list[Fault]:
    """Every equation of an SBML text whose units do not fit. Raises InputError if the text cannot be read."""
    document = libsbml.readSBMLFromString(text)
    faults = list(_document_faults(document, name))
    if faults:
        raise InputError(faults)
    _converted(document, name)
    return list(unit_faults(document.getModel(), name))


def _syntax_fault(message: str, name: str) -> Fault:
    """Antimony's own message with its line, as a fault."""
    line = re.search(r"line (\d+)", message)
    place = f"{name}:{line.group(1)}" if line else name
    return Fault(place, " ".join(message.split()), "mend the model text")


def read_sbml(text: str, name: str) -> System:
    """The equations of an SBML text; `name` is what faults call it. Raises InputError with every fault found."""
    document = libsbml.readSBMLFromString(text)
    faults = list(_document_faults(document, name))
    if not faults and document.getModel() is None:
        faults = [Fault(name, "holds no model", "give an SBML document with a model")]
    faults = faults or list(_refused(document.getModel(), name))
    if faults:
        raise InputError(faults)
    _converted(document, name)
    return Translation(document.getModel(), name).system()


def _document_faults(document: Any, name: str) -> Iterator[Fault]:
    """Errors of reading, and packages that change what the model means."""
    for index in range(document.getNumErrors()):
        error = document.getError(index)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR:
            yield Fault(f"{name}:{error.getLine()}", " ".join(error.getMessage().split()), "mend the model text")
    for index in range(document.getNumPlugins()):
        prefix = document.getPlugin(index).getPrefix()
        if prefix not in _DRAWINGS and document.getPackageRequired(prefix):
            remedy = "write the model without it (most tools can flatten a model)"
            yield Fault(name, f"needs the SBML package {prefix}, which is not supported", remedy)
    for index in range(document.getNumUnknownPackages()):
        prefix = document.getUnknownPackagePrefix(index)
        if document.getPackageRequired(prefix):
            yield Fault(name, f"needs the SBML package {prefix}, which is not known", "write the model without it")


def _refused(model: Any, name: str) -> Iterator[Fault]:
    """Elements whose meaning is not supported."""
    for rule in model.getListOfRules():
        if rule.isAlgebraic():
            place = f"{name} {rule.getMetaId() or 'algebraicRule'}"
            yield Fault(place, "is an algebraic rule", "solve it for one quantity and write an assignment rule")
    for reaction in model.getListOfReactions():
        if reaction.isSetFast() and reaction.getFast():
            yield Fault(f"{name} {reaction.getId()}", "is a fast reaction", "give it a finite rate")
    for constraint in model.getListOfConstraints():
        place = f"{name} {constraint.getMetaId() or 'constraint'}"
        yield Fault(
            place, "is a constraint, which would end a simulation", "take it out and look at the course instead"
        )


def _converted(document: Any, name: str) -> None:
    """Bring the document to the level that is translated, with nothing left to call."""
    if (document.getLevel(), document.getVersion()) != (_LEVEL, _VERSION):
        document.setLevelAndVersion(_LEVEL, _VERSION, False)
    for option in ("expandFunctionDefinitions", "promoteLocalParameters"):
        properties = libsbml.ConversionProperties()
        properties.addOption(option, True)
        if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
            raise InputError(Fault(name, f"cannot be converted ({option})", "check the model with an SBML validator"))
    if (document.getLevel(), document.getVersion()) != (_LEVEL, _VERSION):
        raise InputError(Fault(name, "cannot be converted to SBML Level 3 Version 2", "save it in that version"))
