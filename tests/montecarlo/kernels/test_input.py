"""The input of a replica: what Python draws is what a kernel draws."""

import numpy as np
import pytest
from numba import njit

from montecarlo.kernels._state import draw_input, input_of
from montecarlo.streams._address import Address

# As plain Python, kernels let numpy's words of 32 bits wrap.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


@njit
def drawn(address, out, size):
    draw_input(address.k0, address.k1, address.low, address.high, out, size)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 64])
@pytest.mark.parametrize("replica", [0, 7, 2**32 - 1, 2**32 + 7])
def test_python_draws_the_bits_that_a_kernel_draws(size, replica):
    address = Address.of((0x12345678, 0x9ABCDEF0), replica)
    out = np.full(size + 1, -1.0, np.float32)
    drawn(address, out, np.uint64(size))
    np.testing.assert_array_equal(input_of(address, size), out[:size], strict=True)
    assert out[size] == -1.0


def test_an_input_belongs_to_its_replica():
    rows = [input_of(Address.of(key, i), 8) for key in ((1, 2), (1, 3)) for i in (0, 1, 2**32)]
    assert len({row.tobytes() for row in rows}) == 6
