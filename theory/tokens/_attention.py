"""
Gram matrices of tokens under attention, in mean, exactly (T1; *derived*).

Rows of X are n tokens of width d; `X' = X + a_1 A X W_V`, entries of √d W_V independent, centred, of unit
variance and any law; A may depend on X (softmax), not on W_V. Then `E[X' X'ᵀ | X, A] = Σ + a_1² A Σ Aᵀ`, Σ =
X Xᵀ: the cross terms are linear in W_V, and `E W_V W_Vᵀ = I`. A linear MLP, a_2 X' W_1 W_2 with entries of
variances 1/d and 1/M, multiplies by 1 + a_2².

Uniform A = 11ᵀ/n: A Σ Aᵀ is the mean C of all n² entries in each place, so C grows by (1 + a_1²)(1 + a_2²) a
layer and the differences Σ_ij − C by 1 + a_2² alone. Constant symmetric A = Q diag(λ) Qᵀ: the entry (i, j) of
Qᵀ Σ Q is multiplied by (1 + a_1² λ_i λ_j)(1 + a_2²).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._layers import per_layer
from theory.common._validate import FloatArray

_ALPHA = "give the factor before the branch, such as depth**-0.5"


class GramMeans(NamedTuple):
    """
    Means of the entries of a Gram matrix.

    Attributes
    ----------
    all : float
        C, over all n² entries: ‖mean token‖².
    diagonal : float
        D, over the n squares of norms.
    """

    all: float
    diagonal: float

    @property
    def cosine(self) -> float:
        """C/D, 1 where all tokens are the same."""
        return self.all / self.diagonal


def attention_gram(
    gram: npt.ArrayLike, *, attention: npt.ArrayLike, alpha: float, mlp_alpha: float = 0.0
) -> FloatArray:
    """
    Return E[X' X'ᵀ | X, A] after one layer: attention, then a linear MLP (T1; *derived*).

    Exact at every width, for every law of the weights.

    Parameters
    ----------
    gram : array_like (tokens, tokens)
        Σ = X Xᵀ, in any unit.
    attention : array_like (tokens, tokens)
        A, given X; rows are the weights of one token.
    alpha : float
        a_1 >= 0, the factor before attention.
    mlp_alpha : float, optional
        a_2 >= 0, the factor before the linear MLP; 0 (no MLP) by default.

    Returns
    -------
    ndarray of float64 (tokens, tokens)
        In the unit of `gram`.

    Raises
    ------
    ValueError
        If `gram` is no Gram matrix, `attention` has another shape, or a factor is negative.

    Examples
    --------
    >>> attention_gram(np.eye(2), attention=[[1.0, 0.0], [0.5, 0.5]], alpha=1.0)
    array([[2. , 0.5],
           [0.5, 1.5]])
    """
    S = checked_gram(gram)
    A = _attention(attention, len(S))
    a_1, a_2 = (_factor(name, a) for name, a in (("alpha", alpha), ("mlp_alpha", mlp_alpha)))
    return (S + a_1**2 * A @ S @ A.T) * (1.0 + a_2**2)


def uniform_attention_means(
    *, means: GramMeans, depth: int, alpha: npt.ArrayLike, mlp_alpha: npt.ArrayLike = 0.0
) -> GramMeans:
    """
    Return E C_L and E D_L under uniform attention (T1; *derived*).

    Their quotient, 1/(1 + (D_0/C_0 − 1)(1 + a_1²)^{−L}) for constant a_1, is below 1 at every depth for a_1²
    = τ/L; for a constant a_1 it tends to 1 exponentially: rank collapse.

    Parameters
    ----------
    means : GramMeans
        C_0 and D_0 >= C_0 >= 0.
    depth : int
        L >= 0.
    alpha, mlp_alpha : float or array_like (depth,)
        a_1 and a_2 of a linear MLP, one for all layers or one each; a_2 = 0 by default.

    Returns
    -------
    GramMeans

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> means = uniform_attention_means(means=GramMeans(0.25, 1.0), depth=100, alpha=0.1)
    >>> print(f"{means.all:.6f} {means.diagonal:.6f} {means.cosine:.6f}")
    0.676203 1.426203 0.474128
    """
    fix = "give the mean of all entries of X Xᵀ"
    C = float(_validate.real("means.all", means.all, above=0, closed_above=True, fix=fix))
    fix = "give the mean of its diagonal, which is not smaller"
    least = C * (1.0 - 1e-12)  # of tokens that are one, up to rounding
    D = float(_validate.real("means.diagonal", means.diagonal, above=least, closed_above=True, fix=fix))
    L = int(_validate.depth(depth))
    mixed = float(np.prod(1.0 + per_layer("alpha", alpha, L, positive=True, fix=_ALPHA) ** 2))
    kept = float(np.prod(1.0 + per_layer("mlp_alpha", mlp_alpha, L, positive=True, fix=_ALPHA) ** 2))
    return GramMeans(mixed * kept * C, kept * (mixed * C + D - C))


def constant_attention_gram(
    gram: npt.ArrayLike,
    *,
    attention: npt.ArrayLike,
    depth: int,
    alpha: npt.ArrayLike,
    mlp_alpha: npt.ArrayLike = 0.0,
) -> FloatArray:
    """
    Return E X_L X_Lᵀ under one constant symmetric attention matrix, mode by mode (T1; *derived*).

    Parameters
    ----------
    gram : array_like (tokens, tokens)
        X_0 X_0ᵀ.
    attention : array_like (tokens, tokens)
        A = Aᵀ, the same in all layers.
    depth : int
        L >= 0; time does not grow with it.
    alpha, mlp_alpha : float or array_like (depth,)
        a_1 and a_2 of a linear MLP, one for all layers or one each; a_2 = 0 by default.

    Returns
    -------
    ndarray of float64 (tokens, tokens)

    Raises
    ------
    ValueError
        If a matrix is not symmetric or a number is out of range.

    Examples
    --------
    >>> constant_attention_gram(np.eye(2), attention=np.full((2, 2), 0.5), depth=1, alpha=1.0)
    array([[1.5, 0.5],
           [0.5, 1.5]])
    """
    S = checked_gram(gram)
    A = _attention(attention, len(S))
    if not np.allclose(A, A.T, rtol=1e-9, atol=1e-12):
        raise ValueError("attention: must be symmetric; go on layer by layer with attention_gram")
    L = int(_validate.depth(depth))
    a_1 = per_layer("alpha", alpha, L, positive=True, fix=_ALPHA)
    a_2 = per_layer("mlp_alpha", mlp_alpha, L, positive=True, fix=_ALPHA)
    modes, Q = np.linalg.eigh(A)
    growth = np.prod(1.0 + np.multiply.outer(a_1**2, np.outer(modes, modes)), axis=0)
    return Q @ (growth * (Q.T @ S @ Q)) @ Q.T * float(np.prod(1.0 + a_2**2))


def checked_gram(gram: npt.ArrayLike) -> FloatArray:
    """
    Return a Gram matrix as float64, or refuse what is none.

    Examples
    --------
    >>> checked_gram([[1.0, 2.0], [2.0, 1.0]])
    Traceback (most recent call last):
    ...
    ValueError: gram: must be a symmetric matrix without negative eigenvalues; give X Xᵀ
    """
    S = _validate.real("gram", gram, fix="give X Xᵀ")
    good = S.ndim == 2 and S.shape[0] == S.shape[1] > 0
    if good:
        size = float(np.abs(S).max(initial=0.0))
        good = bool(np.allclose(S, S.T, rtol=1e-9, atol=1e-12 * size))
        good = good and float(np.linalg.eigvalsh(S).min()) >= -1e-9 * size * len(S)
    if not good:
        raise ValueError("gram: must be a symmetric matrix without negative eigenvalues; give X Xᵀ")
    return S


def _attention(attention: npt.ArrayLike, tokens: int) -> FloatArray:
    A = _validate.real("attention", attention, fix="give the attention weights")
    if A.shape != (tokens, tokens):
        raise ValueError(
            f"attention of shape {A.shape}: must be ({tokens}, {tokens}) as gram; give a row a token"
        )
    return A


def _factor(field: str, value: float) -> float:
    return float(_validate.real(field, value, above=0, closed_above=True, fix=_ALPHA))
