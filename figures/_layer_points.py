"""Networks at layers that are equally far apart on a logarithmic axis: what figures of growth share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]


def log_layers(depth: int, count: int, *, turn: int = 0, turns: int = 1) -> npt.NDArray[np.int64]:
    """Return at most so many layers from 1 to the last one, about equally far apart in logarithm.

    With `turns` curves in one panel each takes layers of its own, by its `turn`, so that bars do not cover
    one another.

    Examples
    --------
    >>> log_layers(200, 8).tolist()
    [1, 2, 5, 10, 21, 44, 94, 200]
    >>> [log_layers(200, 4, turn=turn, turns=2).tolist() for turn in (0, 1)]
    [[1, 5, 21, 94], [2, 10, 44, 200]]
    """
    every = np.geomspace(1, depth, count * turns).round().astype(np.int64)
    return np.unique(every[turn::turns])


def draw_medians(
    axis: Axes, layers: npt.NDArray[np.int64], paths: Array, *, colour: object, marker: str, label: str
) -> None:
    """Draw medians of norms along depth with bars that hold 90 % of the networks.

    Parameters
    ----------
    axis : Axes
        Where.
    layers : ndarray of int
        At which layers, shape (points,).
    paths : ndarray of float64
        Natural logarithms along depth, shape (networks, layers + 1).
    colour, marker, label : object, str, str
        The look, and the name for the legend.
    """
    low, middle, high = np.exp(np.quantile(paths[:, layers], (0.05, 0.5, 0.95), axis=0))
    axis.errorbar(
        layers, middle, yerr=[middle - low, high - middle], fmt=marker, ms=4.5, lw=1, capsize=2,
        color=colour, label=label,
    )  # fmt: skip
