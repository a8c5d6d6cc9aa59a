"""What the commands print and their exit codes: 0 done, 1 fault, 2 wrong input, 130 interrupted."""

import json

import pytest

from graftline import __version__
from graftline.base.errors import SurroundingsError
from graftline.cli import run
from graftline.cli.app import app


def test_the_version_is_shown(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"graftline {__version__}"


def test_the_shipped_protocols_are_listed(capsys):
    assert run(["protocol", "list"]) == 0
    assert "adp_a2afp  NCT03132792" in capsys.readouterr().out
    assert run(["protocol", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "adp_a2afp"


def test_a_new_protocol_is_valid_and_never_overwrites(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    assert run(["protocol", "new", str(path)]) == 0
    before = path.read_bytes()
    assert run(["check", str(path)]) == 0
    assert "no faults" in capsys.readouterr().out
    assert run(["protocol", "new", str(path)]) == 2
    assert path.read_bytes() == before
    assert "nothing was written" in capsys.readouterr().err
    assert run(["protocol", "new", str(tmp_path / "no" / "mine.yaml")]) == 2


def test_every_fault_of_a_file_is_told_on_standard_error(tmp_path, capsys):
    path = tmp_path / "wrong.yaml"
    assert run(["protocol", "new", str(path)]) == 0
    text = path.read_text(encoding="utf-8").replace("sponsor:", "sponser:").replace("in_force: cy500", "in_force: cy50")
    path.write_text(text, encoding="utf-8")
    capsys.readouterr()
    assert run(["check", str(path)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert all(line.startswith(f"{path}:") for line in told)
    assert run(["check", str(path), "--json"]) == 2
    assert len(json.loads(capsys.readouterr().out)["faults"]) == 3


def test_a_protocol_is_shown_with_its_comments(capsys):
    assert run(["protocol", "show", "adp_a2afp"]) == 0
    assert capsys.readouterr().out.startswith("# ADP-A2AFP")


def test_evidence_is_listed_and_shown(capsys):
    assert run(["evidence", "list", "afp_half_life", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "afp_half_life"
    assert run(["evidence", "list", "afp_half_life"]) == 0
    assert run(["evidence", "show", "afp_half_life"]) == 0
    assert "source" in capsys.readouterr().out
    assert run(["evidence", "show", "afp_halflife"]) == 2
    assert "write afp_half_life" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["check"], ["--nonsense"], ["check", "nowhere.yaml"], ["nonsense"]])
def test_wrong_input_leaves_with_two(arguments):
    assert run(arguments) == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (SurroundingsError("the disk is full", "free some"), 1),
        (OSError(28, "no space left"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_faults_and_interrupts_leave_with_their_code(fault, code):
    @app.command("fail-for-test")
    def fail() -> None:
        raise fault

    try:
        assert run(["fail-for-test"]) == code
    finally:
        app.registered_commands.pop()
