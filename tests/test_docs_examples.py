"""Examples in the documentation do what they say: marked blocks are run and their output is compared.

A block is marked by a line before it: `<!-- run -->`; `<!-- run: first line -->` compares only the first line of the
output; `<!-- run: with faults, after replacing "A" by "B" -->` edits mine.yaml first and expects exit code 2 and the
text among the faults; `<!-- run in a results folder -->` needs results of a simulation.
"""

import importlib.util
import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from pydantic import TypeAdapter

from graftline.cli import run
from graftline.protocol import Protocol, _types
from graftline.twin import MODULES, twin_model

ROOT = Path(__file__).parents[1]
EXAMPLE = re.compile(r"<!-- run([^\n]*?) -->\n```(\w+)\n(.*?)```", re.DOTALL)
EXAMPLES = [
    pytest.param(how.strip(), language, text, id=f"{page.stem}-{number}")
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for number, (how, language, text) in enumerate(EXAMPLE.findall(page.read_text(encoding="utf-8")))
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results folder of one simulated trial."""
    folder = tmp_path_factory.mktemp("results") / "out"
    assert run(["simulate", "adp_a2afp", "--replicates", "1", "--workers", "1", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder to work in, with a protocol file of one's own beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.mark.parametrize(("how", "language", "text"), [one for one in EXAMPLES if one.values[1] == "console"])
def test_a_command_in_the_documentation_prints_what_stands_there(how, language, text, workplace, capsys):
    command, _, expected = text.partition("\n")
    assert command.startswith("$ graftline ")
    mine = workplace / "mine.yaml"
    if "new" not in command:
        assert run(["protocol", "new", str(mine)]) == 0
        capsys.readouterr()
    edit = re.search(r'replacing "(.+)" by "(.+)"', how)
    if edit:
        before = mine.read_text(encoding="utf-8")
        assert edit[1] in before
        mine.write_text(before.replace(edit[1], edit[2], 1), encoding="utf-8")
    code = run(shlex.split(command.removeprefix("$ graftline ")))
    printed = capsys.readouterr()
    if edit:
        assert code == 2
        assert _without_line(expected) in _without_line(printed.err)
        return
    assert code == 0
    got = printed.out.splitlines()[:1] if "first line" in how else printed.out.splitlines()
    assert got == expected.splitlines()


def _without_line(text):
    """Faults without the number of the line, which moves with every edit of the reference file."""
    return re.sub(r"yaml:\d+", "yaml", text).strip()


@pytest.mark.parametrize(("how", "language", "text"), [one for one in EXAMPLES if one.values[1] == "python"])
def test_an_example_in_python_holds(how, language, text, workplace, request, monkeypatch):
    if "results folder" in how:
        monkeypatch.chdir(request.getfixturevalue("results"))
    exec(compile(text, "example", "exec"), {"__name__": "example"})


def test_every_marked_example_is_of_a_language_that_is_run():
    assert {one.values[1] for one in EXAMPLES} == {"console", "python"}


def test_every_data_set_and_column_is_explained_and_no_other(results):
    page = (ROOT / "docs" / "reference" / "data_sets.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\w+) \{ #\1 \}\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL)
    explained = {name: re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) for name, text in sections}
    written = {file.stem: pl.read_parquet(file).columns for file in (results / "parts" / "00000").glob("*.parquet")}
    once = {"tornado", "patient"}  # of the first part only; told under Summaries
    assert set(explained) == set(written) - once
    for name, columns in written.items():
        if name in once:
            continue
        assert explained[name] == columns, f"docs/reference/data_sets.md, section {name}"


def test_every_file_of_a_results_folder_is_named_in_the_reference(results):
    page = (ROOT / "docs" / "reference" / "data_sets.md").read_text(encoding="utf-8")
    files = [file.name for file in results.iterdir() if file.is_file()]
    unnamed = [name for name in files if f"`{name}`" not in page and f"## {name.removesuffix('.parquet')} " not in page]
    assert not unnamed


@pytest.fixture(scope="module")
def hooks():
    """The functions that write pages from the code."""
    spec = importlib.util.spec_from_file_location("docs_hooks", ROOT / "docs" / "_hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_of_the_schema_is_in_the_reference(hooks):
    page = hooks.protocol_fields()
    assert [f"`{name}`" for name in Protocol.model_fields if f"| `{name}` |" not in page] == []
    for word in ("minimum_viability", "approval_lag", "lasting", "resolves_to", "at_least", "is_in", "not"):
        assert f"| `{word}` |" in page
    links = set(re.findall(r"\]\(#(\w+)\)", page))
    assert links <= set(re.findall(r"\{#(\w+)\}", page))


def test_the_example_of_each_kind_of_value_is_one_that_the_reader_takes(hooks):
    for name, (_, example) in hooks.KINDS.items():
        if name in ("Day", "Text"):
            continue
        assert TypeAdapter(getattr(_types, name)).validate_python(example) is not None


def test_every_command_is_in_the_reference(hooks):
    page = hooks.commands()
    for command in ("simulate", "report", "demo", "check", "protocol new", "protocol list", "evidence show"):
        assert f"## graftline {command}\n" in page


def test_every_equation_of_the_twin_is_in_the_reference_with_its_meaning(hooks):
    page = hooks.twin_equations_by_part()
    for name in twin_model(MODULES).states:
        assert len(re.findall(rf"^\| `{name}'` \| `.+` \| [A-Z].+ \|$", page, re.MULTILINE)) == 1, name


def test_every_decision_is_in_the_index(hooks):
    files = {file.name for file in (ROOT / "docs" / "decisions").glob("*.md")} - {"index.md"}
    assert files == set(re.findall(r"\]\((.+?)\)", hooks.decisions()))
