"""What one core of this machine can do: the limits that the engines are held against."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from montecarlo.streams._normals import _fill_normals
from montecarlo.streams._philox import _fill_words

_BUFFER = 8192  # float32 or uint32 that stay in the first-level cache
_ROUNDS = 20_000


def rate(function: Callable[[], object], amount: float, repeats: int = 5) -> float:
    """Median amount a second over some repeats, after one warm-up."""
    function()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return amount / statistics.median(seconds)


def machine_limits() -> dict[str, float]:
    """Words, normals, numpy's normals and float32 matrix products, all a second on one core."""
    zero = np.uint32(0)
    words = np.empty(_BUFFER, np.uint32)
    normals = np.empty(_BUFFER, np.float32)

    def fill_words() -> None:
        for _ in range(_ROUNDS):
            _fill_words(zero, zero, zero, zero, zero, words)

    def fill_normals() -> None:
        for _ in range(_ROUNDS):
            _fill_normals(zero, zero, zero, zero, zero, normals)

    generator = np.random.Generator(np.random.SFC64(0))
    total = float(_BUFFER * _ROUNDS)
    return {
        "Philox4x32-10 words/s": rate(fill_words, total),
        "float32 normals/s": rate(fill_normals, total),
        "numpy SFC64 float32 normals/s": rate(
            lambda: generator.standard_normal(_BUFFER * 256, np.float32), float(_BUFFER * 256)
        ),
    }
