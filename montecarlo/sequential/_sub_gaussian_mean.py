"""The mean of sub-Gaussian rows, by the normal mixture in closed form.

Let ``E exp(λ(X − m)) <= exp(λ²v/2)`` for all λ, with v known, and ``S = Σ (X_i − m)`` over n rows. Then
``exp(λS − λ²nv/2)`` is a supermartingale from 1 for each λ, and so is the average over λ ~ N(0, 1/ρ)::

    √(ρ/(ρ + nv)) exp( S² / (2(ρ + nv)) ).

By Ville's inequality it stays below 1/δ for ever with probability at least 1 − δ, which solved for m is the
interval (H. Robbins, Annals of Mathematical Statistics 41 (1970) 1397-1409; S. R. Howard, A. Ramdas, J.
McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics
49 (2021) 1055-1080, section 3.2). The average over λ > 0 alone, ``2 Φ(S/√(ρ + nv))`` times that, is a
supermartingale while the mean is at most m: it carries claims of one side.

The width is least, relative to √n, at the n for which ``ρ/(nv) = 1/(a − 1)``, ``a = −W_{−1}(−δ²/e)`` with
Lambert's W (Howard et al., Proposition 3), and within 15 % of that from a tenth to ten times as many rows for
δ = 1e-6. There it is ``√(va/n)``: a width r is had at ``n = va/r²`` rows, for which ``ρ = (v/r)² a/(a − 1)``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import lambertw, log_ndtr

from montecarlo.common._errors import check_real, check_whole
from montecarlo.sequential._result import Claim
from montecarlo.sequential._sequence import NumberSequence
from montecarlo.sequential._sums import RunningSum


def tuned_rho(false_alarm: float) -> float:
    """Return ρ/(nv) of the mixture that is narrowest at n rows.

    Examples
    --------
    >>> round(tuned_rho(0.05), 4)
    0.1218
    """
    return 1.0 / float(-lambertw(-(false_alarm**2) / math.e, k=-1).real - 1.0)


def log_normal_mixture(
    deviation: NDArray[np.float64] | float, intrinsic: NDArray[np.float64] | float, rho: float
) -> NDArray[np.float64]:
    """Return the natural log of the two-sided mixture at ``Σ (X_i − m)`` and nv.

    Examples
    --------
    >>> float(log_normal_mixture(0.0, 0.0, 1.0))
    0.0
    """
    spread = rho + np.asarray(intrinsic, dtype=np.float64)
    return 0.5 * np.log(rho / spread) + np.square(deviation) / (2.0 * spread)


def one_sided_width(
    n: NDArray[np.int64] | int, *, variance_proxy: float, resolution: float, false_alarm: float
) -> NDArray[np.float64]:
    """Return how far the mean may be above that of the rows: at all n but with probability false_alarm/2.

    By the average over λ > 0 alone, at half the false alarm: as wide as the two-sided mixture at the whole of
    it, to within rounding, and nothing is said of the other side.

    Parameters
    ----------
    n
        Rows, shape (...) or a number.
    variance_proxy
        That of a row.
    resolution
        Width for which the mixture is tuned; any value is valid, those outside [1e-9, 1] count as its ends.
    false_alarm
        Twice the probability of ever missing the mean.

    Examples
    --------
    >>> round(float(one_sided_width(10_000, variance_proxy=0.25, resolution=0.03, false_alarm=1e-6)), 5)
    0.02833
    """
    rho = (variance_proxy / min(max(resolution, 1e-9), 1.0)) ** 2 * (1.0 + tuned_rho(false_alarm))
    spread = rho + np.asarray(n) * variance_proxy
    log_threshold = math.log(1.0 / false_alarm) + 0.5 * np.log(spread / rho)
    # z²/2 + log Φ(z) must reach it, and log Φ grows: what is missing at the z without it is enough
    missing = log_ndtr(np.sqrt(2.0 * log_threshold))
    return np.sqrt(2.0 * spread * (log_threshold - missing)) / n


class SubGaussianMean(NumberSequence):
    """Confidence sequence for the mean of rows with a known sub-Gaussian variance proxy.

    Right for Gaussian rows of known variance (increments of limit laws, say) and others for which the proxy
    is proved, such as ``(high − low)²/4`` for bounded rows (`BoundedMean` is narrower there). Wrong when the
    proxy is a sample variance.

    Parameters
    ----------
    variance_proxy
        The v of ``E exp(λ(X − m)) <= exp(λ²v/2)``, in squared units of the rows.
    tuned_rows
        Number of rows at which the interval is narrowest for its √n; any number is valid. Default 10,000.
    false_alarm
        Probability, at most, that the interval ever misses the mean, at most 0.5. Default 1e-6.

    Raises
    ------
    InvalidFieldError
        If the proxy is not positive and finite, or another argument is out of range.

    Examples
    --------
    >>> rows = np.random.default_rng(1).normal(2.0, 3.0, 10_000)
    >>> mean = SubGaussianMean(variance_proxy=9.0, false_alarm=0.05).update(rows)
    >>> mean.refutes(2.0), mean.refutes(2.2), round(mean.half_width, 4)
    (False, True, 0.0911)
    """

    def __init__(self, *, variance_proxy: float, tuned_rows: int = 10_000, false_alarm: float = 1e-6) -> None:
        super().__init__(false_alarm=false_alarm)
        self._proxy = check_real("variance_proxy", variance_proxy, 0.0, 1e300, 1.0, open_low=True)
        rows = check_whole("tuned_rows", tuned_rows, 1, 2**53, 10_000)
        self._rho = tuned_rho(self.false_alarm) * rows * self._proxy
        self._sum = RunningSum()

    @property
    def estimate(self) -> float:
        """The sample mean, NaN without rows."""
        return self._sum.value / self.n if self.n else math.nan

    def log_e_value(self, predicted: float, /, *, claim: Claim = "equal") -> float:
        """Return the natural log of the evidence against a claim at this look.

        The two-sided mixture; for a claim of one side half of the one-sided mixture.
        """
        one_sided = super().log_e_value(predicted, claim=claim)
        if claim != "equal":
            return one_sided
        return float(log_normal_mixture(self._deviation(predicted), self.n * self._proxy, self._rho))

    def _deviation(self, predicted: float) -> float:
        return self._sum.value - self.n * predicted

    def _absorb(self, rows: NDArray[np.float64]) -> None:
        self._sum.absorb(rows)

    def _log_e_processes(self, predicted: float) -> tuple[float, float]:
        deviation, intrinsic = self._deviation(predicted), self.n * self._proxy
        both = float(log_normal_mixture(deviation, intrinsic, self._rho)) + math.log(2.0)
        z = deviation / math.sqrt(self._rho + intrinsic)
        return both + float(log_ndtr(z)), both + float(log_ndtr(-z))

    def _look(self) -> None:
        spread = self._rho + self.n * self._proxy
        log_threshold = math.log(1.0 / self.false_alarm) + 0.5 * math.log(spread / self._rho)
        half = math.sqrt(2.0 * spread * log_threshold) / self.n
        self._lower = max(self._lower, self.estimate - half)
        self._upper = min(self._upper, self.estimate + half)
