"""`Regime`: where a scaling lies beside the critical one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from montecarlo.common._json import finite


@dataclass(frozen=True)
class Regime:
    """Where a scaling lies beside the critical one.

    A number α at one depth has no exponent: what it has is the constant c of α = c·L^-β_c, and c says what
    the network does at this depth. Every rule c/√L (independent layers) is critical as L grows; with c of
    order one it is critical at every depth, and the verdict is the same at all of them. An exponent is
    claimed of a family of depths alone: where β is given, or by `find_family`.

    Parameters
    ----------
    name : {"explosion", "polynomial", "critical", "identity", "contraction", "unknown"}
        Where β is given: what happens as L grows with β held (I8, I10, I11, F1; contraction F3). Where α is
        given: the same as `at_depth`. Unknown at depth 1 and for processes of one's own.
        Polynomial: behind a norm, and with schedules like k^-1/2, norms grow like powers of depth (N3, N8,
        G1); explosion is faster than any power.
    beta : float
        Exponent of the scaling, α = L^-β; NaN where α was given instead, and at depth 1, where every exponent
        gives 1.
    critical_beta : float
        β_c of this law of weights; NaN where it is not known.
    hurst : float
        Regularity of the weights along depth: 1/2 for independent layers, the Hurst index, 1 for
        continuous paths.
    sharpness : float
        The larger of c² and 1/c², which is L^{2|β − β_c|}: how far the scaling is from L^-β_c at this depth.
    suggested_alpha : float
        L^-β_c, the critical scaling with c = 1.
    words : str
        All this in a few sentences.
    constant : float
        c in α = c·L^-β_c; NaN where β_c is not known.
    at_depth : {"explosion", "polynomial", "critical", "identity", "contraction", "unknown"}
        The verdict at this depth, from c alone. Critical: states or gradients move by a fifth of their norm
        at least, and neither grows more than tenfold, in mean square, in the limit of large width and depth
        with c held (S4). That is 0.28 <= c <= 3.03 for ReLU and independent layers. Where no theory tells how
        far a network moves (correlated weights): 0.3 <= c <= 3. Contraction: F3.
    advice : str
        What scaling to take, for blocks beyond res-1 to res-3; empty for those, where the rest says it.
    """

    name: str
    beta: float
    critical_beta: float
    hurst: float
    sharpness: float
    suggested_alpha: float
    words: str
    constant: float = math.nan
    at_depth: str = "unknown"
    advice: str = ""

    def record(self) -> dict[str, Any]:
        """Return the regime as JSON-serialisable values."""
        return {key: finite(v) if isinstance(v, float) else v for key, v in vars(self).items()}


def sharpness(constant: float) -> float:
    """Return how far c·L^-β_c is from L^-β_c: the larger of c² and 1/c²."""
    with np.errstate(over="ignore", divide="ignore"):
        square = np.square(np.float64(constant))
        return max(float(square), float(1 / square))
