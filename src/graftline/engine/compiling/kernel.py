"""A model's machine code: made once for a model, a set of infused states and a processor, then kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from .assembly import LIBRARY_DECLARATIONS, declarations
from .elementary import function_definitions
from .layout import Layout, hoisted_nodes
from .native import Library, compile_object, kept, this_machine
from .program import Program, from_json
from .single import SingleWriter
from .sparse import factorise
from .stages import dense_function, fallen_function, inside_function
from .step import StepWriter, equations

_MODELS_KEPT = 64  # in one process
FUNCTIONS = (
    "step", "dense", "inside", "fallen", "turned", "begin", "prepare", "rates", "conditions", "events",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CompiledModel:
    """A model's functions for a number of lanes, and the layout they work on."""

    program: Program
    layout: Layout
    lanes: int
    machine_code: Library


@cache
def _version() -> str:
    """A digest of the files that decide what is compiled: with other files, kept code is made anew."""
    import llvmlite

    text = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return f"{hashlib.sha256(text).hexdigest()} {llvmlite.__version__}"


def machine_key() -> list[str]:
    """What tells apart processors that need code of their own."""
    machine = this_machine()
    return [machine.triple, machine.cpu, machine.features]


def compile_model(program: Program, infused: tuple[int, ...] = (), lanes: int | None = None) -> CompiledModel:
    """Machine code for a program; `infused` are the slots of the states that infusions run into.

    `lanes` is the number of patients per step (1, 2, 4 or 8), by default what this processor does best. It changes no
    patient's numbers.
    """
    return _compiled(program.json, infused, lanes or this_machine().lanes)


@lru_cache(maxsize=_MODELS_KEPT)
def _compiled(text: str, infused: tuple[int, ...], lanes: int) -> CompiledModel:
    key = [_version(), text, json.dumps(infused), str(lanes), *machine_key()]
    made: list[bytes] = []

    def make(which: int) -> bytes:
        if not made:
            layout, code = written(from_json(text), infused, lanes)
            made.extend([json.dumps(asdict(layout)).encode(), compile_object(code)])
        return made[which]

    plan = json.loads(kept("layout", key, lambda: make(0)))
    code = kept("model", key, lambda: make(1))
    layout = Layout(**{**plan, "hoisted": tuple(plan["hoisted"]), "infused": tuple(plan["infused"])})
    return CompiledModel(program=from_json(text), layout=layout, lanes=lanes, machine_code=Library(code, FUNCTIONS))


def written(program: Program, infused: tuple[int, ...], lanes: int) -> tuple[Layout, str]:
    """The layout, and the LLVM text of FUNCTIONS and all they call; `program` is added to."""
    known = len(program.graph)
    own = equations(program)
    relations = program.relations()
    events = [node for event in program.events for node in event.nodes]
    plan = factorise(len(program.states), own.jacobian)
    layout = Layout(
        states=len(program.states),
        constants=len(program.constants),
        hoisted=hoisted_nodes(program.graph, [*own.roots, *relations, *events]),
        known=known,
        relations=len(relations),
        infused=infused,
        entries=len(plan.entries),
    )
    single = SingleWriter(program, layout, lanes)
    bodies = [single.begin(), single.prepare(), single.rates(), single.conditions(), single.events()]
    step = StepWriter(own, plan, layout, lanes)
    bodies += [*step.functions(), step.turned(relations)]
    bodies += [dense_function(layout, lanes, "dense"), inside_function(layout, lanes, "inside")]
    bodies.append(fallen_function(layout, lanes, "fallen"))
    return layout, _module(bodies, {1, lanes})


def compile_observe(compiled: CompiledModel, outputs: tuple[str, ...]) -> Library:
    """The function that computes outputs, by their names, of which some are more than states."""
    return _compiled_observe(compiled.program.json, compiled.layout, compiled.lanes, outputs)


@lru_cache(maxsize=_MODELS_KEPT)
def _compiled_observe(text: str, layout: Layout, lanes: int, outputs: tuple[str, ...]) -> Library:
    key = [_version(), text, json.dumps(asdict(layout)), str(lanes), *machine_key(), json.dumps(outputs)]

    def make() -> bytes:
        program = from_json(text)
        slots = {name: program.graph.slot(slot) for slot, name in enumerate(program.quantities, start=1)}
        nodes = [slots[name] if name in slots else program.observables[name] for name in outputs]
        own = tuple(node if node < layout.known else -1 for node in layout.hoisted)  # this graph knows no derivatives
        single = SingleWriter(program, replace(layout, hoisted=own), lanes)
        return compile_object(_module([single.observe(nodes)], {1}))

    return Library(kept("observe", key, make), ["observe"])


def _module(bodies: Sequence[str], lanes: set[int]) -> str:
    """The text of a module with these functions and all they call."""
    shared = [declarations(width) + "\n" + function_definitions(width) for width in sorted(lanes)]
    lines = "\n".join([LIBRARY_DECLARATIONS, *shared]).splitlines()
    declared = dict.fromkeys(line for line in lines if line.startswith("declare"))
    return "\n".join([*declared, *(line for line in lines if not line.startswith("declare")), *bodies])
