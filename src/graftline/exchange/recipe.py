"""What a result was made from, so that it can be made again and never mixed with another."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_CODE, _NUMBERS = (".py", ".ant"), (".yaml",)


@cache
def code_digest() -> str:
    """SHA-256 over the program and the texts of its models."""
    return _digest(_CODE)


@cache
def parameter_digest() -> str:
    """SHA-256 over the evidence cards and the other shipped numbers."""
    return _digest(_NUMBERS)


def _digest(endings: tuple[str, ...]) -> str:
    found = hashlib.sha256()
    for path, file in sorted(_files(files("graftline"), "")):
        if path.endswith(endings):
            found.update(path.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return found.hexdigest()


def _files(folder: Traversable, path: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        name = f"{path}/{entry.name}"
        if entry.is_dir():
            found += _files(entry, name)
        else:
            found.append((name, entry))
    return found
