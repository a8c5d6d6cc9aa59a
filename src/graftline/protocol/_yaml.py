"""YAML text to plain content with the line of every path; nothing that could be read in two ways is let through."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from ..base.errors import Fault, InputError

Path = tuple[str | int, ...]
Content = object
"""mappings, lists, texts, numbers, yes/no, days and nothing, as written"""

_LARGEST_FILE = 2_000_000  # bytes; the reference protocol has thirty thousand
_DEEPEST = 40  # levels; the reference protocol has eight
_TAG = "tag:yaml.org,2002:"
_SCALARS = {_TAG + kind for kind in ("str", "int", "float", "bool", "null", "timestamp")}
_REMARKS = {"placeholder": "in words why the value is assumed", "source": "in words where the value stands"}
_LONGEST_TEXT = 400  # characters shown of a value: a dose level or a list of criteria in full


@dataclass(frozen=True)
class Placeholder:
    """A value (or a whole block) that the author assumed, with the reason and where it stands."""

    path: str
    value: str
    reason: str
    line: int


@dataclass(frozen=True)
class Source:
    """Where a value (or a whole block) comes from."""

    path: str
    text: str
    line: int


@dataclass(frozen=True)
class Flaw:
    """Something wrong at a path; the line is that of the path unless given."""

    path: Path
    found: str
    remedy: str
    line: int | None = None


@dataclass(frozen=True)
class _Remark:
    kind: str
    path: Path
    value: str
    text: str
    line: int


@dataclass
class Document:
    """A protocol file as read: content as written, content without its remarks, and the line of every path."""

    file: str
    written: Content = None
    plain: Content = None
    lines: dict[Path, int] = field(default_factory=dict)
    remarks: list[_Remark] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """Every value or block marked as assumed, in the order of the file."""
        marked = [remark for remark in self.remarks if remark.kind == "placeholder"]
        found = [Placeholder(self.spelled(one.path), one.value, one.text, one.line) for one in marked]
        return tuple(sorted(found, key=lambda one: one.line))

    @property
    def sources(self) -> tuple[Source, ...]:
        """Every source named, in the order of the file."""
        named = [Source(self.spelled(one.path), one.text, one.line) for one in self.remarks if one.kind == "source"]
        return tuple(sorted(named, key=lambda one: one.line))

    def line(self, path: Path) -> int:
        """The line of the path, or of the nearest part above it that stands in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fault(self, flaw: Flaw) -> Fault:
        """The flaw with its `file:line path`."""
        line = flaw.line or self.line(flaw.path)
        return Fault(f"{self.file}:{line} {self.spelled(flaw.path)}".rstrip(), flaw.found, flaw.remedy)

    def spelled(self, path: Path) -> str:
        """The path in words: list entries by their name where they have one."""
        text, here = "", self.plain
        for step in path:
            here = here.get(step) if isinstance(here, Mapping) else _entry(here, step)
            if isinstance(step, int):
                text += f"[{name_of(here) or step}]"
            else:
                text += f".{step}" if text else step
        return text


def _entry(here: Content, step: str | int) -> Content:
    return here[step] if isinstance(here, list) and isinstance(step, int) and step < len(here) else None


def name_of(entry: Content) -> str | None:
    """What a list entry is called: its `name`, `id` or `code`."""
    if isinstance(entry, Mapping):
        for key in ("id", "name", "code"):
            if isinstance(entry.get(key), str):
                return str(entry[key])
    return None


