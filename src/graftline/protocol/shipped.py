"""The protocols that come with the package, by name."""

from __future__ import annotations

from importlib.resources import files

SUFFIX = ".yaml"


def list_protocols() -> tuple[str, ...]:
    """Names of the shipped protocols, in alphabetical order."""
    folder = files(__package__).joinpath("protocols")
    return tuple(sorted(file.name.removesuffix(SUFFIX) for file in folder.iterdir() if file.name.endswith(SUFFIX)))


def shipped_text(name: str) -> bytes:
    """The file of a shipped protocol as it stands, comments included."""
    return files(__package__).joinpath("protocols", name + SUFFIX).read_bytes()


def shipped_companion(name: str) -> str | None:
    """The text of a model or of its cards that comes with the package; None if there is none of that name."""
    file = files(__package__).joinpath("models", name)
    return file.read_text(encoding="utf-8") if file.is_file() else None
