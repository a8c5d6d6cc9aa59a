"""Our exp, log and pow: errors over the whole range, special values, the same bits for any number of lanes."""

import ctypes
import math
from functools import cache

import mpmath as mp
import numpy as np
import pytest
from remez import minimax

from graftline.engine.compiling import elementary
from graftline.engine.compiling.assembly import declarations
from graftline.engine.compiling.elementary import EXP, LOG, POW
from graftline.engine.compiling.native import Library, compile_object

LANES = (1, 2, 4, 8)
SPECIAL = np.array(
    [0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 2.5, -2.5, 1e300, -1e300, 5e-324, -5e-324, 1e-300, 2.0**53, np.inf, -np.inf, np.nan,
     np.nextafter(1, 2), np.nextafter(1, 0), 1e16]
)  # fmt: skip

DRIVER = """
define void @run_{name}(ptr %in0, ptr %in1, ptr %out, i64 %n) {{
entry:
br label %each
each:
%k = phi i64 [0, %entry], [%next, %each]
{loads}
%r = call {kind} @{name}_{lanes}({arguments})
%q = getelementptr {kind}, ptr %out, i64 %k
store {kind} %r, ptr %q, align 8
%next = add i64 %k, 1
%more = icmp ult i64 %next, %n
br i1 %more, label %each, label %end
end:
ret void
}}
"""


def driver(name, count, lanes):
    kind = "double" if lanes == 1 else f"<{lanes} x double>"
    loads = "\n".join(
        f"%p{i} = getelementptr {kind}, ptr %in{i}, i64 %k\n%a{i} = load {kind}, ptr %p{i}, align 8"
        for i in range(count)
    )
    arguments = ", ".join(f"{kind} %a{i}" for i in range(count))
    return DRIVER.format(name=name, kind=kind, lanes=lanes, loads=loads, arguments=arguments)


@cache
def library(lanes):
    drivers = [driver(name, count, lanes) for name, count in ((EXP, 1), (LOG, 1), (POW, 2))]
    text = "\n".join([declarations(lanes), elementary.function_definitions(lanes), *drivers])
    return Library(compile_object(text), [f"run_{name}" for name in (EXP, LOG, POW)])


