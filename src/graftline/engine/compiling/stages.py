"""What every step does whatever the model is: loops over states, for several lanes at once.

All functions take `ptr %w`, the workspace; `%u` is the place of a stage's U in it.
"""

from __future__ import annotations

from .assembly import Assembly, each
from .layout import Layout
from .rodas5p import STAGES, A, C, H, stage_times

_WORK, _STAGE = "%w", "%u"


def loop(head: str, lanes: int, before: Assembly, body: str, after: Assembly) -> str:
    """A function that is one loop over states, with lines before and after it."""
    lines = [f"define internal void @{head} noinline {{", "entry:", *before.lines, body, *after.lines, "ret void", "}"]
    return "\n".join(lines)


def combine_function(layout: Layout, lanes: int, stage: int, name: str) -> str:
    """`void name(ptr w, ptr u)`: where a stage looks at the rates, and the part of its equation that is known before.

    Stage 2 and later (here 1, 2, …). `u` gets sum C_sj U_j, still to be divided by the step.
    """
    n = layout.states
    before = Assembly(lanes, "b")
    share = before.number(float(stage_times()[0][stage]))
    step = before.load(_WORK, layout.control("step_size"))
    before.store(_WORK, layout.moment, before.fma(share, step, before.load(_WORK, 0)))

    def body(code: Assembly, index: str, _carried: str) -> str:
        at = code.offset(index)
        known = [code.load(_WORK, layout.stages + j * n, at=at) for j in range(stage)]
        if stage < len(A):
            moment = code.weighted(A[stage], known, code.load(_WORK, 1, at=at))
        else:
            moment = code.add(code.load(_WORK, layout.moment + 1, at=at), known[-1])
        code.store(_WORK, layout.moment + 1, moment, at=at)
        code.store(_STAGE, 0, code.weighted(C[stage], known), at=at)
        return ""

    return loop(
        f"{name}(ptr noalias %w, ptr noalias %u)", lanes, before, each(lanes, str(n), body), Assembly(lanes, "a")
    )


def new_states_function(layout: Layout, lanes: int, name: str) -> str:
    """`void name(ptr w)`: the states at the end of the step, and the sum of (error / tolerance) squared as its error.

    By as much as a state is lower than it can be, the step is certainly wrong.
    """
    before, after = Assembly(lanes, "b"), Assembly(lanes, "a")
    relative = before.load(_WORK, layout.relative_tolerance)

    def body(code: Assembly, index: str, total: str) -> str:
        at = code.offset(index)
        old = code.load(_WORK, 1, at=at)
        error = code.load(_WORK, layout.stages + (STAGES - 1) * layout.states, at=at)
        new = code.add(code.load(_WORK, layout.moment + 1, at=at), error)
        code.store(_WORK, layout.new_states, new, at=at)
        size = code.intrinsic("maxnum", code.intrinsic("fabs", old), code.intrinsic("fabs", new))
        allowed = code.fma(relative, size, code.load(_WORK, layout.absolute_tolerances, at=at))
        below = code.sub(code.load(_WORK, layout.lowest, at=at), new)
        share = code.div(code.intrinsic("maxnum", code.intrinsic("fabs", error), below), allowed)
        return code.fma(share, share, total)

    summed = each(lanes, str(layout.states), body, ("%total", 0.0))
    after.store(_WORK, layout.control("error"), "%total")
    return loop(f"{name}(ptr noalias %w)", lanes, before, summed, after)


def take_function(layout: Layout, lanes: int, name: str) -> str:
    """`void name(ptr w)`: the end of the step becomes the beginning of the next in lanes where it is `taken`."""
    before = Assembly(lanes, "b")
    taken = before.compare("lt", before.number(0.5), before.load(_WORK, layout.control("taken")))
    before.store(_WORK, 0, before.select(taken, before.load(_WORK, layout.control("end")), before.load(_WORK, 0)))

    def body(code: Assembly, index: str, _carried: str) -> str:
        at = code.offset(index)
        new = _raised(code, layout, code.load(_WORK, layout.new_states, at=at), at)
        code.store(_WORK, 1, code.select(taken, new, code.load(_WORK, 1, at=at)), at=at)
        return ""

    return loop(f"{name}(ptr noalias %w)", lanes, before, each(lanes, str(layout.states), body), Assembly(lanes, "a"))


