"""Room for a kernel's arrays, against numpy's."""

import numpy as np
import pytest
from numba import njit

from montecarlo.common._jit import JIT_OFF
from montecarlo.kernels import _lines
from montecarlo.kernels._room import ones, zeros


@njit
def make(n, m):
    return (
        zeros(n, np.float32), zeros((2, n), np.float64), zeros((n, m, 3), np.uint32), ones(m, np.bool_),
        ones((n, m), np.float32), zeros(0, np.int64),
    )  # fmt: skip


def plain(n, m):
    return (
        np.zeros(n, np.float32), np.zeros((2, n)), np.zeros((n, m, 3), np.uint32), np.ones(m, np.bool_),
        np.ones((n, m), np.float32), np.zeros(0, np.int64),
    )  # fmt: skip


@pytest.mark.parametrize("kind", [np.int64, np.uint64])
def test_room_is_that_of_numpy(kind):
    for array, same in zip(make(kind(5), kind(4)), plain(5, 4), strict=True):
        assert array.dtype == same.dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        np.testing.assert_array_equal(array, same, strict=True)


def test_room_is_new_each_time():
    first, second = make(3, 3)[0], make(3, 3)[0]
    first[:] = 1.0
    assert not second.any()


@pytest.mark.parametrize("shape", [0, 5, (2, 5), (3, 0), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint32, np.bool_])
def test_python_gives_room_from_the_beginning_of_a_line_on(shape, dtype):
    # Several at once, since one may lie there by chance.
    for array in [_lines.zeros(shape, dtype) for _ in range(4)] + [_lines.ones(shape, dtype)]:
        assert array.ctypes.data % 64 == 0 or array.size == 0
        assert array.flags.carray
    np.testing.assert_array_equal(_lines.zeros(shape, dtype), np.zeros(shape, dtype), strict=True)
    np.testing.assert_array_equal(_lines.ones(shape, dtype), np.ones(shape, dtype), strict=True)


@pytest.mark.skipif(JIT_OFF, reason="plain Python takes numpy's arrays")
def test_kernels_have_room_from_the_beginning_of_a_line_on():
    assert all(array.ctypes.data % 64 == 0 for array in make(5, 4) if array.size)
