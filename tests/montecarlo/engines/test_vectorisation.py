"""The hot loops are vectorised: read in the machine code of the kernels."""

import functools
import importlib
import re

import llvmlite.binding
import numpy as np
import pytest

from montecarlo.common._jit import JIT_OFF
from montecarlo.processes._draw import normal_rows
from montecarlo.streams import normals, words

STREAMS = [
    "montecarlo.streams._philox._fill_words",
    "montecarlo.streams._normals._fill_normals",
    "montecarlo.processes._draw._fill_rows",
]
LAWS = [
    f"montecarlo.laws._{law}.{function}"
    for law in ("gaussian", "uniform16")  # the others are of the same make
    for function in ("project", "combine")
]
ENGINES = [f"montecarlo.engines.gaussian.{kernel}.run_block" for kernel in ("_plain", "_full")]
CORRELATED = "montecarlo.engines.correlated._network.run_columns"


@pytest.fixture(scope="module", autouse=True)
def compiled_streams():
    features = llvmlite.binding.get_host_cpu_features()
    if JIT_OFF or not (features.get("avx2") and features.get("fma")):
        pytest.skip("the register widths looked for are those of x86-64 with AVX2 and FMA")
    words((0, 0), 8)
    normals((0, 0), 8)
    normal_rows((0, 0), 0, 0)(0, np.empty((1, 8), np.float32))


@functools.cache
def wide_instructions(name):
    """Return the lines of a kernel's machine code that name wide registers.

    Numba keeps the optimised code of LLVM with a kernel, also of one that was compiled by another process:
    what is left to do is to write it down for this machine, as it was done then.
    """
    module, function = name.rsplit(".", 1)
    kernel = getattr(importlib.import_module(module), function)
    found = []
    for compiled in kernel.overloads.values():
        library = compiled.library
        assembly = library.codegen._tm.emit_assembly(library._get_module_for_linking())
        found += [line.split("#")[0] for line in assembly.splitlines() if re.search(r"%[yz]mm", line)]
    return found


@pytest.mark.parametrize("kernel", STREAMS + LAWS + ENGINES)
def test_philox_multiplies_in_wide_registers(kernel):
    # Ten rounds of two products for at least four counters at a time; two of them are shared by all counters
    # where these differ in one word.
    assert sum("vpmuludq" in line for line in wide_instructions(kernel)) >= 18


@pytest.mark.parametrize(
    "kernel",
    [name for name in STREAMS + LAWS + ENGINES if any(w in name for w in ("normals", "gaussian", "rows"))],
)
def test_box_muller_runs_in_wide_registers(kernel):
    code = "\n".join(wide_instructions(kernel))
    assert "vsqrtps" in code
    assert re.search(r"vfn?m(add|sub)\d+ps", code)


def test_correlated_products_and_passes_run_in_wide_registers():
    lines = wide_instructions(CORRELATED)
    # One product serves all matrices and their transposes, another those in lanes: tiles of twelve, eight and
    # four accumulators, and of four.
    assert sum("vfmadd231ps" in line for line in lines) >= 12 + 8 + 4 + 4
    code = "\n".join(lines)
    # Adding an image to all columns: the rounding error of the sum, and the largest entry so far.
    assert "vsubps" in code
    assert re.search(r"vpmax[us]d", code)
