"""Regimes behind norms, with schedules, skip factors, hidden widths, outer activations; what to take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from montecarlo.diagnosis._growth import LEAST_MOVE, MOST_GROWTH, UNKNOWN, Growth, times
from montecarlo.diagnosis._numbers import number
from montecarlo.diagnosis._predict_blocks import (
    LARGEST_DEPTH,
    functions,
    layer_scalings,
    mean_square,
    relu_behind_w,
    time,
)
from montecarlo.diagnosis._regime import Regime, sharpness
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import OUTER_ACTIVATION

_LEAST = math.log1p(LEAST_MOVE**2)
_MOST = 2 * math.log(MOST_GROWTH)
_ROUNDING = 1e-9
_RECURSION = 2_000  # layers up to which DyT's recursion is followed; the expansion is close from there on


@dataclass(frozen=True)
class _Behaviour:
    """Growth at this depth, what happens below the critical scaling, and sentences."""

    growth: Growth
    below: str
    words: str
    advice: str
    at_depth: str


def block_regime(resnet: ResNet) -> Regime:
    """Return the regime of a network with words beyond res-1 to res-3."""
    beta = math.nan if resnet.beta is None or resnet.depth == 1 else resnet.beta
    hurst = 0.5 if resnet.processes is None else math.nan
    unknown = _unknown(resnet)
    if unknown:
        return Regime(
            "unknown", beta, math.nan, hurst, math.nan, math.nan, f"{unknown}.",
            advice=f"no advice: {unknown}",
        )  # fmt: skip
    critical, constant = _critical_beta(resnet), _constant(resnet)
    suggested = resnet.scaling / constant
    behaviour = _behaviour(resnet, suggested)
    name = at_depth = behaviour.at_depth
    if resnet.beta is not None and math.isfinite(critical) and resnet.skip == 1.0:
        gap = resnet.beta - critical
        name = "critical" if abs(gap) < _ROUNDING else "identity" if gap > 0 else behaviour.below
        if _power(resnet) == 0.5 and name == "critical":
            name = "polynomial"  # Σ a_k² grows like log L
    rule = f"α = {resnet.scaling:.4g}, and {suggested:.4g}"
    reason = "Σ a_k² = 1" if _power(resnet) is None or _power(resnet) else f"L^-{critical:g}"
    words = f"{rule} ({reason}) is the critical scaling at this depth. {behaviour.words}"
    advice = behaviour.advice
    if (name, at_depth) == ("explosion", "critical"):
        advice = (
            f"at this depth the present one is of order one, too; {suggested:.4g} is critical at any depth"
        )
    return Regime(
        name, beta, critical, hurst, sharpness(constant), suggested, words, constant, at_depth, advice
    )


def _unknown(resnet: ResNet) -> str:
    """Return why nothing is known of a network, empty where something is."""
    place = resnet.norm.partition("-")[0]
    if resnet.processes is not None:
        return "no critical scaling is known for correlated weights in this block"
    if resnet.depth == 1:
        return "one layer has no scaling in depth"
    if OUTER_ACTIVATION in resnet.words:
        if place != "none" or resnet.skip != 1.0 or resnet.schedule != "constant":
            return (
                "no critical scaling is known for an outer activation with norms, schedules or skip factors"
            )
        return ""
    if place != "none" and (resnet.skip != 1.0 or not resnet.has_w):
        return "no critical scaling is known for norms with skip factors, or without a matrix W"
    if place == "none" and not relu_behind_w(resnet):
        return "schedules, skip factors and hidden widths have a theory for branches V ReLU(W h) alone"
    if resnet.normalisation.kind == "tanh" and (not relu_behind_w(resnet) or resnet.schedule != "constant"):
        return "DyT has a theory for branches V ReLU(W tanh(γh)) and one scaling"
    if resnet.depth > LARGEST_DEPTH:
        return "these blocks are looked at layer by layer, up to a million of them"
    if resnet.skip == 0.0 or time(resnet) == 0.0:
        return "a skip factor or a scaling of 0 has no regime"
    return ""


def _power(resnet: ResNet) -> float | None:
    """Return P of a schedule a_k = α k^-P; None for a schedule given layer by layer."""
    if resnet.schedule == "constant":
        return 0.0
    if isinstance(resnet.schedule, str):
        return float(resnet.schedule.partition(":")[2])
    return None


def _pushes(resnet: ResNet) -> bool:
    """Whether the mean of an outer activation is not 0, so that layers add up."""
    import theory

    sigma, _ = functions(resnet)
    S = mean_square(resnet)
    return abs(theory.activation_drift(sigma, mean_square=S)) > 1e-9 * math.sqrt(S)


def _critical_beta(resnet: ResNet) -> float:
    if OUTER_ACTIVATION in resnet.words:
        return 1.0 if _pushes(resnet) else 0.5
    power = _power(resnet)
    return math.nan if power is None else max(0.5 - power, 0.0)


def _constant(resnet: ResNet) -> float:
    """Return α in units of the critical scaling at this depth: Σ a_k² = 1, or aL = 1."""
    if OUTER_ACTIVATION in resnet.words and _pushes(resnet):
        return resnet.scaling * resnet.depth
    with np.errstate(over="ignore"):
        return math.sqrt(time(resnet))


def _verdict(growth: Growth, below: str) -> str:
    grown = max(growth.hidden, growth.gradient)
    if math.isnan(grown):
        return "unknown"
    return "identity" if grown < _LEAST else below if grown > _MOST else "critical"


def _behaviour(resnet: ResNet, suggested: float) -> _Behaviour:
    log = math.log(suggested) - math.log(resnet.scaling)
    take = f"α = {suggested:.4g}, {number(log)} times the present one,"
    if abs(log) < 1e-6:
        take = f"the present α = {suggested:.4g}"
    if OUTER_ACTIVATION in resnet.words:
        return _outer(resnet, take)
    place = resnet.norm.partition("-")[0]
    if place == "none":
        return _scheduled(resnet, take)
    if place == "post":
        return _post(resnet, take)
    if resnet.normalisation.kind == "tanh":
        return _dyt(resnet, take)
    return _walk(resnet, take, peri=place == "peri")


def _energies(resnet: ResNet) -> tuple[float, float]:
    """Return c = E σ(Z)² and c' = E σ'(Z)² at the pre-activations behind a norm."""
    import theory

    sigma, slope = functions(resnet)
    scale = math.sqrt(1.0 + resnet.bias_std**2)
    if scale == 1.0:
        energy = theory.activation_energy(sigma, derivative=slope)
        return energy.mean, energy.slope
    value, derivative = resnet.activation_function.arrays()
    energy = theory.activation_energy(lambda z: value(scale * z), derivative=lambda z: derivative(scale * z))
    return energy.mean, energy.slope


def _at(resnet: ResNet, growth: Growth) -> str:
    moves = growth.words()
    return f"At depth {resnet.depth:,}, {moves}. " if moves else ""


def _walk(resnet: ResNet, take: str, *, peri: bool) -> _Behaviour:
    c, slope = _energies(resnet)
    hidden = math.log1p((1.0 if peri else c) * time(resnet) / mean_square(resnet))
    growth = Growth(hidden, slope / c * hidden, math.nan)
    words = (
        f"{_at(resnet, growth)}Behind the norm hidden states are a random walk: below the critical scaling "
        f"they and gradients grow like powers of depth, they do not explode ({'N9' if peri else 'N3, N8'})."
    )
    advice = "keep it: behind this norm no scaling explodes"
    at_depth = _verdict(growth, "polynomial")
    if at_depth == "polynomial":
        advice = f"{advice}; {take} would keep norms of order one, too"
    return _Behaviour(growth, "polynomial", words, advice, at_depth)


def _dyt(resnet: ResNet, take: str) -> _Behaviour:
    import theory

    given = {"depth": resnet.depth, "alpha": resnet.scaling, "gain": resnet.normalisation.gamma}
    S = mean_square(resnet)
    if resnet.depth <= _RECURSION:
        path = theory.dyt_recursion(**given, mean_square=S)
        growth = Growth(math.log(path.mean_square[-1] / S), float(path.log_gradient[-1]), math.nan)
    else:
        hidden = math.log1p(max(theory.dyt_mean_square_expansion(**given), 0.0) / S)
        growth = Growth(hidden, max(theory.dyt_expansion(**given), 0.0), math.nan)
    words = (
        f"{_at(resnet, growth)}Below the critical scaling hidden states grow like a power of depth, and "
        "gradients like exp(0.38 γ a √L), faster than any power (wide networks, N12)."
    )
    advice = f"{take} is critical; pre-rms in tanh's place has no such growth"
    return _Behaviour(growth, "explosion", words, advice, _verdict(growth, "explosion"))


def _post(resnet: ResNet, take: str) -> _Behaviour:
    c, slope = _energies(resnet)
    tau, d = time(resnet), resnet.width
    typical = 0.5 * tau * ((slope - c) + (c - 3 * slope) / d)
    below = "explosion" if typical > 0 else "contraction"
    growth = Growth(0.0, 2 * typical, math.nan)
    at_depth = "identity" if c * tau < _LEAST else "critical"
    if abs(typical) > math.log(MOST_GROWTH):
        at_depth = below
    verb = "grow" if typical > 0 else "shrink"
    turned = math.exp(-0.5 * tau * c * (1 - 1 / d))
    words = (
        f"At depth {resnet.depth:,} hidden states have the length √d and a mean cosine of about {turned:.2g} "
        f"with h_0, and gradients of typical networks {verb} about {times(abs(typical))}-fold (N10, small "
        "scalings)."
    )
    advice = f"{take} is critical" if at_depth == below else "keep it: hidden states keep their length"
    return _Behaviour(growth, below, words, advice, at_depth)


def _scheduled(resnet: ResNet, take: str) -> _Behaviour:
    import theory

    a = layer_scalings(resnet)
    given = {"depth": resnet.depth, "alpha": a if a.size > 1 else float(a[0]), "skip": resnet.skip}
    log = theory.log_schedule_second_moment(**given)
    growth = Growth(log, log, math.nan)
    if log < 0:
        root = math.exp(0.5 * log)
        shrink = f"norms shrink to {root:.3g} of what they were (G1)"
        words = f"At depth {resnet.depth:,}, in root mean square, {shrink}. "
    else:
        words = _at(resnet, growth)
    at_depth = _verdict(growth, "explosion")
    if resnet.skip != 1.0:
        moved = theory.schedule_difference_second_moment(**given)
        still = abs(log) < _LEAST and moved < LEAST_MOVE**2
        at_depth = "explosion" if log > _MOST else "contraction" if log < -_MOST else "critical"
        at_depth = "identity" if still else at_depth
    power = _power(resnet)
    if power is not None and power > 0.5:
        words += "The squares of the schedule are summable: networks converge at any depth (G1). "
    if resnet.hidden_width is not None:
        words += "The hidden width does not enter mean squares (G1)."
    advice = f"{take} has Σ a_k² = 1" if abs(math.log(_constant(resnet))) > 1e-6 else "keep it"
    largest = float(a.max()) if a.size > 1 else float(a[0])
    if resnet.skip != 1.0 and largest < math.sqrt(2.0):
        advice = "keep it" if at_depth == "critical" else advice
        if a.size == 1:
            advice += (
                f"; skip = {math.sqrt(1 - largest**2 / 2):.6g} keeps mean squares exactly (b² + a²/2 = 1)"
            )
    elif at_depth == "critical":
        advice = "keep it: norms stay of order one"
    return _Behaviour(growth, "explosion", words.strip(), advice, at_depth)


def _outer(resnet: ResNet, take: str) -> _Behaviour:
    import theory

    if not _pushes(resnet):
        words = "The activation is odd in the mean, so that layers average out and 1/√L is critical (P1)."
        return _Behaviour(UNKNOWN, "explosion", words, f"{take} is critical", "unknown")
    sigma, _ = functions(resnet)
    S = mean_square(resnet)
    t = resnet.scaling * resnet.depth
    relu = resnet.activation_function.negative_slope == 0.0
    hidden = math.nan
    if relu:  # cosh, without overflow
        m = theory.post_activation_rate(beta=0.5) * t
        hidden = 2 * (float(np.logaddexp(m, -m)) - math.log(2.0))
    elif t <= 20.0:
        state = theory.post_activation_flow(mean=0.0, variance=S, time=t, activation=sigma)
        hidden = math.log(state.mean_square / S)
    grown = f"hidden states grow about {times(0.5 * hidden)}-fold" if not math.isnan(hidden) else ""
    words = (
        f"{f'At depth {resnet.depth:,}, {grown}. ' if grown else ''}The outer activation has a mean, so that "
        "layers add up: below 1/L hidden states and gradients explode (P1 to P3)."
    )
    advice = f"take {take} which is critical, or put the activation inside (res-3), where 1/√L is"
    growth = Growth(hidden, hidden, math.nan)
    at_depth = _verdict(growth, "explosion")
    if at_depth in ("critical", "identity"):
        advice = "keep it: norms stay of order one"
    return _Behaviour(growth, "explosion", words, advice, at_depth)
