"""N5 to N8, N9b, N12: mean squares of gradients behind a norm, and of wide networks behind tanh.

They depend on ‖h_0‖, which is not that of theory but random: a row is the square over the mean that theory
gives at its own ‖h_0‖, and its mean is 1. Such rows have polynomial tails; they are cut where what is lost is
far below the resolution (`_CUT`), and then bounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
from scipy import stats

import theory
from montecarlo import Request, ResNet
from montecarlo.verification._experiment import Array, Experiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._rows import bounded, non_negative
from montecarlo.verification.experiments.normalised._start import Measure, NumberFromStart

Mean = Callable[[float], float]
"""‖h_0‖²/d to a mean."""

_UNIT = math.sqrt(3.0)
_LOW, _HIGH, _NODES = 0.04, 6.0, 12
"""‖h_0‖²/d from which to which means are tabulated; networks of width 16 and more stay inside."""

_CUT = 12.0


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [
        _wide(), _limit("relu"), _limit("relu", 64), _limit("tanh"), _chain(), _layer(), _last("v"),
        _last("w"), _first(), _middle(), _power(), _peri(), _dyt(),
    ]  # fmt: skip


def _ratio(sample, starts: Array) -> Array:
    del starts
    return np.exp(2.0 * sample["log_gradient_ratio"])


def _over(mean: Mean, width: int, measure: Measure = _ratio, nodes: int = _NODES) -> Measure:
    """Return a measure over its mean given ‖h_0‖²/d, cut at `_CUT`."""

    @cache
    def table():
        # A polynomial of log S through Chebyshev's nodes, made when rows are first drawn.
        logs = np.polynomial.chebyshev.chebpts1(nodes)
        centre, half = 0.5 * math.log(_HIGH * _LOW), 0.5 * math.log(_HIGH / _LOW)
        values = [math.log(mean(math.exp(centre + half * x))) for x in logs.tolist()]
        fit = np.polynomial.chebyshev.chebfit(logs, values, nodes - 1)
        return lambda s: np.exp(np.polynomial.chebyshev.chebval((np.log(s) - centre) / half, fit))

    def rows(sample, starts: Array) -> Array:
        squares = np.clip(starts / width, _LOW, _HIGH)
        return np.minimum(measure(sample, starts) / table()(squares), _CUT)

    return rows


def _net(width: int, depth: int, time: float = 1.0, **fields: object) -> ResNet:
    given: dict[str, object] = {"norm": "pre-rms", "input_scale": _UNIT, "alpha": math.sqrt(time / depth)}
    if fields.get("activation", "relu") != "relu":
        given["block"] = "res-2"
    return ResNet(width=width, depth=depth, **(given | fields))  # type: ignore[arg-type]


def _given_start(
    theorem: str, name: str, quantity: str, resnet: ResNet, mean: Mean, resolution: float, *,
    allowance: float = 0.0, measure: Measure = _ratio, nodes: int = _NODES,
    request: Request | None = None,
) -> NumberFromStart:  # fmt: skip
    return NumberFromStart(
        theorem=theorem, name=name, quantity=f"{quantity} over its mean given ‖h_0‖", predicted=1.0,
        resolution=resolution, allowance=allowance, first_rows=4000, resnet=resnet,
        measure=_over(mean, resnet.width, measure, nodes), request=Request() if request is None else request,
        sequence=bounded(0.0, _CUT * (1.0 + 1e-9)),
    )  # fmt: skip


_GRADIENT = "‖p_0‖²/‖p_L‖²"


def _wide() -> NumberFromStart:
    resnet = _net(64, 10)

    def mean(square: float) -> float:
        return theory.wide_prenorm_gradient(depth=10, alpha=resnet.scaling, mean_square=square)

    # N6 is 0.05 % beyond at S_0 = 1, by its closed form.
    return _given_start("N5", "width 64", _GRADIENT, resnet, mean, 0.015, allowance=0.002)


def _limit(activation: str, width: int = 32) -> NumberFromStart:
    # The radial engine goes through 400 layers of ReLU networks; others take longer.
    depth, allowance, fine = {"relu": (400, 0.0005, 0.01), "tanh": (20, 0.006, 0.025)}[activation]

    def mean(square: float) -> float:
        return theory.prenorm_gradient_limit(
            width=width, time=1.0, activation=activation, mean_square=square  # type: ignore[arg-type]
        )  # fmt: skip

    return _given_start(
        "N6", f"limit, {activation}, d = {width}", _GRADIENT, _net(width, depth, activation=activation), mean,
        fine, allowance=allowance,
    )  # fmt: skip


_CHAIN = {"width": 24, "depth": 2}


def _chain() -> NumberFromStart:
    resnet = _net(**_CHAIN, time=2.0)
    return _given_start(
        "N6", "this very depth", _GRADIENT, resnet, lambda s: _exact(s).gradient, 0.02, nodes=5
    )


@cache
def _exact(square: float) -> theory.PrenormGradients:
    return theory.prenorm_gradient_chain(
        width=_CHAIN["width"],
        depth=_CHAIN["depth"],
        alpha=math.sqrt(2.0 / _CHAIN["depth"]),
        initial_square=_CHAIN["width"] * square,
    )


def _layer() -> NumberFromStart:
    width, depth = 24, 20
    return _given_start(
        "N6L", "limit", _GRADIENT, _net(width, depth, norm="pre-layer"), _layer_mean, 0.014, allowance=0.004
    )


def _layer_mean(square: float, width: int = 24) -> float:
    """Return N6L's mean given ‖h_0‖²/d: the centred part is a Beta share of it, h_0 being isotropic."""
    share = stats.beta(0.5 * (width - 1), 0.5)
    levels = (np.arange(12) + 0.5) / 12
    shares = share.ppf(levels)
    shares = shares * (share.mean() / shares.mean())
    centred = square * width / (width - 1) * shares
    means = [
        theory.prenorm_gradient_limit(width=width, time=1.0, norm="layer", mean_square=float(s))
        for s in centred
    ]
    return float(np.mean(means))


