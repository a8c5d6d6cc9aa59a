"""A protocol that brings a model of its own: what is read, what counts in the digest, what is refused and where."""

import pytest

from graftline.base.errors import InputError
from graftline.base.units import UnitError
from graftline.protocol import load_protocol, shipped_text

SECOND_LEVEL = "{name: low, target: 1e7 cells, lowest: 1e6 cells, highest: 1e8 cells}"
NAME = "tisagenlecleucel_all"
PROTOCOL = shipped_text(NAME).decode()

MODEL = """
model mine()
  unit time_unit = 86400 second
  unit per_day = 1 / (86400 second)
  unit cells = 1 item
  unit cells_per_uL = 1e6 item / litre
  unit per_litre = 1 / litre
  # Cells grow and are counted
  E' = grow * E
  count := E / blood
  E = 0
  E has cells; grow has per_day; count has cells_per_litre; blood has litre
  unit cells_per_litre = item / litre
end
"""
CARDS = """
grow: {value: 0.1, unit: 1/week, meaning: growth, source: made up, sure: S}
blood: {value: 3, unit: L, meaning: blood, source: made up, sure: S}
"""
CHAPTER = """model:
  own:
    text: mine.ant
    cards: mine_cards.yaml
    receives: {cells: E}
    roles: {infused_cells: count}
"""


def beginning(chapter=CHAPTER):
    """The shipped protocol with another model chapter, up to the next chapter."""
    start, end = PROTOCOL.index("model:\n"), PROTOCOL.index("# 25 centres")
    return PROTOCOL[:start] + chapter + PROTOCOL[end:]


def written(folder, chapter=CHAPTER, model=MODEL, cards=CARDS):
    """A protocol that assesses nothing but the cells themselves, with its files beside it."""
    text = beginning(chapter)
    for line in text.splitlines():
        if line.startswith(("  - {name: laboratory", "  - {name: cytokines")):
            text = text.replace(line + "\n", "")
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    (folder / "mine.ant").write_text(model, encoding="utf-8")
    (folder / "mine_cards.yaml").write_text(cards, encoding="utf-8")
    return folder / "mine.yaml"


def faults_of(path):
    with pytest.raises(InputError) as refusal:
        load_protocol(path)
    return [str(fault) for fault in refusal.value.faults]


def test_the_shipped_protocol_of_another_disease_has_no_faults_and_marks_what_it_assumes():
    file = load_protocol(NAME)
    assert file.model_text is not None
    assert len(file.model_text.model.states) == 25
    assert set(file.model_text.model.needed) == set(file.model_text.cards)
    assert len(file.placeholders) > 20
    assert any(one.is_placeholder for one in file.model_text.cards.values())


def test_the_reference_trial_brings_no_model_and_keeps_its_digest():
    file = load_protocol("adp_a2afp")
    assert file.model_text is None
    assert file.digest == "fac8bc444fadf3d00326c943cb58dac0408eba339b5e44bec70091b2515eb1d5"


def test_units_of_a_text_are_converted_whatever_they_are_called(tmp_path):
    assert not [fault for fault in faults_of(written(tmp_path)) if "does not fit" in fault]
    text = load_protocol(NAME).model_text
    assert text.in_text("egfr", "mL/min") == pytest.approx(1.44)
    assert text.in_text("F", "mg") == pytest.approx(1)
    assert text.in_text("G", "cell") == pytest.approx(1e-9)
    assert text.in_text("gen", "1/ug") == pytest.approx(1)
    with pytest.raises(UnitError, match="kg does not fit the unit that the text declares for egfr"):
        text.in_text("egfr", "kg")


def test_what_the_text_cannot_tell_is_refused_where_it_is_assessed(tmp_path):
    faults = faults_of(written(tmp_path))
    found = "\n".join(faults)
    assert "marrow needs marrow_blasts, which no quantity of mine.ant is" in found
    assert "crs needs il6, which no quantity of mine.ant is" in found
    assert "overall_survival needs death_hazard, which no quantity of mine.ant is" in found
    assert all(fault.startswith(str(tmp_path / "mine.yaml") + ":") for fault in faults)
    assert "write under model.own.roles 'il6: ...', or take crs out" in found


