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
_NETWORKS = (
    "from montecarlo import ResNet, simulate; "
    "net = ResNet(width=40, depth=100, beta=0.5, weights={weights!r}); "
    "simulate(net, replicas=16, seed=1, engine={engine!r}{more})"
)
_TOKENS = (
    "from montecarlo import Transformer, simulate_tokens; "
    "simulate_tokens(Transformer.preset('gpt2', width=32, depth=2, heads=4, hidden_width=64, tokens=4), "
    "replicas=2, seed=1)"
)
_FIRST = {
    "gaussian": _NETWORKS.format(weights="gaussian", engine="gaussian", more=""),
    "dense": _NETWORKS.format(weights="uniform", engine="dense", more=""),
    "radial": _NETWORKS.format(weights="gaussian", engine="radial", more=", gradients='dual'"),
    "correlated": _NETWORKS.format(weights="fbm:0.7", engine="correlated", more=""),
    "token": _TOKENS,
}


def start_times(repeats: int = 5) -> list[Number]:
    """Seconds until help is there, the package is imported, and the first networks are sampled."""
    python = [sys.executable]
    numbers = [
        Number(
            "largedepth --help", _median([*python, "-m", "largedepth", "--help"], repeats), "s", lower=True
        ),
        Number("import montecarlo", _printed([*python, "-c", _IMPORT], repeats), "s", lower=True),
    ]
    for engine, code in _FIRST.items():
        first = [*python, "-c", code]
        with tempfile.TemporaryDirectory() as cache:
            before = _processor()
            cold = _median(first, 1, {"NUMBA_CACHE_DIR": cache})
            processor = _processor() - before
            warm = _median(first, 3, {"NUMBA_CACHE_DIR": cache})
        numbers += [
            Number(f"first networks, {engine} engine, nothing compiled", cold, "s", lower=True),
            Number(
                f"first networks, {engine} engine, nothing compiled: processor", processor, "s", lower=True
            ),
            Number(f"first networks, {engine} engine, kernels cached", warm, "s", lower=True),
        ]
    return numbers


def _processor() -> float:
    """Return the processor's seconds that finished commands took, which other programs hardly disturb."""
    used = os.times()
    return used.children_user + used.children_system


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
