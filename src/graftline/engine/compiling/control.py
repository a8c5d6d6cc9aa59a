"""Step sizes, for all lanes at once: how long the next step is, and whether one is good enough."""

from __future__ import annotations

import math

from .assembly import Assembly
from .elementary import EXP, LOG
from .layout import Layout
from .rodas5p import ORDER

_WORK = "%w"
SAFETY = 0.9
SMALLEST_ERROR = 1e-8  # below it the step grows no faster
LEAST_LAST_ERROR = 1e-3  # an accepted error below it counts as this when the next step is chosen
SHRINK_ACCEPTED, GROW_MOST = 0.2, 8.0
_NEARLY, _HALF = 0.999999999, 0.5


def begin_function(layout: Layout, lanes: int, name: str) -> str:
    """`void name(ptr w)`: the step to try, cut so that it ends on `stop` and leaves no sliver before it."""
    code = Assembly(lanes)
    planned = code.load(_WORK, layout.control("planned"))
    rest = code.sub(code.load(_WORK, layout.control("stop")), code.load(_WORK, 0))
    half = code.mul(rest, code.number(_HALF))
    step = code.select(code.compare("lt", half, planned), half, planned)
    step = code.select(code.compare("le", code.mul(rest, code.number(_NEARLY)), planned), rest, step)
    code.store(_WORK, layout.control("step_size"), step)
    code.store(_WORK, layout.control("per_step"), code.div(code.number(1.0), step))
    return _function(f"void @{name}(ptr noalias %w)", code, "ret void")


def judge_function(layout: Layout, lanes: int, name: str) -> str:
    """`i64 name(ptr w)`: judge the step and plan the next; lanes that the control loop must look at.

    A lane goes on by itself if its step is accepted and ends before the next `look`. The size of the next step follows
    proportional and integral control; what a rejected step shrinks to is left to the control loop.
    """
    code = Assembly(lanes)

    def control(field: str) -> str:
        return code.load(_WORK, layout.control(field))

    def put(field: str, value: str) -> None:
        code.store(_WORK, layout.control(field), value)

    summed = code.add(control("error"), control("pivots"))  # where a pivot is not finite, no step is good
    error = code.intrinsic("sqrt", code.mul(summed, code.number(1.0 / max(layout.states, 1))))
    logarithm = code.own(LOG, code.intrinsic("maxnum", error, code.number(SMALLEST_ERROR)))
    last = control("last_log_error")
    power = code.fma(code.number(-0.8 / ORDER), logarithm, code.mul(code.number(0.2 / ORDER), last))
    grow = code.mul(code.number(SAFETY), code.own(EXP, power))
    steps = code.add(control("steps"), code.number(1.0))
    accepted = code.logic(
        "and", code.compare("le", error, code.number(1.0)), code.compare("lt", steps, control("step_limit"))
    )
    step, planned, rejected = control("step_size"), control("planned"), control("rejected")
    factor = code.intrinsic("maxnum", grow, code.number(SHRINK_ACCEPTED))
    factor = _smaller(code, factor, code.number(GROW_MOST))
    after_rejected = code.compare("lt", code.number(_HALF), rejected)
    factor = code.select(after_rejected, _smaller(code, factor, code.number(1.0)), factor)
    following = code.mul(factor, step)
    # cut for a stop, not for its error: what was planned stays possible
    cut = code.logic("and", code.compare("lt", step, planned), code.compare("lt", code.number(1.0), factor))
    kept = code.select(code.compare("lt", following, planned), planned, following)
    following = code.select(cut, kept, following)
    stop, time = control("stop"), code.load(_WORK, 0)
    is_last = code.compare("eq", step, code.sub(stop, time))
    end = code.select(is_last, stop, code.add(time, step))
    quiet = code.logic("and", accepted, code.compare("lt", end, control("look")))
    least = code.intrinsic("maxnum", logarithm, code.number(math.log(LEAST_LAST_ERROR)))
    for field, value in (
        ("error", error),
        ("steps", steps),
        ("end", end),
        ("planned", code.select(accepted, following, planned)),
        ("rejected", code.select(accepted, code.number(0.0), rejected)),
        ("last_log_error", code.select(accepted, least, last)),
        ("accepted", code.as_number(accepted)),
        ("taken", code.as_number(quiet)),
    ):
        put(field, value)
    mask = code.as_mask(code.logic("not", quiet))
    return _function(f"i64 @{name}(ptr noalias %w)", code, f"ret i64 {mask}")


def _smaller(code: Assembly, a: str, b: str) -> str:
    return code.select(code.compare("lt", b, a), b, a)


def _function(head: str, code: Assembly, end: str) -> str:
    return "\n".join([f"define internal {head} noinline {{", *code.lines, end, "}"])
