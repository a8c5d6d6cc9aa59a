"""Every operator and symbol of SBML's formulas against Python's and NumPy's, at ordinary points and at edges."""

import itertools
import math

import numpy as np
import pytest
from texts import TIME, apply, csymbol, function, parameters, part, piecewise, rule, sbml, several

from graftline import engine
from graftline.base.errors import InputError

INF, NAN = math.inf, math.nan


def factorial(x):
    try:
        return math.gamma(x + 1)
    except OverflowError:
        return INF
    except ValueError:
        return NAN


ONE = {
    "abs": np.abs, "ceiling": np.ceil, "floor": np.floor, "exp": np.exp, "ln": np.log, "log": np.log10,
    "root": np.sqrt, "minus": np.negative, "factorial": factorial,
    "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "sec": lambda x: 1 / np.cos(x), "csc": lambda x: 1 / np.sin(x), "cot": lambda x: 1 / np.tan(x),
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "sech": lambda x: 1 / np.cosh(x), "csch": lambda x: 1 / np.sinh(x), "coth": lambda x: 1 / np.tanh(x),
    "arcsin": np.arcsin, "arccos": np.arccos, "arctan": np.arctan,
    "arcsec": lambda x: np.arccos(1 / x), "arccsc": lambda x: np.arcsin(1 / x), "arccot": lambda x: np.arctan(1 / x),
    "arcsinh": np.arcsinh, "arccosh": np.arccosh, "arctanh": np.arctanh,
    "arcsech": lambda x: np.arccosh(1 / x), "arccsch": lambda x: np.arcsinh(1 / x),
    "arccoth": lambda x: np.arctanh(1 / x),
    "plus": lambda x: x, "times": lambda x: x, "max": lambda x: x, "min": lambda x: x, "not": lambda x: x == 0,
    "and": lambda x: x != 0, "or": lambda x: x != 0, "xor": lambda x: x != 0,
}  # fmt: skip
TWO = {
    "plus": np.add, "minus": np.subtract, "times": np.multiply, "divide": np.divide, "power": np.power,
    "quotient": lambda x, y: np.trunc(x / y), "rem": np.fmod, "max": np.maximum, "min": np.minimum,
    "lt": np.less, "gt": np.greater, "leq": np.less_equal, "geq": np.greater_equal, "eq": np.equal,
    "neq": np.not_equal, "and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor,
    "implies": lambda x, y: np.logical_or(x == 0, y),
    "root": lambda x, y: np.power(y, 1 / x), "log": lambda x, y: np.log(y) / np.log(x),
}  # fmt: skip
POINTS = [0.0, 1.0, -1.0, 0.3, -0.3, 2.0, -2.0, 5.3, -7.5, 20.0, 171.0, 800.0, -800.0, 1e-8, 1e-300, 1e300, -1e300]
PAIRS = [0.0, 1.0, -1.0, 0.3, -2.0, 3.0, 5.3, -7.5, 49.0, 1e10]
EDGES = [*POINTS, INF, -INF, NAN]


def written(operator, *arguments):
    if len(arguments) == 2 and operator in {"root", "log"}:
        qualifier = "degree" if operator == "root" else "logbase"
        return f"<apply><{operator}/><{qualifier}>{part(arguments[0])}</{qualifier}>{part(arguments[1])}</apply>"
    return apply(operator, *arguments)


def literal(x):
    if math.isnan(x):
        return "<notanumber/>"
    return part(x) if math.isfinite(x) else "<infinity/>" if x > 0 else apply("minus", "<infinity/>")


def worth(formulas, x=(0.0,), y=(0.0,), more="", rates=""):
    """What formulas over x and y are worth: (points, formulas)."""
    names = {f"r{index}": formula for index, formula in enumerate(formulas)}
    rules = [rule("assignment", name, formula) for name, formula in names.items()]
    text = sbml(more + parameters(x=0, y=0, **dict.fromkeys(names, 0)) + several("Rules", *rules, rates))
    model = engine.load_sbml(text)
    given = {name: np.array(values) for name, values in (("x", x), ("y", y)) if name in model.parameters}
    request = engine.Request(
        times=np.array([0.0]),
        outputs=tuple(names),
        start=np.zeros(len(x)),
        parameters=given,
        may_be_negative=tuple(given),
    )
    return engine.solve(model, request, threads=1).values[:, 0, :]


