"""The hot loops are vectorised: read in the machine code of a fresh compilation."""

import json
import os
import re
import subprocess
import sys

import llvmlite.binding
import pytest

PROGRAM = """
import importlib, json, re, sys
import numpy as np
from montecarlo.processes._draw import normal_rows
from montecarlo.streams import normals, words
words((0, 0), 8); normals((0, 0), 8)
normal_rows((0, 0), 0, 0)(0, np.empty((1, 8), np.float32))
found = {}
for name in sys.argv[1:]:
    module, function = name.rsplit(".", 1)
    kernel = getattr(importlib.import_module(module), function)
    found[name] = [line.split("#")[0] for asm in kernel.inspect_asm().values() for line in asm.splitlines()
                   if re.search(r"%[yz]mm", line)]
print(json.dumps(found))
"""

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
ENGINES = ["montecarlo.engines.gaussian._network.run_block"]
CORRELATED = "montecarlo.engines.correlated._network.run_columns"


@pytest.fixture(scope="module")
def wide_instructions(tmp_path_factory):
    features = llvmlite.binding.get_host_cpu_features()
    if not (features.get("avx2") and features.get("fma")):
        pytest.skip("the register widths looked for are those of x86-64 with AVX2 and FMA")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("cold_cache"))}
    command = [sys.executable, "-c", PROGRAM, *STREAMS, *LAWS, *ENGINES, CORRELATED]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


@pytest.mark.parametrize("kernel", STREAMS + LAWS + ENGINES)
def test_philox_multiplies_in_wide_registers(wide_instructions, kernel):
    # ten rounds of two products for at least four counters at a time
    assert sum("vpmuludq" in line for line in wide_instructions[kernel]) >= 20


@pytest.mark.parametrize(
    "kernel",
    [name for name in STREAMS + LAWS + ENGINES if any(w in name for w in ("normals", "gaussian", "rows"))],
)
def test_box_muller_runs_in_wide_registers(wide_instructions, kernel):
    code = "\n".join(wide_instructions[kernel])
    assert "vsqrtps" in code
    assert re.search(r"vfn?m(add|sub)\d+ps", code)


def test_correlated_products_and_passes_run_in_wide_registers(wide_instructions):
    lines = wide_instructions[CORRELATED]
    # One product serves all matrices and their transposes, another those in lanes: tiles of twelve, eight and
    # four accumulators, and of four.
    assert sum("vfmadd231ps" in line for line in lines) >= 12 + 8 + 4 + 4
    code = "\n".join(lines)
    # Adding an image to all columns: the rounding error of the sum, and the largest entry so far.
    assert "vsubps" in code
    assert re.search(r"vpmax[us]d", code)
