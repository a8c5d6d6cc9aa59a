"""Whether a transition may happen and where it leads. Pure: no chance, no clock, no storage."""

from __future__ import annotations

from dataclasses import dataclass

from ..base.units import Quantity
from ..base.verdict import PASSED, Outcome, Verdict, check, check_at_most
from ..evidence import card
from ..protocol.schema import Protocol
from .facts import Facts, Signed
from .guards import EVERYWHERE
from .machine import Limit, Machine, Signature, Transition
from .tables import SAFETY_ACTS


@dataclass(frozen=True)
class Advanced:
    """What became of an attempt: the verdict, and the state in which the object stands afterwards."""

    verdict: Verdict
    state: str


def advance(machine: Machine, state: str, transition: str, facts: Facts) -> Advanced:
    """Try a transition: the new state if all guards, holds and signatures pass, else the old one with all reasons."""
    assert state in machine.by_state, f"{machine.name} has no state {state}"
    way = machine.find(state, transition)
    if way is None:
        reason = f"{machine.name}: no way '{transition}' from {state}"
        return Advanced(Verdict(Outcome.FAIL, (reason,)), state)
    verdict = may_advance(way, facts)
    return Advanced(verdict, way.to if verdict.passed else state)


def may_advance(way: Transition, facts: Facts) -> Verdict:
    """Whether a transition may happen now. Safety acts and records of what has happened always may."""
    if way.never_blocked:
        return PASSED
    guards = (*EVERYWHERE, *way.guards)
    asked = [guard.rule(facts) for guard in guards if not (way.urgent and guard.administrative)]
    return Verdict.from_checks(*asked, *(signature_given(one, facts) for one in way.signs))


def signature_given(asked: Signature, facts: Facts) -> Verdict:
    """Whether someone who may sign today has given this signature; a second check needs another than the doer."""
    given = [one for one in facts.signed if (one.role, one.meaning) == (asked.role, asked.meaning)]
    if not given:
        return Verdict(Outcome.FAIL, (f"not signed: {asked}",))
    verdicts = [_may_sign(one, asked, facts) for one in given]
    return max(verdicts, key=lambda verdict: verdict.outcome)


def _may_sign(one: Signed, asked: Signature, facts: Facts) -> Verdict:
    checks = [
        check(one.delegated, f"{asked}: no delegation"),
        check(one.trained, f"{asked}: training expired"),
        check(one.role != "SA", "a system administrator cannot sign"),
    ]
    if asked.second_check:
        others = {other.person for other in facts.signed if (other.role, other.meaning) != (one.role, one.meaning)}
        checks.append(check(one.person != facts.doer and one.person not in others, f"{asked}: signer is the doer"))
    return Verdict.from_checks(*checks)


def may_act_for_safety(act: str, machine: Machine, state: str, facts: Facts) -> Verdict:
    """Whether an act for the safety of a patient may be done: always, in every state and under every hold.

    The facts are taken so that no caller needs to ask anything before; they are recorded and reviewed afterwards.
    """
    assert act in {one.name for one in SAFETY_ACTS}, f"{act} is no safety act"
    assert state in machine.by_state, f"{machine.name} has no state {state}"
    assert isinstance(facts, Facts)
    return PASSED


def within_limit(machine: Machine, state: str, days: float | None, protocol: Protocol) -> Verdict:
    """Whether an object may stay where it has stood that many days; the reason names the transition that is due."""
    limit = machine.by_state[state].limit
    if limit is None:
        return PASSED
    most = limit_days(limit, protocol)
    return check_at_most(days, most, f"{machine.name} in {state} for more than {most:g} days: '{limit.then}' is due")


def limit_days(limit: Limit, protocol: Protocol) -> float:
    """The limit in days, from its evidence card or from the protocol (protocol days count as days)."""
    if limit.card:
        return card(limit.card).to("day")
    found: object = protocol
    for part in limit.field.split("."):
        found = getattr(found, part)
    assert isinstance(found, (Quantity, int)), f"{limit.field} is no length of time"
    return float(found) if isinstance(found, int) else found.to("days")
