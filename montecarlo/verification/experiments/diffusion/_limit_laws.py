"""S2, S3, S6: limit laws at the critical scaling, and numbers of theirs that resolve constants.

A distance of 0.02 between laws does not see a constant that is off by 2 %: medians and bounded means do. Laws
are off by O(1/L) at depth L, below a fifth of the resolutions at the depths chosen here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import stats

import theory
from montecarlo import Request, ResNet, Sample, simulate_inputs
from montecarlo.verification._experiment import Cdf, Experiment, LawExperiment, NumberExperiment, Observable
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import (
    LawOfRows,
    NumberOfRows,
    Source,
    median,
)
from montecarlo.verification.experiments._rows import bounded
from montecarlo.verification.experiments.diffusion._active_units import RATE_BOUND, noise_source, rate_source

Array = npt.NDArray[np.float64]
_HIDDEN = Request(gradients=False)
_WIDTH, _DEPTH = 5, 100
_WIDE, _WIDE_DEPTH = 40, 400
_START = 1.0
"""Mean square of h_0 in S3."""
_ACTIVE_WIDTH = 4
_LAW = 0.02
_DISTANCE = 0.004
"""Of laws from their limits at these depths, measured with 200,000 networks: 0.0021 to 0.0037(19)."""


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [
        _norm_law(), _difference_law(), _angle_law(), _median(), _mean_cosine(),
        *(_diffusion(activation) for activation in ("relu", "tanh", "gelu", "sin")), _diffusion_median(),
        _active_units(), _single_unit(), *(_drift(width) for width in (2, 4, 6)),
    ]  # fmt: skip


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    median_of, cosine, law = _median(), _mean_cosine(), _norm_law()
    diffusion, units, drift = _diffusion_median(), _active_units(), _drift(6)
    wide = replace(median_of.resnet, beta=None, alpha=1.03 * median_of.resnet.scaling)
    noisy = replace(diffusion.resnet, beta=None, alpha=1.03 * diffusion.resnet.scaling)
    without = theory.critical_log_norm_law(width=_WIDTH).std()
    tanh = _diffusion("tanh")
    return [
        Mutant("median 1/4, without −1/(2d)", "theory", replace(median_of, predicted=0.25)),
        Mutant("law of mean 1/4, without −1/(2d)", "theory", replace(law, cdf=stats.norm(0.25, without).cdf)),
        Mutant("mean cosine exp(−1/4)", "theory", replace(cosine, predicted=float(np.exp(-0.25)))),
        Mutant("mean cosine 2 % too large", "theory", replace(cosine, predicted=1.02 * cosine.predicted)),
        Mutant("scaling 3 % too large", "simulator", replace(median_of, resnet=wide)),
        Mutant("median 3 % too large", "theory", replace(diffusion, predicted=1.03 * diffusion.predicted)),
        Mutant("the law of gelu", "theory", replace(tanh, cdf=_diffusion("gelu").cdf)),
        Mutant(
            "weights 3 % too large", "simulator",
            replace(diffusion, resnet=noisy, source=_log_norm_source(noisy)),
        ),
        Mutant("drift (A − 1)/d", "theory", replace(units, cdf=stats.norm(-0.25, 1.0).cdf)),
        Mutant("noise of variance 3/d", "theory", replace(units, cdf=stats.norm(0.0, 0.75**0.5).cdf)),
        Mutant("drift changes sign at width 5", "theory", replace(_drift(4), predicted=0.5 - 2.5 / 4)),
        Mutant("drift without the −2", "theory", replace(drift, predicted=0.5)),
        Mutant("drift 4 % too large", "theory", replace(drift, predicted=1.04 * drift.predicted)),
        Mutant(
            "weights 10 % too large", "simulator",
            replace(units, source=noise_source(width=_ACTIVE_WIDTH, depth=_UNITS_DEPTH, factor=1.1)),
        ),
        Mutant(
            "weights not centred", "simulator",
            replace(drift, source=rate_source(width=6, depth=_RATE_DEPTH, shift=0.02)),
        ),
    ]  # fmt: skip


def _network() -> ResNet:
    return ResNet(width=_WIDTH, depth=_DEPTH, beta=0.5)


def _norm(sample: Sample) -> Array:
    return sample["log_hidden_ratio"]


def _cosine(sample: Sample) -> Array:
    """Return the cosine of the angle between h_0 and h_L, by the law of cosines."""
    ratio = np.exp(sample["log_hidden_ratio"])
    square = np.exp(2.0 * sample["log_hidden_difference"])
    return np.clip((ratio * ratio + 1.0 - square) / (2.0 * ratio), -1.0, 1.0)


def _law(
    name: str, quantity: str, observable: Observable, cdf: Cdf, distance: float = _DISTANCE
) -> LawExperiment:
    return LawExperiment(
        theorem="S2", name=name, quantity=quantity, resolution=_LAW - distance, cdf=cdf, resnet=_network(),
        distance=distance, observable=observable, request=_HIDDEN, first_rows=20_000,
    )  # fmt: skip


def _norm_law() -> LawExperiment:
    law = theory.critical_log_norm_law(width=_WIDTH)
    return _law("norm law", "law of log(‖h_L‖/‖h_0‖)", _norm, law.cdf)


def _difference_law() -> LawExperiment:
    law = theory.critical_log_difference_law(width=_WIDTH)
    return _law(
        "difference law", "law of log(‖h_L − h_0‖/‖h_0‖)", lambda s: s["log_hidden_difference"], law.cdf
    )


def _angle_law() -> LawExperiment:
    law = theory.critical_angle_law(width=_WIDTH)
    angles = np.linspace(0.0, np.pi, 2001)
    levels = np.asarray(law.cdf(angles))

    def cdf(angle: npt.ArrayLike) -> Array:
        # Off by 1e-6 at most; the law itself takes seconds.
        return np.interp(np.asarray(angle, np.float64), angles, levels)

    return _law("angle law", "law of the angle of h_0 and h_L", lambda s: np.arccos(_cosine(s)), cdf, 0.006)


def _median() -> NumberExperiment:
    predicted = float(theory.critical_log_norm_law(width=_WIDE).median())
    return NumberExperiment(
        theorem="S2", name="median", quantity="median of log(‖h_L‖/‖h_0‖)", predicted=predicted,
        resolution=0.02 * predicted, relative_to=predicted,
        resnet=ResNet(width=_WIDE, depth=_WIDE_DEPTH, beta=0.5), observable=_norm, request=_HIDDEN,
        sequence=median, first_rows=5000,
    )  # fmt: skip


def _mean_cosine() -> NumberExperiment:
    predicted = theory.critical_mean_cosine(width=_WIDTH)
    return NumberExperiment(
        theorem="S2", name="mean cosine", quantity="E cos of the angle of h_0 and h_L", predicted=predicted,
        resolution=0.005 * predicted, relative_to=predicted, resnet=ResNet(width=_WIDTH, depth=400, beta=0.5),
        observable=_cosine, request=_HIDDEN, sequence=bounded(-1.0, 1.0), first_rows=20_000,
    )  # fmt: skip


def _res2(activation: str, width: int, depth: int) -> ResNet:
    return ResNet(width=width, depth=depth, beta=0.5, block="res-2", activation=activation)


def _log_norm_source(resnet: ResNet) -> Source:
    """Return log(‖h_L‖/‖h_0‖) from a start of exactly the mean square `_START`."""

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        sample = simulate_inputs(
            resnet, [[_START * resnet.width]], replicas=count, seed=seed, first_replica=first,
            threads=threads, layers=[resnet.depth],
        )  # fmt: skip
        return sample.log_norm[:, 0, 0] - 0.5 * np.log(_START * resnet.width)

    return rows


def _diffusion(activation: str) -> LawOfRows:
    width = 6
    resnet = _res2(activation, width, 40)
    law = theory.log_norm_diffusion_law(
        activation=activation, width=width, initial_mean_square=_START, tolerance=1e-5
    )
    return LawOfRows(
        theorem="S3", name=activation, quantity="law of log(‖h_L‖/‖h_0‖)", cdf=law.cdf,
        resolution=_LAW - _DISTANCE, distance=_DISTANCE,
        resnet=resnet, source=_log_norm_source(resnet), first_rows=20_000,
    )  # fmt: skip


def _diffusion_median() -> NumberOfRows:
    resnet = _res2("tanh", 20, 60)
    law = theory.log_norm_diffusion_law(activation="tanh", width=20, initial_mean_square=_START)
    predicted = float(law.ppf(0.5))
    return NumberOfRows(
        theorem="S3", name="tanh median", quantity="median of log(‖h_L‖/‖h_0‖)", predicted=predicted,
        resolution=0.02 * predicted, relative_to=predicted, resnet=resnet, source=_log_norm_source(resnet),
        sequence=median, first_rows=5000,
    )  # fmt: skip


_UNITS_DEPTH = 100
_RATE_DEPTH = 10_000


def _active_units() -> LawOfRows:
    law = theory.active_units_noise_law(width=_ACTIVE_WIDTH)
    return LawOfRows(
        theorem="S6", name="noise law", quantity="law of log ‖ReLU(h_L)‖²/‖ReLU(h_0)‖² minus its drift",
        resolution=_LAW - _DISTANCE, distance=_DISTANCE, cdf=law.cdf,
        resnet=ResNet(width=_ACTIVE_WIDTH, depth=_UNITS_DEPTH, beta=0.5, block="res-1"),
        source=noise_source(width=_ACTIVE_WIDTH, depth=_UNITS_DEPTH), first_rows=20_000,
    )  # fmt: skip


def _single_unit() -> LawExperiment:
    law = theory.single_unit_law()

    def cdf(x: npt.ArrayLike) -> Array:
        # Half of the networks start below 0, where the branch is 0, and stand still.
        return 0.5 * np.asarray(law.cdf(x)) + 0.5 * (np.asarray(x) >= 0.0)

    return LawExperiment(
        theorem="S6", name="single unit", quantity="law of log(h_L/h_0) at width 1",
        resolution=_LAW - _DISTANCE, distance=_DISTANCE, cdf=cdf,
        resnet=ResNet(width=1, depth=400, beta=0.5, block="res-1"), observable=_norm, request=_HIDDEN,
        first_rows=20_000,
    )  # fmt: skip


def _drift(width: int) -> NumberOfRows:
    """Return the experiment of the drift of half-active networks, which changes its sign at width 4."""
    resnet = ResNet(width=width, depth=_RATE_DEPTH, beta=0.5, block="res-1")
    return NumberOfRows(
        theorem="S6", name=f"drift at width {width}", resolution=0.005,
        quantity="mean growth of log ‖ReLU(h)‖² a unit of depth-time, half of the units active",
        predicted=float(theory.active_units_drift(width=width, n_active=width // 2)), resnet=resnet,
        source=rate_source(width=width, depth=_RATE_DEPTH), sequence=bounded(-RATE_BOUND, RATE_BOUND),
        first_rows=20_000,
    )  # fmt: skip