@pytest.mark.parametrize(
    ("chapter", "model", "cards", "found"),
    [
        (CHAPTER.replace("mine.ant", "other.ant"), MODEL, CARDS, "there is no file 'other.ant' beside the protocol"),
        (CHAPTER.replace("mine.ant", "../mine.ant"), MODEL, CARDS, "write a file name without folder"),
        (CHAPTER, MODEL.replace("grow * E", "grow * "), CARDS, "mine.ant"),
        (CHAPTER, MODEL.replace("grow * E", "E"), CARDS, "equation of E'"),
        (CHAPTER, MODEL, CARDS.replace("grow:", "shrink:"), "grow of the model text has no number"),
        (CHAPTER, MODEL, CARDS.replace("grow:", "shrink:"), "the model text has no parameter 'shrink'"),
        (CHAPTER, MODEL, CARDS.replace("1/week", "kg"), "kg does not fit the unit that the text declares for grow"),
        (CHAPTER, MODEL, CARDS.replace("value: 3", "value: [3, 4]"), "the card of blood holds a list"),
        (CHAPTER, MODEL, " ", "the file 'mine_cards.yaml' is empty"),
        (CHAPTER, MODEL, "grow: 1", "1 is no card"),
        (CHAPTER.replace("cells: E", "cells: count"), MODEL, CARDS, "'count' is no state of the model text; write one of E"),
        (CHAPTER.replace("{cells: E}", "{cells: E, fludarabine: E}"), MODEL, CARDS, "mg does not fit"),
        (CHAPTER.replace("infused_cells: count", "blood_cells: count"), MODEL, CARDS, "there is no role 'blood_cells'"),
        (CHAPTER.replace(": count", ": number"), MODEL, CARDS, "'number' is no state and no observable"),
        (CHAPTER.replace("infused_cells", "il6"), MODEL, CARDS, "pg/mL does not fit"),
        (CHAPTER + "    evidence: {grow: twin_no}\n", MODEL, CARDS, "grow has a card of its own"),
        (CHAPTER + "    evidence: {grow: twin_no}\n", MODEL, CARDS, "no evidence card 'twin_no'"),
        (CHAPTER + "    patient: {blood: volume}\n", MODEL, CARDS, "nobody can measure 'volume'"),
        (CHAPTER + "    patient: {blood: weight}\n", MODEL, CARDS, "kg does not fit"),
        (CHAPTER + "    patient: {vessel: weight}\n", MODEL, CARDS, "the model text has no parameter 'vessel'"),
        (CHAPTER + "    dies_out: [{states: [F], below: 1 cells}]\n", MODEL, CARDS, "'F' is no state"),
        (CHAPTER + "  twin: tcrt_core\n", MODEL, CARDS, "the protocol brings a model of its own; take twin or own out"),
        ("model: {}\n", MODEL, CARDS, "'twin' is missing"),
    ],
)  # fmt: skip
def test_a_wrong_model_is_refused_by_name(tmp_path, chapter, model, cards, found):
    assert any(found in fault for fault in faults_of(written(tmp_path, chapter, model, cards)))


def changed(tmp_path, old, new):
    assert old in PROTOCOL
    path = tmp_path / "changed.yaml"
    path.write_text(PROTOCOL.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("kind: CAR", "kind: TCR", "receptor.peptide: 'peptide' is missing"),
        ("target: CD19", "target: CD19\n  peptide: FMNKFIYEI", "a CAR sees CD19 without HLA"),
        ("model:\n", "hla: {required_group: A*02:01 P group, required_alleles: ['A*02:01']}\nmodel:\n", "without HLA"),
        ("lowest: 0.2e6 cells/kg", "lowest: 4e6 cells/kg", "lowest 4e+06 cells/kg, target 3.1e+06 cells/kg"),
        ("relapse_at: 5 percent", "relapse_at: 2 percent", "remission below 5 percent, relapse at 2 percent"),
        ("criteria: marrow remission", "criteria: RECIST 1.1", "RECIST 1.1 knows no remission"),
        ("name: marrow, days", "name: imaging, days", "a model of one's own shows nothing for 'imaging'"),
        ("name: marrow, days", "name: vital_status, days", "there is no marrow"),
        ("  levels:\n", f"  levels:\n    - {SECOND_LEVEL}\n", "2 dose levels, and no escalation that climbs them"),
        ("time_zero: first_response", "time_zero: first_response, within: 3 months", "'within' belongs to"),
    ],
)
def test_a_slip_in_a_trial_of_another_disease_is_told(tmp_path, old, new, found):
    assert any(found in fault for fault in faults_of(changed(tmp_path, old, new)))


def test_the_files_beside_a_protocol_come_before_the_shipped_ones_and_count_in_the_digest(tmp_path):
    path = changed(tmp_path, "graftline: graftline-protocol/1", "graftline: graftline-protocol/1")
    shipped = load_protocol(path)
    assert shipped.digest == load_protocol(NAME).digest
    cards = (tmp_path / "tisagenlecleucel_all.yaml").write_text
    text = shipped.model_text.texts[1]
    cards(text.replace("value: 0.033", "value: 0.05", 1), encoding="utf-8")
    own = load_protocol(path)
    assert own.digest != shipped.digest
    assert own.model_text.cards["KK"].number == 0.05


def test_an_amendment_does_not_change_a_model_of_ones_own(tmp_path):
    amendment = """
amendments:
  - id: other_model
    date: 2016-01-01
    summary: another role
    approval_lag: 30 days
    changes:
      model.own.roles.il6: E
"""
    path = changed(tmp_path, "comparators: [no_cells]\n", "comparators: [no_cells]\n" + amendment)
    assert any("an amendment changes a model of one's own" in fault for fault in faults_of(path))
