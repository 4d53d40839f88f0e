"""Sampled paths: the linear map they are, and what they may depend on. Identities, no statistics."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import llvmlite.binding
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from montecarlo.processes import WeightProcess, find_process, normal_rows, sample_paths
from montecarlo.processes import _factor as factor_module
from montecarlo.streams import LARGEST_NORMAL, ROLE_V, ROLE_W, normals

KEY = (20240607, 3)
NAMES = ["fbm:0.2", "fbm:0.5", "fbm:0.97", "rbf:0.01", "rbf:1e-5", "rbf-increments:0.01"]
NAMES += ["matern:0.5:0.1", "matern:1.5:0.1", "matern:2.5:0.1", "matern:2.5:1e6"]
PROCESSES = [
    *map(find_process, NAMES),
    WeightProcess.from_kernel("brownian", np.minimum),
    WeightProcess.from_lags("white", 3.0 * (np.arange(400) == 0)),
    WeightProcess.from_kernel("zero", lambda s, t: 0.0),
]
each_process = pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.name)


def all_normals(process, depth, entries, replica=5, role=ROLE_V):
    z = np.empty((process.factor(depth).normals, entries), np.float32)
    normal_rows(KEY, role, replica)(0, z)
    return z


@each_process
@pytest.mark.parametrize("depth", [1, 2, 200])
@pytest.mark.parametrize("entries", [1, 37])
def test_paths_are_the_matrix_times_the_normals(process, depth, entries):
    paths = sample_paths(process, depth, entries, KEY, ROLE_V, 5)
    assert paths.dtype == np.float32
    assert paths.shape == (depth, entries)
    assert paths.flags.c_contiguous
    exact = process.factor(depth).matrix() @ all_normals(process, depth, entries).astype(np.float64)
    np.testing.assert_allclose(paths, exact, rtol=0.0, atol=4e-6)


@each_process
def test_a_path_does_not_depend_on_the_number_of_paths(process):
    many = sample_paths(process, 60, 1600, KEY, ROLE_W, 2**40 + 1)
    for entries in (1, 3, 129, 1025):
        few = sample_paths(process, 60, entries, KEY, ROLE_W, 2**40 + 1)
        assert np.array_equal(few, many[:, :entries])


@each_process
def test_chunks_of_rows_do_not_matter(process, monkeypatch):
    whole = sample_paths(process, 50, 9, KEY, ROLE_V, 0)
    monkeypatch.setattr(factor_module, "_CHUNK_BYTES", 4 * 9 * 7)
    assert np.array_equal(sample_paths(process, 50, 9, KEY, ROLE_V, 0), whole)


@each_process
def test_paths_in_any_order_and_thread(process):
    def draw(replica_role):
        return sample_paths(process, 50, 300, KEY, replica_role[1], replica_role[0])

    cases = [(replica, role) for replica in (0, 1, 7) for role in (ROLE_V, ROLE_W)]
    forward = [draw(case) for case in cases]
    backward = [draw(case) for case in cases[::-1]][::-1]
    with ThreadPoolExecutor(3) as pool:
        threaded = list(pool.map(draw, cases))
    for one, two, three in zip(forward, backward, threaded, strict=True):
        assert np.array_equal(one, two)
        assert np.array_equal(one, three)
    if forward[0].any():
        assert len({path.tobytes() for path in forward}) == len(cases)
        other_key = sample_paths(process, 50, 300, (KEY[0], KEY[1] + 1), ROLE_V, 0)
        assert not np.array_equal(other_key, forward[0])


@settings(max_examples=40)
@given(
    row=st.integers(0, 2**28 - 2),
    replica=st.integers(0, 2**64 - 1),
    entry=st.integers(0, 2500),
    role=st.sampled_from([ROLE_V, ROLE_W]),
)
def test_normals_come_from_the_stated_counters(row, replica, entry, role):
    z = np.empty((2, entry + 1), np.float32)
    normal_rows(KEY, role, replica)(row, z)
    for t in range(2):
        high = (row + t | role << 28, replica & 0xFFFFFFFF, replica >> 32)
        group = 256 * (entry // 1024) + entry % 256
        assert z[t, entry] == normals(KEY, group + 1, high=high)[entry % 1024 // 256, group]


def test_normals_of_an_entry_differ_by_row_and_role():
    z = np.empty((2, 500, 1100), np.float32)
    for role, rows in zip((ROLE_V, ROLE_W), z, strict=True):
        normal_rows(KEY, role, 3)(0, rows)
    assert np.abs(z).max() <= LARGEST_NORMAL
    distinct = len(np.unique(z.view(np.uint32)))
    assert distinct > 0.95 * z.size  # 1.1e6 float32 normals of some 1e9 possible ones


def test_same_paths_without_the_compiler():
    names = ["fbm:0.2", "rbf:0.01", "matern:2.5:0.1"]
    program = (
        "import json, sys; from montecarlo.processes import *\n"
        "paths = [sample_paths(find_process(n), 4, 5, (1, 2), 1, 3).tolist() for n in sys.argv[1:]]\n"
        "print(json.dumps(paths))"
    )
    # numpy's scalars warn where 32-bit words wrap around on purpose
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-c", program, *names]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    for name, plain in zip(names, json.loads(result.stdout), strict=True):
        assert plain == sample_paths(find_process(name), 4, 5, (1, 2), 1, 3).tolist()


# Hexadecimal: entry 3 of the first and last of 20 layers, key (1, 2), role W, replica 9. A change is a change
# of the stream format (`montecarlo.streams.STREAM_FORMAT`).
FROZEN = {
    "fbm:0.2": ["0x1.04518e0000000p-1", "-0x1.bbf84e0000000p-4"],
    "fbm:0.5": ["0x1.ec78260000000p-3", "-0x1.6777020000000p+0"],
    "rbf:0.01": ["0x1.ec78260000000p-3", "-0x1.db7d840000000p-2"],
    "rbf-increments:0.01": ["0x1.ec78260000000p-3", "-0x1.814c3a0000000p-1"],
    "matern:1.5:0.1": ["0x1.ea53b60000000p-1", "0x1.a93cee0000000p-2"],
}


@pytest.mark.parametrize("name", FROZEN)
@pytest.mark.skipif(
    not llvmlite.binding.get_host_cpu_features().get("fma"), reason="these bits are those of CPUs with FMA"
)
def test_frozen_paths(name):
    paths = sample_paths(find_process(name), 20, 5, (1, 2), ROLE_W, 9)
    assert [float(x).hex() for x in paths[[0, 19], 3]] == FROZEN[name]
