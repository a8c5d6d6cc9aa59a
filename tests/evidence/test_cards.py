"""Evidence cards: the shipped ones load and keep their word; wrong ones are refused with their place."""

import pytest
from pydantic import ValidationError

from graftline.base.errors import InputError
from graftline.base.units import UnitError
from graftline.evidence import (
    Card,
    EvidenceError,
    Spread,
    SpreadKind,
    Sure,
    all_cards,
    card,
    describe,
    load_cards,
    read_cards,
)

GOOD = """
afp_half_life_here:
  value: 5
  unit: day
  meaning: half-life
  source: someone
  sure: A
"""


def a_card(**fields):
    return Card.model_validate(
        {"name": "x", "value": 5, "unit": "day", "meaning": "m", "source": "s", "sure": "A"} | fields
    )


def faults_of(folder, text, file="some.yaml"):
    (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        load_cards(folder)
    return [str(fault) for fault in refusal.value.faults]


def test_every_shipped_card_loads_and_has_a_source():
    cards = all_cards()
    assert len(cards) > 100
    assert all(name == one.name and one.source.strip() for name, one in cards.items())


def test_every_shipped_number_without_a_source_is_marked_as_placeholder():
    no_source = [one for one in all_cards().values() if one.source == "none found"]
    assert no_source
    assert all(one.is_placeholder for one in no_source)


def test_no_shipped_card_names_a_path_of_a_machine():
    assert not [one.name for one in all_cards().values() if "/work" in str(one.model_dump())]


def test_a_card_is_asked_for_by_name_and_gives_its_number_in_any_fitting_unit():
    assert card("afp_half_life").number == 5
    assert card("afp_half_life").to("hour") == 120
    with pytest.raises(UnitError, match="cannot be expressed in mg"):
        card("afp_half_life").to("mg")


def test_asking_for_a_card_that_does_not_exist_names_near_ones():
    with pytest.raises(EvidenceError, match=r"no evidence card 'afp_half_life_of_all'; near: afp_half_life"):
        card("afp_half_life_of_all")


@pytest.mark.parametrize("kind", [SpreadKind.IQR, SpreadKind.RANGE, SpreadKind.CI95])
def test_an_interval_needs_two_numbers_in_order_and_no_value(kind):
    assert Spread(kind=kind, low=1, high=2).high == 2
    for wrong in ({"value": 1}, {"low": 1}, {"low": 2, "high": 1}, {"low": 1, "high": 2, "value": 1}):
        with pytest.raises(ValidationError, match="needs low and high, in that order, and no value"):
            Spread(kind=kind, **wrong)


@pytest.mark.parametrize(
    "kind",
    [
        SpreadKind.SD,
        SpreadKind.CV,
        SpreadKind.VARIANCE,
        SpreadKind.LOG_SD,
        SpreadKind.LOG10_SD,
        SpreadKind.LOGIT_SD,
        SpreadKind.SE,
    ],
)
def test_a_deviation_needs_one_number_that_is_not_negative(kind):
    assert Spread(kind=kind, value=0.3).value == 0.3
    for wrong in ({}, {"value": -0.1}):
        with pytest.raises(ValidationError, match="needs one value that is not negative"):
            Spread(kind=kind, **wrong)


def test_no_spread_carries_no_number():
    with pytest.raises(ValidationError, match="carries no numbers"):
        Spread(kind=SpreadKind.NONE, value=1)


def test_every_kind_of_spread_is_spelled_out_for_the_reader():
    two = {SpreadKind.IQR, SpreadKind.RANGE, SpreadKind.CI95}
    for kind in set(SpreadKind) - {SpreadKind.NONE}:
        numbers = {"low": 1, "high": 2} if kind in two else {"value": 0.5}
        rows = dict(describe(a_card(spread={"kind": kind, **numbers})))
        assert any(character.isdigit() for character in rows["spread"])
    assert "spread" not in dict(describe(a_card()))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"sure": "A"}, False),
        ({"sure": "M"}, True),
        ({"sure": "S"}, True),
        ({"sure": "A", "placeholder": "another disease"}, True),
        ({"sure": "D"}, False),
    ],
)
def test_what_is_assumed_counts_as_placeholder(fields, expected):
    assert a_card(**fields).is_placeholder is expected
    assert ("placeholder" in dict(describe(a_card(**fields)))) is expected