def expected(table, operator, *arguments):
    with np.errstate(all="ignore"):
        return np.array([float(table[operator](*map(np.float64, one))) for one in zip(*arguments, strict=True)])


def different(found, right):
    """Where two arrays differ by more than rounding."""
    with np.errstate(invalid="ignore"):
        near = np.abs(found - right) <= 1e-12 * np.abs(right) + 1e-300
    return ~(near | (found == right) | (np.isnan(found) & np.isnan(right)))


def test_functions_of_one_number():
    found = worth([written(operator, "x") for operator in ONE], POINTS, [0.0] * len(POINTS))
    for column, operator in enumerate(ONE):
        wrong = different(found[:, column], expected(ONE, operator, POINTS))
        assert not [
            x for x, is_wrong in zip(POINTS, wrong, strict=True) if is_wrong and (operator, x) != ("factorial", -1)
        ]


def test_functions_of_two_numbers():
    x, y = map(list, zip(*itertools.product(PAIRS, PAIRS), strict=True))
    found = worth([written(operator, "x", "y") for operator in TWO], x, y)
    for column, operator in enumerate(TWO):
        wrong = different(found[:, column], expected(TWO, operator, x, y))
        assert not [(operator, a, b) for a, b, is_wrong in zip(x, y, wrong, strict=True) if is_wrong]


def test_functions_of_one_literal():
    cases = [(operator, x) for operator in ONE for x in EDGES]
    found = worth([written(operator, literal(x)) for operator, x in cases])[0]
    right = np.array([expected(ONE, operator, [x])[0] for operator, x in cases])
    assert not [case for case, wrong in zip(cases, different(found, right), strict=True) if wrong]


def test_functions_of_two_literals():
    cases = [
        (operator, x, y) for operator in TWO for x in (*PAIRS, INF, -INF, NAN) for y in (0.0, 1.0, -2.0, 0.3, INF, NAN)
    ]
    found = worth([written(operator, literal(x), literal(y)) for operator, x, y in cases])[0]
    right = np.array([expected(TWO, operator, [x], [y])[0] for operator, x, y in cases])
    assert not [case for case, wrong in zip(cases, different(found, right), strict=True) if wrong]


def test_a_literal_beside_a_number_that_is_known_later():
    some, known = [1.0, -2.0, 0.3, 49.0, INF], [0.0, 1.0, -1.0, 0.3, -7.5, 49.0]
    logs = {("log", 1.0), ("log", -2.0), ("log", INF)}  # without meaning
    cases = [(operator, c) for operator in TWO for c in some if (operator, c) not in logs]
    found = worth([written(operator, literal(c), "x") for operator, c in cases], known, [0.0] * len(known))
    for column, (operator, c) in enumerate(cases):
        wrong = different(found[:, column], expected(TWO, operator, [c] * len(known), known))
        assert not [(operator, c, x) for x, one in zip(known, wrong, strict=True) if one]


def test_divisions_of_whole_numbers_are_not_one_too_low():
    numbers = [float(n) for n in range(1, 400)]
    formulas = [apply("quotient", "x", "x"), apply("rem", "x", "x"), apply("floor", apply("divide", "x", "x")),
                apply("ceiling", apply("divide", apply("times", 3, "x"), "x"))]  # fmt: skip
    found = worth([one.replace("<ci>x</ci></apply>", "<ci>y</ci></apply>", 1) for one in formulas], numbers, numbers)
    assert np.array_equal(np.unique(found, axis=0), [[1.0, 0.0, 1.0, 3.0]])


