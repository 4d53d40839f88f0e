"""F1 to F3: fractional noise along the layers. F2d is in `_wide`, F4 and F4b are in `_young`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import stats

import theory
from montecarlo import Request, ResNet, Sample
from montecarlo.verification._experiment import Experiment, LawExperiment, NumberExperiment, network_rows
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import NumberOfRows, Source, median
from montecarlo.verification.experiments._rows import bounded

Array = npt.NDArray[np.float64]
_HIDDEN = Request(gradients=False)
_CUT = 4.0
"""What relative squares, of mean 1, are cut at.

Given W the first order is a Gaussian vector, its square χ²_32/32 times a mean square that W decides, of
measured deviation 0.2: what lies beyond the cut is next to nothing of the mean (largest of 3000 rows: 2.7).
"""
_RATIO_CUT = 8.0
_GROWTH_DEPTHS = (16, 128)


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [
        _growth(0.25, 0.3, "at least"), _growth(0.25, 0.7, "at most"),
        _growth(0.75, 0.55, "at least"), _growth(0.75, 0.95, "at most"),
        _first_order(0.75, 1.5), _first_order(0.25, 1.25),
        _gradients(0.75, 1.5), _gradients(0.25, 1.4),
        _log_mean(), _contraction(0.1), _contraction(0.25), _diffusion(), _diffusion_law(),
    ]  # fmt: skip


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    persistent, rough = _first_order(0.75, 1.5), _first_order(0.25, 1.25)
    gradients, log_mean, contraction = _gradients(0.75, 1.5), _log_mean(), _contraction(0.1)
    diffusion, law = _diffusion(), _diffusion_law()
    limit = theory.antipersistent_log_norm_law(width=8, hurst_v=0.05)
    explodes = _growth(0.75, 0.55, "at least")
    identity = _growth(0.25, 0.7, "at most")
    unit = float(theory.antipersistent_log_norm_law(width=diffusion.resnet.width, hurst_v=0.1).mean())
    wrong = float(theory.critical_log_norm_law(width=diffusion.resnet.width).mean()) / unit
    centre = contraction.predicted
    return [
        Mutant("critical exponent 1/2 for every H", "theory", replace(explodes, claim="at most")),
        Mutant("critical exponent 1 − H", "theory", replace(identity, claim="at least")),
        Mutant(
            "β larger by 0.4", "simulator",
            replace(explodes, source=_growth_source(0.75, 0.95), resnet=_growth_network(0.75, 0.95, 128)),
        ),
        Mutant("first order 5 % too large", "theory", replace(persistent, predicted=1.05)),
        Mutant("exponent smaller by 0.1", "theory", replace(rough, predicted=float(_DEPTH) ** -0.1)),
        Mutant(
            "H smaller by 0.05", "simulator",
            replace(persistent, resnet=replace(persistent.resnet, weights="fbm:0.7")),
        ),
        Mutant("the first order of hidden states", "theory", replace(gradients, predicted=_hidden_share())),
        Mutant("first order 5 % too large", "theory", replace(gradients, predicted=1.05)),
        Mutant(
            "H smaller by 0.05", "simulator",
            replace(gradients, resnet=replace(gradients.resnet, weights="fbm:0.7")),
        ),
        Mutant("mean without −cLa²/(2d)", "theory", replace(log_mean, predicted=_log_mean_without_square())),
        Mutant("mean 6 % too large", "theory", replace(log_mean, predicted=1.06)),
        Mutant("independent layers", "simulator", replace(log_mean, resnet=_plain(log_mean.resnet))),
        Mutant(
            "limit −1/(2d + 2)", "theory",
            replace(contraction, predicted=centre * 0.8),
        ),
        Mutant("centre 6 % too large", "theory", replace(contraction, predicted=1.06 * centre)),
        Mutant("independent layers", "simulator", replace(contraction, resnet=_plain(contraction.resnet))),
        Mutant("S of independent layers", "theory", replace(diffusion, predicted=wrong)),
        Mutant("mean 8 % too large", "theory", replace(diffusion, predicted=1.08 * diffusion.predicted)),
        Mutant("independent layers", "simulator", replace(diffusion, resnet=_plain(diffusion.resnet))),
        Mutant(
            "law of independent layers", "theory",
            replace(law, cdf=theory.critical_log_norm_law(width=8).cdf),
        ),
        Mutant(
            "variance 2S/d", "theory",
            replace(law, cdf=stats.norm(limit.mean(), 2.0**0.5 * limit.std()).cdf),
        ),
        Mutant("independent layers", "simulator", replace(law, resnet=_plain(law.resnet))),
    ]  # fmt: skip


def _plain(resnet: ResNet) -> ResNet:
    """Return the network of independent layers."""
    return replace(resnet, weights="gaussian", weights_w=None)


def _growth(hurst: float, beta: float, claim: str) -> NumberOfRows:
    side = "exploding" if claim == "at least" else "identity"
    return NumberOfRows(
        theorem="F1", name=f"{side} side, H = {hurst:g}", predicted=0.0, resolution=0.05,
        quantity="median slope of log(‖h_L − h_0‖/‖h_0‖) against log L",
        claim=claim, resnet=_growth_network(hurst, beta, _GROWTH_DEPTHS[-1]),  # pyright: ignore[reportArgumentType]
        source=_growth_source(hurst, beta), sequence=median, first_rows=400,
    )  # fmt: skip


def _growth_network(hurst: float, beta: float, depth: int) -> ResNet:
    return ResNet(width=8, depth=depth, beta=beta, weights=f"fbm:{hurst:g}")


def _growth_source(hurst: float, beta: float) -> Source:
    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        ends = [
            network_rows(
                _growth_network(hurst, beta, depth), lambda sample: sample["log_hidden_difference"],
                seed=seed, first=first, count=count, threads=threads, request=_HIDDEN,
            )
            for depth in _GROWTH_DEPTHS
        ]  # fmt: skip
        return (ends[1] - ends[0]) / np.log(_GROWTH_DEPTHS[1] / _GROWTH_DEPTHS[0])

    return rows


_WIDTH, _DEPTH = 32, 16


def _gamma(hurst: float) -> Array:
    return np.asarray(theory.fractional_noise_covariance(np.arange(_DEPTH), hurst))


def _relative(
    name: str, theorem: str, hurst: float, beta: float, column: str, mean_square: float
) -> NumberExperiment:
    """Return the experiment at a β so far above β_c that the second order is below half a percent."""

    def relative(sample: Sample) -> Array:
        return np.minimum(np.exp(2.0 * sample[column]) / mean_square, _CUT)

    what = "‖h_L − h_0‖²/‖h_0‖²" if theorem == "F2" else "‖p_0 − p_L‖²/‖p_L‖²"
    return NumberExperiment(
        theorem=theorem, name=name, quantity=f"E {what} over the first order", predicted=1.0,
        resolution=0.03, resnet=ResNet(width=_WIDTH, depth=_DEPTH, beta=beta, weights=f"fbm:{hurst:g}"),
        observable=relative, request=Request(gradients=theorem == "F2b"), sequence=bounded(0.0, _CUT),
        first_rows=2000,
    )  # fmt: skip


def _first_order(hurst: float, beta: float) -> NumberExperiment:
    first = theory.fractional_first_order(alpha=_DEPTH**-beta, depth=_DEPTH, hurst_v=hurst)
    return _relative(f"H = {hurst:g}", "F2", hurst, beta, "log_hidden_difference", float(first))


def _gradients(hurst: float, beta: float) -> NumberExperiment:
    gamma = _gamma(hurst)
    first = theory.first_order_gradient_difference(
        width=_WIDTH, alpha=_DEPTH**-beta, depth=_DEPTH, gamma_v=gamma, gamma_w=gamma
    )
    return _relative(f"H = {hurst:g}", "F2b", hurst, beta, "log_gradient_difference", float(first))


def _hidden_share() -> float:
    """Return F2's first order over F2b's, at H = 0.75."""
    gamma = _gamma(0.75)
    size = {"alpha": 1e-3, "depth": _DEPTH, "gamma_v": gamma, "gamma_w": gamma}
    return float(
        theory.first_order_difference(**size) / theory.first_order_gradient_difference(width=_WIDTH, **size)
    )


def _log_mean_without_square() -> float:
    """Return the mean without its term −cLa²/(2d), over the right one."""
    network = _log_mean().resnet
    d, a = network.width, network.scaling
    first = a * a * network.depth**0.2
    size = {"width": d, "depth": network.depth, "alpha": a, "first_order": first}
    right = theory.correlated_log_mean(**size, gain=1.0)
    return float(theory.correlated_log_mean(**size, gain=0.0)) / float(right)


def _log_mean() -> NumberExperiment:
    """Return the experiment of F2c on linear res-1 of H = 0.1, where the mean exceeds the spread."""
    resnet = ResNet(width=2, depth=128, beta=0.6, block="res-1", activation="identity", weights="fbm:0.1")
    first = resnet.scaling**2 * resnet.depth ** (2.0 * 0.1)
    predicted = theory.correlated_log_mean(
        width=2, depth=resnet.depth, alpha=resnet.scaling, first_order=first, gain=1.0
    )
    return _log_ratio("F2c", "linear res-1, H = 0.1", resnet, float(predicted), 0.035, 1.0)


def _log_ratio(
    theorem: str, name: str, resnet: ResNet, unit: float, resolution: float, predicted: float
) -> NumberExperiment:
    """Return the experiment of E log(‖h_L‖/‖h_0‖) in a unit, clipped at `_RATIO_CUT` units."""

    def relative(sample: Sample) -> Array:
        return np.clip(sample["log_hidden_ratio"] / unit, -_RATIO_CUT, _RATIO_CUT)

    return NumberExperiment(
        theorem=theorem, name=name, quantity="E log(‖h_L‖/‖h_0‖) over the prediction", predicted=predicted,
        resolution=resolution, resnet=resnet, observable=relative, request=_HIDDEN,
        sequence=bounded(-_RATIO_CUT, _RATIO_CUT), first_rows=1000,
    )  # fmt: skip


def _contraction(hurst: float) -> NumberExperiment:
    """Return the experiment of L^(2β−1) log(‖h_L‖/‖h_0‖) in units of its limit −1/(2d), at β = 1/2.

    The prediction is the centre at this depth: the limit but for ``(d − 1) L^(2H−1)`` of it.
    """
    depth = 250
    width = 4 if hurst < 0.2 else 2  # noise is larger near H = 1/2
    resnet = ResNet(
        width=width, depth=depth, beta=0.5, block="res-1", activation="identity", weights=f"fbm:{hurst:g}"
    )
    law = theory.antipersistent_contraction(width=width, depth=depth, hurst=hurst, beta=0.5)
    return _log_ratio("F3", f"H = {hurst:g}", resnet, law.limit, 0.035, law.centre / law.limit)


def _diffusion() -> NumberExperiment:
    resnet = ResNet(width=32, depth=48, beta=0.5, weights="fbm:0.1")
    law = theory.antipersistent_log_norm_law(width=32, hurst_v=0.1)
    # Networks are dear: 1200 rows at first put a look where this resolution is likely to be reached.
    return replace(_log_ratio("F3b", "mean, H = 0.1", resnet, float(law.mean()), 0.045, 1.0), first_rows=1200)


def _diffusion_law() -> LawExperiment:
    # Of 100,000 networks the law is 0.0025(28) from its limit, and 0.058 from that of independent layers.
    resnet = ResNet(width=8, depth=64, beta=0.5, weights="fbm:0.05")
    distance = 0.004
    return LawExperiment(
        theorem="F3b", name="law, H = 0.05", quantity="law of log(‖h_L‖/‖h_0‖)", resolution=0.035,
        resnet=resnet, observable=lambda sample: sample["log_hidden_ratio"], request=_HIDDEN,
        cdf=theory.antipersistent_log_norm_law(width=8, hurst_v=0.05).cdf, distance=distance, first_rows=5000,
    )  # fmt: skip