def test_a_described_card_reads_in_order_with_units():
    rows = describe(
        a_card(value=[1, 2.5], n=7, bounds=[0, 9], note="see there", spread={"kind": "iqr", "low": 1, "high": 2})
    )
    assert rows == [
        ("name", "x"),
        ("meaning", "m"),
        ("value", "1, 2.5 day"),
        ("spread", "quartiles 1 to 2 day"),
        ("bounds", "0 to 9 day"),
        ("n", "7"),
        ("source", "s"),
        ("how sure", "A (read in the primary source)"),
        ("note", "see there"),
    ]
    assert ("value", "0.4") in describe(a_card(value=0.4, unit="1")), "no unit is printed where there is none"


def test_a_list_is_not_taken_for_a_number_nor_a_number_for_a_list():
    with pytest.raises(AssertionError, match="holds a list"):
        _ = a_card(value=[1, 2]).number
    with pytest.raises(AssertionError, match="holds a single number"):
        _ = a_card().numbers


def test_cards_of_a_folder_load(tmp_path):
    (tmp_path / "some.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "empty.yaml").write_text("# nothing yet\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no card", encoding="utf-8")
    assert list(load_cards(tmp_path)) == ["afp_half_life_here"]
    assert load_cards(tmp_path)["afp_half_life_here"].sure is Sure.PRIMARY


@pytest.mark.parametrize(
    ("old", "new", "place_and_finding"),
    [
        ("unit: day", "unit: dayz", "some.yaml:2 afp_half_life_here.unit: 'dayz' is not a known unit"),
        ("sure: A", "sure: Z", "some.yaml:2 afp_half_life_here.sure: Input should be 'A', 'B', 'C', 'M', 'S' or 'D'"),
        ("source: someone", "sauce: someone", "some.yaml:2 afp_half_life_here.source: Field required"),
        ("value: 5", "value: five", "some.yaml:2 afp_half_life_here.value.float: Input should be a valid number"),
        ("value: 5", "value: .nan", "some.yaml:2 afp_half_life_here: the value must be one finite number"),
        ("value: 5", "value: []", "some.yaml:2 afp_half_life_here: the value must be one finite number"),
        (
            "value: 5",
            "value: 5\n  bounds: [9, 1]",
            "some.yaml:2 afp_half_life_here: bounds need the smaller",
        ),
        (
            "source: someone",
            "source: ' '",
            "some.yaml:2 afp_half_life_here: a card needs a meaning and a sou",
        ),
    ],
)
def test_a_wrong_card_is_refused_with_its_place(tmp_path, old, new, place_and_finding):
    assert any(fault.startswith(place_and_finding) for fault in faults_of(tmp_path, GOOD.replace(old, new)))


def test_an_unknown_field_is_refused(tmp_path):
    faults = faults_of(tmp_path, GOOD + "  spred: 3\n")
    assert faults == [
        "some.yaml:2 afp_half_life_here.spred: Extra inputs are not permitted; mend the card",
    ]


def test_the_same_name_in_two_files_is_refused_with_the_second_place(tmp_path):
    (tmp_path / "first.yaml").write_text(GOOD, encoding="utf-8")
    faults = faults_of(tmp_path, "# a comment\n" + GOOD, file="second.yaml")
    assert faults == ["second.yaml:3 afp_half_life_here: the name stands twice; give each card its own name"]


def test_the_same_name_twice_in_one_file_is_refused(tmp_path):
    assert faults_of(tmp_path, GOOD + GOOD) == ["some.yaml:9: the name stands twice; give each card its own name"]


def test_a_file_that_is_no_yaml_is_refused_with_its_line(tmp_path):
    (fault,) = faults_of(tmp_path, GOOD + "broken: [1, 2\n")
    assert fault.startswith("some.yaml:9: no valid YAML (")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- 1\n- 2\n", "some.yaml:1: the file is no list of named cards; write 'name:' and its fields below"),
        ("\nx: 5\n", "some.yaml:2 x: 5 is no card; write value, unit, meaning, source and sure"),
    ],
)
def test_a_file_without_cards_is_refused(tmp_path, text, expected):
    assert faults_of(tmp_path, text) == [expected]


def test_all_faults_of_all_files_come_at_once(tmp_path):
    (tmp_path / "first.yaml").write_text(GOOD.replace("day", "dayz"), encoding="utf-8")
    faults = faults_of(tmp_path, GOOD.replace("_here", "_there").replace("sure: A", "sure: Z"), file="second.yaml")
    assert [fault.split(":")[0] for fault in faults] == ["first.yaml", "second.yaml"]


def test_the_cards_of_one_text_are_read_without_the_shipped_ones():
    assert list(read_cards(GOOD, "mine.yaml")) == ["afp_half_life_here"]
    with pytest.raises(InputError, match=r"mine.yaml:1 x: 5 is no card"):
        read_cards("x: 5", "mine.yaml")
