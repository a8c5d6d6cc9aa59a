"""Units of equations: declared units only, every equation by its name."""

import pytest

from graftline.base.errors import InputError
from graftline.engine import check_units, declared_units, load_antimony

UNITS = """
unit time_unit = 86400 second; unit day = 86400 second; unit per_day = 1 / (86400 second)
unit mg = 1e-3 gram; unit mg_per_L = 1e-3 gram / litre; unit mg_per_L_per_day = 1e-3 gram / (litre * 86400 second)
unit ug_per_mL = 1e-6 gram / (1e-3 litre); unit mL = 1e-3 litre
x has mg_per_L; k has per_day; c has mg_per_L; d has day; n has dimensionless; v has mL; z has litre
x = 1; k = 1; c = 1; d = 1; n = 1; v = 1; z = 1
"""

RIGHT = [
    "x' = -k * x",
    "x' = k * c * exp(-k * time)",
    "x' = k * c * (x / c)^n",
    "x' = c / d",
    "x' = piecewise(k * x, x > c, 0 * k * x)",
    "y := x * x / c; y has mg_per_L; x' = k * y",
    "y := (x / c)^2; y has dimensionless; x' = k * c * y",
    "y := x^2; y has mg2; unit mg2 = (1e-3 gram)^2 / litre^2; x' = k * y / c",
    "y := x; y has ug_per_mL; x' = k * y",
    "y := max(x, c) - min(x, c) + abs(x); y has mg_per_L; x' = -k * y",
    "y := ln(x / c) + sin(k * time); y has dimensionless; x' = k * c * y",
    "x' = -k * x; at (time > d): x = x + c",
    "x' = -k * x; x = 2 * c",
]
WRONG = [
    ("x' = -x", "equation of x': is mg_per_L, but should be mg_per_L_per_day"),
    ("x' = k * x + c", "equation of x': joins"),
    ("x' = k * x * exp(x)", "equation of x': exp(x) needs a pure number, x is mg_per_L"),
    ("x' = k * c * n^x", "equation of x': has an exponent with a unit"),
    ("x' = k * x^n", "equation of x': raises x (mg_per_L) to a power that is no plain number"),
    ("x' = piecewise(k * x, x > k, 0 * k * x)", "equation of x': joins x (mg_per_L) with k (per_day)"),
    ("x' = k * w; w = 1", "equation of x': w has no declared unit"),
    ("y := v / z; y has dimensionless; x' = k * c * y", "equation of y: is 0.001, but should be a pure number"),
    ("y := v + z; y has litre; x' = k * c", "equation of y: joins v (mL) with z (litre)"),
    ("x' = -k * x; x = 2 * k", "start of x: is per_day, but should be mg_per_L"),
    ("e1: at (time > d): x = k; x' = -k * x", "event e1, new value of x: is per_day, but should be mg_per_L"),
    ("x' = 1", "equation of x': is a pure number"),
]


@pytest.mark.parametrize("equation", RIGHT)
def test_equations_of_one_unit_pass(equation):
    check_units(load_antimony(UNITS + equation, "m"))


@pytest.mark.parametrize(("equation", "told"), WRONG)
def test_equations_of_two_units_are_told_by_name(equation, told):
    with pytest.raises(InputError) as caught:
        check_units(load_antimony(UNITS + equation, "m"))
    assert f"m {told}" in str(caught.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as caught:
        check_units(load_antimony(UNITS + "x' = -x; y := x + k; y has per_day", "m"))
    assert "equation of x'" in str(caught.value) and "equation of y" in str(caught.value)


def test_rates_of_reactions_need_a_unit_of_extent():
    text = UNITS.replace("x has mg_per_L;", "").replace("x = 1;", "") + "J: -> s; k * q; q = 1; q has mg"
    with pytest.raises(InputError, match="rate of J: the model declares no unit of extent"):
        check_units(load_antimony(text, "m"))
    extent = text + "; unit extent = 1e-3 gram"
    check_units(load_antimony(extent, "m"))
    with pytest.raises(InputError, match="rate of J: is mg, but should be"):
        check_units(load_antimony(extent.replace("k * q", "q"), "m"))


def test_declared_units_are_told_in_base_units_whatever_the_text_calls_them():
    text = """
    unit mine = 1e9 item / litre
    a = 1; a has mine
    b = 1; b has dimensionless
    c = 1
    """
    units = declared_units(load_antimony(text, "t"))
    assert units["a"].base == "item^1*metre^-3"
    assert units["a"].factor == pytest.approx(1e12)
    assert (units["b"].factor, units["b"].base) == (1, "1")
    assert "c" not in units
