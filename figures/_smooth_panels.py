"""The panels of Figures 4 and 5: smooth weights below, at and above their critical scaling β = 1."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import numpy.typing as npt

import theory
from figures._depth_panels import DEPTHS, WIDTH, Curve, DepthPanels, Panel
from figures._style import LIMIT, OTHER, THEORY

Array = npt.NDArray[np.float64]
MeanSquare = Callable[..., float]
Covariance = Callable[[int], Array]

VARIANCE = 0.01
"""ℓ², the squared length scale of the weights in depth-time."""
WEIGHTS = f"rbf:{VARIANCE:g}"
INCREMENTS = "the same, normalised increments"
BETAS = (2.0, 0.5, 1.0)
# Few: theory of wide networks takes O(L²) for each.
_CURVE = (10, 12, 15, 19, 24, 32, 46, 64, 88, 120, 175, 250, 350, 500, 700, 1000)


def hidden_panels(*, column: str, label: str, quantity: str) -> DepthPanels:
    """Return the panels of hidden states: wide networks at every order, F2 where the scaling is small."""
    wide = ("root mean square, wide networks ($d \\to \\infty$)", _wide, "-.")
    panels = (
        _panel(2.0, "identity", ("root mean square, first order (F2)", _first_order, "-"), _hidden_limit),
        _panel(0.5, "explosion", wide),
        _panel(1.0, "critical", wide, _hidden_limit),
    )
    return DepthPanels(WEIGHTS, column, label, quantity, panels, _CURVE)


def gradient_panels(*, column: str, label: str, quantity: str) -> DepthPanels:
    """Return the panels of gradients, whose theory is of first order: none where they explode."""
    first = ("root mean square, first order", _gradient, "-")
    panels = (
        _panel(2.0, "identity", first, _gradient_limit),
        Panel(0.5, "explosion", ()),
        _panel(1.0, "critical", first, _gradient_limit),
    )
    return DepthPanels(WEIGHTS, column, label, quantity, panels, _CURVE)


def _panel(
    beta: float, regime: str, curve: tuple[str, MeanSquare, str], limit: MeanSquare | None = None
) -> Panel:
    label, mean_square, ls = curve
    curves = [
        Curve(label, partial(_root, mean_square, beta), THEORY, ls),
        Curve(INCREMENTS, partial(_root, partial(mean_square, covariance=_of_increments), beta), OTHER, ls),
    ]
    if limit is not None:
        name = r"first order, limit $L \to \infty$"
        curves.append(Curve(name, partial(_root, limit, beta), LIMIT, ":"))
    # Explosion: the mean square of networks of width 40 is out of reach of samples and of wide networks.
    # At β = 1 a first order is off by 2 % of the mean square, which a larger sample would notice.
    right = beta > 1.0 or (beta == 1.0 and mean_square is _wide)
    check = partial(_log, mean_square, beta) if right else None
    return Panel(beta, regime, tuple(curves), check, "linear" if beta == 1.0 else "log")


def _root(mean_square: MeanSquare, beta: float, depths: Array) -> Array:
    return np.sqrt([mean_square(beta, int(depth)) for depth in depths])


def _log(mean_square: MeanSquare, beta: float, depth: int) -> float:
    return float(np.log(mean_square(beta, depth)))


def _of_process(depth: int) -> Array:
    return np.asarray(theory.rbf_covariance(np.arange(depth) / depth, VARIANCE))


def _of_increments(depth: int) -> Array:
    return np.asarray(theory.rbf_increments_covariance(np.arange(depth), depth=depth, variance=VARIANCE))


def _wide(beta: float, depth: int, covariance: Covariance = _of_process) -> float:
    return _cached_wide(theory.correlated_mean_square, covariance, beta, depth)


@cache
def _cached_wide(compute: Callable[..., Array], covariance: Covariance, beta: float, depth: int) -> float:
    """Compute once for PDF, PNG and checks; the function is part of the key, for tests that replace it."""
    gamma = covariance(depth)
    return float(compute(depth=depth, alpha=float(depth) ** -beta, gamma_v=gamma, gamma_w=gamma)[-1])


def _first_order(beta: float, depth: int, covariance: Covariance = _of_process) -> float:
    gamma = covariance(depth)
    alpha = float(depth) ** -beta
    return float(theory.first_order_difference(alpha=alpha, depth=depth, gamma_v=gamma, gamma_w=gamma))


def _gradient(beta: float, depth: int, covariance: Covariance = _of_process) -> float:
    gamma = covariance(depth)
    found = theory.first_order_gradient_difference(
        width=WIDTH, alpha=float(depth) ** -beta, depth=depth, gamma_v=gamma, gamma_w=gamma
    )
    return float(found)


def _hidden_limit(beta: float, depth: int) -> float:
    def covariance(time: Array) -> npt.ArrayLike:
        return theory.rbf_covariance(time, VARIANCE)

    return theory.ode_identity_constant(covariance, covariance) * float(depth) ** (2.0 - 2.0 * beta)


def _gradient_limit(beta: float, depth: int) -> float:
    # The first order is a² L² times a Riemann sum of error O(1/L²): a deep one stands for the limit.
    deep = 16 * DEPTHS[-1]
    return _gradient(1.0, deep) * float(depth) ** (2.0 - 2.0 * beta)
