"""A thousand damaged protocol files: each is refused with file and line, or has another digest; never anything else."""

import random
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from graftline.base.errors import InputError
from graftline.protocol import read_protocol

SMALL = (Path(__file__).parent / "small.yaml").read_bytes()
MUTANTS = 1020
PARTS = 12
WORD = re.compile(rb"[A-Za-z0-9_.\-*/^:]+")
STRANGE = (
    b"0", b"-1", b"0 days", b"1e400", b".nan", b"true", b"null", b"~", b"[]", b"{}", b"[1, 2]", b"{value: 3}", b"2020-13-45",
    b"2020-01-01T10:00:00", b"1999-01-01", b"9999-12-31", b"5 parsecs", b"5 days**99", b"nan cells", b"'2020-01-01'",
    b"!!python/object:os.system x", b"!!binary aGk=", b"&a b", b"*a", b"<<", b"\"", b"{", b"]", b"\t", b": :", b"@", b"%", b"|",
    b"? x", b"!!int abc", b"0x1F", b"99999999999999999999999999", b"{placeholder: 5}", b"{value: 1, sorce: x}", b"\xff", b"\x00",
    b"#", b"\xe2\x80\xa8", b"\"\\ud800\"", b"- - -", b"---", b"...", b"%YAML 1.1",
    b"{value: 0,6e9 cells}", b"0,5", b"1,000", b"{value: 1,000}", b"0.6 x 10^9 cells", b"30days", b"5 mg/m2/day", b"2.5 mg/dL", b"A*24:02", b"{a: 1,2: }",
)  # fmt: skip


def mutant(chance: random.Random) -> bytes:
    """One damaged copy of the small protocol."""
    lines = SMALL.split(b"\n")
    place = chance.randrange(1, len(lines) - 1)
    line = lines[place]
    words = list(WORD.finditer(line))
    one, other = chance.choice(words), chance.choice(list(WORD.finditer(SMALL)))
    kind = chance.randrange(10)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(place, line)
    elif kind == 2:
        lines[place] = line[: one.start()] + one[0][::-1] + line[one.end() :]
    elif kind == 3:
        lines[place] = line[: one.start()] + other[0] + line[one.end() :]
    elif kind in (4, 5):
        lines[place] = line[: one.start()] + chance.choice(STRANGE) + line[one.end() :]
    elif kind == 6:
        lines[place] = line[: one.start()] + line[one.end() :]
    elif kind == 7:
        second = chance.randrange(1, len(lines) - 1)
        lines[place], lines[second] = lines[second], lines[place]
    elif kind == 8:
        at = chance.randrange(len(line) + 1)
        lines[place] = line[:at] + bytes(chance.randrange(256) for _ in range(chance.randint(1, 4))) + line[at:]
    else:
        lines[place] = re.sub(rb"\d", lambda digit: bytes([48 + (digit[0][0] - 47) % 10]), line)
    return b"\n".join(lines)


def same_meaning(damaged: bytes, original: dict[str, object]) -> bool:
    """Whether the mutation left the content as it was (a comment, an order of keys, another layout)."""
    return YAML(typ="safe", pure=True).load(damaged.decode()) == original


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_protocol_is_refused_with_file_and_line_or_changes_the_digest(part):
    chance = random.Random(part)
    digest = read_protocol(SMALL, "small.yaml").digest
    original = YAML(typ="safe", pure=True).load(SMALL.decode())
    refused = 0
    for _ in range(MUTANTS // PARTS):
        damaged = mutant(chance)
        try:
            now = read_protocol(damaged, "small.yaml").digest
        except InputError as error:
            refused += 1
            assert all(re.match(r"small\.yaml:[1-9]\d*( |$)", fault.place) for fault in error.faults), error
            assert all(fault.found and fault.remedy for fault in error.faults)
            assert not re.search(r"pydantic|Input should|Traceback|tagged-union", str(error)), error
        else:
            assert now != digest or same_meaning(damaged, original), damaged.decode()
    assert refused > MUTANTS // PARTS // 2
