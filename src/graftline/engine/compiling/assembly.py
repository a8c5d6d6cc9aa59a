"""Lines of LLVM code for several lanes at once: one value holds one number per lane.

Only operations whose result IEEE 754 fixes are written, and fused multiply-adds where the graph says so; no flag that
would let the compiler rearrange them. So a lane's numbers depend neither on the other lanes nor on how many there are.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from .graph import LIBRARY

_COMPARE = {"lt": "olt", "le": "ole", "eq": "oeq", "ne": "une", "unless_ge": "ult"}
_C_NAMES = {"gamma": "tgamma"}
LIBRARY_DECLARATIONS = "\n".join(
    f"declare double @{name}(double)"
    for name in sorted({*(_C_NAMES.get(one, one) for one in LIBRARY if one != "digamma"), "lgamma"})
)


def declarations(lanes: int) -> str:
    """The intrinsics that lines for this number of lanes may call, our own functions aside."""
    kind, suffix = ("double", "f64") if lanes == 1 else (f"<{lanes} x double>", f"v{lanes}f64")
    names = {"fma": 3, "sqrt": 1, "fabs": 1, "floor": 1, "ceil": 1, "maxnum": 2}
    return "\n".join(
        f"declare {kind} @llvm.{name}.{suffix}({', '.join([kind] * count)})" for name, count in names.items()
    )


def each(
    lanes: int, count: str, body: Callable[[Assembly, str, str], str], carried: tuple[str, float] | None = None
) -> str:
    """The text of a loop: `body` writes the lines for one `index` (i64) below `count` and returns the carried value.

    `carried` is the name of a vector that goes from one turn to the next and its first number; after the loop it has
    that name. The loop stands alone in its function: its block is entered from `entry` and leaves to `after`.
    """
    code = Assembly(lanes)
    name, first = carried or ("%none", 0.0)
    after = body(code, "%index", "%from")
    start = code.number(first)
    return "\n".join([
        f"%some = icmp ne i64 {count}, 0",
        "br i1 %some, label %turn, label %after",
        "turn:",
        "%index = phi i64 [0, %entry], [%following, %turn]",
        f"%from = phi {code.type} [{start}, %entry], [{after}, %turn]" if carried else "",
        *code.lines,
        "%following = add i64 %index, 1",
        f"%more = icmp ult i64 %following, {count}",
        "br i1 %more, label %turn, label %after",
        "after:",
        f"{name} = phi {code.type} [{start}, %entry], [{after}, %turn]" if carried else "",
    ])  # fmt: skip


class Assembly:
    """The body of one function, line by line; values are LLVM names or literals."""

    def __init__(self, lanes: int, prefix: str = "v") -> None:
        self.lanes, self._prefix = lanes, prefix
        self.type = "double" if lanes == 1 else f"<{lanes} x double>"
        self.whole_type = "i64" if lanes == 1 else f"<{lanes} x i64>"
        self.truth = "i1" if lanes == 1 else f"<{lanes} x i1>"
        self.lines: list[str] = []
        self._count = 0

    def _new(self, text: str) -> str:
        self._count += 1
        name = f"%{self._prefix}{self._count}"
        self.lines.append(f"{name} = {text}")
        return name

    # numbers

    def number(self, value: float) -> str:
        """The same literal in every lane."""
        literal = f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
        return literal if self.lanes == 1 else "<" + ", ".join([f"double {literal}"] * self.lanes) + ">"

    def add(self, a: str, b: str) -> str:
        """a + b"""
        return self._new(f"fadd {self.type} {a}, {b}")

    def sub(self, a: str, b: str) -> str:
        """a - b"""
        return self._new(f"fsub {self.type} {a}, {b}")

    def mul(self, a: str, b: str) -> str:
        """a * b"""
        return self._new(f"fmul {self.type} {a}, {b}")

    def div(self, a: str, b: str) -> str:
        """a / b"""
        return self._new(f"fdiv {self.type} {a}, {b}")

    def neg(self, a: str) -> str:
        """-a"""
        return self._new(f"fneg {self.type} {a}")

    def fma(self, a: str, b: str, c: str) -> str:
        """a * b + c, rounded once"""
        return self.intrinsic("fma", a, b, c)

    def intrinsic(self, name: str, *arguments: str) -> str:
        """An LLVM intrinsic on lanes of doubles."""
        suffix = "f64" if self.lanes == 1 else f"v{self.lanes}f64"
        written = ", ".join(f"{self.type} {one}" for one in arguments)
        return self._new(f"call {self.type} @llvm.{name}.{suffix}({written})")

    def own(self, name: str, *arguments: str) -> str:
        """One of our own vector functions."""
        return self._new(
            f"call {self.type} @{name}_{self.lanes}({', '.join(f'{self.type} {one}' for one in arguments)})"
        )

    def weighted(self, weights: Sequence[float], values: Sequence[str], start: str | None = None) -> str:
        """start + sum of weight * value, as a chain of fused multiply-adds"""
        total = start
        for weight, value in zip(weights, values, strict=True):
            literal = self.number(weight)
            total = self.mul(literal, value) if total is None else self.fma(literal, value, total)
        assert total is not None, "a sum of nothing"
        return total

    # bits: the same 64 of each lane as a whole number

    def whole(self, value: int) -> str:
        """The same whole number in every lane."""
        return str(value) if self.lanes == 1 else "<" + ", ".join([f"i64 {value}"] * self.lanes) + ">"

    def bits(self, a: str) -> str:
        """The bits of a double."""
        return self._new(f"bitcast {self.type} {a} to {self.whole_type}")

    def from_bits(self, a: str) -> str:
        """The double with these bits."""
        return self._new(f"bitcast {self.whole_type} {a} to {self.type}")

    def on_bits(self, operation: str, a: str, b: str) -> str:
        """add, sub, and, or, xor, shl, ashr, lshr"""
        return self._new(f"{operation} {self.whole_type} {a}, {b}")

    # memory: vectors of lanes in a row, or one lane of such a row

    def load(self, base: str, place: int, stride: int | None = None, *, at: str | None = None) -> str:
        """The vector at `place`; with `stride` (lanes of the row) the single number of one lane.

        `at` is a place that is known only when the code runs (see `offset`), to which `place` is added.
        """
        return self._new(f"load {self.type}, ptr {self._address(base, place, stride, at)}, align 8")

    def store(self, base: str, place: int, value: str, stride: int | None = None, *, at: str | None = None) -> None:
        """Write the vector at `place`; with `stride` the single number of one lane; `at` as in `load`."""
        self.lines.append(f"store {self.type} {value}, ptr {self._address(base, place, stride, at)}, align 8")

    def _address(self, base: str, place: int, stride: int | None, at: str | None) -> str:
        if at is not None:
            base = self._new(f"getelementptr inbounds double, ptr {base}, i64 {at}")
        return self._new(f"getelementptr inbounds double, ptr {base}, i64 {place * (stride or self.lanes)}")

    def offset(self, index: str) -> str:
        """A place known only when the code runs, as `at` of `load` and `store`."""
        return self._new(f"mul i64 {index}, {self.lanes}")

    def entry(self, base: str, index: str) -> str:
        """The index-th of the whole numbers at `base`."""
        return self._new(f"load i64, ptr {self._new(f'getelementptr inbounds i64, ptr {base}, i64 {index}')}")

    # booleans and functions

    def compare(self, operation: str, a: str, b: str) -> str:
        """lt, le, eq or ne, per lane; false if one is NaN (true for ne). unless_ge: less, or one is NaN"""
        return self._new(f"fcmp {_COMPARE[operation]} {self.type} {a}, {b}")

    def is_nan(self, a: str) -> str:
        """Whether it is not a number, per lane."""
        return self._new(f"fcmp uno {self.type} {a}, {a}")

    def select(self, condition: str, yes: str, no: str) -> str:
        """Per lane, yes or no."""
        return self._new(f"select {self.truth} {condition}, {self.type} {yes}, {self.type} {no}")

    def logic(self, operation: str, *arguments: str) -> str:
        """and, or, xor, not"""
        if operation == "not":
            return self._new(f"xor {self.truth} {arguments[0]}, {self.always(True)}")
        return self._new(f"{operation} {self.truth} {', '.join(arguments)}")

    def always(self, value: bool) -> str:
        """true or false in every lane"""
        word = "true" if value else "false"
        return word if self.lanes == 1 else "<" + ", ".join([f"i1 {word}"] * self.lanes) + ">"

    def as_number(self, truth: str) -> str:
        """1 where true, else 0."""
        return self.select(truth, self.number(1.0), self.number(0.0))

    def as_mask(self, truth: str) -> str:
        """A whole number whose bits are the lanes in which it is true."""
        bits = truth if self.lanes == 1 else self._new(f"bitcast {self.truth} {truth} to i{self.lanes}")
        return self._new(f"zext i{self.lanes} {bits} to i64")

    def spread(self, number: str) -> str:
        """One double in every lane."""
        if self.lanes == 1:
            return number
        one = self._new(f"insertelement {self.type} poison, double {number}, i32 0")
        return self._new(f"shufflevector {self.type} {one}, {self.type} poison, <{self.lanes} x i32> zeroinitializer")

    def c_function(self, function: str, x: str) -> str:
        """A function of the C library, lane by lane."""
        if function == "digamma":
            return self._digamma(x)
        name = _C_NAMES.get(function, function)
        if self.lanes == 1:
            return self._new(f"call double @{name}(double {x})")
        result = "poison"
        for lane in range(self.lanes):
            one = self._new(f"extractelement {self.type} {x}, i32 {lane}")
            value = self._new(f"call double @{name}(double {one})")
            result = self._new(f"insertelement {self.type} {result}, double {value}, i32 {lane}")
        return result

    def _digamma(self, x: str) -> str:
        """Slope of lgamma by a difference: good to 8 digits, enough for a Jacobian."""
        width = 2.0**-14
        above = self.c_function("lgamma", self.add(x, self.number(width)))
        below = self.c_function("lgamma", self.sub(x, self.number(width)))
        return self.mul(self.sub(above, below), self.number(0.5 / width))
