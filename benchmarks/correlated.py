"""The correlated engine: products against the machine's own, milliseconds a set of paths, narrow networks.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.correlated

One core, but for the narrow networks, which run on two threads and, beside that, one at a time. A network of
width d and depth L is 8 d² L operations forward and backward (four products of a matrix with a column, a
multiplication and an addition each).
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from benchmarks.machine import matrix_product_rate, rate
from montecarlo import ResNet, simulate
from montecarlo.engines.correlated import _engine as correlated
from montecarlo.processes import find_process, sample_paths
from montecarlo.samples.shared._run import SharedRun, chunk_of_columns

_PROCESSES = ("fbm:0.3", "fbm:0.8", "rbf-increments:0.01", "rbf:0.01", "matern:1.5:0.1")


NARROW = tuple(
    ResNet(width=4, depth=depth, beta=0.5, weights=weights, **block)
    for block in ({}, {"block": "res-1", "activation": "identity"})
    for depth in (200, 1000)
    for weights in ("fbm:0.2", "rbf:0.01")
)
"""Networks whose rows would take Python longer than kernels if they ran one at a time."""


def narrow_rates(threads: int) -> list[dict[str, Any]]:
    """Return rows a second of narrow networks, and how many times as many as one at a time on a thread."""
    rows = []
    for net in NARROW:
        key, replicas = net.stream_key(1), 400_000 // net.depth

        def together(net=net, replicas=replicas) -> None:
            simulate(net, replicas=replicas, seed=1, threads=threads)

        def alone(net=net, key=key) -> None:
            for replica in range(40):
                correlated.final_states(net, key, replica)

        many, one = rate(together, replicas), rate(alone, 40)
        name = f"{net.block}, {net.weights}, L = {net.depth}"
        rows.append({"name": name, "rows/s": many, "ratio": many / one})
    return rows


def product_rates(depth: int = 1000) -> list[dict[str, Any]]:
    """Return operations a second on shared weights on one core, and their share of a large matrix product."""
    rows = []
    for weights in ("fbm:0.8", "rbf:0.01"):
        for width, columns in ((40, 700), (100, 240)):
            net = ResNet(width=width, depth=depth, beta=1.0, weights=weights)
            paths = correlated.Paths.draw(net, net.stream_key(1), 0)
            betas = tuple(np.linspace(0.3, 1.0, columns // 10).tolist())
            sets = SharedRun(net, 1, betas, 10, True)

            def run(sets=sets, paths=paths) -> None:
                sets.run_networks(0, paths)

            # Neighbours in time: a machine does not hold its frequency.
            own = matrix_product_rate()
            found = rate(run, 8.0 * width**2 * depth * columns)
            name = f"width {width}, {weights}, {columns} networks on one set of weights"
            at_once = chunk_of_columns(width, columns)
            rows.append({"name": name, "rate": found, "share": found / own, "at once": at_once})
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--depth", type=int, default=1000)
    depth = parser.parse_args().depth
    own = matrix_product_rate()
    print(f"large matrix product, one core: {own / 1e9:.1f} GFLOP/s")
    for row in product_rates(depth):
        print(
            f"{row['name']}, {row['at once']} at a time: {row['rate'] / 1e9:.1f} GFLOP/s, "
            f"{row['share']:.0%} of that"
        )
    entries = 2 * 40**2
    print(f"paths of {depth} layers, {entries} of them (V and W of one network of width 40):")
    for name in _PROCESSES:
        process = find_process(name)
        assert process is not None

        def draw(process=process) -> None:
            sample_paths(process, depth, entries, (1, 2), 0, 0)

        print(f"  {name:20s} {1e3 / rate(draw, 1.0):6.1f} ms")
    print("networks of width 4 on two threads, all four log-ratios:")
    for row in narrow_rates(2):
        print(f"  {row['name']:28s} {row['rows/s']:8.0f}/s, {row['ratio']:5.1f} times one at a time")


if __name__ == "__main__":
    main()
