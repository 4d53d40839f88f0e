"""How far a network moves in mean square, in words and as the one number that verdicts are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from montecarlo.diagnosis._numbers import number
from montecarlo.diagnosis._predict import lag_covariances
from montecarlo.diagnosis._predict_blocks import functions, mean_square
from montecarlo.networks._specification import ResNet

LEAST_MOVE = 0.2
"""A network that moves its states, and gradients, by a smaller share of their norm is near the identity."""

MOST_GROWTH = 10.0
"""A network whose norms grow by a larger factor explodes, whatever the depth."""

WINDOW = (0.3, 3.0)
"""Constants c of order one where no theory says how far the network moves; about what both numbers above are
for ReLU and independent layers, c = 0.28 and 3.03."""

_FIRST_ORDER = 0.25  # mean squares of differences up to which their first order is worth saying
_ROUNDING = 1e-3  # of c: rules are typed with three digits or so


@dataclass(frozen=True)
class Growth:
    """How far hidden states and gradients move in mean square.

    Parameters
    ----------
    hidden, gradient : float
        Natural logarithms of E‖h_L‖²/‖h_0‖² and E‖p_0‖²/‖p_L‖² at this depth; NaN where no theory tells.
    limit : float
        The larger of both for the same c as L → ∞: one number a rule α = c·L^-β_c.
    sublinear : bool
        Whether hidden states grow as a power of depth only, because the activation does not keep up.
    """

    hidden: float
    gradient: float
    limit: float
    sublinear: bool = False

    def words(self) -> str:
        """Return what the network does at this depth, empty where no theory tells."""
        if math.isnan(self.hidden):
            return ""
        if math.isnan(self.gradient):
            return f"in root mean square and to first order, hidden states {' '.join(_moves(self.hidden))}"
        verb, amount = _moves(self.hidden)
        if (verb, amount) == _moves(self.gradient):
            return f"in root mean square, hidden states and gradients {verb} {amount}".rstrip()
        other, far = _moves(self.gradient)
        far = far if other == verb else f"{other} {far}"
        return f"in root mean square, hidden states {verb} {amount}, gradients {far}".replace(
            " ,", ","
        ).rstrip()


UNKNOWN = Growth(math.nan, math.nan, math.nan)


def find_growth(resnet: ResNet, constant: float) -> Growth:
    """Return the growth of a network with α = `constant`·L^-β_c."""
    if resnet.processes is not None:
        return _first_order(resnet)
    import theory

    sigma, slope = functions(resnet)
    try:
        growth = theory.MeanFieldGrowth(
            sigma, slope, initial_mean_square=mean_square(resnet), bias_std=resnet.bias_std
        )
        hidden, gradient = growth.at(resnet.depth, resnet.scaling)
        return Growth(hidden, gradient, max(growth.limit(constant)), growth.sublinear)
    except (ArithmeticError, ValueError):
        return UNKNOWN


def verdict(growth: Growth, constant: float) -> str:
    """Return "explosion", "critical" or "identity" for a rule α = c·L^-β_c, the same at every depth.

    Critical is a constant of order one: the network moves its states or gradients by at least `LEAST_MOVE` of
    their norm, and neither grows more than `MOST_GROWTH`-fold, in mean square.
    """
    if math.isnan(growth.limit):
        measure, low, high = math.log(constant), math.log(WINDOW[0]), math.log(WINDOW[1])
        return _place(measure, low - _ROUNDING, high + _ROUNDING)
    low, high = math.log1p(LEAST_MOVE**2), 2 * math.log(MOST_GROWTH)
    return _place(growth.limit, low * (1 - 2 * _ROUNDING), high * (1 + 2 * _ROUNDING))


def _place(measure: float, low: float, high: float) -> str:
    return "identity" if measure < low else "explosion" if measure > high else "critical"


def times(log: float) -> str:
    """Return exp of a natural logarithm of theory's to the digits that it is good for."""
    return f"{math.exp(log):.3g}" if log < 9.0 else number(log)


def _moves(log_square: float) -> tuple[str, str]:
    """Return what a mean square of one, multiplied by exp(log_square), does to a vector: verb, how far."""
    if log_square <= 0.0:
        return "do not move", ""
    if log_square < math.log(2.0):  # they move by less than their own norm
        return "move", f"by {100 * math.sqrt(math.expm1(log_square)):.2g} % of their norm"
    return "grow", f"{times(0.5 * log_square)}-fold"


def _first_order(resnet: ResNet) -> Growth:
    """Return the mean square of the difference (F2), where it is small."""
    import theory

    lags = lag_covariances(resnet)
    if lags is None:
        return UNKNOWN
    with np.errstate(over="ignore"):
        m = float(theory.first_order_difference(alpha=resnet.scaling, depth=resnet.depth, **lags))
    return Growth(math.log1p(m), math.nan, math.nan) if m < _FIRST_ORDER else UNKNOWN
