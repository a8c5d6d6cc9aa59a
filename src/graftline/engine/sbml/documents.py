"""From a text to a checked SBML document of Level 3 Version 2, with local parameters made global."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import antimony
import libsbml

from ...base.errors import Fault, InputError
from ..system import System
from .translation import Translation
from .units import Unit, declared, unit_faults

_LEVEL, _VERSION = 3, 2
_TAKEN = ("layout", "render", "groups", "l3v2extendedmath")
"""packages that never change the equations, whatever a file says, and the one that is part of Level 3 Version 2"""


_OF_FORMULAS = (libsbml.LIBSBML_CAT_IDENTIFIER_CONSISTENCY, libsbml.LIBSBML_CAT_MATHML_CONSISTENCY)
_CATEGORIES = (
    *_OF_FORMULAS,
    libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY,
    libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
    libsbml.LIBSBML_CAT_STRICT_UNITS_CONSISTENCY,
    libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
    libsbml.LIBSBML_CAT_MODELING_PRACTICE,
    libsbml.LIBSBML_CAT_OVERDETERMINED_MODEL,
)
_HARMLESS = frozenset(  # rules by their numbers in the specifications of SBML
    [
        # units, which change no equation
        10221, 10302, 10311, 10313, *range(20217, 20222), 20233, *range(20401, 20422), 20502, *range(20507, 20514),
        20518, 20602, 20603, *range(20605, 20609), 20615, 20616, 20701, 20702, 21125, 21126, 21204,
        # metaids, terms, notes, kinds of compartments and species, what lies within what, lists that need not be there
        *range(10307, 10310), *range(10401, 10405), *range(10701, 10720), *range(10801, 10806), *range(20503, 20507),
        20510, 20612, 20613, 21101, 21121, 21131, 21203,
        # numbers as booleans and booleans as numbers: as Level 3 Version 2 has them
        *range(10209, 10214), 10217, 20305, 21202,
        # time and rateOf() within functions; rateOf() of what follows from a rule
        20304, 99301, 10224, 10225,
    ]
)  # fmt: skip


def read_antimony(text: str, name: str) -> System:
    """The equations of an Antimony text; `name` is what faults call it. Raises InputError with every fault found."""
    return read_sbml(antimony_as_sbml(text, name), name)


def antimony_as_sbml(text: str, name: str) -> str:
    """An Antimony text as SBML. Raises InputError with the line of what cannot be read."""
    antimony.clearPreviousLoads()
    try:
        if antimony.loadAntimonyString(text) < 0:
            raise InputError(_syntax_fault(_antimony_message(text), name))
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
    return list(unit_faults(_readable(text, name).getModel(), name))


def units_declared(text: str, name: str) -> dict[str, Unit]:
    """The unit of every name of an SBML text that declares one. Raises InputError if the text cannot be read."""
    return declared(_readable(text, name).getModel())


def _readable(text: str, name: str) -> Any:
    """The document of a text, functions and local parameters written out; raises InputError."""
    document = libsbml.readSBMLFromString(text)
    faults = [*_errors(document, name), *_packages(document, name)]
    if faults:
        raise InputError(faults)
    _converted(document, name)
    _change(document, name, "expandFunctionDefinitions", "functions that cannot be written out")
    return document


def _antimony_message(text: str) -> str:
    """What Antimony says is wrong; it cuts letters beyond ASCII in two."""
    try:
        return str(antimony.getLastError())
    except UnicodeDecodeError:
        line, letter = next((at, one) for at, row in enumerate(text.split("\n"), 1) for one in row if not one.isascii())
        return f"syntax error near line {line}: {letter} may stand in remarks only"


def _syntax_fault(message: str, name: str) -> Fault:
    """Antimony's own message with its line, as a fault."""
    line = re.search(r"line (\d+)", message)
    place = f"{name}:{line.group(1)}" if line else name
    return Fault(place, " ".join(message.split()), "mend the model text")


