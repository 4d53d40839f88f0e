"""Clock cycles of one core a random word, normal and weight, engine by engine.

    python -m benchmarks.cycles

There are no performance counters in most virtual machines. So the frequency comes from a chain of shifts and
exclusive ors, each of which waits for the one before and takes one cycle on every x86-64 core, and a count is
the least processor time of many short runs times that frequency: what the machine's other load adds is left
out, and so is what it does to the caches.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks import machine
from montecarlo import ResNet, simulate
from montecarlo.common._jit import kernel
from montecarlo.processes import LaneStream, fill_lane_paths, find_process

_DEPTH = 1000
_THIRTEEN, _SEVEN, _SEVENTEEN = (np.uint64(shift) for shift in (13, 7, 17))


@kernel
def _chain(steps, x):
    for _ in range(steps):
        x ^= x << _THIRTEEN
        x ^= x >> _SEVEN
        x ^= x << _SEVENTEEN
    return x


def least_seconds(function: Callable[[], object], seconds: float = 1.0) -> float:
    """Return the least processor time of a call among those of about so many seconds."""
    function()
    least, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.process_time()
        function()
        least = min(least, time.process_time() - start)
    return least


def frequency() -> float:
    """Return cycles a second."""
    steps = 200_000
    return 6.0 * steps / least_seconds(lambda: _chain(steps, np.uint64(88172645463325252)))


def networks(network: ResNet, replicas: int, numbers: float, engine: str = "auto") -> float:
    """Return seconds a number of a network that needs so many a layer, all four log-ratios."""

    def run() -> None:
        simulate(network, replicas=replicas, seed=1, threads=1, engine=engine)  # type: ignore[arg-type]

    return least_seconds(run, 2.0) / (replicas * network.depth * numbers)


def paths(process: str, entries: int) -> float:
    """Return seconds a weight of the paths of eight narrow networks."""
    found, out = find_process(process), np.empty((1, _DEPTH, 8 * entries), np.float32)
    assert found is not None
    return least_seconds(lambda: fill_lane_paths(found, LaneStream.of((1, 2), 0, 0), out)) / out.size


def main() -> None:
    """Print the table."""
    rows: list[tuple[str, float]] = []
    counters = np.arange(1024, dtype=np.uint32).view(np.float32)
    out = np.empty(4096, np.float32)
    rows.append(("Philox word", least_seconds(lambda: machine._fill_words(50, counters, out)) / (50 * 4096)))
    rows.append(("normal", least_seconds(lambda: machine._fill_normals(50, out)) / (50 * 4096)))
    for law in ("uniform", "gaussian"):
        for width in (40, 100):
            net = ResNet(width=width, depth=_DEPTH, beta=0.5, weights=law)
            # All of W, then half of V, half of V and half of W.
            seconds = networks(net, max(8, 200_000 // width**2), 2.5 * width**2, "dense")
            rows.append((f"dense, {law} weight, d = {width}", seconds))
    for width in (40, 100):
        net = ResNet(width=width, depth=_DEPTH, beta=0.5)
        rows.append((f"gaussian, normal, d = {width}", networks(net, 6400 // width, 4.0 * width, "gaussian")))
    for process in ("fbm:0.2", "rbf:0.01"):
        rows.append((f"correlated, {process}, weight of a path, d = 4", paths(process, 16)))
        net = ResNet(width=4, depth=_DEPTH, beta=0.5, weights=process)
        rows.append((f"correlated, {process}, weight in all, d = 4", networks(net, 256, 32.0)))
    cycles = frequency()
    print(f"{cycles / 1e9:.2f} GHz")
    for name, seconds in rows:
        print(f"{name:50s} {seconds * cycles:7.2f} cycles")


if __name__ == "__main__":
    main()
