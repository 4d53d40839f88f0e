"""Training of deep networks: which scalings train, estimators of regularity, and speed beside PyTorch.

    python -m benchmarks.training [--peers ENVIRONMENT/bin/python] [--threads N] [--out FOLDER]

Slow: minutes. Without an environment that has torch the first table has our own times alone. Exits with 1
if a scaling trains that should not, or one does not that should.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from montecarlo import ResNet
from montecarlo.estimates import path_regularity
from montecarlo.processes import find_process, sample_paths
from montecarlo.runs import running
from montecarlo.store import Store
from montecarlo.training import (
    RATES,
    TrainingItem,
    TrainingPlan,
    load_data,
    make_data,
    run_items,
    train_networks,
)

DEPTH, WIDTH, BATCH = 1000, 30, 128
ENOUGH = 0.9
CASES = ((0.5, 0.5, True), (0.9, 0.9, True), (0.5, 0.1, False))
"""Hurst index, scaling, and whether the network is to reach `ENOUGH` at its best rate."""
_PEER = Path(__file__).resolve().parent / "peers" / "torch_training.py"


def accuracies(folder: str, threads: int | None) -> list[dict]:
    """Test accuracy at every rate of each case, at depth 1000 on digits."""
    rows = []
    for hurst, beta, _ in CASES:
        net = ResNet(width=WIDTH, depth=DEPTH, beta=beta, block="res-1", weights=f"fbm:{hurst:g}")
        items = [TrainingItem(resnet=net, rate=rate) for rate in RATES]
        start = time.perf_counter()
        with running(store=Store.open(folder)):
            outcomes = run_items(items, threads=threads)
        rows.append(
            {
                "H": hurst,
                "beta": beta,
                "accuracy": {outcome.item.rate: outcome.accuracy for outcome in outcomes},
                "best": max((outcome.accuracy or 0.0) for outcome in outcomes),
                "seconds": time.perf_counter() - start,
            }
        )
    return rows


def coverage(networks: int) -> list[dict]:
    """Bias and coverage of the index of regularity, on fractional noise of depth 1000 and width 30."""
    rows = []
    for hurst in (0.2, 0.5, 0.8):
        process = find_process(f"fbm:{hurst:g}")
        assert process is not None
        for difference in (1, 2):
            values, hits = [], 0
            for replica in range(networks):
                paths = sample_paths(process, DEPTH, WIDTH**2, (21, 22), 0, replica)
                estimate = path_regularity(
                    paths.reshape(DEPTH, WIDTH, WIDTH), difference=1 if difference == 1 else 2
                )
                values.append(estimate.value)
                hits += estimate.contains(hurst)
            rows.append(
                {
                    "H": hurst,
                    "difference": difference,
                    "bias": float(np.mean(values)) - hurst,
                    "deviation": float(np.std(values)),
                    "coverage": hits / networks,
                }
            )
    return rows


def seconds_a_step(epochs: int = 3, steps: int = 20) -> float:
    """Median seconds of a step of our own training at depth 1000, compilation apart."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((steps * BATCH + 20, 64)), np.arange(steps * BATCH + 20) % 10
    data = make_data("noise", (x[:-20], y[:-20]), (x[-20:], y[-20:]))
    net = ResNet(width=WIDTH, depth=DEPTH, beta=0.5, block="res-1", weights="fbm:0.5")
    item = TrainingItem(
        resnet=net, rate=1e-3, data="noise", plan=TrainingPlan(epochs=epochs + 1, batch=BATCH)
    )
    marks: list[float] = []
    train_networks([item], data, on_epoch=lambda epoch, losses: marks.append(time.perf_counter()))
    return statistics.median(np.diff(marks)) / steps


def compare(python: str | None, repeats: int = 3) -> dict[str, float]:
    """Seconds of a step, ours and PyTorch's in turn, and their ratios; medians over the repeats."""
    ours, theirs = [], {}
    for _ in range(repeats):
        ours.append(seconds_a_step())
        for threads in (1, 2) if python else ():
            command = [str(python), str(_PEER), "--depth", str(DEPTH), "--threads", str(threads)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            for name, seconds in json.loads(done.stdout)["seconds"].items():
                theirs.setdefault(f"torch, Adam {name}, {threads} threads", []).append(seconds)
    own = statistics.median(ours)
    found = {"ours, one core": own}
    for name, seconds in theirs.items():
        found[name] = statistics.median(seconds)
        found[f"ratio to {name}"] = statistics.median(t / o for t, o in zip(seconds, ours, strict=True))
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers", help="interpreter of an environment with torch")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--networks", type=int, default=500, help="of each index for the coverage")
    parser.add_argument("--out", help="folder of outcomes to continue")
    options = parser.parse_args()
    print(f"step of depth {DEPTH}, width {WIDTH}, batch {BATCH}:")
    for name, value in compare(options.peers).items():
        print(
            f"  {name:45s} {value:8.2f}" + ("x" if name.startswith("ratio") else f"  ({1e3 * value:.1f} ms)")
        )
    print(f"index of regularity, {options.networks} networks each, intervals at 95 %:")
    for row in coverage(options.networks):
        numbers = f"bias {row['bias']:+.5f}, deviation {row['deviation']:.5f}, coverage {row['coverage']:.1%}"
        print(f"  H = {row['H']:g}, differences of order {row['difference']}: {numbers}")
    print(f"accuracy on {load_data('digits')}, depth {DEPTH}:")
    with tempfile.TemporaryDirectory() as temporary:
        rows = accuracies(options.out or temporary, options.threads)
    wrong = False
    for row, (_, _, expected) in zip(rows, CASES, strict=True):
        each = "  ".join(
            f"{rate:g}: {'diverged' if accuracy is None else f'{accuracy:.3f}'}"
            for rate, accuracy in row["accuracy"].items()
        )
        agrees = (row["best"] >= ENOUGH) is expected
        wrong |= not agrees
        print(
            f"  H = {row['H']:g}, beta = {row['beta']:g}: best {row['best']:.3f}, "
            f"{'as it should' if agrees else 'NOT as it should'} ({row['seconds']:.0f} s)  [{each}]"
        )
    sys.exit(wrong)


if __name__ == "__main__":
    main()
