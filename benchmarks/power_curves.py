"""Power curves of the sequential tests, drawn by ``python -m benchmarks.calibration --plot FILE.png``.

Left: share of streams that ever refute the truth, with a look at every row, against the level asked, with
exact 99.9 % intervals; it should be on or below the diagonal. Middle and right: share of streams that have
refuted a wrong prediction by their last row, against its error in standard errors of the estimate there, at
levels 0.05 and 1e-6; the black line is a z-test with one look, at the last row, and the variance known.
`NonNegativeMean` may be above it: a mean that is nearly the root of the bound leaves rows little variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from benchmarks.sequences import Kind
from figures._style import figure_style
from montecarlo.common.files import replaced_file

LEVELS = (0.01, 0.02, 0.05, 0.1, 0.2)
POWER_LEVELS = (0.05, 1e-6)
EFFECTS = np.arange(0.0, 12.1, 1.0)
"""Errors of the prediction in standard errors at the last row."""
_CHUNK = 500
_MARKERS = "os^vDP*X"


@dataclass(frozen=True)
class Curves:
    """What was measured of one kind.

    Parameters
    ----------
    name : str
        The kind.
    rates : array, shape (levels, 3)
        Rate of false alarms at `LEVELS`, with its exact 99.9 % interval.
    power : array, shape (power levels, effects)
        Share of streams that refuted at `POWER_LEVELS`, by effect.
    """

    name: str
    rates: NDArray[np.float64]
    power: NDArray[np.float64]


def measure(kind: Kind, *, streams: int, power_streams: int, rows: int, rng: np.random.Generator) -> Curves:
    """Return the curves of a kind; all levels and effects share their streams."""
    alarms = np.zeros(len(LEVELS), int)
    for start in range(0, streams, _CHUNK):
        x = kind.draw(rng, (min(_CHUNK, streams - start), rows))
        alarms += [np.count_nonzero(kind.times(x, kind.truth, level, rows // 4)) for level in LEVELS]
    intervals = [stats.binomtest(int(count), streams).proportion_ci(0.999) for count in alarms]
    rates = np.array(
        [(count / streams, each.low, each.high) for count, each in zip(alarms, intervals, strict=True)]
    )
    x = kind.draw(rng, (power_streams, rows))
    unit = kind.deviation / np.sqrt(rows) / kind.gap  # of a standard error, in the kind's own error
    power = [
        [np.mean(kind.times(x, kind.truth + effect * unit * (kind.wrong - kind.truth), level, rows) > 0)
         for effect in EFFECTS]
        for level in POWER_LEVELS
    ]  # fmt: skip
    return Curves(kind.name, rates, np.array(power))


def one_look(effects: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Return the power of a two-sided z-test of one look."""
    z = stats.norm.isf(level / 2.0)
    return stats.norm.sf(z - effects) + stats.norm.cdf(-z - effects)


def draw(curves: Sequence[Curves], *, rows: int, streams: int, power_streams: int) -> Figure:
    """Return the figure."""
    with figure_style():
        canvas = Figure(figsize=(14.0, 5.0), layout="constrained")
        rate, *powers = canvas.subplots(1, 1 + len(POWER_LEVELS))
        colours = [f"C{index}" for index in range(len(curves))]
        for each, colour, marker in zip(curves, colours, _MARKERS, strict=False):
            low, high = each.rates[:, 0] - each.rates[:, 1], each.rates[:, 2] - each.rates[:, 0]
            rate.errorbar(
                LEVELS, each.rates[:, 0], yerr=[low, high], color=colour, marker=marker, lw=1, label=each.name
            )
            for axes, share in zip(powers, each.power, strict=True):
                axes.plot(EFFECTS, share, color=colour, marker=marker, lw=1, ms=4)
        ends = np.array([LEVELS[0], LEVELS[-1]])
        rate.plot(ends, ends, color="black", lw=1.5, label="level asked")
        rate.set(
            xscale="log",
            yscale="log",
            ylim=(LEVELS[0] / 30.0, 2.0 * LEVELS[-1]),
            xlabel="level asked",
            ylabel="share of streams that refute the truth",
            title=f"False alarms, {streams:,} streams, a look at each of {rows:,} rows",
        )
        rate.set_xticks(LEVELS, [f"{level:g}" for level in LEVELS])
        rate.minorticks_off()
        fine = np.linspace(EFFECTS[0], EFFECTS[-1], 300)
        for axes, level in zip(powers, POWER_LEVELS, strict=True):
            axes.plot(fine, one_look(fine, level), color="black", lw=1.5, label="z-test, one look")
            axes.set(
                xlabel=f"error of the prediction, in standard errors at {rows:,} rows",
                ylabel="share of streams that refute it",
                title=f"Power at level {level:g}, {power_streams:,} streams",
            )
        powers[0].legend(loc="lower right")
        canvas.legend(*rate.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return canvas


def save(canvas: Figure, path: Path) -> None:
    """Write the figure as PNG, whole or not at all."""
    with replaced_file(path) as temporary:
        canvas.savefig(temporary, format="png", dpi=160, metadata={"Software": None})
