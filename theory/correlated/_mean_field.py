"""
Wide networks with weights correlated along the layers: the mean square beyond first order.

Notation: a the layer scaling, γ_V and γ_W lag covariances, C_{jk} = E⟨h_j, h_k⟩/‖h_0‖². As d → ∞ the
pre-activations of all layers are jointly Gaussian with covariances γ_W(j−k) C_{jk}: matrices are reused in
several layers but their transposes never are, so that no reaction term appears. Hence the closed system

    C_{jk} = 1 + a² Σ_{i<j, l<k} γ_V(i−l) K_{il},
    K_{il} = √(C_{ii} C_{ll}) κ(γ_W(i−l) C_{il}/√(C_{ii} C_{ll})).

Its first order in a² is F2, its case of independent layers S4 and I2.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._dual import arc_cosine_kernel
from theory.common._validate import FloatArray
from theory.correlated._first_order import lag_covariance


def correlated_mean_square(
    *,
    depth: int,
    alpha: float,
    gamma_v: npt.ArrayLike,
    gamma_w: npt.ArrayLike | None = None,
    activation: Literal["relu", "identity"] = "relu",
) -> FloatArray:
    r"""
    Mean squares ‖h_k − h_0‖²/‖h_0‖², k = 0..L, of infinitely wide networks with stationary weights.

    The limit d → ∞ at fixed depth, for every scaling and correlation, smooth and antipersistent weights
    included. ‖h_k‖²/‖h_0‖² is 1 more, as ⟨h_k, h_0⟩/‖h_0‖² → 1. At finite width the error is O(1/d); it
    contains the contraction of F3, which this limit does not see. Costs O(L²): 0.05 s at depth 1000.

    Parameters
    ----------
    depth : int
        Number of layers L >= 1.
    alpha : float
        Layer scaling a >= 0.
    gamma_v, gamma_w : array_like of float (lags,)
        Covariances at lags 0, 1, ..., at least L of them, of the unit-variance entries of √d V and √d W.
        `gamma_w` None, no inner weights, is allowed for "identity" alone (linear res-1).
    activation : {"relu", "identity"}, optional
        "relu" (default): res-3, and res-2 with ReLU without bias. "identity": linear res-1 or res-2.

    Returns
    -------
    ndarray of float64 (depth + 1,)
        Ratios of squared norms, layer by layer; inf from where they leave the float range.

    Raises
    ------
    ValueError
        If an argument is out of range, has too few lags, or ReLU comes without `gamma_w`.

    Notes
    -----
    *derived*, not in MFBV; the Gaussian limit is the master theorem of tensor programs (Yang, 2019,
    arXiv:1902.04760). Constant weights and the identity give I_0(2aL) at α → 0, the Bessel function.

    Examples
    --------
    >>> independent = [1.0] + [0.0] * 99
    >>> wide = correlated_mean_square(depth=100, alpha=0.1, gamma_v=independent, gamma_w=independent)
    >>> print(f"{wide[-1]:.10f} {1.005**100 - 1:.10f}")
    0.6466684921 0.6466684921
    """
    L = int(_validate.depth(depth, minimum=1))
    a = float(_validate.alpha(alpha))
    name = _validate.choice("activation", activation, ("relu", "identity"), fix="choose one")
    v = lag_covariance("gamma_v", gamma_v, L)
    if gamma_w is None and name == "relu":
        raise ValueError("gamma_w=None: must hold lag covariances for a ReLU branch; give those of W")
    w = np.ones(L) if gamma_w is None else lag_covariance("gamma_w", gamma_w, L)
    # Rows hold C_{jk} − 1 for k <= j: at small scaling C − 1 keeps digits that C would lose.
    square = np.zeros(L + 1)
    row = np.zeros(L + 1)
    step = np.zeros(L)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for j in range(L):
            overlap = _branch_overlap(row[: j + 1], square[: j + 1], w[j::-1], name)
            growth = a * a * v[j::-1] * overlap
            corner = row[j]
            step[:j] += growth[:j]
            row[1 : j + 1] = np.cumsum(step[:j])
            step[j] = row[j] - corner + growth[j]
            row[j + 1] = row[j] + step[j]
            square[j + 1] = row[j + 1]
            if not np.isfinite(row[j + 1]):
                square[j + 1 :] = np.inf
                break
    return square


def _branch_overlap(row: FloatArray, square: FloatArray, gamma: FloatArray, activation: str) -> FloatArray:
    if activation == "identity":
        return gamma * (1 + row)
    size = np.sqrt(1 + square) * np.sqrt(1 + square[-1])
    correlation = gamma * np.clip((1 + row) / size, -1.0, 1.0)
    return size * np.asarray(arc_cosine_kernel(correlation))
