"""Print how often each sequence refutes the truth, and how many rows it needs to see an error of 3 %.

    python -m benchmarks.calibration [--streams 10000] [--rows 1000] [--power-streams 200] [--plot power.png]

False alarms: a look at every row, level 0.05, with the exact 99.9 % interval of the rate. Power: mean number
of rows until a prediction that is off by 3 % (for laws and quantiles: by 0.03 of probability) is refuted at
the stated false alarm, and its ratio to the rows of a z-test of one fixed size with power 90 % and known
variance (for laws: at the point where they are farthest apart). A sequence stops early when it is lucky and
needs no guess of the error beforehand, for which it pays when it is not. ``--plot`` draws both against levels
and errors (`benchmarks.power_curves`).
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.power_curves import draw, measure, save
from benchmarks.sequences import Kind, kinds

LEVEL = 0.05


def false_alarms(kind: Kind, streams: int, rows: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Rate of streams that refute the truth at LEVEL, with its 99.9 % Clopper-Pearson interval."""
    alarms, chunk = 0, 1000
    for start in range(0, streams, chunk):
        x = kind.draw(rng, (min(chunk, streams - start), rows))
        alarms += int(np.count_nonzero(kind.times(x, kind.truth, LEVEL, rows // 4)))
    interval = stats.binomtest(alarms, streams).proportion_ci(0.999)
    return alarms / streams, interval.low, interval.high


def rows_to_refute(kind: Kind, false_alarm: float, streams: int, rng: np.random.Generator) -> float:
    """Mean number of rows until the wrong prediction is refuted; inf if some stream was too short."""
    fixed = kind.fixed_rows(false_alarm)
    length = math.ceil(4.0 * kind.longest * fixed)
    when = np.concatenate(
        [
            kind.times(kind.draw(rng, (10, length)), kind.wrong, false_alarm, math.ceil(fixed))
            for _ in range(math.ceil(streams / 10))
        ]
    )
    both = 2.0 if kind.name.startswith("TwoSample") else 1.0
    return both * float(np.mean(when)) if np.all(when > 0) else math.inf


def main() -> None:
    """Print one line a sequence; fail if a rate is above the level beyond chance."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--power-streams", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="Draw power curves as well.")
    options = parser.parse_args()
    alarms = (LEVEL, 1e-6)
    heads = "".join(f" {f'rows at {a:g}':>14} {'ratio':>6}" for a in alarms)
    print(f"{'kind':<38} {'rate at 0.05':>26}{heads}")
    failed = False
    for index, kind in enumerate(kinds()):
        rng = np.random.default_rng([options.seed, index])
        rate, low, high = false_alarms(kind, options.streams, options.rows, rng)
        failed |= low > LEVEL
        line = f"{kind.name:<38} {f'{rate:.4f} [{low:.4f}, {high:.4f}]':>26}"
        for a in alarms:
            mean = rows_to_refute(kind, a, options.power_streams, rng)
            line += f" {mean:>14,.0f} {mean / kind.fixed_rows(a):>6.2f}"
        print(line, flush=True)
    if options.plot is not None:
        _plot(options)
    if failed:
        raise SystemExit(1)


def _plot(options: argparse.Namespace) -> None:
    sizes = {"streams": options.streams, "power_streams": options.power_streams, "rows": options.rows}
    curves = [
        measure(kind, rng=np.random.default_rng([options.seed, 1, index]), **sizes)
        for index, kind in enumerate(kinds())
    ]
    save(draw(curves, **sizes), options.plot)
    print(options.plot)


if __name__ == "__main__":
    main()
