"""What a protocol file may say and the simulation cannot follow: refused before anything runs, never ignored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from ..base.errors import Fault, InputError
from ..protocol import ProtocolFile
from ..protocol.schema import Protocol
from ..records import Baseline

_ONE_VERSION = (
    *("receptor", "model", "countries", "sites", "recruitment", "apheresis", "manufacture", "assessments"),
    "comparators",
)
"""chapters that the simulation takes from the first version for everyone"""
_ALLELES = ("A*02:01",)
_KNOWN = {field.name for field in fields(Baseline)} | {name for name in vars(Baseline) if not name.startswith("_")}
_KNOWN |= {"active_infection", "fever"}
"""what can be measured of a virtual patient, at referral or on the day"""


def check_supported(file: ProtocolFile) -> None:
    """Raise InputError with everything in the file that the simulation would have to leave out."""
    faults = [*_of_the_file(file), *(fault for one in file.versions for fault in _of_a_version(file.file, one))]
    if faults:
        raise InputError(dict.fromkeys(faults))


def _of_the_file(file: ProtocolFile) -> Iterator[Fault]:
    first = file.protocol
    for chapter in _ONE_VERSION:
        if any(getattr(version, chapter) != getattr(first, chapter) for version in file.versions):
            found = f"an amendment changes {chapter}, which the simulation takes from the first version for everyone"
            yield Fault(f"{file.file} amendments", found, "simulate the versions as two files")


def _of_a_version(name: str, protocol: Protocol) -> Iterator[Fault]:
    yield from _of_another_disease(name, protocol)
    if protocol.hla is not None and tuple(protocol.hla.required_alleles) != _ALLELES:
        found = f"virtual patients are typed for {', '.join(_ALLELES)} only"
        yield Fault(f"{name} hla.required_alleles", found, f"write [{', '.join(_ALLELES)}]")
    for step in protocol.screening:
        for unknown in sorted(set(step.measures) - _KNOWN):
            found = f"virtual patients of hepatocellular carcinoma have no {unknown}"
            yield Fault(f"{name} screening.{step.name}.measures", found, "take it out of the file to be simulated")
    if "no_cells" not in protocol.comparators:
        yield Fault(f"{name} comparators", "every simulation carries the no-cells column", "write [no_cells]")


def _of_another_disease(name: str, protocol: Protocol) -> Iterator[Fault]:
    """The waiting list, the population and the judgement of the simulation are those of hepatocellular carcinoma."""
    remedy = "until then: 'graftline check', and courses by graftline.twin.run_own_courses"
    if protocol.model.own is not None:
        found = "whole trials are simulated with the twin that comes with the package only"
        yield Fault(f"{name} model.own", found, remedy)
    if protocol.receptor.kind == "CAR":
        yield Fault(f"{name} receptor.kind", "virtual patients are selected by HLA for a TCR", remedy)
    if protocol.response.criteria != "RECIST 1.1":
        yield Fault(f"{name} response.criteria", "virtual patients are judged by RECIST 1.1 only", remedy)
