"""What a table of states is made of: states, transitions, guards, signatures, time limits, hard stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ..base.verdict import Verdict
from .facts import Facts


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A named condition of a transition: a pure question to the facts, answered pass, fail or unknown."""

    name: str
    text: str
    """what must hold, in words"""
    rule: Callable[[Facts], Verdict]
    hard_stops: tuple[str, ...] = ()
    """numbers of the hard stops that this guard enforces"""
    administrative: bool = False
    """whether the urgent path after chemotherapy may leave it open"""


@dataclass(frozen=True)
class Signature:
    """A signature that a transition asks for: role and meaning. A second check is never signed by the doer."""

    role: str
    meaning: str
    second_check: bool = False

    def __str__(self) -> str:
        return f"{self.role} ({self.meaning})"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How long a state may last, and the transition that is due then.

    The number stands on an evidence card or in a field of the protocol; exactly one of the two is named.
    """

    card: str = ""
    field: str = ""
    """path in the protocol, for example `manufacture.shelf_life`"""
    then: str

    def __post_init__(self) -> None:
        assert bool(self.card) != bool(self.field), "a limit stands on a card or in the protocol"


@dataclass(frozen=True, kw_only=True)
class State:
    """Where an object may stand."""

    name: str
    meaning: str
    side: bool = False
    """off the main way: waiting, held, repeated, lost"""
    terminal: bool = False
    limit: Limit | None = None


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A step from one state (any of `sources`) to another.

    `never_blocked` marks safety acts and records of what has happened: no hold, no missing signature and no broken
    ledger stands in their way; signatures are collected afterwards. `urgent` marks the path after chemotherapy has
    begun, on which administration may stay open but identity and the state of the patient may not.
    """

    name: str
    sources: tuple[str, ...]
    to: str
    number: str = ""
    """T1 to T18, where the transition belongs to one of them"""
    guards: tuple[Guard, ...] = ()
    signs: tuple[Signature, ...] = ()
    never_blocked: bool = False
    urgent: bool = False

    def __post_init__(self) -> None:
        assert not (self.never_blocked and self.guards), f"{self.name}: what is never blocked has no guards"


@dataclass(frozen=True)
class Machine:
    """A table of states and transitions; the first state is where every object begins."""

    name: str
    meaning: str
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]

    @property
    def initial(self) -> str:
        return self.states[0].name

    @cached_property
    def by_state(self) -> dict[str, State]:
        """The states by name."""
        return {state.name: state for state in self.states}

    @cached_property
    def _ways(self) -> dict[tuple[str, str], Transition]:
        ways = {(source, one.name): one for one in self.transitions for source in one.sources}
        assert len(ways) == sum(len(one.sources) for one in self.transitions), f"{self.name}: a transition stands twice"
        return ways

    def find(self, state: str, transition: str) -> Transition | None:
        """The transition of that name from that state, if there is one."""
        return self._ways.get((state, transition))

    def ways_on(self, state: str) -> tuple[Transition, ...]:
        """All transitions from a state, in the order of the table."""
        return tuple(one for one in self.transitions if state in one.sources)


@dataclass(frozen=True, kw_only=True)
class HardStop:
    """What no role, interface or administrator can pass; only the named way leads on."""

    number: str
    trigger: str
    forces: str
    way_on: str


@dataclass(frozen=True)
class SafetyAct:
    """An act for the safety of a patient that is possible in every state and under every hold."""

    name: str
    meaning: str
