"""Reads a protocol file: checked as a whole, every fault at once, with its versions by site and day of consent."""

from __future__ import annotations

import hashlib
import json
import os
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path as FilePath
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from ..base.errors import Fault, InputError
from ._amendments import Applied, amendment_flaws, build_versions, effective_days, versions_met
from ._schema_faults import schema_flaws
from ._yaml import Content, Document, Flaw, Placeholder, Source, decode, read_document
from .checks import flaws_of
from .model_text import Companions, ModelText, read_model_text
from .schema import Protocol
from .shipped import SUFFIX, list_protocols, shipped_companion, shipped_text


@dataclass(frozen=True)
class ProtocolFile:
    """A protocol with its versions, its assumptions and sources, and the digest that stands for its content."""

    file: str
    protocol: Protocol
    """the first version"""
    versions: tuple[Protocol, ...]
    """every version that can bind somebody, the first version first"""
    placeholders: tuple[Placeholder, ...]
    sources: tuple[Source, ...]
    digest: str
    """SHA-256 of the content, remarks included; comments, layout and the order of keys do not matter. The files of a
    model of one's own count as they stand"""
    model_text: ModelText | None
    """of a protocol that brings a model of its own"""
    _binding: Mapping[str, tuple[tuple[date, ...], tuple[int, ...]]]
    """site -> days on which its version changes, and the version before the first, after the first, ..."""

    def version_index(self, site_id: str, day: date) -> int:
        """Which of `versions` binds a subject who consents at the site on that day. KeyError for an unknown site."""
        days, indices = self._binding[site_id]
        return indices[bisect_right(days, day)]

    def at(self, site_id: str, consent_date: date) -> Protocol:
        """The version that binds a subject who consents at the site on that day: amendments approved there by then."""
        return self.versions[self.version_index(site_id, consent_date)]


def load_protocol(name_or_path: str | os.PathLike[str]) -> ProtocolFile:
    """Read a shipped protocol by name, or a file. Raises InputError with every fault, each with file and line."""
    given = os.fspath(name_or_path)
    if given in list_protocols():
        return read_protocol(shipped_text(given), given + SUFFIX, shipped_companion)
    return read_protocol(_bytes_of(given), given, _beside(FilePath(given).parent))


def _beside(folder: FilePath) -> Companions:
    """Files in the folder of the protocol, else those that come with the package."""

    def companion(name: str) -> str | None:
        try:
            return (folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return shipped_companion(name)
        except (OSError, UnicodeDecodeError) as error:
            found = f"the file cannot be read ({error})"
            raise InputError(Fault(str(folder / name), found, "check its permissions, and save it as UTF-8")) from None

    return companion


def _bytes_of(path: str) -> bytes:
    place, names = path or "PROTOCOL", list_protocols()
    otherwise = f"write the path of a protocol file, or one of: {', '.join(names)}"
    if not path:
        raise InputError(Fault(place, "the name is empty", otherwise))
    try:
        return FilePath(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        near = get_close_matches(path, names, n=1)
        remedy = f"write {near[0]}" if near else otherwise
        raise InputError(Fault(place, "there is no such file and no shipped protocol of that name", remedy)) from None
    except IsADirectoryError:
        raise InputError(Fault(place, "this is a folder", "write the path of a protocol file")) from None
    except OSError as error:
        found = f"the file cannot be read ({error.strerror})"
        raise InputError(Fault(place, found, "check its permissions")) from None


def read_protocol(raw: bytes, file: str, companions: Companions = shipped_companion) -> ProtocolFile:
    """Read the bytes of a protocol file; `companions` finds the files of a model of one's own.

    Raises InputError with every fault, each with file and line.
    """
    document = read_document(decode(raw, file), file)
    protocol, flaws = _validate(document.plain)
    unreadable = {flaw.path for flaw in document.flaws}
    flaws = document.flaws + [flaw for flaw in flaws if flaw.path not in unreadable]
    if protocol is None:
        raise _refusal(document, flaws)
    own, text = protocol.model.own, None
    if own is not None:
        text, of_text = read_model_text(own, companions)
        flaws += of_text
    flaws += amendment_flaws(protocol, document.plain)
    if flaws:
        raise _refusal(document, flaws)
    sets = versions_met(protocol)
    versions, flaws = build_versions(protocol, document.plain, sets, _validate)
    if any(one.model.own != own for one in versions):
        found = "an amendment changes a model of one's own, which stands for every version"
        flaws.append(Flaw(("amendments",), found, "write the other model into a protocol file of its own"))
    if flaws:
        raise _refusal(document, flaws)
    return ProtocolFile(
        file=file,
        protocol=protocol,
        versions=versions,
        placeholders=document.placeholders,
        sources=document.sources,
        digest=digest_of(document.written if text is None else [document.written, *text.texts]),
        model_text=text,
        _binding={site.id: _binding(effective_days(protocol, site), sets) for site in protocol.sites},
    )


def _refusal(document: Document, flaws: list[Flaw]) -> InputError:
    ordered = sorted(flaws, key=lambda flaw: flaw.line or document.line(flaw.path))
    return InputError(dict.fromkeys(document.fault(flaw) for flaw in ordered))


def _binding(days: tuple[date, ...], sets: tuple[Applied, ...]) -> tuple[tuple[date, ...], tuple[int, ...]]:
    changes = tuple(sorted(set(days)))
    applied = [frozenset[int]()] + [frozenset(place for place, one in enumerate(days) if one <= day) for day in changes]
    return changes, tuple(sets.index(one) for one in applied)


def _validate(content: Content) -> tuple[Protocol | None, list[Flaw]]:
    """The protocol (None if the schema refuses it) and every flaw; chapters that are readable are checked anyway."""
    try:
        protocol = Protocol.model_validate(content)
    except ValidationError as error:
        flaws = schema_flaws(error, content)
        wrong = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
        assert isinstance(content, Mapping)
        chapters = {
            name: adapter.validate_python(content[name])
            for name, adapter in _chapters().items()
            if name in content and name not in wrong
        }
        partial = Protocol.model_construct(None, **chapters)
        return None, flaws + flaws_of(partial, frozenset(chapters))
    return protocol, flaws_of(protocol)


@cache
def _chapters() -> Mapping[str, TypeAdapter[Any]]:
    """The schema of each chapter by itself."""
    adapters: dict[str, TypeAdapter[Any]] = {}
    for name, field in Protocol.model_fields.items():
        kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        adapters[name] = TypeAdapter(kind)
    return adapters


def digest_of(content: Content) -> str:
    """SHA-256, in hex, over the content as canonical JSON: keys in order, days and numbers of each kind told apart."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_day)
    return hashlib.sha256(text.encode()).hexdigest()


def _day(value: object) -> Mapping[str, str]:
    assert isinstance(value, date), f"a protocol file holds no {type(value).__name__}"
    return {"a day": value.isoformat()}
