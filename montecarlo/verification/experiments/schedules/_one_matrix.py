"""G7: one-matrix blocks, balanced and vanilla."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

import theory
from montecarlo import Request, ResNet, Sample, simulate
from montecarlo.verification._experiment import Array, LawExperiment, NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import NumberOfRows
from montecarlo.verification.experiments._rows import bounded, non_negative, square

_HALF = 0.5**0.5
_DISTANCE = 0.006
"""Of the law of the logarithm at width 100; measured 0.003 with four times the networks."""
_HIDDEN = Request(gradients=False)


def experiments() -> list[NumberExperiment | LawExperiment]:
    """Return the experiments."""
    return [_mean_square(6, 5, 0.6), _fourth(10, 4, 0.4), _law(100), _trend(50)]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    second, fourth, law, trend = experiments()
    assert isinstance(second, NumberExperiment)
    assert isinstance(fourth, NumberExperiment)
    assert isinstance(trend, NumberOfRows)
    beta = 7 * 0.25 + 4 * 0.25
    # Two matrices a block with the same factors (G1b).
    product = (0.84**2 + (2 + 4 / 10) * 0.84 * 0.16 + (1 + 2 / 10) * (1 + 5 / 10) * 0.16**2) ** 4
    one = theory.balanced_fourth_moment(width=10, depth=4, branch=0.4, initial_fourth=1.0)
    limit = theory.log_gaussian_law(ratio=1.0, branch=_HALF)
    twice = stats.norm(2 * limit.mean(), 2 * limit.std())
    unsigned = replace(law, resnet=replace(law.resnet, block="vanilla"))
    return [
        Mutant("the product of two-matrix blocks", "theory", replace(fourth, predicted=product)),
        Mutant("a start of one coordinate", "theory", replace(fourth, predicted=one)),
        Mutant("branch 4 % too large", "theory", replace(second, predicted=1.0144**5)),
        Mutant("no signs", "simulator", replace(second, resnet=replace(second.resnet, block="vanilla"))),
        Mutant("7λ⁴ for 5λ⁴", "theory", replace(law, cdf=stats.norm(-beta / 2, math.sqrt(beta)).cdf)),
        Mutant("log‖z‖ for log‖z‖²", "theory", replace(law, cdf=twice.cdf)),
        Mutant("the mean of balanced blocks", "theory", replace(trend, predicted=float(limit.mean()))),
        Mutant("no signs", "simulator", unsigned),
    ]  # fmt: skip


def _net(width: int, depth: int, branch: float, block: str = "balanced") -> ResNet:
    return ResNet(
        width=width, depth=depth, skip=math.sqrt(1.0 - branch**2), alpha=branch * math.sqrt(2.0), block=block
    )


def _eighth_moment_bound(width: int, depth: int, branch: float) -> float:
    """Return a bound of E‖z_L‖⁸/‖z_0‖⁸: at most all units are active, half of them on average."""
    alpha = math.sqrt(1.0 - branch**2)
    scale = 2.0 * branch**2 / width
    full = scale**4 * float(stats.ncx2(width, alpha**2 / scale).moment(4))
    return float((alpha**8 + 0.5 * (full - alpha**8)) ** depth)


def _mean_square(width: int, depth: int, branch: float) -> NumberExperiment:
    bound = theory.balanced_fourth_moment(width=width, depth=depth, branch=branch, initial_fourth=1.0)
    return NumberExperiment(
        theorem="G7", name="mean square", quantity="E‖z_L‖²/‖z_0‖²", predicted=1.0, resolution=0.01,
        resnet=_net(width, depth, branch), observable=square("log_hidden_ratio"), request=_HIDDEN,
        sequence=non_negative(bound), first_rows=50_000,
    )  # fmt: skip


def _fourth(width: int, depth: int, branch: float) -> NumberExperiment:
    predicted = theory.balanced_fourth_moment(width=width, depth=depth, branch=branch)

    def fourth(sample: Sample) -> Array:
        return np.exp(4.0 * sample["log_hidden_ratio"])

    return NumberExperiment(
        theorem="G7", name="fourth moment", quantity="E‖z_L‖⁴/‖z_0‖⁴", predicted=predicted,
        resolution=0.02 * predicted, relative_to=predicted, resnet=_net(width, depth, branch),
        observable=fourth, request=_HIDDEN, sequence=non_negative(_eighth_moment_bound(width, depth, branch)),
        first_rows=100_000,
    )  # fmt: skip


def _law(width: int) -> LawExperiment:
    law = theory.log_gaussian_law(ratio=1.0, branch=_HALF)
    return LawExperiment(
        theorem="G7b", name="balanced law", quantity="law of log‖z_L‖²/‖z_0‖²", cdf=law.cdf,
        resolution=0.02 - _DISTANCE, distance=_DISTANCE, resnet=_net(width, width, _HALF),
        observable=lambda sample: 2.0 * sample["log_hidden_ratio"], request=_HIDDEN, first_rows=20_000,
    )  # fmt: skip


def _trend(width: int) -> NumberOfRows:
    """Vanilla networks of two widths: twice the mean at 2n less that at n has no error of order 1/n."""
    small, large = (_net(n, n, _HALF, "vanilla") for n in (width, 2 * width))
    low, high = (theory.vanilla_expansion(width=n, depth=n, branch=_HALF).mean for n in (width, 2 * width))
    predicted = 2.0 * high - low
    reach = 60.0  # more than ten deviations

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        found = [
            simulate(net, replicas=count, seed=seed, first_replica=first, threads=threads, gradients="none")[
                "log_hidden_ratio"
            ]
            for net in (small, large)
        ]
        return np.clip(4.0 * found[1] - 2.0 * found[0], predicted - reach, predicted + reach)

    return NumberOfRows(
        theorem="G7b", name="vanilla trend", quantity="2 E log‖z_L‖²/‖z_0‖² at n = 100, less that at 50",
        predicted=predicted, resolution=0.08, relative_to=abs(predicted), resnet=large, source=rows,
        sequence=bounded(predicted - reach, predicted + reach), first_rows=20_000, quick=False,
    )  # fmt: skip