def call(name, x, y=None, lanes=8):
    x = np.ascontiguousarray(x, dtype=float)
    y = x if y is None else np.ascontiguousarray(y, dtype=float)
    out = np.empty_like(x)
    assert len(x) % lanes == 0
    run = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)(library(lanes).addresses[f"run_{name}"])
    run(x.ctypes.data, y.ctypes.data, out.ctypes.data, len(x) // lanes)
    return out


def units_in_the_last_place(found, exact):
    """The largest error; results beyond the range must be infinite or zero."""
    worst = mp.mpf(0)
    with mp.workprec(200):
        for value, true in zip(found.tolist(), exact, strict=True):
            nearest = float(true)
            if math.isinf(nearest) or (nearest == 0.0 and value == 0.0):
                assert value == nearest or abs(value) == 1.7976931348623157e308
                continue
            worst = max(worst, abs(mp.mpf(value) - true) / mp.mpf(math.ulp(nearest)))
    return float(worst)


def exactly(function, *columns):
    with mp.workprec(200):
        return [function(*map(mp.mpf, row)) for row in zip(*(column.tolist() for column in columns), strict=True)]


def any_doubles(rng, count):
    """Positive doubles of every exponent, those below the normal range too."""
    return rng.integers(1, 0x7FEFFFFFFFFFFFFF, count).view(np.float64)


def test_exp_is_right_to_the_last_place_over_its_whole_range():
    rng = np.random.default_rng(1)
    x = np.concatenate([
        rng.uniform(-745.2, 709.8, 2000), rng.normal(0, 1, 1000), rng.uniform(-750, -700, 500),
        math.log(2) / 2 * (2 * rng.integers(-1000, 1000, 492) + 1), rng.normal(0, 1e-9, 8),
    ])  # fmt: skip
    assert units_in_the_last_place(call(EXP, x), exactly(mp.exp, x)) < 0.9


def test_log_is_right_to_the_last_place_over_its_whole_range():
    rng = np.random.default_rng(2)
    x = np.concatenate(
        [any_doubles(rng, 2000), rng.uniform(0.5, 2, 1000), 1 + rng.normal(0, 1e-4, 500), rng.uniform(0.6, 0.7, 500)]
    )
    assert units_in_the_last_place(call(LOG, x), exactly(mp.log, x)) < 0.9


def test_pow_is_right_to_the_last_place_over_its_whole_range():
    rng = np.random.default_rng(3)
    x = np.concatenate([np.exp(rng.normal(0, 3, 1000)), rng.uniform(0.9, 1.1, 1000), any_doubles(rng, 1000)])
    y = np.concatenate([rng.normal(0, 5, 1000), rng.uniform(-7000, 7000, 1000), rng.uniform(-2, 2, 1000)])
    assert units_in_the_last_place(call(POW, x, y), exactly(lambda a, b: a**b, x, y)) < 0.95


@pytest.mark.parametrize("name", [EXP, LOG, POW])
def test_the_number_of_lanes_and_the_lane_change_no_bit(name):
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.integers(-(2**63), 2**63 - 1, 4096).view(np.float64), np.exp(rng.normal(0, 3, 4096))])
    y = rng.normal(0, 10, len(x))
    expected = call(name, x, y, lanes=1).view(np.int64)
    for lanes in LANES:
        assert np.array_equal(call(name, x, y, lanes=lanes).view(np.int64), expected)
        moved = np.roll(call(name, np.roll(x, 1), np.roll(y, 1), lanes=lanes), -1)
        assert np.array_equal(moved.view(np.int64), expected)


def close(value, expected):
    if math.isnan(expected):
        return math.isnan(value)
    same_sign = math.copysign(1, value) == math.copysign(1, expected)
    return same_sign and (value == expected or abs(value - expected) <= math.ulp(expected))


def power_of_c99(x, y):
    """Python's pow follows C99 except that it raises."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:
        return (math.copysign(math.inf, x) if y % 2 == 1 else math.inf) if x == 0 else math.nan


def test_special_values_are_those_of_c99():
    x, y = (grid.ravel() for grid in np.meshgrid(SPECIAL, SPECIAL))
    for a, b, value in zip(x.tolist(), y.tolist(), call(POW, x, y).tolist(), strict=True):
        assert close(value, power_of_c99(a, b)), (a, b, value)
    logs = {0.0: -math.inf, math.inf: math.inf, 1.0: 0.0}
    for a, value, power in zip(SPECIAL.tolist(), call(LOG, SPECIAL).tolist(), call(EXP, SPECIAL).tolist(), strict=True):
        if a in logs or not a > 0:
            assert close(value, logs.get(a, math.nan)), a
        assert close(power, math.exp(a) if a < 700 else a if math.isnan(a) else math.inf), a


LN2 = mp.log(2)
POLYNOMIALS = {
    "EXP_TAIL": (lambda r: (mp.expm1(r) - r) / r**2, lambda r: r**2 / mp.exp(r), -LN2 / 2 * (1 + 2**-20), LN2 / 2 * (1 + 2**-20), -64),
    "ATANH_TAIL": (
        lambda z: (mp.atanh(mp.sqrt(z)) / mp.sqrt(z) - 1 - z / 3) / z**2 * 2, lambda z: z**2 / 2, mp.mpf(10) ** -9,
        ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2, -73,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_the_coefficients_are_the_best_and_as_good_as_the_text_says(name):
    function, weight, low, high, bits = POLYNOMIALS[name]
    own = getattr(elementary, name)
    coefficients, error = minimax(function, weight, low, high, len(own))
    assert error < mp.mpf(2) ** bits
    assert np.allclose([float(one) for one in coefficients], own, rtol=1e-9)