CONDITIONS = {
    "without otherwise": (piecewise(5, apply("gt", "x", 0)), [NAN, 5.0]),
    "booleans as values": (piecewise("<true/>", apply("gt", "x", 0), "<false/>"), [0.0, 1.0]),
    "booleans and numbers as values": (piecewise(7, apply("gt", "x", 0), "<true/>"), [1.0, 7.0]),
    "only an otherwise": (piecewise(4), [4.0, 4.0]),
    "a number as condition": (piecewise(1, apply("max", "x", 0), 2), [2.0, 1.0]),
    "a piecewise within a condition": (
        piecewise(1, apply("gt", apply("plus", piecewise(1, apply("gt", "x", 0), 3), piecewise("x", apply("lt", "x", 0), 0)), 1.5), 2),
        [1.0, 2.0],
    ),
    "a piecewise as condition, among others": (
        piecewise(1, apply("and", piecewise("<true/>", apply("gt", "x", 0), "<false/>"), apply("not", apply("lt", piecewise("x", apply("gt", "x", 0), 5), 1))), 2),
        [2.0, 1.0],
    ),
    "the first that holds": (piecewise(1, apply("lt", "x", -5), 2, apply("lt", "x", 5), 3, "<true/>", 4), [2.0, 2.0]),
    "booleans added": (apply("plus", apply("gt", "x", 0), "<true/>", apply("not", 0)), [2.0, 3.0]),
    "equal booleans": (apply("eq", apply("gt", "x", 0), "<true/>"), [0.0, 1.0]),
    "a boolean equal to a number": (apply("eq", apply("gt", "x", 0), 1), [0.0, 1.0]),
    "neighbours compared": (apply("lt", -2, "x", 1.5, 1.6), [1.0, 0.0]),
    "odd many": (apply("xor", "<true/>", apply("gt", "x", 0), "<true/>", "<true/>"), [1.0, 0.0]),
    "not less is not at least, of what is not a number": (apply("not", apply("lt", apply("ln", "x"), 0)), [1.0, 1.0]),
    "extremes of many": (apply("minus", apply("max", 1, "x", 3, 0.5, 2.5), apply("min", 1, "x", 3)), [4.0, 2.0]),
    "nothing to add": (apply("plus", apply("plus"), apply("times"), apply("and"), apply("or"), apply("xor")), [2.0, 2.0]),
}  # fmt: skip


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_and_branches(name):
    formula, right = CONDITIONS[name]
    assert np.array_equal(worth([formula], [-1.0, 1.5], [0.0, 0.0])[:, 0], right, equal_nan=True)


NUMBERS = {
    '<cn type="e-notation">1.5<sep/>-3</cn>': 1.5e-3,
    '<cn type="e-notation">-6.02<sep/>23</cn>': -6.02e23,
    '<cn type="rational">-1<sep/>3</cn>': -1 / 3,
    '<cn type="rational">1<sep/>0</cn>': INF,
    '<cn type="integer">-2000000000</cn>': -2e9,
    "<cn> 1e-5 </cn>": 1e-5,
    "<exponentiale/>": math.e,
    "<pi/>": math.pi,
    "<true/>": 1.0,
    "<infinity/>": INF,
    csymbol("avogadro"): 6.02214179e23,
    TIME: 0.0,
    apply("divide", apply("power", 10, 400), apply("power", 10, 399)): NAN,
    apply("factorial", 1000000): INF,
    apply("power", apply("divide", 1, 3), 100000000): 0.0,
}


def test_numbers_and_symbols():
    found, right = worth(list(NUMBERS))[0], np.array(list(NUMBERS.values()))
    assert not [text for text, wrong in zip(NUMBERS, different(found, right), strict=True) if wrong]


