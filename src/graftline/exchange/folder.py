"""A results folder: parts written aside and renamed, so that nothing half-written is taken for whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from ..base.errors import Fault, InputError, SurroundingsError

RECIPE = "recipe.json"
SUMMARY = "summary.json"


def open_folder(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Make or reopen a results folder for this recipe.

    Raises InputError if the folder holds results of another recipe, or files that are no results.
    """
    file = next((place for place in (folder, *folder.parents) if place.exists() and not place.is_dir()), None)
    if file is not None:
        raise InputError(Fault(str(file), "is a file, no folder", "name a new or empty folder with --out"))
    written = folder / RECIPE
    if written.exists():
        try:
            found = json.loads(written.read_text(encoding="utf-8"))
        except ValueError:
            raise InputError(
                Fault(str(written), "not a readable recipe", "remove the folder or name another with --out")
            ) from None
        different = sorted(key for key in {*found, *recipe} if found.get(key) != recipe.get(key) and key != "command")
        if different:
            raise InputError(
                Fault(
                    str(folder),
                    f"holds results of another run (different: {', '.join(different)})",
                    "name another folder with --out, or remove this one",
                )
            )
        return
    if folder.exists() and any(folder.iterdir()):
        raise InputError(Fault(str(folder), "holds other files", "name an empty or new folder with --out"))
    with _writing(folder):
        (folder / "parts").mkdir(parents=True, exist_ok=True)
    write_json(written, recipe)


def part_path(folder: Path, number: int) -> Path:
    """Where part `number` stands once it is whole."""
    return folder / "parts" / f"{number:05d}"


def write_part(
    folder: Path, number: int, tables: Mapping[str, pl.DataFrame], texts: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Write the tables of one part, and texts by name as JSON: aside first, then renamed together."""
    final = part_path(folder, number)
    aside = final.with_suffix(".writing")
    with _writing(aside):
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name, table in tables.items():
            table.write_parquet(aside / f"{name}.parquet")
        for name, content in (texts or {}).items():
            (aside / f"{name}.json").write_text(_as_text(content), "utf-8")
        aside.rename(final)


def missing_parts(folder: Path, parts: int) -> list[int]:
    """Numbers of the parts that are not there yet."""
    return [number for number in range(parts) if not part_path(folder, number).is_dir()]


def merge_parts(folder: Path, parts: int) -> dict[str, pl.DataFrame]:
    """All parts together, in the order of replicates: each table and each text that any part has, in the folder."""
    places = [part_path(folder, number) for number in range(parts)]
    merged = {}
    for name in sorted({file.stem for place in places for file in place.glob("*.parquet")}):
        files = [place / f"{name}.parquet" for place in places]
        merged[name] = pl.concat([pl.read_parquet(file) for file in files if file.exists()])
        write_table(folder, name, merged[name])
    for place in places:
        for file in sorted(place.glob("*.json")):
            write_json(folder / file.name, json.loads(file.read_text("utf-8")))
    return merged


def write_table(folder: Path, name: str, table: pl.DataFrame) -> None:
    """Write one table, aside first."""
    aside = folder / f"{name}.writing"
    with _writing(aside):
        table.write_parquet(aside)
        aside.replace(folder / f"{name}.parquet")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, aside first; keys sorted, so that equal content is equal bytes."""
    aside = path.with_suffix(".writing")
    with _writing(aside):
        aside.write_text(_as_text(content), "utf-8")
        aside.replace(path)


def _as_text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


@contextmanager
def _writing(aside: Path) -> Iterator[None]:
    """What cannot be written (disk full, no permission) is taken away again and told, with what to do."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        if aside.suffix == ".writing":
            shutil.rmtree(aside, ignore_errors=True)
            aside.unlink(missing_ok=True)
        raise SurroundingsError(
            f"{aside.with_suffix('')} cannot be written ({error})",
            "free some space or check who may write there, then give the same command again: finished parts are kept",
        ) from None
