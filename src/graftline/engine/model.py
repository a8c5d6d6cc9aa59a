"""A model, ready to be solved: what it is made of, by name."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.errors import Fault, InputError
from .batches import OWN_COLUMNS, pieces, write_parquet
from .compiling.kernel import compile_model
from .compiling.native import kept
from .compiling.program import Program, from_json
from .request import Doses, Request, check_request
from .result import Result
from .solving import Progress, solve_program

if TYPE_CHECKING:
    from .system import System

_ANTIMONY, _SBML = (".ant", ".txt"), (".xml", ".sbml")


@dataclass(frozen=True, kw_only=True)
class Model:
    """The equations of one patient, without the patient.

    Every name is one of: a *state* (it has a rate), a *parameter* (it has none; an event may set it) or an
    *observable* (it follows from time, states and parameters). `own_values` are the numbers that stand in the text; a
    state or parameter for which the text gives neither a number nor a formula must be given when the model is run.
    """

    name: str
    text: str
    """as it was read"""
    format: str
    """'antimony' or 'sbml'"""
    program: Program
    """the equations, ready to be compiled"""

    @property
    def states(self) -> tuple[str, ...]:
        """Names of what is integrated."""
        return self.program.states

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of what stays as it is unless an event sets it."""
        return self.program.constants

    @property
    def observables(self) -> tuple[str, ...]:
        """Names of what follows from the others."""
        return tuple(self.program.observables)

    @property
    def units(self) -> Mapping[str, str]:
        """name -> unit as declared in the text; names without a unit are missing"""
        return self.program.units

    @property
    def own_values(self) -> Mapping[str, float]:
        """Initial values of states and values of parameters that stand in the text as numbers."""
        return self.program.own_values

    @property
    def needed(self) -> tuple[str, ...]:
        """States and parameters that the text leaves open: they must be given."""
        return self.program.needed

    @cached_property
    def system(self) -> System:
        """The equations as sympy expressions, to be shown or checked by other means."""
        return _read(self.text, self.name, self.format)

    def compile(self) -> Self:
        """Make the machine code now rather than with the first run; the same model again."""
        compile_model(self.program)
        return self

    def run(
        self,
        *,
        times: ArrayLike,
        outputs: Sequence[str] | None = None,
        parameters: Mapping[str, ArrayLike] | NDArray[np.float64] | None = None,
        initial: Mapping[str, ArrayLike] | NDArray[np.float64] | None = None,
        doses: Doses | None = None,
        rtol: float = 1e-6,
        threads: int | None = None,
    ) -> Result:
        """Solve for one patient or many: `solve` for those who need no more than this.

        `parameters` and `initial` are numbers or arrays (patients,) by name, all of one length, or one array (patients,
        n) with a column for each of `self.parameters` or `self.states`, in their order. `times` is (times,) or
        (patients, times) and the first is the start; outputs are all states unless named. Raises InputError.
        """
        given, states = _by_name("parameters", parameters, self.parameters), _by_name("initial", initial, self.states)
        moments = _times(times)
        patients = max([len(array) for array in (*given.values(), *states.values())], default=1)
        patients = len(moments) if moments.ndim == 2 else patients
        request = Request(
            times=moments,
            outputs=tuple(self.states if outputs is None else outputs),
            start=np.broadcast_to(moments[..., 0], (patients,)).copy(),
            parameters={name: _for_all(array, patients) for name, array in given.items()},
            initial={name: _for_all(array, patients) for name, array in states.items()},
            doses=doses or Doses(),
            relative_tolerance=rtol,
            absolute_tolerance=1e-3 * rtol,
        )
        return solve(self, request, threads)


