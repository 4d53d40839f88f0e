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
from montecarlo.streams import normals, words
words((0, 0), 8); normals((0, 0), 8)
found = {}
for name in sys.argv[1:]:
    module, function = name.rsplit(".", 1)
    kernel = getattr(importlib.import_module(module), function)
    found[name] = [line.split("#")[0] for asm in kernel.inspect_asm().values() for line in asm.splitlines()
                   if re.search(r"%[yz]mm", line)]
print(json.dumps(found))
"""

STREAMS = ["montecarlo.streams._philox._fill_words", "montecarlo.streams._normals._fill_normals"]
LAWS = [
    f"montecarlo.laws._{law}.{function}"
    for law in ("gaussian", "rademacher", "uniform16", "uniform24")
    for function in ("project", "combine")
]
ENGINES = ["montecarlo.gaussian._network.run_block"]


@pytest.fixture(scope="module")
def wide_instructions(tmp_path_factory):
    features = llvmlite.binding.get_host_cpu_features()
    if not (features.get("avx2") and features.get("fma")):
        pytest.skip("the register widths looked for are those of x86-64 with AVX2 and FMA")
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("cold_cache"))}
    command = [sys.executable, "-c", PROGRAM, *STREAMS, *LAWS, *ENGINES]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


@pytest.mark.parametrize("kernel", STREAMS + LAWS + ENGINES)
def test_philox_multiplies_in_wide_registers(wide_instructions, kernel):
    # ten rounds of two products for at least four counters at a time
    assert sum("vpmuludq" in line for line in wide_instructions[kernel]) >= 20


@pytest.mark.parametrize(
    "kernel", [name for name in STREAMS + LAWS + ENGINES if "normals" in name or "gaussian" in name]
)
def test_box_muller_runs_in_wide_registers(wide_instructions, kernel):
    code = "\n".join(wide_instructions[kernel])
    assert "vsqrtps" in code
    assert re.search(r"vfn?m(add|sub)\d+ps", code)
