"""The same bits on processors that are not at hand: narrower x86 code runs here, ARM code in an emulator."""

import ctypes
import platform
import shutil
import subprocess

import numpy as np
import pytest

from graftline import engine
from graftline.engine.compiling import kernel, native
from graftline.engine.compiling.layout import CONTROL
from graftline.engine.compiling.native import Library, Machine, compile_object, this_machine
from graftline.engine.compiling.program import from_json

MODEL = """
x' = -k * x + exp(-y) * log(1 + x) / (2 + y)
y' = x ^ p / (1 + x ^ p) - 0.3 * y * sqrt(1 + x) + floor(time) * 0.01
z' = piecewise(x - z, x > z, 0.5 * min(y, z))
x = 1; y = 0.2; z = 2; k = 0.7; p = 1.7
"""
STEPS, STATES, VARIED = 40, ("x", "y", "z"), ("k", "p")


@pytest.fixture(scope="module")
def model():
    return engine.load_antimony(MODEL)


def without(*features):
    """This processor with some of its abilities switched off."""
    kept = [one for one in this_machine().features.split(",") if not any(bad in one for bad in features)]
    return ",".join([*kept, *(f"-{one}" for one in features)])


# AVX2 without AVX-512, and the oldest 64-bit processors, which have no fused multiply-add (the C library's is called)
NARROWER = {"znver3": ("avx512f", "avxvnni"), "x86-64": ("avx", "fma")}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="this processor is no x86-64")
@pytest.mark.parametrize("processor", NARROWER)
def test_code_for_a_narrower_processor_gives_the_same_bits(model, monkeypatch, processor):
    rates = np.geomspace(0.1, 10, 21)
    expected = model.run(times=np.linspace(0, 5, 6), parameters={"k": rates})
    narrower = Machine(triple=this_machine().triple, cpu=processor, features=without(*NARROWER[processor]))
    for module in (native, kernel):
        monkeypatch.setattr(module, "this_machine", lambda: narrower)
    kernel._compiled.cache_clear()
    try:
        found = model.run(times=np.linspace(0, 5, 6), parameters={"k": rates})
    finally:
        kernel._compiled.cache_clear()
    assert np.array_equal(found.values, expected.values)
    assert np.array_equal(found.steps, expected.steps)


DRIVER = """
#include <stdio.h>
void begin(double *, double *, double *); void prepare(double *, double *, double *); long step(double *);
static double work[{places} * {lanes}] __attribute__((aligned(64))), room[64];
int main(int count, char **names) {{
    FILE *file = fopen(names[1], "rb");
    if (fread(work, sizeof work, 1, file) != 1) return 1;
    fclose(file);
    for (int lane = 0; lane < {lanes}; lane++) {{
        begin(work + lane, work + lane, room);
        prepare(work + lane, work + lane, room);
    }}
    for (int k = 0; k < {steps}; k++) step(work);
    file = fopen(names[2], "wb");
    fwrite(work, sizeof work, 1, file);
    return fclose(file);
}}
"""


def workspace(model, layout, lanes):
    """Lanes that differ in a parameter, with everything a step reads; nobody looks at them before the end of time."""
    work = np.zeros((layout.places, lanes))
    work[1 : layout.first_hoisted] = np.nan
    for name in VARIED:
        work[model.program.slot(name)] = model.own_values[name] * np.linspace(0.5, 2, lanes)
    started = {"planned": 1e-3, "stop": np.inf, "look": np.inf, "step_limit": 1e9, "last_log_error": -5.0}
    for name in CONTROL:
        work[layout.control(name)] = started.get(name, 0.0)
    work[layout.relative_tolerance] = 1e-6
    work[layout.absolute_tolerances : layout.lowest] = 1e-9
    work[layout.lowest : layout.truths] = -np.inf
    return work


def stepped_here(text, work, lanes):
    library, work, room = Library(compile_object(text), ["begin", "prepare", "step"]), work.copy(), np.zeros(64)
    for name in ("begin", "prepare"):
        for lane in range(lanes):
            place = work.ctypes.data + 8 * lane
            library.function(name)(place, place, room.ctypes.data)
    step = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(library.addresses["step"])
    for _ in range(STEPS):
        step(work.ctypes.data)
    return work


TOOLS = ("aarch64-linux-gnu-gcc", "qemu-aarch64")


@pytest.mark.long
@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"not installed: {', '.join(TOOLS)}")
@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_code_for_arm_gives_the_same_bits(model, tmp_path, lanes):
    from llvmlite import binding

    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    layout, text = kernel.written(from_json(model.program.json), (), lanes)
    work = workspace(model, layout, lanes)
    expected = stepped_here(text, work, lanes)
    assert np.all(expected[0] > 0.1), "the lanes have gone somewhere"

    arm = Machine(triple="aarch64-unknown-linux-gnu", cpu="cortex-a72", features="")
    (tmp_path / "model.o").write_bytes(compile_object(text, arm))
    (tmp_path / "driver.c").write_text(DRIVER.format(places=layout.places, lanes=lanes, steps=STEPS))
    work.tofile(tmp_path / "before")
    compiler = ["aarch64-linux-gnu-gcc", "-static", "-o", "run", "driver.c", "model.o", "-lm"]
    subprocess.run(compiler, cwd=tmp_path, check=True)
    subprocess.run(["qemu-aarch64", "./run", "before", "after"], cwd=tmp_path, check=True)
    found = np.fromfile(tmp_path / "after").reshape(expected.shape)
    assert np.array_equal(found.view(np.int64), expected.view(np.int64))