def read_sbml(text: str, name: str) -> System:
    """The equations of an SBML text; `name` is what faults call it. Raises InputError with every fault found."""
    document = libsbml.readSBMLFromString(text.removeprefix("\ufeff"))
    faults = list(_errors(document, name))
    if not faults and document.getModel() is None:
        faults = [Fault(name, "holds no model", "give an SBML document with a model")]
    faults = faults or [*_packages(document, name), *_refused(document.getModel(), name)]
    faults = faults or list(_inconsistencies(document, name))
    if faults:
        raise InputError(faults)
    _converted(document, name)
    try:
        return Translation(document.getModel(), name).system()
    except RecursionError as error:
        raise InputError(
            Fault(name, "nests its formulas too deeply", "give parts of them names of their own")
        ) from error


def _errors(document: Any, name: str) -> Iterator[Fault]:
    """What libSBML calls an error, but for units and remarks, which change no equation."""
    for index in range(document.getNumErrors()):
        error = document.getError(index)
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR and error.getErrorId() not in _HARMLESS:
            yield Fault(f"{name}:{error.getLine()}", _finding(error.getMessage()), "mend the model text")


def _finding(message: str) -> str:
    """What is wrong in this text, which libSBML writes below the broken rule; or all of the message."""
    found = " ".join(message.partition("Reference: ")[2].partition("\n")[2].split())
    return found.lstrip(".[ ") or " ".join(message.split())


def _inconsistencies(document: Any, name: str) -> Iterator[Fault]:
    """Rules of SBML that the text breaks: ids used twice or not defined, quantities set by two rules, and others."""
    copy = document.clone()
    _empty_formulas(copy.getModel())  # libSBML looks for circles in them, very slowly; the translation finds them too
    faults = list(_broken_rules(copy, name, (libsbml.LIBSBML_CAT_GENERAL_CONSISTENCY,)))
    yield from faults or _broken_rules(
        document, name, _OF_FORMULAS
    )  # which needs functions that do not call themselves


def _broken_rules(document: Any, name: str, categories: tuple[int, ...]) -> Iterator[Fault]:
    document.getErrorLog().clearLog()
    for category in _CATEGORIES:
        document.setConsistencyChecks(category, category in categories)
    document.checkConsistency()
    yield from _errors(document, name)


def _empty_formulas(model: Any) -> None:
    nothing = libsbml.parseL3Formula("0")
    laws = [one.getKineticLaw() for one in model.getListOfReactions() if one.isSetKineticLaw()]
    for one in (*model.getListOfRules(), *model.getListOfInitialAssignments(), *laws):
        if one.isSetMath():
            one.setMath(nothing)


def _packages(document: Any, name: str) -> Iterator[Fault]:
    """Packages that change what the model means."""
    for index in range(document.getNumPlugins()):
        plugin = document.getPlugin(index)
        if plugin.getPackageName() not in _TAKEN and document.getPackageRequired(plugin.getPrefix()):
            remedy = "write the model without it (most tools can flatten a model)"
            yield Fault(name, f"needs the SBML package {plugin.getPackageName()}, which is not supported", remedy)
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
    """Bring the document to the level that is translated, with no local parameters."""
    if document.getLevel() == 1:
        for compartment in document.getModel().getListOfCompartments():
            if not compartment.isSetSize():
                compartment.setVolume(1.0)  # as Level 1 has it, and it alone
    if (document.getLevel(), document.getVersion()) != (_LEVEL, _VERSION):
        document.setLevelAndVersion(_LEVEL, _VERSION, False)
    _change(document, name, "promoteLocalParameters", "local parameters that cannot be made global")
    if (document.getLevel(), document.getVersion()) != (_LEVEL, _VERSION):
        raise InputError(Fault(name, "cannot be converted to SBML Level 3 Version 2", "save it in that version"))


def _change(document: Any, name: str, conversion: str, otherwise: str) -> None:
    """One of libSBML's conversions; raises InputError saying what the text has if it is not possible."""
    properties = libsbml.ConversionProperties()
    properties.addOption(conversion, True)
    if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
        raise InputError(Fault(name, f"has {otherwise}", "write them out"))
