"""What sweeps cost beside the bare engine, how they scale, and ten million networks in bounded memory.

    python -m benchmarks.sweeps                    # overhead, workers, ten thousand specifications
    python -m benchmarks.sweeps --load 10_000_000 --out results/load

Each number is a ratio of times of one run, the median of several.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import theory
from montecarlo import ResNet
from montecarlo.executors import Executor, ProcessExecutor, ThreadExecutor
from montecarlo.samples.independent._run import NetworkRun
from montecarlo.store import Store
from montecarlo.sweeps import Sweep, SweepPoint, read_sweep, run_sweep

_RUN = NetworkRun.find(ResNet(width=40, depth=1000, beta=0.5, weights="uniform"), 7)
_LOAD = ResNet(width=40, depth=100, beta=0.5)
_MANY = """
replicas = 100
[grid]
width = [{widths}]
depth = [{depths}]
beta = [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1.5]
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--load", type=int, metavar="N", help="networks of width 40 and depth 100")
    parser.add_argument("--out", type=Path, default=Path("results/load"), help="folder of the load test")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if options.load is not None:
        _load(options.load, options.out)
        return
    _overhead(options.repeats)
    _workers(options.repeats)
    _many_specifications()


def _seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _sweep(replicas: int, executor: Executor) -> float:
    """Return the time of a sweep into an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(folder)
        sweep = Sweep((SweepPoint(_RUN, replicas),))
        return _seconds(lambda: run_sweep(sweep, store, executor))


def _overhead(repeats: int) -> None:
    """One thread: blocks of a second on the bare engine, and the same networks through a sweep."""
    _RUN.prepare()
    _RUN.sample(0, 8)
    per_second = int(64 / _seconds(lambda: _RUN.sample(0, 64)))
    replicas = 12 * per_second
    ratios = []
    for _ in range(repeats):
        bare = _seconds(lambda: [_RUN.sample(start, per_second) for start in range(0, replicas, per_second)])
        ratios.append(_sweep(replicas, ThreadExecutor(1)) / bare - 1.0)
    print(f"store and scheduling over the bare engine, {replicas:,} networks: {_spread(ratios, '.1%')}")


def _workers(repeats: int) -> None:
    """Twice the workers: the bare engine on plain threads, then sweeps on threads and on processes.

    The first is what the machine gives at that moment: two processors may be halves of one core.
    """
    replicas = int(12 / _RUN.seconds)
    with ProcessExecutor(1) as one, ProcessExecutor(2) as two:
        pairs = {"threads": (ThreadExecutor(1), ThreadExecutor(2)), "processes": (one, two)}
        ratios: dict[str, list[float]] = {"bare threads": [], **{name: [] for name in pairs}}
        for single, double in pairs.values():
            _sweep(200, single), _sweep(200, double)  # processes start, kernels load
        for _ in range(repeats):
            ratios["bare threads"].append(_bare(1, replicas) / _bare(2, replicas))
            for name, (single, double) in pairs.items():
                ratios[name].append(_sweep(replicas, single) / _sweep(replicas, double))
    for name, found in ratios.items():
        print(f"2 {name} over 1: {_spread(found, '.2f')}")


def _bare(threads: int, replicas: int) -> float:
    """Return the time of the engine alone on plain threads, in blocks of 64."""

    def work(first: int) -> None:
        for start in range(64 * first, replicas, 64 * threads):
            _RUN.sample(start, 64)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]

    def run() -> None:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return _seconds(run)


def _many_specifications() -> None:
    """Ten thousand specifications: reading and planning, and opening their folder."""
    widths, depths = (", ".join(map(str, values)) for values in (range(2, 27), range(1, 41)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.toml"
        file.write_text(_MANY.format(widths=widths, depths=depths))
        _start(file, Path(folder) / "empty", "--dry-run")
        plan = _start(file, Path(folder) / "empty", "--dry-run")
        drawn = _start(file, Path(folder) / "out")
        opened = _seconds(lambda: Store.open(Path(folder) / "out", create=False))
        again = _start(file, Path(folder) / "out")
        read = _seconds(lambda: read_sweep(file))
        shards = len(list((Path(folder) / "out" / "shards").iterdir()))
    print(
        f"10,000 specifications of 100 networks: file read in {read:.2f} s; --dry-run, the interpreter's "
        f"start included, {plan:.2f} s; drawn in {drawn:.1f} s into {shards} shards; folder opened in "
        f"{opened:.2f} s; the same command again {again:.2f} s"
    )


def _start(file: Path, out: Path, *options: str) -> float:
    command = [sys.executable, "-m", "largedepth", "sweep", str(file), "--out", str(out), *options]
    return _seconds(lambda: subprocess.run(command, check=True, capture_output=True))


def _load(networks: int, out: Path) -> None:
    """Draw networks through the store, and a figure from it, in a bounded memory."""
    run = NetworkRun.find(_LOAD, 7, engine="gaussian")
    store = Store.open(out / "store")
    sweep = Sweep((SweepPoint(run, networks),))
    seconds = _seconds(lambda: run_sweep(sweep, store, ThreadExecutor()))
    print(f"{networks:,} networks in {seconds:.1f} s, {networks / seconds:,.0f} a second; {_peak()}")
    seconds = _seconds(lambda: _draw(store, run, out / "load.png"))
    print(f"figure {out / 'load.png'} drawn from the folder in {seconds:.1f} s; {_peak()}")


def _draw(store: Store, run: NetworkRun, path: Path) -> None:
    """Draw a histogram of the folder's rows, the exact law over it, and how far apart the two are."""
    from matplotlib.figure import Figure

    edges = np.linspace(-1.0, 1.6, 521)
    counts = np.zeros(len(edges) - 1)
    rows = 0
    for _, columns in store.iter_rows(run.key):
        ratio = columns["log_hidden_ratio"]
        counts += np.histogram(ratio, edges)[0]
        rows += len(ratio)
    law = theory.ExactNormLaw(width=_LOAD.width, depth=_LOAD.depth, alpha=_LOAD.scaling)
    expected = np.diff(np.asarray(law.cdf(edges)))
    distance = np.abs(np.cumsum(counts) / rows - np.cumsum(expected)).max()
    middle, step = 0.5 * (edges[1:] + edges[:-1]), edges[1] - edges[0]
    canvas = Figure(figsize=(8, 5), layout="constrained")
    axes = canvas.subplots()
    axes.bar(middle, counts / rows / step, width=step, color="C0", alpha=0.5, label=f"{rows:,} networks")
    axes.plot(middle, expected / step, color="black", linewidth=1.0, label="exact law")
    axes.set_xlim(*middle[np.flatnonzero(counts)[[0, -1]]])
    axes.set_xlabel(r"$\log\;\Vert h_L\Vert \,/\, \Vert h_0\Vert$")
    axes.set_ylabel("density")
    axes.legend(frameon=False)
    axes.set_title(f"d = {_LOAD.width}, L = {_LOAD.depth}, β = 1/2: largest distance {distance:.1e}")
    canvas.savefig(path, dpi=120)
    print(f"largest distance between the two distribution functions: {distance:.2e}, "
          f"noise of {rows:,} rows: {0.87 / rows**0.5:.2e} on average")  # fmt: skip


def _peak() -> str:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    return f"{peak:.2f} GiB resident at most"


def _spread(values: list[float], form: str) -> str:
    return (
        f"{statistics.median(values):{form}} (median of {len(values)}, "
        f"{min(values):{form}} to {max(values):{form}})"
    )


if __name__ == "__main__":
    main()
