"""Quantities: what can be read, how it converts, and what each refusal says."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graftline.base.units import Quantity, UnitError, is_unit, parse_quantity, same_dimension

CONVERTIBLE = [
    ("ng/mL", "mg/L"),
    ("umol/L", "mmol/L"),
    ("mg/m^2/day", "g/m^2/week"),
    ("cells/uL", "cells/nL"),
    ("percent", "1"),
    ("day", "hour"),
    ("U/L", "U/mL"),
    ("cm^3", "mL"),
    ("copies/ug", "copies/ng"),
    ("kg", "mg"),
]


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("400 ng/mL", "ug/L", 400),
        ("5e9 cells", "cell", 5e9),
        ("500 mg/m^2/day", "g/m^2/day", 0.5),
        ("20 %", "1", 0.2),
        ("17 µmol/L", "mmol/L", 0.017),
        ("4 weeks", "days", 28),
        ("3 patients", "people", 3),
        ("0.5 1", "1", 0.5),
        ("-3 days", "day", -3),
        ("38 degC", "kelvin", 311.15),
    ],
)
def test_quantities_of_protocol_files_are_read(text, unit, value):
    assert parse_quantity(text, unit).to(unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "fits", "message"),
    [
        ("", "mg", "'' is no quantity; write a number and a unit, for example '5 mg'"),
        (True, "1", "True is no quantity; write a number and a unit, for example '0.5 1'"),
        (None, "mg", "None does not begin with a number; write a number and a unit, for example '5 mg'"),
        ("high", "ng/mL", "'high' does not begin with a number; write a number and a unit, for example '5 ng/mL'"),
        ("inf mg", "mg", "'inf mg' is not a finite number; write a number and a unit, for example '5 mg'"),
        ("nan mg", "mg", "'nan mg' is not a finite number; write a number and a unit, for example '5 mg'"),
        ("5e9", "cells", "'5e9' has no unit; write a number and a unit, for example '5 cells'"),
        (400, "ng/mL", "400 has no unit; write a number and a unit, for example '5 ng/mL'"),
        ("5 zells", "cells", "'zells' is not a known unit; write a number and a unit, for example '5 cells'"),
        ("5 mg/", "mg", "'mg/' is not a known unit; write a number and a unit, for example '5 mg'"),
        ("5 (mg", "mg", "'(mg' is not a known unit; write a number and a unit, for example '5 mg'"),
        ("5 mg/0", "mg", "'mg/0' is not a known unit; write a number and a unit, for example '5 mg'"),
        ("5 mL", "mg", "'5 mL' is not a quantity in mg; write a number and a unit, for example '5 mg'"),
        (
            "5 cells",
            "copies",
            "'5 cells' is not a quantity in copies; write a number and a unit, for example '5 copies'",
        ),
    ],
)
def test_each_refusal_says_what_was_found_and_what_to_write(text, fits, message):
    with pytest.raises(UnitError) as refusal:
        parse_quantity(text, fits)
    assert str(refusal.value) == message


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789.eE+-*/^()[]{}'\"# %µmgLcelsdayU_,:;=\t\n", max_size=14))
@example("5 (mg")
@example("5 mg/0")
@example("5 mg^99999999")
@example("5 u^0")
def test_no_text_whatever_gives_anything_but_a_quantity_or_a_unit_error(text):
    try:
        quantity = parse_quantity(text, "mg")
    except UnitError:
        return
    assert same_dimension(quantity.unit, "mg")


@settings(deadline=None)
@given(st.sampled_from(CONVERTIBLE), st.floats(-1e12, 1e12))
def test_a_quantity_comes_back_from_another_unit(units, value):
    unit, other = units
    there = Quantity(Quantity(value, unit).to(other), other)
    assert there.to(unit) == pytest.approx(value, rel=1e-12, abs=1e-300)


@settings(deadline=None)
@given(st.sampled_from(CONVERTIBLE), st.floats(-1e12, 1e12))
def test_a_printed_quantity_reads_as_itself(units, value):
    printed = str(Quantity(value, units[0]))
    assert parse_quantity(printed, units[1]).to(units[0]) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("text", "fits", "message"),
    [
        ("0,6e9 cells", "cells", "'0,6e9 cells' has a comma in its number; write '0.6e9 cells'"),
        ("30days", "days", "'30days' has no space between number and unit; write '30 days'"),
        ("20%", "percent", "'20%' has no space between number and unit; write '20 %'"),
        (".nan days", "days", "'.nan days' is not a finite number; write a number and a unit, for example '5 days'"),
        ("-.inf days", "days", "'-.inf days' is not a finite number; write a number and a unit, for example '5 days'"),
        ("0.6 x 10^9 cells", "cells", "'x 10^9 cells' is not a known unit; write '0.6e9 cells'"),
        ("0,6×10⁹ cells", "cells", "'0,6×10⁹ cells' has a comma in its number; write '0.6e9 cells'"),
        ("75 x10^9/L", "cells/nL", "'x10^9/L' is not a known unit; write '75e9 cells/L'"),
        ("500 mg/m2/day", "mg/m^2/day", "'mg/m2/day' is not a known unit; write '500 mg/m^2/day'"),
        ("75000 /mm^3", "cells/uL", "'/mm^3' is not a known unit; write '75000 cells/uL'"),
        ("75000/mm3", "cells/uL", "'75000/mm3' has no space between number and unit; write '75000 cells/uL'"),
        ("5 Days", "days", "'Days' is not a known unit; write '5 days'"),
    ],
)
def test_a_known_slip_of_spelling_is_refused_with_the_right_spelling(text, fits, message):
    with pytest.raises(UnitError) as refusal:
        parse_quantity(text, fits)
    assert str(refusal.value) == message
    respelled = message.split("write ")[1].strip("'")
    if "for example" not in message:
        parse_quantity(respelled, fits)


@pytest.mark.parametrize(
    "text", ["1,000 cells", "12,500 cells", "0.6 x 100 cells", "6e3 x 10^6 cells", "0.6 x 10E9 cells"]
)
def test_what_may_mean_two_numbers_is_not_decided_on(text):
    with pytest.raises(UnitError, match=r"for example '5 cells'$"):
        parse_quantity(text, "cells")


@settings(deadline=None)
@given(st.integers(1, 10**9).map(lambda one: f"{one / 1000:.3f}"), st.sampled_from(["days", "mg/m^2/day", "cells"]))
def test_a_missing_space_or_a_decimal_comma_never_changes_the_number(number, unit):
    right = parse_quantity(f"{number} {unit}", unit)
    for wrong in (f"{number}{unit}", f"{number} {unit}".replace(".", ",", 1)):
        with pytest.raises(UnitError) as refusal:
            parse_quantity(wrong, unit)
        remedy = re.search(r"write '(.+)'$", str(refusal.value))
        if remedy and "for example" not in str(refusal.value):
            assert parse_quantity(remedy[1], unit) == right


@pytest.mark.parametrize("_again", range(2))
def test_what_was_read_before_never_stands_in_for_what_only_compares_equal(_again):
    for text, told in ((1, "1 has no"), (1.0, "1.0 has no"), ("1", "'1' has no"), (True, "True is no quantity")):
        with pytest.raises(UnitError, match=f"^{told}"):
            parse_quantity(text, "1")
    assert parse_quantity("1 day", "hours") == parse_quantity("1 day", "weeks") == Quantity(1.0, "day")
    with pytest.raises(UnitError, match="not a quantity in mg"):
        parse_quantity("1 day", "mg")


def test_the_own_unit_changes_no_bit():
    assert Quantity(0.1 + 0.2, "mg").to("mg") == 0.1 + 0.2


def test_dimensions_are_told_apart():
    assert same_dimension("ng/mL", "mg/L") and not same_dimension("ng", "ng/mL")
    assert not same_dimension("cells", "copies"), "counted things of different kinds never mix"
    with pytest.raises(UnitError, match="5 mg cannot be expressed in day"):
        Quantity(5, "mg").to("day")


@pytest.mark.parametrize("text", ["1", "%", "mg/m^2/day", "cells/uL", "1/day", "µg"])
def test_units_of_the_field_are_known(text):
    assert is_unit(text)


@pytest.mark.parametrize("text", ["", "zells", "1e9 cells/L", "mg/", "(mg", "mg/0", "def", "2*mg"])
def test_what_is_no_unit_is_refused(text):
    assert not is_unit(text)
