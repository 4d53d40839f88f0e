"""`Prediction`: what theory says of one ratio of norms, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from montecarlo.common._json import finite

Kind = Literal["exact law", "limit law", "wide-network law", "bounds", "nothing"]


class Law(Protocol):
    """A law of a natural logarithm of a ratio of norms."""

    def cdf(self, x: Any) -> Any:
        """Return the distribution function."""
        ...

    def sf(self, x: Any) -> Any:
        """Return one minus the distribution function."""
        ...

    def ppf(self, q: Any) -> Any:
        """Return quantiles."""
        ...

    def mean(self) -> Any:
        """Return the mean."""
        ...

    def std(self) -> Any:
        """Return the standard deviation."""
        ...


HIDDEN, GRADIENT = "‖h_L‖/‖h_0‖", "‖p_0‖/‖p_L‖"


@dataclass(frozen=True, eq=False)
class Prediction:
    """Median and 95 % range of a ratio of norms, with what stands behind them.

    Parameters
    ----------
    quantity : str
        The ratio, in words.
    kind : {"exact law", "limit law", "wide-network law", "bounds", "nothing"}
        Exact: of this very network. Limit: of deep networks. Wide: of wide networks at this depth, with their
        fluctuations. Bounds: a range that holds 95 % of networks at least, no median. Nothing: no theory
        covers the network.
    source : str
        Statement ids of the theory.
    remark : str
        In what sense they apply, or why nothing does.
    law : Law or None
        Law of the natural logarithm of the ratio; None for bounds and nothing.
    bounds : tuple of float
        For bounds: natural logarithms of the ends.
    slack : float
        How far the predicted median may be off, in natural-log units: the size of what theory leaves out.
    tail_slack : float
        The same for the ends of the range.
    """

    quantity: str
    kind: Kind
    source: str
    remark: str
    law: Law | None = None
    bounds: tuple[float, float] = (-math.inf, math.inf)
    slack: float = 0.0
    tail_slack: float = 0.0

    @property
    def log_median(self) -> float:
        """Natural logarithm of the median; NaN where theory gives none."""
        return self.log_quantile(0.5) if self.law is not None else math.nan

    @property
    def log_range(self) -> tuple[float, float]:
        """Natural logarithms of the ends of the range that holds 95 % of networks."""
        if self.law is None:
            return self.bounds
        return self.log_quantile(0.025), self.log_quantile(0.975)

    def log_quantile(self, p: float) -> float:
        """Return a quantile of the natural logarithm of the ratio; NaN without a law."""
        return float(self.law.ppf(p)) if self.law is not None else math.nan

    def exceeds(self, log_ratio: npt.ArrayLike, *, anywhere: bool) -> npt.NDArray[np.float64]:
        """Return the probability that the log-ratio exceeds given numbers, at the end or at any layer.

        Anywhere: the log-norm along depth is taken as Brownian motion with drift, which is its limit for
        independent layers and slightly more than the truth at finite depth. NaN without a law.
        """
        return self._crosses(np.asarray(log_ratio, np.float64), anywhere, 1.0)

    def falls_below(self, log_ratio: npt.ArrayLike, *, anywhere: bool) -> npt.NDArray[np.float64]:
        """Return the probability that the log-ratio falls below given numbers, as `exceeds`."""
        return self._crosses(-np.asarray(log_ratio, np.float64), anywhere, -1.0)

    def _crosses(self, b: npt.NDArray[np.float64], anywhere: bool, sign: float) -> npt.NDArray[np.float64]:
        from scipy import special

        if self.law is None:
            return np.full(b.shape, math.nan)
        end = np.asarray(self.law.sf(b) if sign > 0 else self.law.cdf(-b), np.float64)
        if not anywhere:
            return end
        mean, std = sign * float(self.law.mean()), float(self.law.std())
        if std == 0.0:  # a straight line, highest at one of its ends
            return np.where(b <= 0, 1.0, end)
        # Reflection: those that crossed and came back; never more than certainty.
        with np.errstate(over="ignore", invalid="ignore"):
            back = np.exp(2 * mean * b / std**2 + special.log_ndtr((-b - mean) / std))
        return np.where(b <= 0, 1.0, np.clip(end + back, 0.0, 1.0))

    def record(self) -> dict[str, Any]:
        """Return the prediction as JSON-serialisable values; ratios that overflow are None, logs are not."""
        low, high = self.log_range
        return {
            "quantity": self.quantity,
            "kind": self.kind,
            "source": self.source,
            "remark": self.remark,
            "log_median": finite(self.log_median),
            "log_range": [finite(low), finite(high)],
            "median": ratio(self.log_median),
            "range": [ratio(low), ratio(high)],
            "slack": finite(self.slack),
            "tail_slack": finite(self.tail_slack),
        }


def ratio(log: float) -> float | None:
    """Return exp of a logarithm, None where it is not a finite number."""
    return math.exp(log) if log < 700.0 else None
