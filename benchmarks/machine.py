"""What one core of this machine can do: the limits that the engines are held against."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from montecarlo.common._jit import kernel
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._lanes import fill_normals as engine_normals
from montecarlo.kernels._records import Address
from montecarlo.streams._blocks import Table
from montecarlo.streams._blocks import fill_words as engine_words

_COUNTERS = 1024  # with four words or normals each: they stay in the first-level cache
_ROUNDS = 20_000
_ZERO = np.uint64(0)


@kernel
def _fill_words(rounds, counters, out):
    for r in range(rounds):
        word = np.uint32(r)
        engine_words(
            word, word, word, word, word, Table(counters, _ZERO), np.uint64(_COUNTERS), Table(out, _ZERO),
            np.uint64(_COUNTERS),
        )  # fmt: skip


@kernel
def _fill_normals(rounds, out):
    for r in range(rounds):
        word = np.uint32(r)
        address = Address(word, word, np.uint32(0), word)
        engine_normals(address, word, np.uint64(_COUNTERS // NETWORKS), Table(out, _ZERO))


def rate(function: Callable[[], object], amount: float, repeats: int = 5) -> float:
    """Median amount a second over some repeats, after one warm-up."""
    function()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return amount / statistics.median(seconds)


def matrix_product_rate(size: int = 1000) -> float:
    """Operations a second of numpy's float32 product of two large matrices.

    On one core only if BLAS has one thread: set OPENBLAS_NUM_THREADS=1 before Python starts.
    """
    left, right = np.ones((2, size, size), np.float32)
    return rate(lambda: left @ right, 2.0 * size**3, repeats=15)


def memory_rate(size: int = 1 << 26) -> float:
    """Bytes a second that one core copies from memory to memory."""
    source, target = np.zeros(size, np.uint8), np.ones(size, np.uint8)
    return rate(lambda: np.copyto(target, source), float(size))


def machine_limits() -> dict[str, float]:
    """Words, normals and numpy's normals, all a second on one core."""
    counters = np.arange(_COUNTERS, dtype=np.uint32).view(np.float32)
    out = np.empty(4 * _COUNTERS, np.float32)
    generator = np.random.Generator(np.random.SFC64(0))
    total = 4.0 * _COUNTERS * _ROUNDS
    numpys = 1 << 21
    return {
        "Philox4x32-10 words/s": rate(lambda: _fill_words(_ROUNDS, counters, out), total),
        "float32 normals/s": rate(lambda: _fill_normals(_ROUNDS, out), total),
        "numpy SFC64 float32 normals/s": rate(
            lambda: generator.standard_normal(numpys, np.float32), float(numpys)
        ),
    }
