"""exp, log and pow for several lanes at once, of our own: the same bits on every machine and in every lane.

Only additions, multiplications, fused multiply-adds, one division (log, pow) and operations on bits. The polynomials
are minimax ones found by the exchange algorithm of Remez (`tests/engine/compiling/test_elementary.py` finds them anew).
Errors stay below 1 unit in the last place over the whole range; special values are those of C99.
"""

from __future__ import annotations

from collections.abc import Sequence

from .assembly import Assembly

EXP, LOG, POW = "graftline_exp", "graftline_log", "graftline_pow"

LN2, LN2_LOW = 0.6931471805599453, 2.3190468138462996e-17
LN2_SHORT, LN2_REST = 0.6931471805598903, 5.497923018708371e-14
"""the first 42 bits of ln 2, so that a product with an exponent is exact, and the rest"""
LOG2_E = 1.4426950408889634
TWO_THIRDS, TWO_THIRDS_LOW = 0.6666666666666666, 3.700743415417188e-17
_MAGIC = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest whole number in the lowest bits

EXP_TAIL = (
    0.5, 0.16666666666666682, 0.041666666666666095, 0.008333333333317048, 0.0013888888889115494, 0.00019841269896349794,
    2.4801586926778163e-05, 2.7557234896484144e-06, 2.7557581805112903e-07, 2.511202459088929e-08,
    2.082661929465794e-09,
)  # fmt: skip
"""(exp(r) - 1 - r) / r^2 for |r| up to ln(2) / 2; relative error of exp 2^-64"""
ATANH_TAIL = (
    0.3999999999999998, 0.285714285714451, 0.2222222221753944, 0.1818181886995043, 0.1538455689582483,
    0.1333631646404704, 0.11674837897876612, 0.11988851575554346,
)  # fmt: skip
"""2 (atanh(s) / s - 1 - z / 3) / z^2 with z = s^2, for s up to (sqrt 2 - 1) / (sqrt 2 + 1); relative error 2^-73"""


def function_definitions(lanes: int) -> str:
    """LLVM text of the three functions for a number of lanes; their names end in it."""
    return "\n".join([_exp(lanes), _log(lanes), _pow(lanes)])


def _function(name: str, code: Assembly, arguments: Sequence[str], result: str, attributes: str) -> str:
    body = "\n".join(code.lines)
    signature = ", ".join(f"{code.type} {one}" for one in arguments)
    head = f"define internal {code.type} @{name}_{code.lanes}({signature}) {attributes}"
    return f"{head} {{\n{body}\nret {code.type} {result}\n}}"


def _polynomial(code: Assembly, x: str, coefficients: Sequence[float]) -> str:
    """Estrin's scheme: pairs, then pairs of pairs with x^2, x^4, …; the chains are short."""
    terms, power = [code.number(one) for one in coefficients], x
    while len(terms) > 1:
        pairs = [code.fma(terms[i + 1], power, terms[i]) for i in range(0, len(terms) - 1, 2)]
        terms = [*pairs, *terms[len(pairs) * 2 :]]
        if len(terms) > 1:
            power = code.mul(power, power)
    return terms[0]


def _nearest(code: Assembly, x: str) -> tuple[str, str]:
    """The nearest whole number, as a double and as bits."""
    shifted = code.add(x, code.number(_MAGIC))
    whole = code.on_bits("sub", code.bits(shifted), code.bits(code.number(_MAGIC)))
    return code.sub(shifted, code.number(_MAGIC)), whole


def _scaled(code: Assembly, x: str, exponent: str) -> str:
    """x * 2^exponent in two products, so that results below the normal range are rounded once."""
    half = code.on_bits("ashr", exponent, code.whole(1))
    for part in (half, code.on_bits("sub", exponent, half)):
        bits = code.on_bits("shl", code.on_bits("add", part, code.whole(1023)), code.whole(52))
        x = code.mul(x, code.from_bits(bits))
    return x


def _exp_of(code: Assembly, x: str, low: str | None) -> str:
    """exp(x + low), low small against x."""
    x = code.select(code.compare("lt", x, code.number(-746.0)), code.number(-746.0), x)
    x = code.select(code.compare("lt", code.number(710.0), x), code.number(710.0), x)
    n, exponent = _nearest(code, code.mul(x, code.number(LOG2_E)))
    minus_n = code.neg(n)
    first = code.fma(minus_n, code.number(LN2), x)
    rest = code.mul(minus_n, code.number(LN2_LOW)) if low is None else code.fma(minus_n, code.number(LN2_LOW), low)
    r = code.add(first, rest)
    lost = code.add(code.sub(first, r), rest)
    tail = _polynomial(code, r, EXP_TAIL)
    value = code.add(code.number(1.0), code.add(r, code.fma(code.mul(r, r), tail, lost)))
    return _scaled(code, value, exponent)


def _exp(lanes: int) -> str:
    code = Assembly(lanes)
    return _function(EXP, code, ["%x"], _exp_of(code, "%x", None), "alwaysinline")


