"""Records by address: what a kernel reads is what Python laid out."""

from typing import Annotated, Any, NamedTuple

import numpy as np
import pytest
from numba import cfunc, njit, types

from montecarlo.common._jit import JIT_OFF, kernel
from montecarlo.kernels._images import Image, reader
from montecarlo.kernels._spans import DoubleRows, Doubles, Flags, IntegerRows, Layers

Scalar = Annotated[Any, types.FunctionType(types.float64(types.float64))]


class Inner(NamedTuple):
    numbers: Doubles
    flag: bool
    square: Scalar


class Outer(NamedTuple):
    big: np.uint64
    small: np.uint32
    negative: int
    inner: Inner
    half: float
    rows: DoubleRows
    wholes: IntegerRows
    layers: Layers
    flags: Flags
    out: Doubles


_at = reader(Outer)


@kernel(signature=types.void(types.uint64))
def read(address):
    record = _at(address)
    inner, out = record.inner, record.out
    out[0] = inner.numbers[np.uint64(1)] + inner.numbers.size
    out[1] = record.big - np.uint64(2**63)
    out[2] = record.small
    out[3] = record.negative
    out[4] = record.half if inner.flag else 0.0
    out[5] = record.rows[1, np.uint64(2)] + record.rows[0][1]
    out[6] = record.rows.shape[0] * 100 + record.rows.shape[1] * 10 + record.wholes.size
    out[7] = record.layers[1, 0, 2] + record.layers.size
    out[8] = inner.square(3.0)
    out[9] = np.float64(record.flags[0]) + 2.0 * np.float64(record.flags[1])
    record.wholes[1, 0] = -7
    record.layers[0, 1, 0] += 0.5
    record.flags[0] = False
    inner.numbers[0] *= 2.0


def square(x):
    return x * x


@pytest.fixture(
    scope="module", params=[cfunc("float64(float64)"), kernel(signature="float64(float64)", passed=True)]
)
def function(request):
    return request.param(square)


def record_of(function):
    return Outer(
        np.uint64(2**63 + 5), np.uint32(2**32 - 1), -3, Inner(np.array([1.5, 2.5]), True, function), 0.5,
        np.arange(6.0).reshape(2, 3), np.arange(4).reshape(2, 2), np.arange(12.0).reshape(2, 2, 3),
        np.array([True, False]), np.zeros(10),
    )  # fmt: skip


def test_a_kernel_reads_what_python_laid_out(function):
    record = record_of(function)
    Image(record).run(read)
    assert record.out.tolist() == [4.5, 5.0, 2.0**32 - 1, -3.0, 0.5, 6.0, 234.0, 20.0, 9.0, 1.0]


def test_a_kernel_writes_into_the_arrays_themselves(function):
    record = record_of(function)
    Image(record).run(read)
    assert record.wholes.tolist() == [[0, 1], [-7, 3]]
    assert record.layers[0, 1, 0] == 3.5
    assert record.flags.tolist() == [False, False]
    assert record.inner.numbers.tolist() == [3.0, 2.5]


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.skipif(JIT_OFF, reason="plain Python takes any array")
@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.ones((2, 3))), np.ones((2, 3), np.float32), np.ones((2, 3), ">f8"),
        np.ones((2, 3), np.int64), np.ones(6), np.ones((1, 2, 3)), read_only(np.ones((2, 3))),
        np.ones((2, 6))[:, ::2],
    ],
    ids=["order", "single", "byte order", "integers", "row", "layers", "read only", "strided"],
)  # fmt: skip
def test_arrays_that_are_not_what_was_declared_are_refused(function, array):
    record = record_of(function)
    with pytest.raises(ValueError, match=r"^rows: .* must be of float64 with 2, in C order and writeable"):
        Image(record._replace(rows=array))


@pytest.mark.skipif(JIT_OFF, reason="types are those of compiled kernels")
def test_a_span_is_an_array_for_who_takes_one():
    class Rows(NamedTuple):
        rows: DoubleRows
        out: Doubles

    at = reader(Rows)
    array = types.FunctionType(types.float64(types.Array(types.float64, 2, "C")))
    total = kernel(signature="float64(float64[:, ::1])", passed=True)(lambda rows: rows.sum())

    @njit([types.void(array, types.uint64)])
    def run(function, address):
        record = at(address)
        record.out[0] = function(record.rows)

    record = Rows(np.arange(6.0).reshape(2, 3), np.zeros(1))
    image = Image(record)
    image.run(lambda address: run(total, address))
    assert record.out[0] == 15.0
