"""
Euler's identity along networks of homogeneous branches (G5; *derived*).

If the map h ↦ f(h) of a layer is positively homogeneous of degree one, its Jacobian J at h has J h = f(h): so
`p_k·h_k = p_{k+1}·J h_k = p_{k+1}·h_{k+1}`, layer by layer and for every network, without any expectation.
That is the case of b h + a V ReLU(W h) with any b. If the branch alone is homogeneous of degree zero (a norm
before it), J h = b h and `p_k·h_k = b p_{k+1}·h_k`. If the whole layer is of degree zero (a norm on the
stream), J h = 0.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._validate import FloatArray


def euler_overlap(
    *, homogeneous: Literal["layer", "branch-0", "layer-0"], skip: float = 1.0
) -> tuple[str, float]:
    """
    Return with what p_k·h_k can be compared, exactly and in every network, and the ratio (G5; *derived*).

    Parameters
    ----------
    homogeneous : {"layer", "branch-0", "layer-0"}
        "layer": the layer is 1-homogeneous (ReLU, leaky ReLU or linear branches without biases). "branch-0":
        the branch is 0-homogeneous (a norm before it). "layer-0": the layer is (a norm on the stream).
    skip : float, optional
        b, the factor of the stream; 1 by default. It matters for "branch-0" alone.

    Returns
    -------
    partner : str
        "p_{k+1}·h_{k+1}" or "p_{k+1}·h_k".
    ratio : float
        p_k·h_k over the partner: 1, b or 0.

    Raises
    ------
    ValueError
        If the kind is another one.

    Examples
    --------
    >>> euler_overlap(homogeneous="layer")
    ('p_{k+1}·h_{k+1}', 1.0)
    >>> euler_overlap(homogeneous="branch-0", skip=0.5)
    ('p_{k+1}·h_k', 0.5)
    """
    kinds = ("layer", "branch-0", "layer-0")
    _validate.choice("homogeneous", homogeneous, kinds, fix="choose one; biases leave none of them")
    b = float(_validate.real("skip", skip, fix="give the factor of the stream"))
    if homogeneous == "layer":
        return "p_{k+1}·h_{k+1}", 1.0
    return "p_{k+1}·h_k", b if homogeneous == "branch-0" else 0.0


def log_gradient_lower_bound(*, log_hidden_ratio: npt.ArrayLike, cosine: npt.ArrayLike) -> float | FloatArray:
    """
    Return a lower bound of log(‖p_0‖/‖p_L‖), in every 1-homogeneous network (G5, P3; *derived*).

    From p_0·h_0 = p_L·h_L and Cauchy-Schwarz: `‖p_0‖/‖p_L‖ >= |cos∠(p_L, h_L)| ‖h_L‖/‖h_0‖`. Gradients
    explode with the hidden states unless p_L is orthogonal to h_L.

    Parameters
    ----------
    log_hidden_ratio : array_like
        log(‖h_L‖/‖h_0‖), natural logarithm.
    cosine : array_like
        cos∠(p_L, h_L) in [−1, 1].

    Returns
    -------
    float or ndarray of float64
        −inf at cosine 0.

    Raises
    ------
    ValueError
        If a cosine is outside [−1, 1].

    Examples
    --------
    >>> round(log_gradient_lower_bound(log_hidden_ratio=3.0, cosine=-0.5), 4)
    2.3069
    """
    growth = _validate.real("log_hidden_ratio", log_hidden_ratio, fix="give log(‖h_L‖/‖h_0‖)")
    fix = "give the cosine of p_L and h_L"
    c = _validate.real("cosine", cosine, above=-1, below=1, closed_above=True, closed_below=True, fix=fix)
    with np.errstate(divide="ignore"):
        return _validate.plain(growth + np.log(np.abs(c)))