def _times(times: ArrayLike) -> NDArray[np.float64]:
    """As an array (times,) or (patients, times)."""
    try:
        moments = np.asarray(times, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(Fault("times", f"are no numbers: {error}", "give (times,) or (patients, times)")) from error
    if moments.ndim not in (1, 2) or 0 in moments.shape:
        raise InputError(Fault("times", f"have shape {moments.shape}", "give (times,) or (patients, times)"))
    return moments


def _by_name(
    place: str, given: Mapping[str, ArrayLike] | NDArray[np.float64] | None, names: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Arrays (patients,) by name, from such a mapping or from one array (patients, names)."""
    if given is None or isinstance(given, Mapping):
        return {name: _column(f"{place} {name}", value) for name, value in (given or {}).items()}
    table = np.asarray(given, dtype=float)
    if table.ndim != 2 or table.shape[1] != len(names):
        remedy = f"give (patients, {len(names)}), a column for each of {', '.join(names)}"
        raise InputError(Fault(place, f"has shape {table.shape}", remedy))
    return dict(zip(names, table.T, strict=True))


def _column(place: str, value: ArrayLike) -> NDArray[np.float64]:
    array = np.atleast_1d(np.asarray(value))
    if array.dtype.kind not in "fiub":
        raise InputError(Fault(place, f"is {value!r}", "give a number, or an array of numbers (patients,)"))
    return array.astype(float)


def _for_all(array: NDArray[np.float64], patients: int) -> NDArray[np.float64]:
    """One number stands for all patients."""
    return np.repeat(array, patients) if len(array) == 1 else array


def solve(
    model: Model,
    request: Request,
    threads: int | None = None,
    *,
    lanes: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Solve the model for every patient of the request.

    Raises InputError (all faults at once) before anything runs. A patient whose equations cannot be solved is marked
    in `status` and `messages`; the others go on. To the last bit, a patient's numbers do not depend on the other
    patients, their order, `threads` (default: as many as there are processors) or `lanes` (patients per step).
    """
    return solve_program(model.program, request, threads, lanes=lanes, progress=progress)


def stream(model: Model, request: Request, threads: int | None = None, *, chunk: int = 20_000) -> Iterator[Result]:
    """Solve `chunk` patients at a time: what `solve` gives, in pieces, so that memory stays bounded."""
    return (solve(model, piece, threads) for piece in pieces(request, chunk))


def solve_to_parquet(
    model: Model, request: Request, folder: Path | str, threads: int | None = None, *, chunk: int = 20_000
) -> list[Path]:
    """Solve `chunk` patients at a time and write each piece as a Parquet file into a new or empty folder.

    Columns: `patient`, `status`, `time` and the outputs; a row per patient and time. Raises InputError.
    """
    check_request(model.program, request)
    taken = sorted(set(request.outputs) & set(OWN_COLUMNS))
    if taken:
        remedy = f"leave it out: the table has {', '.join(OWN_COLUMNS)} of its own"
        raise InputError([Fault(f"outputs {name}", "is a column of every table", remedy) for name in taken])
    return write_parquet(stream(model, request, threads, chunk=chunk), Path(folder))


def load(path: Path | str) -> Model:
    """Read a model file: Antimony (.ant, .txt) or SBML (.xml, .sbml).

    Raises InputError with every fault found: what cannot be read, and what the engine does not support, each with the
    element's id.
    """
    path = Path(path)
    form = "antimony" if path.suffix in _ANTIMONY else "sbml" if path.suffix in _SBML else ""
    if not form:
        endings = ", ".join((*_ANTIMONY, *_SBML))
        raise InputError(Fault(str(path), "has an ending that says nothing about its format", f"name it {endings}"))
    try:
        text = _decoded(path.read_bytes())
    except (OSError, UnicodeDecodeError, LookupError) as error:
        raise InputError(Fault(str(path), f"cannot be read: {error}", "name a readable model file")) from error
    return _loaded(text, path.name, form)


def _decoded(content: bytes) -> str:
    """A file's text, in the encoding that an XML declaration names, else UTF-8; the declaration is written anew."""
    declared = re.match(rb"""\s*<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""", content)
    if declared is None:
        return content.decode("utf-8-sig")
    text = content.decode(declared[1].decode("ascii"))
    return text.replace(declared[1].decode("ascii"), "UTF-8", 1).removeprefix("\ufeff")


def load_antimony(text: str, name: str = "model") -> Model:
    """Read an Antimony text; `name` is what faults call it. Raises InputError with every fault found."""
    return _loaded(text, name, "antimony")


def load_sbml(text: str, name: str = "model") -> Model:
    """Read an SBML text; `name` is what faults call it. Raises InputError with every fault found."""
    return _loaded(text, name, "sbml")


def as_sbml(
    model: Model,
    *,
    values: Mapping[str, float] | None = None,
    doses: Doses | None = None,
    notes: Mapping[str, str] | None = None,
) -> str:
    """The model as SBML Level 3 Version 2, as libSBML writes it; nothing is simplified.

    `values` are numbers of parameters and of states at the start, in place of what stands in the text. `doses` are
    those of one patient: each becomes an event (an infusion two), its amount and times parameters `dose_1`,
    `dose_1_time`, …, in the order of time. `notes` are put on the equations, by what each defines, with ' for a rate.
    Extinction rules are not part of the model and not written. Raises InputError for unknown names.
    """
    from .sbml import Dose, antimony_as_sbml, completed, newest_sbml  # heavy

    text = antimony_as_sbml(model.text, model.name) if model.format == "antimony" else model.text
    newest = newest_sbml(text, model.name)
    table = Doses() if doses is None else doses
    if len(set(table.patient.tolist())) > 1:
        raise InputError(Fault("doses", "are of several patients", "write one patient at a time"))
    one_by_one = [
        Dose(state=str(state), amount=float(amount), time=float(time), duration=float(duration))
        for state, amount, time, duration in zip(table.state, table.amount, table.time, table.duration, strict=True)
    ]
    if not (values or one_by_one or notes):
        return newest
    return completed(newest, model.name, values=values or {}, doses=one_by_one, notes=notes or {})


def check_units(model: Model) -> None:
    """Raises InputError with every equation of the model whose units do not fit, by what it defines.

    Sums, comparisons, arguments of functions and both sides of each rule, initial value, event and rate of reaction are
    looked at. Numbers in a formula are pure numbers, and a name without a declared unit is a fault: this is for texts
    that declare their units throughout. A text that was found right once is not looked at again.
    """
    from .sbml import antimony_as_sbml, faults_of_units  # heavy

    def found() -> bytes:
        text = antimony_as_sbml(model.text, model.name) if model.format == "antimony" else model.text
        faults = faults_of_units(text, model.name)
        if faults:
            raise InputError(faults)
        return b"units fit"

    kept("units", [_version(), model.format, model.text], found)


@dataclass(frozen=True)
class DeclaredUnit:
    """A unit as a multiple of base units: of cells per litre 1000 ``item*metre^-3``."""

    factor: float
    base: str
    """product of kilogram, metre, second, item, … with their exponents; '1' for a pure number"""


def declared_units(model: Model) -> Mapping[str, DeclaredUnit]:
    """The unit of every name of the model that declares one, in base units; raises InputError if it cannot be read."""
    from .sbml import antimony_as_sbml, units_declared  # heavy

    def found() -> bytes:
        text = antimony_as_sbml(model.text, model.name) if model.format == "antimony" else model.text
        units = units_declared(text, model.name)
        rows = {
            name: (unit.factor, "*".join(f"{base}^{power:g}" for base, power in unit.powers) or "1")
            for name, unit in units.items()
        }
        return json.dumps(rows).encode()

    rows = json.loads(kept("declared units", [_version(), model.format, model.text], found))
    return {name: DeclaredUnit(float(factor), str(base)) for name, (factor, base) in rows.items()}


def _loaded(text: str, name: str, form: str) -> Model:
    """From the cache if the same text was read before by the same code."""

    def lowered() -> bytes:
        from .compiling.lowering import lower  # imports sympy, which a known text does not need

        return lower(_read(text, name, form)).json.encode()

    program = from_json(kept("program", [_version(), form, text], lowered).decode())
    return Model(name=name, text=text, format=form, program=program)


def _read(text: str, name: str, form: str) -> System:
    from .sbml import read_antimony, read_sbml  # heavy

    return read_antimony(text, name) if form == "antimony" else read_sbml(text, name)


@cache
def _version() -> str:
    """A digest of the files that decide what a text means."""
    here = Path(__file__).parent
    files = [*sorted((here / "sbml").glob("*.py")), *sorted((here / "compiling").glob("*.py")), here / "system.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
