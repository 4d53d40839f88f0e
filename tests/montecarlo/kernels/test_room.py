"""Room for a kernel's arrays, against numpy's."""

import numpy as np
import pytest
from numba import njit

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