# N7


def _weight_gradient(matrix: str, layer: int) -> Measure:
    def measure(sample, starts: Array) -> Array:
        return np.exp(2.0 * sample[f"log_weight_gradient_{matrix}"][:, layer - 1]) * starts

    return measure


def _last(matrix: str) -> NumberFromStart:
    """Return the experiment of the last layer, exact at every depth."""
    d, M, a = 12, 30, 0.5
    resnet = ResNet(width=d, hidden_width=M, depth=3, alpha=a, norm="pre-rms", input_scale=_UNIT)
    # ‖σ(z)‖² and ‖D Vᵀ p‖² M/‖p‖² are χ² of as many degrees of freedom as units are active.
    square = 0.25 * M * (M - 1) + 0.5 * M + M
    unit = a * a if matrix == "v" else a * a * d / M
    predicted = unit * 0.5 * M
    return NumberFromStart(
        theorem="N7", name=f"last layer, {matrix.upper()}", predicted=predicted, resolution=0.01 * predicted,
        quantity=f"E‖∂loss/∂{matrix.upper()}_L‖²/‖p_L‖²", relative_to=predicted, first_rows=10_000,
        resnet=resnet, measure=_weight_gradient(matrix, 3), request=Request(weight_gradients=True),
        sequence=non_negative(unit**2 * square),
    )  # fmt: skip


def _first() -> NumberFromStart:
    return _given_start(
        "N7", "first layer, V", "‖∂loss/∂V_1‖²/‖p_L‖²", _net(**_CHAIN, time=2.0),
        lambda s: float(_exact(s).value_gradients[0]), 0.025, measure=_weight_gradient("v", 1), nodes=5,
        request=Request(weight_gradients=True),
    )  # fmt: skip


def _middle_mean(square: float) -> float:
    return theory.prenorm_weight_gradient_limit(
        width=32, hidden_width=48, alpha=200**-0.5, time=1.0, matrix="W", start=0.5, mean_square=square
    )


def _middle() -> NumberFromStart:
    """Return the experiment of W in the middle of 200 layers; a² = 1/200 is 0.2 % off."""
    return _given_start(
        "N7", "middle layer, W", "‖∂loss/∂W_k‖²/‖p_L‖²", _net(32, 200, hidden_width=48), _middle_mean, 0.02,
        allowance=0.004, measure=_weight_gradient("w", 100), request=Request(weight_gradients=True),
    )  # fmt: skip


# N8


def _power() -> NumberFromStart:
    width, depth, beta = 32, 400, 0.25
    resnet = ResNet(
        width=width,
        depth=depth,
        beta=beta,
        hidden_width=8,
        norm="pre-rms",
        input_scale=_UNIT * math.sqrt(0.3),
    )
    exponent = theory.prenorm_gradient_exponent(beta=beta, width=width)

    def mean(square: float) -> float:
        return _leading(square, width, exponent / (1.0 - 2.0 * beta)) * depth**exponent

    # The hypergeometric function of N6 is 4 % from its limit 1 at these sizes, finite depth takes 1 % off.
    return _given_start(
        "N8", "β = 1/4", "‖p_0‖²/‖p_L‖² over C L^{p(1−2β)}", resnet, mean, 0.2, allowance=0.05
    )


def _leading(square: float, width: int, p: float) -> float:
    """Return the constant C of ReLU networks, where N6 has 1 for its hypergeometric function."""
    mu = 0.5 * width - 1.0 - 2.0 * p
    gammas = math.lgamma(mu + 1.0 + p) - math.lgamma(mu + 1.0)
    return math.exp(gammas - p * math.log(width * square))


# N9b, N12


def _peri() -> NumberFromStart:
    resnet = _net(24, 50, norm="peri-rms", hidden_width=12, activation="tanh")

    def mean(square: float) -> float:
        return theory.peri_gradient_limit(
            width=24, hidden_width=12, time=1.0, activation="tanh", mean_square=square
        )

    return _given_start("N9b", "limit, tanh", _GRADIENT, resnet, mean, 0.045, allowance=0.015)


_DYT = {"depth": 12, "alpha": 1.0}
_DYT_WIDTH = 128


