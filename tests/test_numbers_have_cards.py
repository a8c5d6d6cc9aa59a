"""Every number of medicine stands on an evidence card: the medical folders and model texts hold none but 0, 1 and 2.

Unit conversions come from `graftline.base.units`, which is no medical folder. Published models carry the numbers of
their papers, each with its source in the file beside it (`tests/twin/test_published_models.py`). Exceptions, each with its reason, stand
in `tests/allowed_numbers.yaml`; an exception that is no longer needed fails too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "graftline"
MEDICAL_FOLDERS = (
    "population",
    "screening",
    "apheresis",
    "manufacture",
    "conditioning",
    "infusion",
    "assessment",
    "escalation",
    "twin",
    "receptor",
    "journey",
    "trial",
)
MODELS_OF_PROTOCOLS = PACKAGE / "protocol" / "models"
PUBLISHED_MODELS = PACKAGE / "twin" / "published"
FREE = (0, 1, 2)  # with a sign or as 1.0 they are the same numbers

Found = tuple[int, str]
"""Line and number as written."""


def numbers_in_python(source: str) -> list[Found]:
    """Numeric literals of a Python text that need a card; those in annotations and `Literal[...]` are types."""
    tree = ast.parse(source)
    typing_only = {id(node) for part in _annotations(tree) for node in ast.walk(part)}
    literals = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, (int, float, complex))
        and not isinstance(node.value, bool)
        and node.value not in FREE
        and id(node) not in typing_only
    ]
    literals.sort(key=lambda node: (node.lineno, node.col_offset))
    return [(node.lineno, ast.get_source_segment(source, node) or repr(node.value)) for node in literals]


def _annotations(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(annotation=annotation):
                yield annotation
            case ast.arg(annotation=ast.expr() as annotation):
                yield annotation
            case ast.FunctionDef(returns=ast.expr() as returns) | ast.AsyncFunctionDef(returns=ast.expr() as returns):
                yield returns
            case ast.Subscript(value=ast.Name(id="Literal"), slice=inside):
                yield inside


_ANTIMONY_UNIT = re.compile(r"^[ \t]*unit[ \t]+\w+[ \t]*=[^;\n]*", re.MULTILINE)
_ANTIMONY_SKIPPED = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/|\"\"\".*?\"\"\"|\"[^\"\n]*\"", re.DOTALL)
_ANTIMONY_WORD_OR_NUMBER = re.compile(
    r"(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)


def numbers_in_antimony(source: str) -> list[Found]:
    """Numbers of a model text that need a card; comments, texts, names and unit definitions are free."""
    bare = source
    for skipped in (_ANTIMONY_SKIPPED, _ANTIMONY_UNIT):
        bare = skipped.sub(lambda part: re.sub(r"[^\n]", " ", part.group()), bare)
    return [
        (bare.count("\n", 0, token.start()) + 1, token["number"])
        for token in _ANTIMONY_WORD_OR_NUMBER.finditer(bare)
        if token["number"] is not None and float(token["number"]) not in FREE
    ]


def _medical_texts() -> list[Path]:
    present = [PACKAGE / folder for folder in MEDICAL_FOLDERS if (PACKAGE / folder).is_dir()] + [MODELS_OF_PROTOCOLS]
    texts = (path for folder in present for path in folder.rglob("*") if path.suffix in (".py", ".ant"))
    return sorted(path for path in texts if path.suffix == ".py" or path.parent != PUBLISHED_MODELS)


def _found_in(path: Path) -> list[Found]:
    read = numbers_in_python if path.suffix == ".py" else numbers_in_antimony
    return read(path.read_text(encoding="utf-8"))


def _allowed() -> list[dict[str, object]]:
    return list(YAML(typ="safe", pure=True).load((ROOT / "tests" / "allowed_numbers.yaml").read_text("utf-8")) or [])


def _is_allowed(path: Path, number: str) -> bool:
    return any(
        entry["file"] == path.relative_to(ROOT).as_posix() and complex(str(entry["number"])) == _value(number)
        for entry in _allowed()
    )


def _value(number: str) -> complex:
    return complex(ast.literal_eval(number))


@pytest.mark.parametrize("path", _medical_texts(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_number_of_medicine_stands_on_a_card(path):
    without_card = [f"line {line}: {number}" for line, number in _found_in(path) if not _is_allowed(path, number)]
    assert not without_card, f"{path.relative_to(ROOT)} holds numbers without an evidence card: {without_card}"


def faults_of_exceptions(entries: list[dict[str, object]]) -> list[str]:
    """What is wrong with the list of exceptions."""
    faults = []
    for entry in entries:
        if set(entry) != {"file", "number", "reason"} or not str(entry["reason"]).strip():
            faults.append(f"needs file, number and reason: {entry}")
        elif not (path := ROOT / str(entry["file"])).is_file():
            faults.append(f"no such file: {entry}")
        elif complex(str(entry["number"])) not in [_value(number) for _, number in _found_in(path)]:
            faults.append(f"nobody needs this exception: {entry}")
    return faults


def test_every_exception_has_a_reason_and_is_still_needed():
    assert faults_of_exceptions(_allowed()) == []


def test_a_stale_or_unexplained_exception_is_refused():
    rules = "src/graftline/population/rules.py"
    entries: list[dict[str, object]] = [
        {"file": rules, "number": 0.37, "reason": "was here once"},
        {"file": rules, "number": 0.37, "reason": " "},
        {"file": "src/graftline/population/gone.py", "number": 0.37, "reason": "file was removed"},
    ]
    assert [fault.split(":")[0] for fault in faults_of_exceptions(entries)] == [
        "nobody needs this exception",
        "needs file, number and reason",
        "no such file",
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("share = 0.37", ["0.37"]),
        ("x = -3 * y + 1e-6", ["3", "1e-6"]),
        ("def f(days=7): return days", ["7"]),
        ("table[3], grid[:, 4:]", ["3", "4"]),
        ("age = 1_8\nf = f'{age + 5:.3f}'", ["1_8", "5"]),
        ("z = 3j", ["3j"]),
        ("x = 0 + 1 - 2 + 0.0 + 1.0 * -2.0", []),
        ("x = True", []),
        ('"""Seen in 37 of 100."""\n# 0.5 in a comment\nname = "CTCAE 5"', []),
        ("text = f'{share:.3f} of 20'", []),
        ("Grade = Literal[3, 4]\ndef f(x: Annotated[int, 5]) -> Literal[3]: ...", []),
    ],
)
def test_the_python_reader_sees_numbers_and_nothing_else(source, expected):
    assert [number for _, number in numbers_in_python(source)] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("k6 = 3.96", ["3.96"]),
        ("A' = lam0*A - kap1e5*A^2", []),
        ("J0: 2 A -> B; 1e-6*A*.5", ["1e-6", ".5"]),
        ("x = 10^n + 1.0 + 2e0 // 0.37 here\n# 0.37 and there\n/* 5\n6 */ y = 7E+3;", ["10", "7E+3"]),
        ("unit day = 86400 second\n  unit pM = 1e-12 mole/litre; x = 5\nunits = 3", ["5", "3"]),
        ('model "twin 3"\n  A is "state 10"\nend', []),
    ],
)
def test_the_model_text_reader_sees_numbers_and_nothing_else(source, expected):
    assert [number for _, number in numbers_in_antimony(source)] == expected


def test_the_reader_tells_the_line():
    assert numbers_in_python("x = 1\ny = 0.37") == [(2, "0.37")]
    assert numbers_in_antimony("// 5\n/* 6\n*/ x = 0.37") == [(3, "0.37")]
