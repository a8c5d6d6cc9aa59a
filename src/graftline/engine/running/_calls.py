"""How compiled control code reaches memory and compiled models: by address, so that it can itself be kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_WORD, _DOUBLE = ir.IntType(64), ir.DoubleType()


def njit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of the control loop: without the interpreter's lock, kept on disk, arithmetic as written."""
    return _kept_by_all_files(numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def written_in(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `njit`, for functions on the way of every step: written into their callers, nothing is handed on."""
    return _kept_by_all_files(numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")(function))


@cache
def _digest() -> str:
    """Of every file of this folder."""
    return hashlib.sha256(
        b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    ).hexdigest()


def _kept_by_all_files(compiled: Any) -> Callable[..., Any]:
    """Code kept on disk counts as old when any file of this folder changes; numba looks at the function's own only.

    The stamp is numba's own affair: with a release that keeps it elsewhere, only who edits these files must clear the
    kept code by hand. A test tells.
    """
    file: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(file, "_source_stamp"):
        file._source_stamp = _digest()
    kept: Callable[..., Any] = compiled
    return kept


def _inline(function: Callable[..., Any]) -> Any:
    """A function of types that gives LLVM code, to be written into compiled code where it is called."""
    return intrinsic(function)


def _place(builder: Any, kind: Any, address: Any, index: Any) -> Any:
    """A pointer to the index-th of the values of eight bytes that begin at the address."""
    return builder.gep(builder.inttoptr(address, kind.as_pointer()), [index], inbounds=True)


def _loads(kind: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.load(_place(builder, kind, *values))

    return generate


def _stores(kind: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(builder, kind, values[0], values[1]))
        return context.get_dummy_value()

    return generate


@_inline
def get(_typing: Any, address: Any, index: Any) -> Any:
    """The index-th number at the address."""
    return types.float64(types.int64, types.int64), _loads(_DOUBLE)


@_inline
def put(_typing: Any, address: Any, index: Any, value: Any) -> Any:
    """Write the index-th number at the address."""
    return types.void(types.int64, types.int64, types.float64), _stores(_DOUBLE)


@_inline
def get_whole(_typing: Any, address: Any, index: Any) -> Any:
    """The index-th whole number at the address."""
    return types.int64(types.int64, types.int64), _loads(_WORD)


@_inline
def put_whole(_typing: Any, address: Any, index: Any, value: Any) -> Any:
    """Write the index-th whole number at the address."""
    return types.void(types.int64, types.int64, types.int64), _stores(_WORD)


@_inline
def take_ticket(_typing: Any, address: Any) -> Any:
    """The whole number at the address, which is one more afterwards; safe between threads."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        place = builder.inttoptr(values[0], _WORD.as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(_WORD, 1), "monotonic")

    return types.int64(types.int64), generate


@_inline
def lowest(_typing: Any, lanes: Any) -> Any:
    """The lowest of some lanes, which are bits; there must be one."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


def _calling(pointers: int, *, gives_lanes: bool = False) -> Any:
    """A call of the function at the first address; `pointers` of the others are pointers, the rest numbers."""

    def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        arguments = [
            builder.inttoptr(value, byte) if index < pointers else value for index, value in enumerate(values[1:])
        ]
        kind = ir.FunctionType(_WORD if gives_lanes else ir.VoidType(), [one.type for one in arguments])
        called = builder.call(builder.inttoptr(values[0], kind.as_pointer()), arguments)
        return called if gives_lanes else context.get_dummy_value()

    return generate


@_inline
def call_step(_typing: Any, function: Any, work: Any) -> Any:
    """function(work), which gives lanes as bits"""
    return types.int64(types.int64, types.int64), _calling(1, gives_lanes=True)


@_inline
def call_listed(_typing: Any, function: Any, work: Any, states: Any, count: Any) -> Any:
    """function(work, states, count)"""
    return types.void(*[types.int64] * 4), _calling(2)


@_inline
def call_fallen(_typing: Any, function: Any, moment: Any, states: Any, count: Any, threshold: Any) -> Any:
    """function(moment, states, count, threshold), which gives lanes as bits"""
    return types.int64(*[types.int64] * 4, types.float64), _calling(2, gives_lanes=True)


@_inline
def call_one(_typing: Any, function: Any, moment: Any, rest: Any, out: Any) -> Any:
    """function(moment, rest, out)"""
    return types.void(*[types.int64] * 4), _calling(3)
