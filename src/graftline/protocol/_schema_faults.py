"""What the schema refuses, in words: where in the file, what was found, what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from ._types import PartError
from ._yaml import Content, Flaw, Path
from .schema import SCHEMA_VERSION, Protocol

_LONGEST_TEXT = 80  # characters shown of what was found
_MANY = 12  # known keys listed at most
_NEAR = 3  # keys of like spelling named at most: the nearest is not always the one meant


def schema_flaws(error: ValidationError, content: Content) -> list[Flaw]:
    """One flaw per place that the schema refuses; alternatives of a choice count once."""
    flaws: dict[Path, Flaw] = {}
    for one in error.errors(include_url=False):
        if one["type"] == "too_short" and one["input"]:
            continue  # the list has entries; what is wrong with them is told at each
        path = _path_in(content, tuple(one["loc"]), ends_outside=one["type"] == "missing")
        for flaw in _flaws_at(one, path):
            if flaw.path not in flaws or one["type"] == "value_error":
                flaws[flaw.path] = flaw
    return list(flaws.values())


def _flaws_at(one: Mapping[str, Any], path: Path) -> Iterator[Flaw]:
    error = one.get("ctx", {}).get("error")
    if not isinstance(error, PartError):
        yield Flaw(path, *_words(one, path))
        return
    for key, told in error.slips.items():
        found, _, remedy = told.partition("; ")
        yield Flaw((*path, key), found, remedy or "correct it")


def _path_in(content: Content, location: Path, *, ends_outside: bool) -> Path:
    """The location without the steps that are no part of the file (names of alternatives)."""
    path: list[str | int] = []
    here = content
    for place, step in enumerate(location):
        if isinstance(here, Mapping) and step in here:
            here = here[str(step)]
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        elif not (ends_outside and place == len(location) - 1):
            continue
        path.append(step)
    return tuple(path)


def _words(one: Mapping[str, Any], path: Path) -> tuple[str, str]:
    kind, key = str(one["type"]), str(path[-1]) if path else ""
    context: Mapping[str, Any] = one.get("ctx", {})
    if path == ("graftline",) and kind != "missing":
        return (
            f"this is not the schema that this version of Graftline reads ({_short(one['input'], kind)})",
            f"write graftline: {SCHEMA_VERSION}",
        )
    if kind == "missing":
        return f"{key!r} is missing", _MISSING.get(key, f"write '{key}: ...' here")
    if kind == "extra_forbidden":
        return f"unknown key {key!r}", _nearest(key, known_keys(path[:-1]), "take it out; known here")
    if kind == "value_error":
        found, _, remedy = str(context["error"]).partition("; ")
        return found, remedy or "correct it"
    found = f"found {_short(one['input'], kind)}"
    if one["loc"][-1] in ("str", "int", "float"):
        return found, "write a number and a unit"
    if kind in ("literal_error", "enum"):
        return found, f"write {str(context['expected']).replace(chr(39), '')}"
    for start, remedy in _REMEDIES.items():
        if kind.startswith(start):
            return found, remedy.format(**context)
    return f"{found} ({str(one['msg']).lower()})", "correct it"


_MISSING = {
    "graftline": f"write 'graftline: {SCHEMA_VERSION}' as the first line",
    "when": "say when the criterion must hold, for example 'when: [screening, before_infusion]'",
    "window": "write the observation window, for example 'window: {first_day: 1, last_day: 29}'",
    "evaluable_set": "say in words who is evaluable for dose-limiting toxicity: 'evaluable_set: ...'",
    "evaluable_if": "write 'evaluable_if: infused_and_observed'",
}
_REMEDIES = {
    "int": "write a whole number",
    "float": "write a number",
    "string_pattern_mismatch": "write one word of letters, digits, '_', '-' or '.', without spaces",
    "string_too_short": "write at least one letter",
    "string": "write text; numbers and days that are meant as text need quotes",
    "bool": "write true or false",
    "date": "write a day as 2019-06-01",
    "too_short": "write at least {min_length}",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "tuple": "write a list, for example [first, second]",
    "model": "write its keys below it, as in the reference protocol",
    "dict": "write 'key: value' pairs below it",
}


def _short(value: object, kind: str) -> str:
    if kind.startswith(("int", "float", "string", "bool", "date")) and isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a block of keys"
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _nearest(word: str, known: list[str], otherwise: str) -> str:
    near = get_close_matches(word, known, n=_NEAR, cutoff=0.6)
    if near:
        return f"write {' or '.join(map(repr, near))}"
    listed = ", ".join(known[:_MANY]) + (", …" if len(known) > _MANY else "")
    return f"{otherwise}: {listed}" if known else "take it out"


def known_keys(path: Path) -> list[str]:
    """The keys that the schema knows below a path."""
    models = [Protocol]
    for step in path:
        if isinstance(step, str):
            fields = [field for model in models for name, field in _fields(model).items() if name == step]
            models = [model for field in fields for model in _models_in(field.annotation)]
    return sorted({name for model in models for name in _fields(model)})


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> list[type[Any]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
