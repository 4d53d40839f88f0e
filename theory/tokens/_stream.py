"""
Mean squares of the tokens of transformer blocks behind norms (T3; *derived*).

Pre-norm block: `x_i ← x_i + a_1 W_O W_V Σ_j A_ij n(x_j)`, then `x_i ← x_i + a_2 W_2 σ(W_1 n(x_i))`, n an RMS
or a layer norm, ‖n(x)‖² = d, A row-stochastic. Each branch begins with fresh centred weights: cross terms
vanish, the MLP adds `a_2² c d`, c = E σ(Z)², and attention `a_1² E‖Σ_j A_ij n(x_j)‖²`, which lies in [0, d]
by the triangle inequality. The shares of d are the whole unknown: 1 where all tokens are one, 1/n where n of
them are orthogonal and attention is uniform.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._activation_energy import activation_energy
from theory.common._activations import Activation
from theory.common._layers import per_layer

_ALPHA = "give the factor before the branch, such as depth**-0.5"


def prenorm_token_second_moment(
    *,
    width: int,
    attention_shares: npt.ArrayLike,
    alpha: npt.ArrayLike = 1.0,
    mlp_alpha: npt.ArrayLike = 1.0,
    activation: Activation = "relu",
) -> float:
    """
    Return E‖x_{i,L}‖² − ‖x_{i,0}‖² of one token of pre-norm blocks (T3; *derived*).

    Exact for Gaussian weights at every width; for ReLU and other functions linear on either side of 0, for
    every symmetric law.

    Parameters
    ----------
    width : int
        d >= 1.
    attention_shares : array_like (depth,)
        E‖Σ_j A_ij n(x_j)‖²/d of each layer, from 0 to 1.
    alpha, mlp_alpha : float or array_like (depth,), optional
        a_1 and a_2, one for all layers or one each; 1 by default.
    activation : str or callable, optional
        σ of the MLP; "relu" by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> prenorm_token_second_moment(width=8, attention_shares=[0.25, 1.0])
    18.0
    """
    d = float(_validate.width(width))
    fix = "give E‖Σ_j A_ij n(x_j)‖²/d of each layer"
    shares = _validate.real(
        "attention_shares", attention_shares, above=0, below=1, closed_above=True, closed_below=True, fix=fix
    )
    if shares.ndim != 1:
        raise ValueError(f"attention_shares of shape {shares.shape}: must have one axis; {fix}")
    a_1 = per_layer("alpha", alpha, len(shares), positive=True, fix=_ALPHA)
    a_2 = per_layer("mlp_alpha", mlp_alpha, len(shares), positive=True, fix=_ALPHA)
    c = activation_energy(activation).mean
    return d * float(np.sum(a_1**2 * shares) + c * np.sum(a_2**2))


def prenorm_token_bounds(
    *,
    width: int,
    depth: int,
    alpha: npt.ArrayLike = 1.0,
    mlp_alpha: npt.ArrayLike = 1.0,
    activation: Activation = "relu",
) -> tuple[float, float]:
    """
    Return bounds of E‖x_{i,L}‖² − ‖x_{i,0}‖², whatever the attention (T3; *derived*).

    With a_1 = a_2 = 1, ReLU and ‖x_{i,0}‖² = d these are (1 + L/2) d and (1 + 3L/2) d for E‖x_{i,L}‖², as in
    Xiong et al. (arXiv:2002.04745).

    Parameters
    ----------
    width, depth : int
        d >= 1 and L >= 0.
    alpha, mlp_alpha : float or array_like (depth,), optional
        a_1 and a_2, one for all layers or one each; 1 by default.
    activation : str or callable, optional
        σ of the MLP; "relu" by default.

    Returns
    -------
    tuple of float
        The lower and the upper bound.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> prenorm_token_bounds(width=10, depth=4)
    (20.0, 60.0)
    """
    L = int(_validate.depth(depth))
    ends = (
        prenorm_token_second_moment(
            width=width, attention_shares=np.full(L, share), alpha=alpha, mlp_alpha=mlp_alpha,
            activation=activation,
        )
        for share in (0.0, 1.0)
    )  # fmt: skip
    low, high = ends
    return low, high


def postnorm_token_second_moment(
    *, width: int, mlp_alpha: float = 1.0, activation: Activation = "relu"
) -> float:
    """
    Return E‖x‖² of a token of post-norm blocks after the MLP is added and before the norm (T3; *derived*).

    d(1 + a_2² c): the MLP's input has just been normalised. 3d/2 for ReLU at a_2 = 1.

    Parameters
    ----------
    width : int
        d >= 1.
    mlp_alpha : float, optional
        a_2 >= 0; 1 by default.
    activation : str or callable, optional
        σ of the MLP; "relu" by default.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> postnorm_token_second_moment(width=8)
    12.0
    """
    d = float(_validate.width(width))
    a_2 = float(_validate.real("mlp_alpha", mlp_alpha, above=0, closed_above=True, fix=_ALPHA))
    return d * (1.0 + a_2**2 * activation_energy(activation).mean)
