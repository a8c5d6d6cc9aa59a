"""LLVM text to machine code in this process, and machine code kept on disk."""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

# LLVM's levels of optimisation: more of the second takes twice as long on large models and makes no faster code
_PASSES_LEVEL, _CODE_LEVEL = 2, 1


@dataclass(frozen=True)
class Machine:
    """The processor that code is made for."""

    triple: str
    cpu: str
    features: str

    @property
    def lanes(self) -> int:
        """How many doubles the processor computes at once: 8 with AVX-512, 4 with AVX2, 2 elsewhere."""
        have = set(self.features.split(","))
        if "+avx512f" in have and "+avx512dq" in have:
            return 8
        if "+avx2" in have and "+fma" in have:
            return 4
        return 2


@lru_cache(maxsize=1)
def this_machine() -> Machine:
    """The processor this process runs on."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    flat = ",".join(("+" if on else "-") + name for name, on in sorted(features.items()))
    return Machine(triple=binding.get_process_triple(), cpu=binding.get_host_cpu_name(), features=flat)


def _started() -> Any:
    """LLVM's binding, made ready."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


def compile_object(text: str, machine: Machine | None = None) -> bytes:
    """LLVM text as an object file, for this machine unless another is named."""
    binding, machine = _started(), machine or this_machine()
    target = binding.Target.from_triple(machine.triple).create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=_CODE_LEVEL, reloc="default", codemodel="jitdefault"
    )
    module = binding.parse_assembly(text)
    module.triple = machine.triple
    module.verify()
    tuning = binding.create_pipeline_tuning_options(speed_level=_PASSES_LEVEL)
    tuning.slp_vectorization = False  # lanes are the vectors already
    tuning.loop_vectorization = False
    builder = binding.create_pass_builder(target, tuning)
    builder.getModulePassManager().run(module, builder)
    return bytes(target.emit_object(module))


class Library:
    """An object file loaded into this process; keep it as long as its functions are called."""

    def __init__(self, object_code: bytes, functions: Sequence[str]) -> None:
        binding, machine = _started(), this_machine()
        target = binding.Target.from_triple(machine.triple).create_target_machine(
            cpu=machine.cpu, features=machine.features, opt=0, codemodel="jitdefault"
        )
        empty = binding.parse_assembly("")
        empty.triple = machine.triple
        self._engine = binding.create_mcjit_compiler(empty, target)
        self._engine.add_object_file(binding.ObjectFileRef.from_data(object_code))
        self._engine.finalize_object()
        self.addresses: Mapping[str, int] = {name: self._engine.get_function_address(name) for name in functions}
        missing = [name for name, address in self.addresses.items() if not address]
        if missing:
            raise LookupError(f"the object file has no {', '.join(missing)}")

    def function(self, name: str) -> Any:
        """A function as a ctypes function of three addresses, for tests."""
        return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(self.addresses[name])


def cache_folder() -> Path:
    """Where compiled models are kept; GRAFTLINE_CACHE names another place."""
    from platformdirs import user_cache_path

    named = os.environ.get("GRAFTLINE_CACHE")
    return Path(named) if named else user_cache_path("graftline", appauthor=False)


def kept(kind: str, key: Sequence[str], make: Any) -> bytes:
    """What `make()` gives, from the cache if it was made before with the same key on the same kind of machine.

    A file that is damaged, or a folder that cannot be written, costs time and nothing else.
    """
    digest = hashlib.sha256("\0".join(key).encode()).hexdigest()
    path = cache_folder() / kind / digest[:2] / digest
    found = _read(path)
    if found is None:
        found = make()
        _write(path, found)
    return found


def _read(path: Path) -> bytes | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    seal, body = content[:32], content[32:]
    return body if hashlib.sha256(body).digest() == seal else None


def _write(path: Path, body: bytes) -> None:
    """Whole or not at all: written aside, then renamed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).digest() + body)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
    except OSError:
        return
