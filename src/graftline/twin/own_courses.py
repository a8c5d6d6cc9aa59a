"""Courses by a model that a protocol brings: patients drawn around its cards, dosed, seen by role. No disease in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from .. import engine
from ..base.errors import Fault, InputError
from ..base.streams import Keys, Streams
from ..base.units import BILLION, HOURS_PER_DAY
from ..protocol.model_text import ModelText
from ..protocol.roles import ROLES
from ..records.variables import VARIABLES
from .courses import FLUDARABINE, Conditioning, Infusion, conditioning_times
from .parameters import draw_around, number

Numbers = NDArray[np.float64]


class SeenCourses(Interface):
    """What courses of any model have in common: those of the twin that comes with the package, and of one's own."""

    @property
    def times(self) -> Numbers:
        """Model time in days, (times,) or (patients, times)."""
        ...

    @property
    def status(self) -> NDArray[np.int64]:
        """How solving each patient ended, of `engine.Status`."""
        ...

    def __len__(self) -> int: ...

    def shows(self, role: str) -> bool:
        """Whether the courses tell what is seen under this role (`graftline.protocol.roles`)."""
        ...

    def seen(self, role: str) -> Numbers:
        """What is seen under a role, in the role's unit, (patients, times); raises InputError if they do not tell."""
        ...


@dataclass(frozen=True, kw_only=True)
class OwnCourseRequest:
    """A batch of courses of a model of one's own; arrays are (patients,).

    A patient's course begins with the first conditioning, or at 0; it starts from the initial values of the text.
    """

    text: ModelText
    parameters: Mapping[str, Numbers]
    """symbol -> value in the unit of the text, as `draw_own_parameters` gives them"""
    body_surface_area: Numbers
    """m^2"""
    conditioning: Conditioning = field(default_factory=Conditioning)
    infusions: tuple[Infusion, ...] = ()

    def __len__(self) -> int:
        return len(self.body_surface_area)


@dataclass(frozen=True, kw_only=True)
class OwnCourses:
    """Solved courses of a model of one's own."""

    text: ModelText
    result: engine.Result

    def __len__(self) -> int:
        return len(self.result)

    @property
    def times(self) -> Numbers:
        """Model time in days, (times,) or (patients, times)."""
        return self.result.times

    @property
    def status(self) -> NDArray[np.int64]:
        """How solving each patient ended, of `engine.Status`."""
        return self.result.status

    @property
    def messages(self) -> Mapping[int, str]:
        """Patient -> why solving it failed."""
        return self.result.messages

    def shows(self, role: str) -> bool:
        """Whether the text tells what is seen under this role."""
        return self.text.symbol_of(role) is not None

    def seen(self, role: str) -> Numbers:
        """What is seen under a role, in the role's unit, (patients, times); raises InputError if the text has none."""
        symbol = self.text.symbol_of(role)
        if symbol is None:
            remedy = (
                f"write under model.own.roles '{role}: ...', or ask for one of {', '.join(self.text.chapter.roles)}"
            )
            raise InputError(Fault(f"role {role}", f"{self.text.chapter.text} does not tell it", remedy))
        return np.asarray(self.result[symbol] / self.text.in_text(symbol, ROLES[role].unit), dtype=np.float64)


def draw_own_parameters(
    text: ModelText, keys: Keys, streams: Streams, measured: Mapping[str, Numbers] | None = None
) -> Mapping[str, Numbers]:
    """Every patient's parameters, (patients,), in the units of the text.

    What was measured (variable -> values in the unit of `records.VARIABLES`) stands where the protocol says which
    parameter it is; who was not measured (NaN), and all else, is drawn around the card. Each symbol has its own stream.
    """
    found = {}
    for symbol, one in text.cards.items():
        uniform = streams.named("model", symbol).uniform(keys)[:, 0]
        found[symbol] = draw_around(one, uniform) * text.in_text(symbol, one.unit)
    for symbol, variable in text.chapter.patient.items():
        values = (measured or {}).get(variable)
        if values is not None:
            known = values * text.in_text(symbol, VARIABLES[variable].unit)
            found[symbol] = np.where(np.isnan(values), found[symbol], known) if symbol in found else known
    return found


def run_own_courses(request: OwnCourseRequest, times: Numbers, threads: int = 1) -> OwnCourses:
    """Solve all courses of the batch; `times` is model time in days, (times,) or (patients, times), rising.

    Raises InputError for a drug that the text does not receive. A patient whose equations cannot be solved is marked
    in `status`; the others go on.
    """
    text, model = request.text, request.text.model
    start = np.zeros(len(request))
    if len(request.conditioning):
        np.minimum.at(start, request.conditioning.patient, conditioning_times(request.conditioning))
    asked = engine.Request(
        times=np.asarray(times, dtype=np.float64),
        outputs=(
            *model.states,
            *(one for one in dict.fromkeys(text.chapter.roles.values()) if one not in model.states),
        ),
        start=start,
        parameters=request.parameters,
        doses=_doses(request),
        extinctions=tuple(
            engine.Extinction(
                states=group.states,
                threshold=group.below.to("cells") * text.in_text(group.states[0], "cell"),
                not_while_positive=group.not_while,
            )
            for group in text.chapter.dies_out
        ),
        never_negative=model.states,
        relative_tolerance=number("relative_tolerance"),
        absolute_tolerance=number("absolute_tolerance"),
    )
    return OwnCourses(text=text, result=engine.solve(model, asked, threads))


def _doses(request: OwnCourseRequest) -> engine.Doses:
    tables = [*_drugs(request), *(_cells(request.text, one) for one in request.infusions)]
    if not tables:
        return engine.Doses()
    return engine.Doses(
        patient=np.concatenate([one.patient for one in tables]),
        time=np.concatenate([one.time for one in tables]),
        state=np.concatenate([one.state for one in tables]),
        amount=np.concatenate([one.amount for one in tables]),
        duration=np.concatenate([one.duration for one in tables]),
    )


def _drugs(request: OwnCourseRequest) -> list[engine.Doses]:
    """Each conditioning drug as its mass in the body; of fludarabine that of the active part."""
    table, text = request.conditioning, request.text
    tables = []
    for drug in dict.fromkeys(table.drug.tolist()):
        symbol = getattr(text.chapter.receives, drug)
        if symbol is None:
            found = f"{text.chapter.text} does not receive it"
            raise InputError(Fault(f"conditioning with {drug}", found, f"write under model.own.receives '{drug}: ...'"))
        rows = np.flatnonzero(table.drug == drug)
        active = number("flu_active_share") if drug == FLUDARABINE else 1.0
        who = table.patient[rows]
        tables.append(
            engine.Doses(
                patient=who,
                time=conditioning_times(table)[rows],
                state=np.full(len(rows), symbol),
                amount=table.dose[rows] * request.body_surface_area[who] * active * text.in_text(symbol, "mg"),
                duration=table.hours[rows] / HOURS_PER_DAY,
            )
        )
    return tables


def _cells(text: ModelText, infusion: Infusion) -> engine.Doses:
    treated, symbol = np.flatnonzero(infusion.cells > 0).astype(np.int64), text.chapter.receives.cells
    return engine.Doses(
        patient=treated,
        time=infusion.time[treated],
        state=np.full(len(treated), symbol),
        amount=infusion.cells[treated] * BILLION * text.in_text(symbol, "cell"),
        duration=np.zeros(len(treated)),
    )
