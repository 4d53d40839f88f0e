"""The panels of Figures 1 and 3: independent layers below, at and above the critical scaling β = 1/2."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

import theory
from figures._depth_panels import DEPTHS, WIDTH, Curve, DepthPanels, Panel
from figures._style import LIMIT, THEORY

Array = npt.NDArray[np.float64]
Limit = Callable[[float, Array], Array]

BETAS = (1.0, 0.25, 0.5)
_CURVE = tuple(int(depth) for depth in np.unique(np.geomspace(DEPTHS[0], DEPTHS[-1], 200).round()))


def independent_panels(*, column: str, label: str, quantity: str) -> DepthPanels:
    """Return the panels for a column of differences: hidden states and gradients have one law (I4)."""
    panels = (
        _panel(1.0, "identity", "decimals", "--", r"limit at $\beta = 1$: median (I10b)", _identity_median),
        _panel(0.25, "explosion", "log", "-.", r"limit at $\beta = 0.25$: typical size (I11)", _typical),
        _panel(0.5, "critical", "linear", ":", r"limit at $\beta = 0.5$: root mean square (I8)", _critical),
    )
    return DepthPanels("uniform", column, label, quantity, panels, _CURVE)


def _panel(beta: float, regime: str, scale: str, ls: str, label: str, limit: Limit) -> Panel:
    exact = Curve("exact root mean square (I2, I3)", partial(_exact, beta), THEORY)
    large_depth = Curve(label, partial(limit, beta), LIMIT, ls)
    return Panel(beta, regime, (exact, large_depth), partial(_log_mean_square, beta), scale)


def _log_mean_square(beta: float, depth: Array | int) -> Array:
    alpha = np.asarray(depth, np.float64) ** -beta
    return np.asarray(theory.log_hidden_difference_second_moment(depth=depth, alpha=alpha))


def _exact(beta: float, depth: Array) -> Array:
    return np.exp(0.5 * _log_mean_square(beta, depth))


def _identity_median(beta: float, depth: Array) -> Array:
    median = theory.identity_quantile(probability=0.5, width=WIDTH, depth=depth, alpha=depth**-beta)
    return np.sqrt(np.asarray(median))


def _typical(beta: float, depth: Array) -> Array:
    log_square = theory.explosion_log_mean(width=WIDTH, depth=depth, alpha=depth**-beta, order=1)
    return np.exp(0.5 * np.asarray(log_square))


def _critical(beta: float, depth: Array) -> Array:
    del beta
    return np.full(depth.shape, np.sqrt(np.expm1(0.5)))
