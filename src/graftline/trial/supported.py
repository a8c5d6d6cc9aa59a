"""What a protocol file may say and the simulation cannot follow: refused before anything runs, never ignored."""

from __future__ import annotations

from collections.abc import Iterator

from ..base.errors import Fault, InputError
from ..protocol import ProtocolFile
from ..protocol.schema import Protocol

_ONE_VERSION = (
    *("receptor", "model", "countries", "sites", "recruitment", "apheresis", "manufacture", "assessments"),
    "comparators",
)
"""chapters that the simulation takes from the first version for everyone"""
_ALLELES = ("A*02:01",)


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
    if tuple(protocol.hla.required_alleles) != _ALLELES:
        found = f"virtual patients are typed for {', '.join(_ALLELES)} only"
        yield Fault(f"{name} hla.required_alleles", found, f"write [{', '.join(_ALLELES)}]")
    if "no_cells" not in protocol.comparators:
        yield Fault(f"{name} comparators", "every simulation carries the no-cells column", "write [no_cells]")
