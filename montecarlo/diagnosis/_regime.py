"""The regime of a network: scaling exponent, critical exponent of its weights, and what to take instead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from montecarlo._specification import ResNet
from montecarlo.diagnosis._prediction import finite

_ZERO = 1e-30  # α L below which branches change no digit of a state
_NEAR = 2.0  # L^{2|β − β_c|} up to which no regime has set in


@dataclass(frozen=True)
class Regime:
    """Where a scaling lies beside the critical one.

    Parameters
    ----------
    name : {"explosion", "critical", "identity", "unknown"}
        What the scaling leads to as L grows with β held (I8, I10, I11, F1); unknown at depth 1 and for
        processes of one's own.
    beta : float
        Exponent of the scaling, α = L^-β; NaN at depth 1, where every exponent gives 1.
    critical_beta : float
        β_c of this law of weights; NaN where it is not known.
    hurst : float
        Regularity of the weights along depth: 1/2 for independent layers, the Hurst index, 1 for
        continuous paths.
    sharpness : float
        L^{2|β − β_c|}: below about 2 no regime has set in at this depth.
    suggested_alpha : float
        L^-β_c.
    words : str
        All this in a sentence.
    """

    name: str
    beta: float
    critical_beta: float
    hurst: float
    sharpness: float
    suggested_alpha: float
    words: str

    def record(self) -> dict[str, Any]:
        """Return the regime as JSON-serialisable values."""
        return {key: finite(v) if isinstance(v, float) else v for key, v in vars(self).items()}


def no_branches(resnet: ResNet) -> bool:
    """Return whether branches change no digit of a state, as α = 0 would."""
    return resnet.scaling * resnet.depth < _ZERO


def find_regime(resnet: ResNet) -> Regime:
    """Return the regime of a specification."""
    import theory

    L = resnet.depth
    beta = resnet.beta
    if beta is None:
        beta = 0.0 - math.log(resnet.scaling) / math.log(L) if L > 1 else math.nan
    hurst, regularity = _regularity(resnet)
    critical = float(theory.critical_scaling(hurst)) if math.isfinite(hurst) else math.nan
    if not math.isfinite(critical) or not math.isfinite(beta):
        suggested = L**-critical if math.isfinite(critical) else math.nan
        words = (
            f"{regularity}: no critical exponent is known"
            if L > 1
            else "one layer: there is no scaling in depth"
        )
        return Regime("unknown", beta, critical, hurst, math.nan, suggested, words)
    name = theory.regime(beta, hurst=hurst, tolerance=1e-9)
    with np.errstate(over="ignore"):
        sharpness = float(np.float64(L) ** (2 * abs(beta - critical)))
    if no_branches(resnet):
        words = "the network is the identity at initialisation: its branches are zero to every digit"
        return Regime("identity", beta, critical, hurst, sharpness, float(L) ** -critical, words)
    words = f"{regularity} has the critical exponent β_c = {critical:g}; β = {beta:.4g}" + _consequence(
        resnet, name, sharpness, hurst
    )
    return Regime(name, beta, critical, hurst, sharpness, float(L) ** -critical, words)


def _regularity(resnet: ResNet) -> tuple[float, str]:
    """Return the regularity of V along depth (that of W < 1 does not enter, F1), and its words."""
    if resnet.processes is None:
        return 0.5, f"a network of independent layers ({resnet.weights} weights)"
    name = resnet.processes[0].name
    if name.startswith("fbm:"):
        H = float(name.split(":")[1])
        return H, f"fractional noise of Hurst index {H:g}" if H != 0.5 else "a network of independent layers"
    if name.split(":", maxsplit=1)[0] in ("rbf", "rbf-increments", "matern"):
        return 1.0, f"a network of continuous weights along depth ({name})"
    return math.nan, f"weights of the process {name!r}"


def _consequence(resnet: ResNet, name: str, sharpness: float, hurst: float) -> str:
    linear = resnet.block != "res-3" and resnet.activation_function.negative_slope == 1.0
    if name == "critical":
        return " is critical: norms stay of the order of one at any depth"
    if sharpness < _NEAR:
        side = "below" if name == "explosion" else "above"
        return f" is {side} it, but at depth {resnet.depth:,} still close to critical"
    if name == "identity":
        return " is above it: the network tends to the identity, layers do less the more there are"
    if linear and hurst < 0.5:
        return " is below it, where linear networks with rough weights contract instead of exploding (F3)"
    if resnet.activation_function.name in ("tanh", "sin"):
        return " is below it: norms grow with depth, as a power of it only, since the activation is bounded"
    return " is below it: hidden states and gradients explode with depth"
