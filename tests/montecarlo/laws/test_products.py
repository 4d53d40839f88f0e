"""Products of matrices with columns: right, the same bits in any company, and vectorised."""

import re

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from montecarlo.kernels._columns import advance_columns
from montecarlo.kernels._product import product


@numba.njit
def multiply(matrix, offset, row_stride, column_stride, rows, size, states, columns, out):
    product(matrix, offset, row_stride, column_stride, rows, size, states, columns, out)


@numba.njit
def advance(high, low, difference, increment, step, frame, size, columns, peak):
    advance_columns(high, low, difference, increment, step, frame, size, columns, peak)


def apply(matrix, states, *, transposed=False, offset=0):
    size, columns = states.shape
    rows = matrix.shape[1] if transposed else matrix.shape[0]
    out = np.full(rows * columns, np.nan, np.float32)
    flat = np.concatenate([np.full(offset, np.nan, np.float32), matrix.ravel()])
    strides = (1, rows) if transposed else (size, 1)
    numbers = (np.uint64(number) for number in (offset, *strides, rows, size))
    multiply(flat, *numbers, states.ravel(), np.uint64(columns), out)
    return out.reshape(rows, columns)


@given(
    rows=st.integers(1, 50), d=st.integers(1, 50), columns=st.integers(1, 9), transposed=st.booleans(),
    offset=st.integers(0, 5), seed=st.integers(0, 2**32),
)  # fmt: skip
def test_products_are_chains_of_fused_multiply_adds(rows, d, columns, transposed, offset, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((d, rows) if transposed else (rows, d)).astype(np.float32)
    states = rng.standard_normal((d, 8 * columns)).astype(np.float32)
    found = apply(matrix, states, transposed=transposed, offset=offset)
    used = (matrix.T if transposed else matrix).astype(np.longdouble)
    expected = np.zeros((rows, 8 * columns), np.float32)
    for k in range(d):  # exact in extended precision up to one rounding of 2**-64
        expected = (used[:, k, None] * states[k].astype(np.longdouble) + expected).astype(np.float32)
    assert np.array_equal(found, expected)


@given(d=st.integers(1, 30), groups=st.integers(2, 9), seed=st.integers(0, 2**32))
def test_a_column_does_not_depend_on_its_neighbours(d, groups, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((d, d)).astype(np.float32)
    states = rng.standard_normal((d, 8 * groups)).astype(np.float32)
    whole = apply(matrix, states)
    for first in range(0, 8 * groups, 8):
        part = np.ascontiguousarray(states[:, first : first + 8])
        assert np.array_equal(whole[:, first : first + 8], apply(matrix, part))


@given(scale=st.floats(-30.0, 3.0), seed=st.integers(0, 2**32))
def test_a_thousand_small_steps_lose_nothing(scale, seed):
    rng = np.random.default_rng(seed)
    d, columns, steps = 3, 8, 1000
    high = rng.standard_normal(d * columns).astype(np.float32)
    low, difference = np.zeros((2, d * columns), np.float32)
    step = np.full(columns, 10.0**scale, np.float32)
    frame, peak = np.ones(columns, np.float32), np.zeros(columns, np.uint32)
    exact = high.astype(np.float64)
    for _ in range(steps):
        increment = rng.standard_normal(d * columns).astype(np.float32)
        exact = exact + np.tile(step * np.float32(1.0), d).astype(np.float32) * increment
        advance(high, low, difference, increment, step, frame, np.uint64(d), np.uint64(columns), peak)
    total = high.astype(np.float64) + low
    assert np.allclose(total, exact, rtol=1e-9, atol=3e-10 * (1.0 + 10.0**scale))
    assert np.array_equal(peak.view(np.float32), np.abs(high).reshape(d, columns).max(axis=0))


@pytest.mark.parametrize("function", [multiply, advance])
def test_registers_are_wide(function):
    if function is multiply:
        apply(np.eye(4, dtype=np.float32), np.ones((4, 24), np.float32))
    else:
        z = np.zeros(8, np.float32)
        advance(z, z.copy(), z.copy(), z, z, z, np.uint64(1), np.uint64(8), np.zeros(8, np.uint32))
    code = "\n".join(function.inspect_asm().values())
    if "ymm" not in code and "xmm" not in code:
        pytest.skip("not x86-64")
    fused = r"vfmadd\d+ps.*%[yz]mm" if function is multiply else r"v(add|sub|mul)ps.*%[yz]mm"
    assert len(re.findall(fused, code)) >= 12
