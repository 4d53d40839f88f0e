"""How long things take to begin: help, imports, first networks with and without compiled kernels."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.record import Number

_IMPORT = "import time; t = time.perf_counter(); import montecarlo; print(time.perf_counter() - t)"
_FIRST = (
    "from montecarlo import ResNet, simulate; "
    "simulate(ResNet(width=40, depth=100, beta=0.5, weights={weights!r}), replicas=16, seed=1)"
)


def start_times(repeats: int = 5) -> list[Number]:
    """Seconds until help is there, the package is imported, and the first networks are sampled."""
    python = [sys.executable]
    numbers = [
        Number(
            "largedepth --help", _median([*python, "-m", "largedepth", "--help"], repeats), "s", lower=True
        ),
        Number("import montecarlo", _printed([*python, "-c", _IMPORT], repeats), "s", lower=True),
    ]
    for engine, weights in (("gaussian", "gaussian"), ("dense", "uniform")):
        first = [*python, "-c", _FIRST.format(weights=weights)]
        with tempfile.TemporaryDirectory() as cache:
            cold = _median(first, 1, {"NUMBA_CACHE_DIR": cache})
            warm = _median(first, 3, {"NUMBA_CACHE_DIR": cache})
        numbers += [
            Number(f"first networks, {engine} engine, nothing compiled", cold, "s", lower=True),
            Number(f"first networks, {engine} engine, kernels cached", warm, "s", lower=True),
        ]
    return numbers


def _median(command: list[str], repeats: int, more: dict[str, str] | None = None) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=os.environ | (more or {}))
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _printed(command: list[str], repeats: int) -> float:
    runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(repeats)]
    return statistics.median(float(run.stdout) for run in runs)
