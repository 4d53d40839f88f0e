"""Gradients have the law of hidden states (I4), and for which networks.

Statement I4 (*derived*). res-3, layers independent, V and W with independent symmetric entries of one
law, no pre-activation exactly 0. Write h_{k+1} = (I + a M_k) h_k with M_k = V D W, D = 1{W h_k > 0}.
Then J = ∏ (I + a M_k) and Jᵀ have the same law; hence, if the directions of h_0 and of p_L have the
same law and do not depend on the hidden layers (any directions do for Gaussian weights),

    (‖p_0‖/‖p_L‖, ‖p_0 − p_L‖/‖p_L‖)  has the law of  (‖h_L‖/‖h_0‖, ‖h_L − h_0‖/‖h_0‖).

Proof. Changing the sign of the pair (row i of W, column i of V) leaves the law of (V, W) and the product
V_{·i} W_{i·} alone and turns D_i into 1 − D_i. So given the past and all the products, the D_i are
independent Bernoulli(1/2): M_k has the law of V D' W with D' independent of V, W and the past. The M_k
are therefore independent and identically distributed, M_kᵀ = Wᵀ D' Vᵀ has the law of M_k, and reversing
the order of independent factors of one law changes nothing.

If (W h_k)_i = 0 has positive probability, as with Rademacher weights and states on special lattices, D_i
is 0 on either side of the flip and the statement is false: width 2, h_0 = (1, 1) has P(D_i = 1) = 1/4.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from theory.common import _validate

Block = Literal["res-1", "res-2", "res-3"]
Layers = Literal["independent", "reversible", "other"]

DUAL_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "log_gradient_ratio": "log_hidden_ratio",
        "log_gradient_difference": "log_hidden_difference",
        "log_hidden_ratio": "log_gradient_ratio",
        "log_hidden_difference": "log_gradient_difference",
    }
)
"""Column of a sample -> column with the same law under I4 (read-only)."""


def dual_column(column: str) -> str:
    """
    Name of the column that has the same law by duality.

    Apply it to whole pairs too: the joint law of ratio and difference is the same. Whether a network
    has the duality is asked of `gradient_duality`.

    Parameters
    ----------
    column : str
        One of the four columns of a sample, such as "log_gradient_ratio".

    Returns
    -------
    str
        Gradient column for a hidden one and the reverse.

    Raises
    ------
    ValueError
        If there is no such column.

    Notes
    -----
    I4, *derived*; statement and proof at the top of the module.

    Examples
    --------
    >>> dual_column("log_gradient_ratio")
    'log_hidden_ratio'
    """
    _validate.choice("column", column, DUAL_COLUMNS, fix="give a column of a sample")
    return DUAL_COLUMNS[column]


def gradient_duality(
    *,
    block: Block,
    activation: str,
    bias_std: float = 0.0,
    layers: Layers = "independent",
    tie_free: bool = True,
) -> Literal["hidden", "hidden-without-bias"] | None:
    """
    Whose hidden-state law the gradient ratios of a network have, if the duality is proved.

    Assumes V and W of one symmetric law with independent entries, and directions of h_0 and p_L of
    one law (free for Gaussian weights).

    Parameters
    ----------
    block : {"res-1", "res-2", "res-3"}
        Residual block; res-3 is always ReLU.
    activation : str
        Name of σ; only "relu" and "identity" can have the duality.
    bias_std : float, optional
        Deviation of symmetric res-2 biases, 0 by default.
    layers : {"independent", "reversible", "other"}, optional
        "independent" by default. "reversible": one stationary Gaussian sequence per entry, such as
        fractional Gaussian noise, whose law is the same read backwards. "other": anything else.
    tie_free : bool, optional
        Whether pre-activations are almost surely not 0; true for weights with a density (default).

    Returns
    -------
    {"hidden", "hidden-without-bias"} or None
        "hidden": gradient ratios have the law of this network's hidden ratios. "hidden-without-bias":
        that of the same network with `bias_std` 0. None: not proved (not the same as false).

    Raises
    ------
    ValueError
        If `block` or `layers` is another name, `bias_std` is negative, or a block other than
        res-2 has a bias.

    Notes
    -----
    I4, *derived*, and three extensions, *derived* here. (1) Biases: flip (W_i, b_i, V_i) together; the
    Jacobian is V D' W again, but h_{k+1} = h_k + a V D (W h_k + b) has an additional term, so the
    gradient is dual to the network without bias. (2) Identity activation needs no mask, hence no
    symmetry trick: M_k is V or V W and M_kᵀ has its law. (3) Then layers need not be independent: for a
    reversible sequence the factors of Jᵀ, in reverse order, have the joint law of those of J. A ReLU
    mask of correlated layers remembers the past, so res-3 is not covered there.

    Examples
    --------
    >>> gradient_duality(block="res-3", activation="relu")
    'hidden'
    >>> gradient_duality(block="res-2", activation="relu", bias_std=0.1)
    'hidden-without-bias'
    >>> gradient_duality(block="res-1", activation="relu") is None
    True
    """
    _validate.choice("block", block, ("res-1", "res-2", "res-3"), fix="choose one of the blocks")
    _validate.choice("layers", layers, ("independent", "reversible", "other"), fix="choose one of them")
    fix = "give the deviation of the biases, 0 without"
    bias = float(_validate.real("bias_std", bias_std, above=0, closed_above=True, fix=fix))
    if bias > 0 and block != "res-2":
        raise ValueError(f"bias_std={bias:g}: must be 0 for {block}; only res-2 has a bias")
    if block == "res-3":
        activation = "relu"
    linear = activation == "identity" and layers in ("independent", "reversible")
    masked = activation == "relu" and block != "res-1" and layers == "independent" and tie_free
    if not (linear or masked):
        return None
    return "hidden-without-bias" if bias > 0 else "hidden"
