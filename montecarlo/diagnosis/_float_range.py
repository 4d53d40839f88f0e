"""The chance that a network leaves the range of a float format, forward or backward.

Entries, not norms: given its norm, a state of width d has a uniformly random direction (exactly so for
Gaussian weights). Overflow: its largest entry, about √(2 log d) root mean squares, exceeds the largest finite
number. Underflow: the root mean square falls below the smallest normal number, from where digits are lost
entry by entry (a device that flushes subnormal numbers gives zeros). Sums of squares, as in a norm, leave the
range far earlier and are not meant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import unknown_name
from montecarlo.common._json import finite
from montecarlo.diagnosis._predict import log_variance_of_input
from montecarlo.diagnosis._predict_blocks import mean_square
from montecarlo.diagnosis._prediction import Prediction
from montecarlo.networks._specification import ResNet

_POINTS = 33  # midpoints of probability that stand for the largest entry, and for ‖h_0‖
_FINE = 10_000  # the same for moments


@dataclass(frozen=True)
class FloatFormat:
    """A binary floating-point format.

    Parameters
    ----------
    name : str
        As in PyTorch and JAX.
    largest : float
        What rounds to infinity: the largest finite number and half a unit in its last place.
    smallest : float
        The smallest positive normal number.
    """

    name: str
    largest: float
    smallest: float


FORMATS: dict[str, FloatFormat] = {
    name: FloatFormat(name, 2.0**top * (2 - 2.0 ** -(digits + 1)), 2.0**bottom)
    for name, top, digits, bottom in (
        ("float16", 15, 10, -14),
        ("bfloat16", 127, 7, -126),
        ("float32", 127, 23, -126),
    )
}
"""The formats by name; `digits` are those after the leading one."""


@dataclass(frozen=True)
class FloatRange:
    """Probabilities that a network leaves the range of one format in one direction.

    Parameters
    ----------
    format : str
        Name of the format.
    direction : {"forward", "backward"}
        Hidden states from h_0, or gradients from p_L.
    overflow, underflow : float
        Predicted, at any layer (at the last one for correlated weights); NaN without a law.
    log_overflow_ratio : float
        Natural logarithm of the ratio of norms at which the largest entry typically overflows.
    log_underflow_ratio : float
        The same for underflow.
    simulated_overflow, simulated_underflow : float
        The same probabilities from the simulated norms, at the last layer; NaN without a simulation.
    """

    format: str
    direction: str
    overflow: float
    underflow: float
    log_overflow_ratio: float
    log_underflow_ratio: float
    simulated_overflow: float = math.nan
    simulated_underflow: float = math.nan

    def record(self) -> dict[str, Any]:
        """Return the probabilities as JSON-serialisable values."""
        return {key: finite(v) if isinstance(v, float) else v for key, v in vars(self).items()}


def find_format(name: str) -> FloatFormat:
    """Return the format of a name; raise `InvalidFieldError` with the nearest one for another."""
    if name not in FORMATS:
        raise unknown_name("format", name, FORMATS)
    return FORMATS[name]


def float_range(
    resnet: ResNet,
    prediction: Prediction,
    form: FloatFormat,
    *,
    direction: str,
    gradient_norm: float,
    rows: npt.NDArray[np.float64] | None,
) -> FloatRange:
    """Return the chances of leaving one format, predicted and from the simulated log-ratios `rows`."""
    over, under = _thresholds(resnet, form, direction, gradient_norm)
    anywhere = resnet.processes is None
    overflow = float(prediction.exceeds(over, anywhere=anywhere).mean())
    underflow = float(prediction.falls_below(under, anywhere=anywhere).mean())
    simulated_over = simulated_under = math.nan
    if rows is not None:
        kept = rows[~np.isnan(rows)]
        if kept.size:
            simulated_over = float((kept[:, None] > over).mean())
            simulated_under = float((kept[:, None] < under).mean())
    return FloatRange(
        form.name, direction, overflow, underflow, float(np.median(over)), float(np.median(under)),
        simulated_over, simulated_under,
    )  # fmt: skip


def _thresholds(
    resnet: ResNet, form: FloatFormat, direction: str, gradient_norm: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return log-ratios of norms at which entries overflow and underflow, in equally likely cases."""
    from scipy import special

    d = resnet.width
    u = (np.arange(_POINTS) + 0.5) / _POINTS
    # log √(χ²_d/d), the root mean square of d normal numbers: its mean and variance
    mean, variance = 0.5 * (special.digamma(d / 2) - math.log(d / 2)), 0.25 * special.polygamma(1, d / 2)
    if direction == "forward":  # the root mean square of the first state's entries
        input_variance = log_variance_of_input(resnet)
        centre = 0.5 * (math.log(mean_square(resnet)) - 0.5 * input_variance) + mean
        start = centre + math.sqrt(0.25 * input_variance + variance) * special.ndtri(u)
    else:
        start = np.full(_POINTS, math.log(gradient_norm) - 0.5 * math.log(d))
    largest = _largest_entry(d, float(mean), float(variance), u)
    over = math.log(form.largest) - start[:, None] - largest[None, :]
    return over.ravel(), math.log(form.smallest) - start


def _largest_entry(
    d: int, mean: float, variance: float, u: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return quantiles of the log of the largest entry of a random direction over its root mean square.

    The largest of d normal numbers is their root mean square (of log-mean `mean` and log-variance `variance`)
    times that of the direction, independent of it: the direction's has the rest of both.
    """
    from scipy import stats

    def normal(level: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        # P(max |Z| <= x) = (1 − 2 Φ(−x))^d
        return np.log(stats.norm.isf(-0.5 * np.expm1(np.log(level) / d)))

    moments = normal((np.arange(_FINE) + 0.5) / _FINE)
    kept = math.sqrt(max(0.0, 1.0 - variance / float(moments.var())))
    return moments.mean() - mean + kept * (normal(u) - moments.mean())
