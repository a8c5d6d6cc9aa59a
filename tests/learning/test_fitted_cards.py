"""The cards: named after their data, read by the loader, and those that are shipped are what the command fits."""

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from visit_tables import REAL, made, visits_of

from graftline.cli import run
from graftline.evidence import SpreadKind, Sure, all_cards, load_cards
from graftline.learning import COLUMNS, cards_as_yaml, dataset_of, fit_all, natural_history_cards
from graftline.statistics import NoMaximumError


@pytest.fixture(scope="module")
def fits(real):
    return fit_all(real)


@pytest.mark.long
def test_the_shipped_cards_are_what_is_fitted(fits):
    """Number for number: other machines may round the third digit the other way, no more."""
    fresh = {card.name: card for card in natural_history_cards(fits, dataset_of(REAL))}
    shipped = {name: card for name, card in all_cards().items() if name.startswith("natural_")}
    assert set(fresh) == set(shipped)
    for name, card in fresh.items():
        ours = shipped[name]
        assert card.number == pytest.approx(ours.number, rel=0.011), name
        for end in ("value", "low", "high"):
            now, then = getattr(card.spread, end), getattr(ours.spread, end)
            assert (now is None) == (then is None) and (now is None or now == pytest.approx(then, rel=0.011)), name
        assert (card.unit, card.meaning, card.source, card.n) == (ours.unit, ours.meaning, ours.source, ours.n)


@pytest.mark.long
def test_the_text_is_read_back_as_the_same_cards(fits, tmp_path):
    cards = natural_history_cards(fits, dataset_of(REAL))
    (tmp_path / "fitted.yaml").write_text(cards_as_yaml(cards), encoding="utf-8")
    assert tuple(load_cards(tmp_path).values()) == cards


def test_every_shipped_card_names_its_data_and_keeps_the_caveats():
    cards = [card for name, card in all_cards().items() if name.startswith("natural_")]
    assert len(cards) == 23
    for card in cards:
        assert "DTSDHCC" in card.source and card.sure is Sure.DERIVED and card.spread.kind is not SpreadKind.NONE
        for word in ("Guangzhou", "intermediate stage", "chemo-embolised", "imputed", "121 000", "shapes, not levels"):
            assert word in card.note


def test_the_twin_keeps_its_own_numbers():
    shipped = {name for name in all_cards() if name.startswith("natural_")}
    code = [
        file.read_text("utf-8")
        for folder in ("twin", "trial", "journey", "assessment", "population", "screening")
        for file in files("graftline").joinpath(folder).iterdir()
        if file.name.endswith((".py", ".ant"))
    ]
    assert not [name for name in shipped if any(name in text for text in code)]


def test_another_table_is_named_by_its_file_not_as_the_guangzhou_cohort(tmp_path):
    other = tmp_path / "ours.csv"
    other.write_text("subject\n", encoding="utf-8")
    assert dataset_of(other).name == "ours.csv"
    assert "Guangzhou" not in dataset_of(other).caveat


@pytest.mark.long
def test_the_command_writes_cards_numbers_and_figures(tmp_path, capsys):
    if not REAL.is_file():
        pytest.skip("../shared/data/hcc_natural_history.csv is not at hand")
    out = tmp_path / "out"
    assert run(["calibrate", "natural-history", str(REAL), "--out", str(out), "--replicates", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert all(one["values"] for one in told["sensitivities"]) and len(told["sensitivities"]) == 7
    assert told == json.loads((out / "summary.json").read_text("utf-8"))
    assert {one["name"] for one in told["fitted"]} == {name for name in all_cards() if name.startswith("natural_")}
    assert sorted(file.name for file in out.iterdir()) == [
        "natural_history.yaml",
        "natural_history_afp.svg",
        "natural_history_diameter.svg",
        "natural_history_survival.svg",
        "summary.json",
    ]
    again = tmp_path / "again"
    assert run(["calibrate", "natural-history", str(REAL), "--out", str(again), "--replicates", "3"]) == 0
    for name in ("natural_history_afp.svg", "natural_history_survival.svg", "natural_history.yaml"):
        assert (again / name).read_bytes() == (out / name).read_bytes()


def test_faults_of_the_table_and_the_options_are_told(tmp_path, capsys):
    assert run(["calibrate", "natural-history", str(tmp_path / "none.csv"), "--out", str(tmp_path / "out")]) == 2
    assert "no such file" in capsys.readouterr().err
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("subject,day\n1,0\n", encoding="utf-8")
    assert run(["calibrate", "natural-history", str(wrong), "--out", str(tmp_path / "out")]) == 2
    assert "wrong.csv:1 afp_ng_per_ml: the column is missing" in capsys.readouterr().err
    assert run(["calibrate", "natural-history", str(wrong), "--out", str(wrong)]) == 2
    assert "is a file, no folder" in capsys.readouterr().err
    assert run(["calibrate", "natural-history", str(wrong), "--out", str(tmp_path), "--replicates", "0"]) == 2
    assert not (tmp_path / "out").exists()


def test_a_table_that_tells_too_little_ends_with_a_fault_and_no_number(tmp_path, capsys):
    rows = [
        f"{patient},{day},60,1,60,0,0,0,0,5,200,0,0,0,0,{400 - day}" for patient in range(30) for day in (0, 60, 120)
    ]
    dull = tmp_path / "dull.csv"
    dull.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
    assert run(["calibrate", "natural-history", str(dull), "--out", str(tmp_path / "out")]) == 2
    assert "dull.csv: tells too little (half-life of AFP: no resection" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_fit_that_fails_is_named():
    subject, day = visits_of(30, 3)
    calm = made(subject, day)
    resected = np.tile([True, False, False], 30)
    afp = np.where(np.tile([0, 1, 2], 30) == 0, 1000.0, 100.0)
    gone = np.where(np.tile([0, 1, 2], 30) == 0, 60.0, 0.0)
    history = replace(calm, resection=resected, afp=afp, diameter=gone)
    with pytest.raises(NoMaximumError, match="growth: no maximum: there is nobody"):
        fit_all(history)
