"""`graftline evidence`: names are never cut, and a word that no card has is refused with near ones."""

import json

import pytest

from graftline.cli import run
from graftline.evidence import all_cards

LONGEST = max(all_cards(), key=len)


@pytest.mark.parametrize("columns", ["20", "80", "120", "250"])
def test_a_name_is_listed_whole_however_narrow_the_terminal(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    assert run(["evidence", "list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in all_cards())


@pytest.mark.parametrize("columns", ["20", "80", "120"])
def test_a_name_is_whole_in_a_real_terminal_too(columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run(["evidence", "list", LONGEST]) == 0
    assert LONGEST in capsys.readouterr().out


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_word_that_no_card_has_is_wrong_input(more, capsys):
    assert run(["evidence", "list", "zzzz", *more]) == 2
    told = capsys.readouterr()
    assert (
        told.err
        == "evidence: no card has the word 'zzzz' in its name or meaning; write another word, or none for every card\n"
    )
    assert told.out == ""


def test_near_words_are_named(capsys):
    assert run(["evidence", "list", "bilirubn"]) == 2
    assert "; write bilirubin or" in capsys.readouterr().err


def test_cards_are_listed_for_other_programs(capsys):
    assert run(["evidence", "list", LONGEST, "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == [LONGEST]