def _raised(code: Assembly, layout: Layout, value: str, at: str) -> str:
    """The value, or the lowest the state can have if that is more; the error of the step has judged the difference."""
    lowest = code.load(_WORK, layout.lowest, at=at)
    return code.select(code.compare("lt", value, lowest), lowest, value)


def dense_function(layout: Layout, lanes: int, name: str) -> str:
    """`void name(ptr w, ptr states, i64 count)`: K0, K1, K2 of the listed states (0, 1, …)."""
    n = layout.states

    def body(code: Assembly, index: str, _carried: str) -> str:
        at = code.offset(code.entry("%states", index))
        stages = [code.load(_WORK, layout.stages + stage * n, at=at) for stage in range(STAGES)]
        for m in range(len(H)):
            code.store(_WORK, layout.dense + m * n, code.weighted(H[m], stages), at=at)
        return ""

    return _listed(name, lanes, Assembly(lanes, "b"), body_text=each(lanes, "%count", body))


def inside_function(layout: Layout, lanes: int, name: str) -> str:
    """`void name(ptr w, ptr states, i64 count)`: time and the listed states at each lane's `share` of the step."""
    n, before = layout.states, Assembly(lanes, "b")
    share = before.load(_WORK, layout.control("share"))
    rest = before.sub(before.number(1.0), share)
    both = before.mul(share, rest)
    before.store(
        _WORK, layout.inside, before.fma(share, before.load(_WORK, layout.control("step_size")), before.load(_WORK, 0))
    )

    def body(code: Assembly, index: str, _carried: str) -> str:
        at = code.offset(code.entry("%states", index))
        k0, k1, k2 = (code.load(_WORK, layout.dense + m * n, at=at) for m in range(len(H)))
        bend = code.fma(share, code.fma(share, k2, k1), k0)
        line = code.fma(rest, code.load(_WORK, 1, at=at), code.mul(share, code.load(_WORK, layout.new_states, at=at)))
        value = _raised(code, layout, code.fma(both, bend, line), at)
        code.store(_WORK, layout.inside + 1, value, at=at)
        return ""

    return _listed(name, lanes, before, body_text=each(lanes, "%count", body))


def _listed(name: str, lanes: int, before: Assembly, body_text: str) -> str:
    text = loop(
        f"{name}(ptr noalias %w, ptr noalias readonly %states, i64 %count)",
        lanes,
        before,
        body_text,
        Assembly(lanes, "a"),
    )
    return text.replace("define internal", "define", 1)


def fallen_function(layout: Layout, lanes: int, name: str) -> str:
    """`i64 name(ptr moment, ptr states, i64 count, double threshold)`: lanes in which a group is below its threshold.

    `moment` is a place of time and states; the group are the listed states; an empty group is not below.
    """
    after = Assembly(lanes, "a")

    def body(code: Assembly, index: str, total: str) -> str:
        return code.add(total, code.load("%moment", 1, at=code.offset(code.entry("%states", index))))

    summed = each(lanes, "%count", body, ("%total", 0.0))
    low = after.compare("lt", "%total", after.spread("%threshold"))
    mask = after.as_mask(after.logic("and", low, after.compare("ne", "%total", after.number(0.0))))
    arguments = "ptr noalias readonly %moment, ptr noalias readonly %states, i64 %count, double %threshold"
    lines = [f"define i64 @{name}({arguments}) {{", "entry:", summed, *after.lines, f"ret i64 {mask}", "}"]
    return "\n".join(lines)
