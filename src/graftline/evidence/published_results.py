"""What was published about a trial, so that a simulation can stand beside it. Never an input of a simulation."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from ruamel.yaml import YAML

from .cards import Sure


class PublishedResult(BaseModel):
    """One published figure: the row of the comparison, its value (a count or a date), and where it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    row: str
    published: int | str
    kind: Literal["fitted", "predicted", "free rate"]
    source: str
    sure: Sure


def published_results(registry_id: str) -> tuple[PublishedResult, ...]:
    """The published figures of a registered trial; none if nothing is known of it."""
    file = files(__package__).joinpath("published", f"{registry_id}.yaml")
    if not file.is_file():
        return ()
    content = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    return tuple(TypeAdapter(list[PublishedResult]).validate_python(content))