def test_functions_of_the_model_are_written_out():
    functions = several(
        "FunctionDefinitions",
        function("F", ["x", "y"], apply("divide", apply("G", "y", "x"), "x")),
        function("G", ["y", "x"], apply("minus", "y", apply("H"))),
        function("H", [], 0.5),
        function("B", ["q"], apply("and", "q", "<true/>")),
        function("R", ["q"], csymbol("rateOf", "q")),
        function("T", ["q"], apply("plus", TIME, "q")),
        function("Old", ["q"], csymbol("delay", "q", 1)),
    )
    formulas = [
        apply("F", "y", "x"),
        apply("F", apply("F", "x", "y"), "y"),
        apply("B", apply("gt", "x", 0)),
        apply("T", "x"),
    ]
    found = worth(formulas, [2.0], [3.0], functions)[0]
    assert np.allclose(found, [(2 - 0.5) / 3, (3 - 0.5) / ((3 - 0.5) / 2), 1, 2])
    moving = worth(
        [apply("R", "x"), apply("R", "y")], [2.0], [3.0], functions, rule("rate", "x", apply("times", 2, "x"))
    )[0]
    assert moving.tolist() == [0.0, 0.0]  # x is 0 in the text


NOT_KNOWN = {
    "itself": (function("F", ["q"], apply("F", "q")), "refers to itself"),
    "each other": (function("F", ["q"], apply("G", "q")) + function("G", ["q"], apply("F", "q")), "cycle"),
    "too many": (function("F", ["p", "q"], "p"), "requires a different number of arguments"),
    "outside": (function("F", ["q"], apply("plus", "q", "y")), r"m r: uses F\(\), in which y is not an argument"),
    "nothing": ('<functionDefinition id="F"/>', r"m r: uses F\(\), which is not defined"),
    "absent": (function("G", ["q"], "q"), "'F' which is not a function definition"),
    "delay": (function("F", ["q"], csymbol("delay", "q", 1)), r"m r: uses delay\(\)"),
    "formula": (function("F", ["q"], csymbol("rateOf", apply("plus", "q", 1))), "rateOf"),
}


@pytest.mark.parametrize("name", NOT_KNOWN)
def test_a_function_that_cannot_be_written_out_is_refused(name):
    functions, words = NOT_KNOWN[name]
    rules = several("Rules", rule("assignment", "r", apply("F", "x")))
    with pytest.raises(InputError, match=words):
        engine.load_sbml(sbml(several("FunctionDefinitions", functions) + parameters(x=1, y=2, r=0) + rules), "m")


RATES = {
    apply("abs", "x"): lambda x: np.sign(x),
    apply("floor", "x"): lambda x: 0.0,
    apply("power", "x", 3): lambda x: 3 * x**2,
    apply("power", 2, "x"): lambda x: 2**x * math.log(2),
    apply("exp", apply("sin", "x")): lambda x: np.exp(np.sin(x)) * np.cos(x),
    apply("arctan", "x"): lambda x: 1 / (1 + x**2),
    apply("max", "x", 0.5, apply("times", "x", "x")): lambda x: 2 * x if x > 1 or x < -(0.5**0.5) else float(x > 0.5),
    apply("rem", "x", 0.75): lambda x: 1.0,
    piecewise(apply("times", 3, "x"), apply("gt", "x", 0), apply("minus", "x")): lambda x: 3.0 if x > 0 else -1.0,
    apply("times", TIME, "x"): lambda x: x,
}


def test_rates_of_what_follows_from_a_rule():
    """x grows by 1 per time; the rules are d/dx, at the start."""
    follows = {f"f{index}": formula for index, formula in enumerate(RATES)}
    rates = {f"g{index}": csymbol("rateOf", name) for index, name in enumerate(follows)}
    rules = [rule("assignment", name, formula) for name, formula in {**rates, **follows}.items()]
    for x in (-1.3, 0.2, 1.4):
        text = sbml(
            parameters(x=x, **dict.fromkeys([*follows, *rates], 0)) + several("Rules", *rules, rule("rate", "x", 1))
        )
        found = engine.load_sbml(text).run(times=[0.0], outputs=list(rates)).values[0, 0]
        assert np.allclose(found, [slope(x) for slope in RATES.values()], rtol=1e-12), x
