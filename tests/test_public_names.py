"""Public names: what `__all__` lists, what the code holds and what the documentation names are the same."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
import yaml

import graftline

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "python.md"
FOLDERS = sorted(one.name for one in pkgutil.iter_modules(graftline.__path__) if one.ispkg)
BLOCK = re.compile(r"^::: (\S+)\n((?: {4}.*\n)+)", re.MULTILINE)


def documented():
    """Address of each block of the page -> the names it shows (None: all public names of that module)."""
    blocks = {}
    for address, options in BLOCK.findall(PAGE.read_text(encoding="utf-8") + "\n"):
        assert address not in blocks, f"{address} stands twice in {PAGE.name}"
        blocks[address] = (yaml.safe_load(options)["options"] or {}).get("members")
    return blocks


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_name_a_folder_offers_exists(folder):
    module = importlib.import_module(f"graftline.{folder}")
    names = list(getattr(module, "__all__", []))
    assert not [name for name in names if not hasattr(module, name)]
    assert len(names) == len(set(names)), "a name is listed twice"
    assert not [name for name in names if name.startswith("_")]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_public_name_is_in_the_reference_and_nothing_else(folder):
    module, blocks = importlib.import_module(f"graftline.{folder}"), documented()
    address = f"graftline.{folder}"
    assert address in blocks, f"write a block '::: {address}' into docs/reference/python.md"
    if hasattr(module, "__all__"):
        shown = blocks[address]
        missing, invented = set(module.__all__) - set(shown), set(shown) - set(module.__all__)
        assert not missing, f"write under '::: {address}' in docs/reference/python.md: {sorted(missing)}"
        assert not invented, f"take out of '::: {address}' in docs/reference/python.md: {sorted(invented)}"
        assert len(shown) == len(set(shown))


def test_the_modules_of_the_ground_are_in_the_reference():
    """`base` offers modules, not names."""
    modules = {f"graftline.base.{one.name}" for one in pkgutil.iter_modules(graftline.__path__) if one.ispkg} and {
        f"graftline.base.{one.name}"
        for one in pkgutil.iter_modules(importlib.import_module("graftline.base").__path__)
        if not one.name.startswith("_")
    }
    assert modules == {address for address in documented() if address.startswith("graftline.base.")}


def test_the_reference_names_no_folder_or_member_that_is_not_there():
    for address, names in documented().items():
        module = importlib.import_module(address)
        assert not [name for name in names or [] if not hasattr(module, name)], address


def test_no_page_names_a_module_or_name_that_is_not_there():
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    wrong = []
    for page in pages:
        for address in set(re.findall(r"`(graftline(?:\.\w+)+)`", page.read_text(encoding="utf-8"))):
            if not _exists(address):
                wrong.append(f"{page.relative_to(ROOT)}: {address}")
    assert not wrong


def _exists(address):
    """Whether a dotted name leads to a module or to something in one."""
    parts = address.split(".")
    found, place = graftline, "graftline"
    for part in parts[1:]:
        place = f"{place}.{part}"
        if not hasattr(found, part):
            try:
                importlib.import_module(place)
            except ImportError:
                return False
        found = getattr(found, part)
    return True


def test_a_name_that_is_not_there_is_noticed():
    assert _exists("graftline.engine.solve")
    assert not _exists("graftline.engine.solve_all")
    assert not _exists("graftline.nowhere")
