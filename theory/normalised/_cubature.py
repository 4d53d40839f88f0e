"""Equally weighted points of a cube, for means over many numbers that no product rule reaches."""

import math

import numpy as np
from scipy.stats import qmc

from theory.common._validate import FloatArray


def shifted_sobol(dimension: int, log2_points: int, *, shift: int = 0) -> FloatArray:
    """
    Return Sobol's points of (0, 1)^dimension, moved by a fixed vector on the torus.

    Parameters
    ----------
    dimension : int
        Numbers a point.
    log2_points : int
        Logarithm to base 2 of the number of points.
    shift : int, optional
        Which vector; two of them give an idea of the error. 0 by default.

    Returns
    -------
    ndarray of float64 (2^log2_points, dimension)

    Examples
    --------
    >>> points = shifted_sobol(3, 10)
    >>> bool(abs(points.mean() - 0.5) < 1e-3), float(points.min()) > 0
    (True, True)
    """
    points = qmc.Sobol(dimension, scramble=False).random_base2(log2_points)
    # Square roots are as good as any vector without rational relations; the raw net has corners at 0 and ½.
    move = np.modf((shift + 1) * np.sqrt(np.arange(2.0, dimension + 2) + math.pi))[0]
    return np.clip(np.modf(points + move)[0], 1e-12, 1 - 1e-12)
