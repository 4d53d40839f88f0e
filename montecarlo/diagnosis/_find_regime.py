"""The regime of a network: its constant and exponent beside the critical ones of its weights."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.diagnosis._block_regime import block_regime
from montecarlo.diagnosis._degenerate import no_branches
from montecarlo.diagnosis._growth import MOST_GROWTH, Growth, find_growth, times, verdict
from montecarlo.diagnosis._regime import Regime, sharpness
from montecarlo.networks._dictionary import PLAIN, missing_word
from montecarlo.networks._specification import ResNet


def find_regime(resnet: ResNet) -> Regime:
    """Return the regime of a specification."""
    import theory

    L = resnet.depth
    if missing_word(resnet, PLAIN) is not None:
        return block_regime(resnet)
    hurst, weights = regularity(resnet)
    critical = float(theory.critical_scaling(hurst)) if math.isfinite(hurst) else math.nan
    beta = math.nan if resnet.beta is None or L == 1 else resnet.beta
    suggested = float(L) ** -critical
    if math.isnan(critical) or L == 1:
        words = "one layer: there is no scaling in depth"
        if L > 1:
            words = f"{weights}: no critical exponent is known"
        return Regime("unknown", beta, critical, hurst, math.nan, suggested, words)
    with np.errstate(over="ignore", divide="ignore"):
        # Of the logarithms where both are powers, so that β = β_c has c = 1 exactly.
        constant = float(L) ** (critical - beta) if resnet.beta is not None else resnet.scaling / suggested
    far = sharpness(constant)
    if no_branches(resnet):
        words = "the network is the identity at initialisation: its branches are zero to every digit"
        return Regime("identity", beta, critical, hurst, far, suggested, words, constant, "identity")
    growth = find_growth(resnet, constant)
    at_depth, moves = verdict(growth, constant), growth.words()
    if at_depth != "identity" and _contracting(resnet, hurst):
        at_depth, moves = _contraction(resnet, hurst, at_depth)
    name = at_depth
    if resnet.beta is not None:
        name = theory.regime(beta, hurst=hurst, tolerance=1e-9)
        if name == "explosion" and beta > 0 and _contracting(resnet, hurst):
            name = "contraction"
    words = f"{_rule(resnet, constant, critical, weights)} {_family(resnet, name, hurst, growth)} " + (
        _now(resnet, name, at_depth, moves)
    )
    return Regime(name, beta, critical, hurst, far, suggested, words.strip(), constant, at_depth)


def regularity(resnet: ResNet) -> tuple[float, str]:
    """Return the regularity of V along depth (that of W < 1 does not enter, F1), and its words."""
    if resnet.processes is None:
        return 0.5, f"independent layers ({resnet.weights} weights)"
    name = resnet.processes[0].name
    if name.startswith("fbm:"):
        H = float(name.split(":")[1])
        return H, f"fractional noise of Hurst index {H:g} along depth" if H != 0.5 else "independent layers"
    if name.split(":", maxsplit=1)[0] in ("rbf", "rbf-increments", "matern"):
        return 1.0, f"weights that are continuous along depth ({name})"
    return math.nan, f"weights of the process {name!r}"


def _contracting(resnet: ResNet, hurst: float) -> bool:
    """Whether the branch is linear and its weights rough, so that networks contract (F3)."""
    linear = resnet.block == "res-1" and resnet.activation_function.negative_slope == 1.0
    return linear and hurst < 0.5


def _contraction(resnet: ResNet, hurst: float, at_depth: str) -> tuple[str, str]:
    """Return verdict and words for a linear network with rough weights at this depth, as far as F3 goes."""
    import theory

    beta = 0.0 - math.log(resnet.scaling) / math.log(resnet.depth)
    if not hurst < beta < 1 - hurst:  # F3 knows the limit alone, and may be far from it
        return ("unknown" if at_depth == "explosion" else at_depth), ""
    law = theory.antipersistent_contraction(width=resnet.width, depth=resnet.depth, hurst=hurst, beta=beta)
    log = float(law.centre) * float(resnet.depth) ** (1 - 2 * beta)
    verb = "grow" if log > 0 else "shrink"
    words = f"hidden states and gradients of typical networks {verb} about {times(abs(log))}-fold (F3)"
    return ("contraction" if log < -math.log(MOST_GROWTH) else "critical"), words


def _rule(resnet: ResNet, constant: float, critical: float, weights: str) -> str:
    """Return α as a constant and a power of L."""
    power = f"L^-{critical:g}"
    if resnet.beta is None:
        if f"{constant:.4g}" == "1":
            return f"α = {power} (c = 1) is the critical scaling for {weights}."
        return f"α = {constant:.4g}·{power}, and {power} is the critical scaling for {weights}."
    if abs(constant - 1.0) < 1e-9:
        return f"α = {power} is the critical scaling for {weights}."
    given = f"L^{-resnet.beta:g}" if resnet.beta else "1"
    return f"α = {given} = {constant:.4g}·{power}, and {power} is the critical scaling for {weights}."


def _family(resnet: ResNet, name: str, hurst: float, growth: Growth) -> str:
    """Return what follows: of the exponent as depth grows where β is given, else of the constant."""
    if resnet.beta is None:
        return {
            "critical": "The constant is of order one: a critical rule, at any depth.",
            "explosion": "The constant is well above order one.",
            "identity": "The constant is well below order one.",
            "contraction": "The constant is well above order one: rough linear networks contract (F3).",
            "unknown": "The constant is well above order one: such networks may grow, then contract (F3).",
        }[name]
    if name == "critical":
        return "Norms stay of the order of one at any depth."
    side = f"β = {resnet.beta:g} is {'above' if name == 'identity' else 'below'} β_c = {max(hurst, 0.5):g}"
    if name == "identity":
        return f"{side}: as depth grows, networks tend to the identity."
    if name == "contraction":
        return f"{side}: as depth grows, linear networks with rough weights contract, not explode (F3)."
    if growth.sublinear:
        return f"{side}: as depth grows, hidden states grow as a power of it only, since {_slow(growth)}."
    narrow = (
        " (typical ones from width 3 on)" if hurst <= 0.5 and resnet.width < 3 and resnet.beta > 0 else ""
    )
    return f"{side}: as depth grows, hidden states and gradients explode{narrow}."


def _slow(growth: Growth) -> str:
    reason = "the activation grows more slowly than they do"
    return f"{reason}; gradients do not move" if growth.gradient == 0 else f"{reason}; gradients explode"


def _now(resnet: ResNet, name: str, at_depth: str, moves: str) -> str:
    """Return what the network does at this depth."""
    lead = f"At depth {resnet.depth:,}"
    if resnet.beta is not None and name != "critical" and at_depth == "critical":
        lead = f"{lead} it is still close to critical, with a constant of order one"
        return f"{lead}: {moves}." if moves else f"{lead}."
    return f"{lead}, {moves}." if moves else ""
