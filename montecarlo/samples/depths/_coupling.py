"""How a process along the layers couples depths: by its values at common times, or by sums of increments."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import BRANCH_NORM, OUTER_ACTIVATION
from montecarlo.processes import WeightProcess
from montecarlo.samples.depths._paths import Float32, increments_at_depth, values_at_depth

_EQUAL = 1e-8  # covariances of unit variance: far above rounding, far below what a sample can see
_ROUGHEST = 0.5


@dataclass(frozen=True)
class Coupling:
    """One process at several depths on one path.

    Parameters
    ----------
    name : str
        Of the process.
    exponent : float
        Critical β: the sum of r increments grows like r^exponent; 1 where layers are values of a process.
    smooth : bool
        Whether the layers of deep networks converge one by one: weights inside σ then have a limit.
    deviations : tuple of float, or None
        Standard deviations of the sums of increments that a layer of each depth spans; None where layers are
        values of the process at their time.
    """

    name: str
    exponent: float
    smooth: bool
    deviations: tuple[float, ...] | None

    def at_depth(self, path: Float32, depth: int, position: int) -> Float32:
        """Return the path of a network of another depth, the one at a position of the depths."""
        if len(path) == depth:
            return path
        if self.deviations is None:
            return values_at_depth(path, depth)
        return increments_at_depth(path, depth, self.deviations[position])


def find_coupling(process: WeightProcess, depths: tuple[int, ...], *, field: str = "weights") -> Coupling:
    """Return how a process couples nested depths.

    Increments are summed where the sums, to unit variance, have the law of the process at the smaller depth
    (fractional Gaussian noise, normalised increments); else values are taken at the common times k/L where
    they have that law (processes of k/L). The lag covariances at both depths decide. `field` is what an error
    calls the process.

    Raises
    ------
    InvalidFieldError
        If neither holds, so that the depths have no common path.

    Examples
    --------
    >>> from montecarlo.processes import find_process
    >>> coupling = find_coupling(find_process("fbm:0.75"), (4, 8, 16))
    >>> round(coupling.exponent, 6), [round(s, 6) for s in coupling.deviations]
    (0.75, [2.828427, 1.681793, 1.0])
    >>> find_coupling(find_process("rbf:0.01"), (4, 8, 16)).deviations is None
    True
    """
    if not process.stationary:
        return Coupling(process.name, 1.0, True, None)
    deepest = depths[-1]
    lags = process.lag_covariance(deepest)
    shallow = [process.lag_covariance(depth) for depth in depths[:-1]]
    sums = [_covariance_of_sums(lags, deepest // depth) for depth in depths[:-1]]
    if all(_equal(s / s[0], gamma) for s, gamma in zip(sums, shallow, strict=True)):
        deviations = (*(math.sqrt(s[0]) for s in sums), math.sqrt(lags[0]))
        exponents = [_growth(process, depth) for depth in (2, deepest)]
        # Increments of a smooth process are the more alike, the deeper the network; fractional ones are not.
        smooth = abs(exponents[1] - exponents[0]) > _EQUAL
        return Coupling(process.name, 1.0 if smooth else exponents[1], smooth, deviations)
    if all(_equal(lags[:: deepest // len(gamma)], gamma) for gamma in shallow):
        return Coupling(process.name, 1.0, True, None)
    raise InvalidFieldError(
        field, process.name, "must have one path for all depths: values at k/L or increments to add",
        "take fbm:H or rbf:VARIANCE, say",
    )  # fmt: skip


def _growth(process: WeightProcess, depth: int) -> float:
    """Return log₂ of the standard deviation of a sum of two neighbours over that of one."""
    gamma = process.lag_covariance(depth)
    return 0.5 * math.log2(max(2.0 + 2.0 * gamma[1] / gamma[0], 1e-300))


def _covariance_of_sums(lags: npt.NDArray[np.float64], ratio: int) -> npt.NDArray[np.float64]:
    """Return the covariances ``Σ_|s|<r (r − |s|) γ(r m + s)`` of consecutive sums of r numbers."""
    shifts = np.arange(1 - ratio, ratio)
    starts = ratio * np.arange(len(lags) // ratio)
    return lags[np.abs(starts[:, None] + shifts)] @ (ratio - np.abs(shifts)).astype(np.float64)


def _equal(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> bool:
    return bool(np.allclose(first, second, rtol=0.0, atol=_EQUAL))


def check_limit(resnet: ResNet, coupling: Coupling, inner: Coupling | None) -> None:
    """Raise `InvalidFieldError` where the networks have no common limit, so that errors need not vanish.

    `inner` is that of W, None for res-1.
    """
    if coupling.exponent < _ROUGHEST - 1e-6:
        raise InvalidFieldError(
            "weights", coupling.name, "must be as smooth as Brownian motion: rougher sums have no limit",
            "take fbm:0.5 or smoother",
        )  # fmt: skip
    least, beta = coupling.exponent, float(resnet.beta or 0.0)
    if beta < least - 1e-6:
        raise InvalidFieldError(
            "beta", beta, f"must be at least {least:.6g} for {coupling.name}: deeper networks explode below",
            f"take beta={least:.6g}",
        )  # fmt: skip
    nonlinear = {BRANCH_NORM, OUTER_ACTIVATION} & set(resnet.words)
    if nonlinear and not coupling.smooth:
        raise InvalidFieldError(
            "weights", coupling.name, f"must converge layer by layer for the word {min(nonlinear)!r}: what "
            "stands behind V adds up no increments over depth", "give weights='rbf:0.01', say",
        )  # fmt: skip
    if inner is not None and not inner.smooth:
        raise InvalidFieldError(
            "weights_w", "gaussian" if resnet.weights_w == "gaussian" else inner.name,
            f"must converge layer by layer for {resnet.block}: weights inside σ are not added up over depth",
            "take weights_w='rbf:0.01', say, or block='res-1'",
        )  # fmt: skip
