"""
How fast tokens become one, and tangents grow, near that state (T4, T4c; *derived*).

n tokens of one norm √(dS) and cosine 1 − ε, ε small, d → ∞, any attention whose rows sum to 1. Write r_1 and
r_2 for what attention and the MLP add to S (S = 1 behind a norm; a² times their gains), and χ = v E σ'(√v
Z)²/E σ(√v Z)² for the slope of the MLP, 1 for functions linear on either side of 0. To first order in ε
attention returns one vector for all tokens: it adds r_1 to S and nothing to the differences D = εS; the MLP
adds r_2 to S and r_2 χ ε to D. Tangents that move all tokens alike gain r_1 + r_2 χ, those that move them
apart r_2 χ alone.

- no norm (linear or 1-homogeneous): S multiplies by (1 + r_1)(1 + r_2), D by 1 + r_2 χ. ε decays
  exponentially.
- post: the same divided by S. ε multiplies by (1 + r_2 χ)/((1 + r_1)(1 + r_2)): exponentially.
- pre, peri: everything is added to S_k = S_0 + (r_1 + r_2) k. ε ~ S^{−(r_1 + r_2(1 − χ))/(r_1 + r_2)},
  squares of tangents ~ S^{(r_1 + r_2 χ)/(r_1 + r_2)} and S^{r_2 χ/(r_1 + r_2)}: powers of depth.

With r_i = L^{−2β} R_i the number of layers enters as L^{1−2β} everywhere: β = ½ keeps collapse and growth at
order one at every depth, in all placements, and below it the exponents are those here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from theory.common import _validate
from theory.common._activation_energy import activation_energy
from theory.common._activations import Activation
from theory.tokens._layers import Placement

_PLACEMENTS = ("none", "pre", "post", "peri")


class TokenExponents(NamedTuple):
    """
    Rates of collapse and growth, in the clock of a placement.

    Attributes
    ----------
    clock : {"layers", "log of the mean square"}
        Whether rates are a layer, or a unit of log S_L/S_0 (then all is powers of depth).
    collapse : float
        Rate of −log(1 − cosine).
    common : float
        Rate of log‖τ‖² of tangents that move all tokens alike.
    apart : float
        The same of tangents that move them apart.
    """

    clock: str
    collapse: float
    common: float
    apart: float


def token_exponents(*, norm: Placement, attention: float, mlp: float, slope: float = 1.0) -> TokenExponents:
    """
    Return rates of rank collapse and of the growth of tangents near collapse, d → ∞ (T4c; *derived*).

    Tangents grow like gradients (J0). Where the clock is the log of the mean square, 1 − cosine ~
    S_L^−collapse with S_L = S_0 + (r_1 + r_2) L for constant r_i.

    Parameters
    ----------
    norm : {"none", "pre", "post", "peri"}
        Where norms stand.
    attention, mlp : float
        r_1 >= 0 and r_2 >= 0, not both 0: what attention (of tokens that are one) and the MLP add to the mean
        square of the stream, relative to it for "none" and "post". For "peri" both are a².
    slope : float, optional
        χ of the MLP, `mlp_slope`; 1 by default.

    Returns
    -------
    TokenExponents

    Raises
    ------
    ValueError
        If a number is out of range or the word unknown.

    Examples
    --------
    >>> token_exponents(norm="pre", attention=1.0, mlp=1.0)
    TokenExponents(clock='log of the mean square', collapse=0.5, common=1.0, apart=0.5)
    >>> rates = token_exponents(norm="post", attention=1.0, mlp=1.0)
    >>> print(f"{rates.clock} {rates.collapse:.4f} {rates.common:.4f}")
    layers 0.6931 0.0000
    """
    _validate.choice("norm", norm, _PLACEMENTS, fix="choose one")
    fix = "give what the branch adds to the mean square of the stream"
    r_1 = float(_validate.real("attention", attention, above=0, closed_above=True, fix=fix))
    r_2 = float(_validate.real("mlp", mlp, above=0, closed_above=True, fix=fix))
    chi = float(_validate.real("slope", slope, above=0, closed_above=True, fix="give mlp_slope(...)"))
    if r_1 + r_2 == 0:
        raise ValueError("attention=0, mlp=0: must not both be 0; give what the branches add")
    if norm in ("pre", "peri"):
        total = r_1 + r_2
        collapse = (r_1 + r_2 * (1.0 - chi)) / total
        common, apart = (r_1 + r_2 * chi) / total, r_2 * chi / total
        return TokenExponents("log of the mean square", collapse, common, apart)
    grow = np.log1p(r_1) + np.log1p(r_2)
    apart = np.log1p(r_2 * chi)
    common = apart + np.log1p(r_1)
    divided = grow if norm == "post" else 0.0
    return TokenExponents("layers", float(grow - apart), float(common - divided), float(apart - divided))


def mlp_slope(
    activation: Activation, *, variance: float = 1.0, derivative: Activation | None = None
) -> float:
    """
    Return χ = v E σ'(√v Z)²/E σ(√v Z)², by which an MLP multiplies small relative differences (T4c;
    *derived*).

    Parameters
    ----------
    activation : str or callable
        σ.
    variance : float, optional
        v > 0 of W_1 x; 1 by default.
    derivative : callable, optional
        σ', needed beside a function.

    Returns
    -------
    float
        1 for functions linear on either side of 0.

    Raises
    ------
    ValueError
        If the variance is not positive, or a derivative is missing.

    Examples
    --------
    >>> print(f"{mlp_slope('relu'):.6f} {mlp_slope('tanh'):.6f} {mlp_slope('gelu'):.6f}")
    1.000000 1.177807 1.072032
    """
    v = float(_validate.real("variance", variance, above=0, fix="give the variance of W_1 x"))
    energy = activation_energy(activation, deviation=float(np.sqrt(v)), derivative=derivative)
    return v * energy.slope / energy.mean