def _dyt_mean(square: float) -> float:
    beyond = theory.dyt_width_correction(width=_DYT_WIDTH, **_DYT)
    return math.exp(float(theory.dyt_recursion(**_DYT, mean_square=square).log_gradient[-1]) + beyond)


def _dyt() -> NumberFromStart:
    resnet = ResNet(width=_DYT_WIDTH, norm="pre-tanh:1", input_scale=_UNIT, **_DYT)
    own = _given_start("N12", "width 128", _GRADIENT, resnet, _dyt_mean, 0.08, allowance=0.02)
    return replace(own, first_rows=500)


# Wrong variants


def _unit_tanh(x: Array) -> Array:
    return np.tanh(x) / math.sqrt(0.394294)


def _unit_slope(x: Array) -> Array:
    return 1.0 / np.cosh(x) ** 2 / math.sqrt(0.394294)


def _times(experiment: NumberFromStart, mean: Mean) -> NumberFromStart:
    """Return the experiment with another mean given ‖h_0‖²/d."""
    return replace(experiment, measure=_over(mean, experiment.resnet.width))


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    wide, relu, tanh, chain, layer, peri, dyt = (
        _wide(), _limit("relu"), _limit("tanh"), _chain(), _layer(), _peri(), _dyt(),
    )  # fmt: skip
    v, w, first, middle, power = _last("v"), _last("w"), _first(), _middle(), _power()

    def limit(square: float, **changed: object) -> float:
        given: dict[str, object] = {"width": 32, "time": 1.0, "mean_square": square}
        return theory.prenorm_gradient_limit(**(given | changed))  # type: ignore[arg-type]

    def half_slope(square: float) -> float:
        logs = theory.dyt_recursion(**_DYT, mean_square=square).log_gradient
        return math.exp(0.5 * float(logs[-1]))

    def louder(experiment: NumberFromStart, factor: float) -> NumberFromStart:
        resnet = experiment.resnet
        return replace(experiment, resnet=replace(resnet, alpha=factor * resnet.scaling))

    return [
        Mutant("3 % too large", "theory", replace(wide, predicted=1.03)),
        Mutant("root of S_L/S_0", "theory", _times(wide, lambda s: math.sqrt(1.0 + 0.5 / s))),
        Mutant("V 5 % too large", "simulator", louder(wide, 1.05)),
        Mutant("1 + 1/d for 1 − 1/d", "theory", _times(relu, lambda s: limit(s) ** (33.0 / 31.0))),
        Mutant("3 % too small", "theory", replace(relu, predicted=0.97)),
        Mutant("c for c'", "theory", _times(tanh, lambda s: limit(s, time=2.0 * 0.394294))),
        Mutant("the limit at two layers", "theory", _times(chain, lambda s: limit(s, width=24, time=2.0))),
        Mutant("the step of tanh", "simulator",
               replace(chain, resnet=replace(chain.resnet, block="res-2", activation="tanh"))),
        Mutant("scaling 4 % too large", "simulator", louder(chain, 1.04)),
        Mutant("rank d − 1 of the norm", "theory", _times(layer, lambda s: _layer_mean(s) ** (23.0 / 22.0))),
        Mutant("4 % too large", "theory", replace(layer, predicted=1.04)),
        Mutant("V 5 % too large", "simulator", louder(layer, 1.05)),
        Mutant("a² d c for V", "theory", replace(v, predicted=v.predicted * 12 / 30)),
        Mutant("a² M c' for W", "theory",
               replace(w, predicted=w.predicted * 30 / 12, sequence=non_negative(60 * w.predicted**2))),
        Mutant("2 % too large", "theory", replace(v, predicted=1.02 * v.predicted)),
        Mutant("5 % too large", "theory", replace(middle, predicted=1.05)),
        Mutant("the last layer's W", "simulator",
               replace(middle, measure=_over(_middle_mean, 32, _weight_gradient("w", 200)))),
        Mutant("as in the last layer", "theory",
               _times(first, lambda s: 0.5 * 24)),
        Mutant("a layer normed by its mean, too", "simulator",
               replace(first, resnet=replace(first.resnet, norm="none"))),
        Mutant("p = c'/c", "theory", _times(power, lambda s: _leading(s, 32, 1.0) * 400**0.5)),
        Mutant("exponent p(1 − β)", "theory", replace(power, predicted=400**0.28)),
        Mutant("β = 0.2", "simulator", replace(power, resnet=replace(power.resnet, beta=0.2))),
        Mutant("c'/c for c_P", "theory", _times(peri, lambda s: limit(
            s, width=24, activation=_unit_tanh, derivative=_unit_slope))),
        Mutant("8 % too large", "theory", replace(peri, predicted=1.08)),
        Mutant("no norm of the output", "simulator",
               replace(peri, resnet=replace(peri.resnet, norm="pre-rms"))),
        Mutant("2γa/(3√π)", "theory", _times(dyt, half_slope)),
        Mutant("15 % too large", "theory", replace(dyt, predicted=1.15)),
        Mutant("γ 20 % too large", "simulator",
               replace(dyt, resnet=replace(dyt.resnet, norm="pre-tanh:1.2"))),
    ]  # fmt: skip