def _split(code: Assembly, x: str, lowest: float) -> tuple[str, str]:
    """x = m * 2^k with m from `lowest` to twice that; k as a double. Also for x below the normal range."""
    tiny = code.compare("lt", x, code.number(2.0**-1022))
    x = code.select(tiny, code.mul(x, code.number(2.0**54)), x)
    bits = code.bits(x)
    k = code.on_bits("ashr", code.on_bits("sub", bits, code.bits(code.number(lowest))), code.whole(52))
    m = code.from_bits(code.on_bits("sub", bits, code.on_bits("shl", k, code.whole(52))))
    shifted = code.from_bits(code.on_bits("add", k, code.bits(code.number(_MAGIC))))
    as_double = code.sub(shifted, code.number(_MAGIC))
    return m, code.select(tiny, code.sub(as_double, code.number(54.0)), as_double)


def _log(lanes: int) -> str:
    code = Assembly(lanes)
    m, k = _split(code, "%x", 2.0**-0.5)
    f = code.sub(m, code.number(1.0))
    s = code.div(f, code.add(m, code.number(1.0)))  # log(1 + f) = 2 atanh(s) = f - f^2/2 + s (f^2/2 + tail)
    z = code.mul(s, s)
    tail = code.mul(z, code.fma(z, _polynomial(code, z, ATANH_TAIL), code.number(TWO_THIRDS)))
    half = code.mul(code.mul(f, f), code.number(0.5))
    bend = code.fma(s, code.add(half, tail), code.neg(half))
    whole = code.mul(k, code.number(LN2_SHORT))
    high = code.add(whole, f)
    lost = code.sub(f, code.sub(high, whole))
    value = code.add(high, code.add(lost, code.fma(k, code.number(LN2_REST), bend)))
    infinity = code.number(float("inf"))
    value = code.select(code.compare("eq", "%x", infinity), infinity, value)
    value = code.select(code.compare("eq", "%x", code.number(0.0)), code.number(float("-inf")), value)
    value = code.select(code.compare("unless_ge", "%x", code.number(0.0)), code.number(float("nan")), value)
    return _function(LOG, code, ["%x"], value, "alwaysinline")


def _log_pair(code: Assembly, a: str) -> tuple[str, str]:
    """log(a) for a above zero as an unevaluated sum, to about 2^-67 of it."""
    m, k = _split(code, a, 2.0**-0.5)
    f, d = code.sub(m, code.number(1.0)), code.add(m, code.number(1.0))
    d_low = code.sub(m, code.sub(d, code.number(1.0)))
    inverse = code.div(code.number(1.0), d)
    s = code.mul(f, inverse)
    s_low = code.mul(inverse, code.fma(code.neg(s), d_low, code.fma(code.neg(s), d, f)))
    z = code.mul(s, s)
    z_low = code.fma(code.add(s, s), s_low, code.fma(s, s, code.neg(z)))
    cube = code.mul(s, z)
    cube_low = code.fma(s_low, z, code.fma(s, z_low, code.fma(s, z, code.neg(cube))))
    c = code.number(TWO_THIRDS)
    third = code.mul(cube, c)
    third_low = code.fma(cube, c, code.neg(third))
    third_low = code.fma(cube_low, c, code.fma(cube, code.number(TWO_THIRDS_LOW), third_low))
    rest = code.mul(code.mul(s, code.mul(z, z)), _polynomial(code, z, ATANH_TAIL))
    twice = code.add(s, s)
    high = code.add(twice, third)
    low = code.add(code.sub(twice, high), third)
    low = code.add(low, code.add(code.add(s_low, s_low), code.add(third_low, rest)))
    whole = code.mul(k, code.number(LN2_SHORT))
    total = code.add(whole, high)
    lost = code.sub(high, code.sub(total, whole))
    return total, code.add(lost, code.fma(k, code.number(LN2_REST), low))


def _pow(lanes: int) -> str:
    code = Assembly(lanes)
    zero, one, infinity = code.number(0.0), code.number(1.0), code.number(float("inf"))
    a = code.intrinsic("fabs", "%x")
    high, low = _log_pair(code, a)
    high = code.select(code.compare("eq", a, infinity), infinity, high)
    high = code.select(code.compare("eq", a, zero), code.number(float("-inf")), high)
    product = code.mul("%y", high)
    product_low = code.fma("%y", low, code.fma("%y", high, code.neg(product)))
    small = code.compare("lt", code.intrinsic("fabs", product), code.number(1e4))
    value = _exp_of(code, product, code.select(small, product_low, zero))
    value = code.select(code.compare("eq", a, one), one, value)
    return _function(POW, code, ["%x", "%y"], _pow_signs(code, value), "noinline")


def _pow_signs(code: Assembly, value: str) -> str:
    """Signs and special values of x^y, from |x|^y."""
    zero, one, nan = code.number(0.0), code.number(1.0), code.number(float("nan"))
    half = code.mul("%y", code.number(0.5))
    is_whole = code.compare("eq", code.intrinsic("floor", "%y"), "%y")
    is_odd = code.logic("and", is_whole, code.compare("ne", code.intrinsic("floor", half), half))
    sign = code.on_bits("and", code.bits("%x"), code.whole(-(2**63)))
    signed = code.from_bits(code.on_bits("or", code.bits(value), sign))
    value = code.select(is_odd, signed, value)
    below = code.logic("and", code.compare("lt", "%x", zero), code.compare("lt", code.number(float("-inf")), "%x"))
    value = code.select(code.logic("and", below, code.logic("not", is_whole)), nan, value)
    value = code.select(code.logic("or", code.is_nan("%x"), code.is_nan("%y")), nan, value)
    value = code.select(code.compare("eq", "%y", zero), one, value)
    return code.select(code.compare("eq", "%x", one), one, value)
