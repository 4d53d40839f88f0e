"""
The Gram matrix of the states of several inputs: its drift and its noise (C3; *derived*).

`h_{k+1} = h_k + a V σ(W h_k + b)` with one V, W and b for all inputs. Notation: Φ^{ab} = h^a·h^b/d, X a
normal vector of covariance Φ + σ_b² (pre-norm: of the correlations of Φ, + σ_b²), `K^{ab} = E
σ(X^a)σ(X^b)`. Exactly, at every width, hidden width and scaling,

    E[Φ^{ab}_{k+1} | past] = Φ^{ab}_k + a² K^{ab}(Φ_k),

and in the limit of small a, a unit of Σ a_k², `dΦ^{ab} = K^{ab} dt + …` with the covariance

    d⟨Φ^{ab}, Φ^{cd}⟩ = (1/d)(Φ^{ac}K^{bd} + Φ^{ad}K^{bc} + Φ^{bc}K^{ad} + Φ^{bd}K^{ac}) dt.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._activations import Activation
from theory.common._dual import dual_activation
from theory.common._validate import FloatArray


def gram_drift(
    *, activation: Activation, gram: npt.ArrayLike, bias_std: float = 0.0, normalised: bool = False
) -> FloatArray:
    """
    Return K, by which the Gram matrix of several inputs grows in mean, a unit of a² (C3, N4; *derived*).

    Parameters
    ----------
    activation : str or callable
        A name of `ACTIVATIONS` or a vectorised function σ.
    gram : array_like, shape (inputs, inputs)
        Φ, products h^a·h^b/d; positive semidefinite.
    bias_std : float, optional
        Standard deviation σ_b of the biases; 0, no bias, by default.
    normalised : bool, optional
        Whether an RMS norm stands before W, so that correlations take the place of Φ; not by default.

    Returns
    -------
    ndarray of float64, shape (inputs, inputs)
        E σ(X^a)σ(X^b).

    Raises
    ------
    ValueError
        If the matrix is none of products, or an argument is out of range.

    Examples
    --------
    >>> K = gram_drift(activation="relu", gram=[[1.0, 0.0], [0.0, 4.0]])
    >>> print(np.round(K, 4).tolist())
    [[0.5, 0.3183], [0.3183, 2.0]]
    """
    phi = _gram(gram)
    bias = float(_validate.real("bias_std", bias_std, above=0, closed_above=True, fix="give 0 for no bias"))
    if normalised:
        root = np.sqrt(np.diag(phi))
        if not (root > 0).all():
            raise ValueError("gram: must have a positive diagonal behind a norm; drop inputs that are 0")
        phi = phi / np.outer(root, root)
        np.fill_diagonal(phi, 1.0)
    covariance = phi + bias * bias
    variances = np.diag(covariance)
    K = np.empty(phi.shape)
    for a, b in zip(*np.triu_indices(len(phi)), strict=True):
        # Rounding may lift a product above that of the norms.
        bound = float(np.sqrt(variances[a] * variances[b]))
        product = float(np.clip(covariance[a, b], -bound, bound))
        K[a, b] = K[b, a] = dual_activation(
            activation, first=variances[a], second=variances[b], covariance=product
        )
    return K


def gram_covariance(
    *,
    activation: Activation,
    width: int,
    gram: npt.ArrayLike,
    bias_std: float = 0.0,
    normalised: bool = False,
) -> FloatArray:
    """
    Return the covariance of the increments of the Gram matrix, a unit of a², as a → 0 (C3; *derived*).

    Parameters
    ----------
    activation, gram, bias_std, normalised
        As in `gram_drift`.
    width : int
        d >= 1; the hidden width does not matter.

    Returns
    -------
    ndarray of float64, shape (inputs, inputs, inputs, inputs)
        Of Φ^{ab} and Φ^{cd}, indices in this order.

    Raises
    ------
    ValueError
        As in `gram_drift`.

    Examples
    --------
    >>> C = gram_covariance(activation="relu", width=2, gram=[[1.0]])
    >>> float(C[0, 0, 0, 0])  # 4 S ρ(S)/d of S3
    1.0
    """
    d = float(_validate.width(width))
    phi = _gram(gram)
    K = gram_drift(activation=activation, gram=phi, bias_std=bias_std, normalised=normalised)
    total = np.einsum("ac,bd->abcd", phi, K) + np.einsum("ad,bc->abcd", phi, K)
    total += np.einsum("bc,ad->abcd", phi, K) + np.einsum("bd,ac->abcd", phi, K)
    return total / d


def _gram(gram: npt.ArrayLike) -> FloatArray:
    fix = "give products h^a·h^b/d"
    phi = _validate.real("gram", gram, fix=fix)
    if phi.ndim != 2 or phi.shape[0] != phi.shape[1] or not len(phi):
        raise ValueError(f"gram of shape {phi.shape}: must be a square matrix; {fix}")
    scale = max(float(np.abs(phi).max()), 1e-300)
    if not np.allclose(phi, phi.T, rtol=0, atol=1e-12 * scale):
        raise ValueError(f"gram={phi.tolist()}: must be symmetric; {fix}")
    if np.linalg.eigvalsh(phi)[0] < -1e-12 * len(phi) * scale:
        raise ValueError(f"gram={phi.tolist()}: must be positive semidefinite; {fix}")
    return phi
