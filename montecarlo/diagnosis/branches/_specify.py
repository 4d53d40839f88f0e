"""Behind a norm: the specification that measured branches amount to there.

A norm gives the branch's input a length of its own, so that a deviation s of the pre-activations is not one
of the input: ``σ(s W₀ n + b) = σ_s(W₀ n + b/s)`` with ``σ_s(x) = σ(s x)``, exactly, for every σ and n.
Piecewise linear σ have ``σ_s = s σ``, and s counts into the scaling. The norm's gain γ stands before W:
s = γ s_W.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from montecarlo.common._errors import InvalidFieldError
from montecarlo.networks._activations import Activation, find_activation

_ONE = 0.01  # deviations nearer to 1 than this are taken into the scaling


def behind_norm(measured: dict[str, Any], norm: str, *, deviation: float, gain: float) -> dict[str, Any]:
    """Return the fields of `ResNet` for branches behind a norm, from those of plain ones.

    Parameters
    ----------
    measured : dict
        Fields of the plain network; its scaling has the deviations of V and W in it.
    norm : str
        As in `ResNet`.
    deviation : float
        Of the pre-activations, over that of the branch's input: that of W times √d, 1 without W.
    gain : float
        Of the norm before the branch, as its parameters have it.

    Raises
    ------
    InvalidFieldError
        For a norm behind the branch whose gain is not 1: it would scale the stream, too.
    """
    if norm.startswith("post") and abs(gain - 1.0) > _ONE:
        rule = "must stand before the branch where its gain is not 1"
        raise InvalidFieldError("norm", norm, f"{rule} (it is {gain:.3g})", "give norm='pre-rms', say")
    s = deviation * gain
    if s <= 0.0:
        return measured
    found = dict(measured)
    if "bias_std" in found:
        found["bias_std"] /= s
    activation = find_activation(found["activation"])
    if activation.negative_slope is not None or abs(s - 1.0) <= _ONE:
        found["alpha"] *= gain
        return found
    found["activation"] = scaled(activation, s)
    found["alpha"] /= deviation
    return found


def scaled(activation: Activation, s: float) -> Activation:
    """Return x ↦ σ(s x).

    Examples
    --------
    >>> from montecarlo.networks._activations import find_activation
    >>> scaled(find_activation("tanh"), 0.5)
    Activation('tanh(0.5 x)')
    """
    value, slope = njit(activation.value), njit(activation.derivative)
    return Activation(f"{activation.name}({s:.4g} x)", lambda x: value(s * x), lambda x: s * slope(s * x))