def decode(raw: bytes, file: str) -> str:
    """The text of the file. Raises InputError if it is empty, too large or not UTF-8."""
    if len(raw) > _LARGEST_FILE:
        found = f"the file has {len(raw)} bytes"
        raise InputError(Fault(f"{file}:1", found, f"write a protocol file of at most {_LARGEST_FILE} bytes"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        found = f"the byte 0x{raw[error.start]:02x} is not UTF-8"
        raise InputError(Fault(f"{file}:{line}", found, "save the file as UTF-8 text")) from None
    if not text.strip():
        raise InputError(Fault(f"{file}:1", "the file is empty", "begin with 'graftline protocol new FILE'"))
    return text


def read_document(text: str, file: str) -> Document:
    """Read the text. Raises InputError if it is no YAML mapping; flaws are collected in the document."""
    root = _compose(text, file)
    if not isinstance(root, MappingNode):
        found = "the file holds no list of 'key: value' chapters"
        raise InputError(Fault(f"{file}:1", found, "begin with 'graftline protocol new FILE'"))
    document = Document(file)
    document.written, document.plain = _Walk(document).read(root, ())
    return document


def _compose(text: str, file: str) -> Node | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)  # anchors are refused below, with their line
            node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1 if isinstance(error.position, int) else 1
        raise InputError(Fault(f"{file}:{line}", "an unprintable character", "take it out")) from None
    except MarkedYAMLError as error:
        raise InputError(_syntax_fault(error, text, file)) from None
    except (YAMLError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError, AssertionError) as error:
        # the YAML library stumbles over some broken texts without naming the place
        found = f"no valid YAML ({type(error).__name__})"
        raise InputError(Fault(f"{file}:1", found, "compare with 'graftline protocol show adp_a2afp'")) from None
    except RecursionError:
        raise InputError(Fault(f"{file}:1", "nested too deeply", f"write at most {_DEEPEST} levels")) from None
    return node


def _syntax_fault(error: MarkedYAMLError, text: str, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    if "\t" in here:
        return Fault(f"{file}:{line}", "a tab", "indent with spaces")
    problem = str(error.problem or "unreadable").split("\n")[0]
    return Fault(f"{file}:{line}", f"no valid YAML ({problem})", "mend the indentation, quotes, colons or brackets")


class _Walk:
    """Reads the node tree once, noting lines, remarks (placeholder, source) and faults in the document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._seen: set[int] = set()
        self._scalars = YAML(typ="safe", pure=True).constructor

    def read(self, node: Node, path: Path) -> tuple[Content, Content]:
        """The content as written and without remarks."""
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        if node.anchor or id(node) in self._seen:
            self._fault(node, path, "an anchor or alias (& or *)", "write the value out")
            return None, None
        self._seen.add(id(node))
        if len(path) > _DEEPEST:
            self._fault(node, path[:_DEEPEST], "nested too deeply", f"write at most {_DEEPEST} levels")
            return None, None
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            pairs = [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
            return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        if isinstance(node, ScalarNode) and node.tag in _SCALARS:
            value = self._scalar(node, path)
            return value, value
        self._fault(node, path, f"the tag {node.tag}", "write the value without a tag (!)")
        return None, None

    def _mapping(self, node: MappingNode, path: Path) -> tuple[Content, Content]:
        children = self._children(node, path, self._after_commas(node, path))
        written: dict[str, Content] = {}
        plain: dict[str, Content] = {}
        wrapped = "value" in children
        for key, (line, child) in children.items():
            inner = path if wrapped and key == "value" else (*path, key)
            if inner != path:
                self._document.lines[inner] = line
            written[key], plain[key] = self.read(child, inner)
        value = plain["value"] if wrapped else plain
        self._remarks(children, plain, value, path)
        if not wrapped:
            return written, plain
        for key in plain:
            self._fault(
                children[key][1],
                (*path, key),
                f"unknown key {key!r} beside 'value'",
                "write only value, placeholder and source",
            )
            self._document.lines.pop((*path, key), None)
        return written, value

    def _children(self, node: MappingNode, path: Path, no_keys: set[int]) -> dict[str, tuple[int, Node]]:
        children: dict[str, tuple[int, Node]] = {}
        for key_node, child in node.value:
            if id(key_node) in no_keys:
                continue
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode) or key_node.tag != _TAG + "str" or key_node.anchor:
                self._fault(key_node, path, "a key that is no plain text", "write the key as a word")
            elif key_node.value in children:
                first = children[key_node.value][0]
                found = f"{key_node.value!r} stands twice (first on line {first})"
                self._fault(key_node, (*path, key_node.value), found, "keep one of the two")
            else:
                children[key_node.value] = (line, child)
        return children

    def _after_commas(self, node: MappingNode, path: Path) -> set[int]:
        """Keys (by identity) that are no keys: `{value: 0,6e9 cells}` reads in YAML as 0 and a key '6e9 cells'."""
        split: set[int] = set()
        for (before, number), (key, empty) in pairwise(node.value):
            is_split = node.flow_style and _is_empty(empty) and _is_digits(number) and isinstance(key, ScalarNode)
            if is_split and key.value[:1].isdigit() and isinstance(before, ScalarNode):
                here = path if before.value == "value" else (*path, str(before.value))
                found = f"'{number.value},{key.value}' has a comma in its number"
                self._fault(number, here, found, _without_comma(number.value, key.value))
                split.add(id(key))
        return split

    def _remarks(
        self, children: Mapping[str, tuple[int, Node]], plain: dict[str, Content], value: Content, path: Path
    ) -> None:
        plain.pop("value", None)
        for key, meaning in _REMARKS.items():
            if key not in children:
                continue
            line, node = children[key]
            text = plain.pop(key)
            if isinstance(text, str) and text.strip():
                self._document.remarks.append(_Remark(key, path, _shown(value), text, line))
            else:
                self._fault(node, (*path, key), f"{key} without words", f"write {meaning}")

    def _scalar(self, node: ScalarNode, path: Path) -> Content:
        if node.tag == _TAG + "str":
            return str(node.value)
        try:
            value: Content = self._scalars.construct_object(node, deep=True)
        except (YAMLError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
            found = f"{str(node.value)[:_LONGEST_TEXT]!r} cannot be read ({str(error).splitlines()[0]})"
            self._fault(node, path, found, "write a day as 2019-06-01, a number in digits, or text in quotes")
            return None
        if isinstance(value, datetime):
            self._fault(node, path, f"{node.value!r} is a day with a time", "write a day as 2019-06-01")
            return None
        return value

    def _fault(self, node: Node, path: Path, found: str, remedy: str) -> None:
        self._document.flaws.append(Flaw(path, found, remedy, node.start_mark.line + 1))


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value == "" and node.tag == _TAG + "null"


def _is_digits(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == _TAG + "int" and node.value.lstrip("+-").isdecimal()


def _without_comma(whole: str, rest: str) -> str:
    """The decimal point in place of the comma; 1,000 may be a thousand or one, and is not decided on."""
    if re.match(r"\d{3}(?!\d)", rest) and whole.lstrip("+-0"):
        return f"write {whole + rest!r} if thousands are meant, {f'{whole}.{rest}'!r} if a decimal is"
    return f"write '{whole}.{rest}'"


def _shown(value: Content) -> str:
    """A value in short words."""
    if isinstance(value, Mapping):
        text = ", ".join(f"{key} {_shown(part)}" for key, part in value.items())
    elif isinstance(value, list):
        text = ", ".join(map(_shown, value))
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = str(value)
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
