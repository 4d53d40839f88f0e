"""I1, I2, I2b, I3: means and mean squares, exact at every depth, for every weight law."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

import theory
from montecarlo import Request, ResNet, simulate_inputs
from montecarlo.sequential import Claim
from montecarlo.verification._experiment import Array, NumberExperiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._faulty import FaultySimulator, with_faults
from montecarlo.verification.experiments._row_sources import NumberOfRows, Source
from montecarlo.verification.experiments._rows import bounded, non_negative, overlap, square
from montecarlo.verification.experiments.independent._fourth_moments import Branch, FourthMoments

_FORWARD = Request(gradients=False)
_SLOPE = 0.01  # of leaky-relu


def _mean(
    theorem: str,
    name: str,
    quantity: str,
    predicted: float,
    resnet: ResNet,
    observable: Callable[..., Any],
    sequence: Callable[[float], Any],
    *,
    request: Request = _FORWARD,
    claim: Claim = "equal",
    scale: float | None = None,
) -> NumberExperiment:
    """Return an experiment on a mean that resolves 1 % of `scale`, by default of the prediction."""
    scale = predicted if scale is None else scale
    return NumberExperiment(
        theorem=theorem, name=name, quantity=quantity, predicted=predicted, resolution=0.01 * scale,
        relative_to=scale, resnet=resnet, observable=observable, sequence=sequence, request=request,
        claim=claim,
    )  # fmt: skip


def _claiming(experiment: NumberExperiment, predicted: float) -> NumberExperiment:
    """Return the experiment with a mean that may exceed the root of its second moment."""
    # the rows' relative variances are below 3
    bound = 4.0 * max(predicted, experiment.predicted) ** 2
    return replace(experiment, predicted=predicted, sequence=non_negative(bound))


# I1


def _sum_of_ends(sample):
    # ‖h_L + h_0‖² + ‖h_L − h_0‖² = 2‖h_L‖² + 2‖h_0‖²
    return 2.0 * square("log_hidden_ratio")(sample) + 2.0 - square("log_hidden_difference")(sample)


def _martingale() -> list[NumberExperiment]:
    width, depth, alpha = 8, 6, 0.3
    growth = float(theory.hidden_second_moment(depth=depth, alpha=alpha))
    moments = FourthMoments.of(Branch.behind_w(width=width), width=width, depth=depth, alpha=alpha)
    mean = float(theory.overlap_moment(layer=depth, alpha=alpha))
    found = [
        _mean(
            "I1", "gaussian", "E‖h_L + h_0‖²/‖h_0‖² with E⟨h_L, h_0⟩ twice",
            1.0 + growth + 2.0 * mean, ResNet(width=width, depth=depth, alpha=alpha), _sum_of_ends,
            non_negative(moments.sum), scale=2.0 * mean,
        )
    ]  # fmt: skip
    for law, entry, block, activation in (
        ("rademacher", 1.0, "res-3", "relu"),
        ("uniform", 3.0, "res-1", "tanh"),
        ("uniform", 3.0, "res-2", "gelu"),
    ):
        width, depth, alpha = 3, 3, 0.25
        # |σ(x)| <= |x| and ‖V‖ <= √(d e), e the largest square of an entry of √d V: the state grows by a
        # factor of at most 1 + a‖V‖‖W‖ a layer, and |⟨h_L, h_0⟩/‖h_0‖² − 1| <= ‖h_L − h_0‖/‖h_0‖. The
        # 1.001 is for float32.
        norm = math.sqrt(width * entry) ** (1 if block == "res-1" else 2)
        reach = 1.001 * ((1.0 + alpha * norm) ** depth - 1.0)
        found.append(
            _mean(
                "I1",
                f"{law} {block} {activation}",
                "E⟨h_L, h_0⟩/‖h_0‖²",
                mean,
                ResNet(
                    width=width, depth=depth, alpha=alpha, weights=law, block=block, activation=activation
                ),
                overlap,
                bounded(1.0 - reach, 1.0 + reach),
            )
        )
    return found


def _martingale_mutants() -> list[Mutant]:
    gaussian, rademacher, *_ = _martingale()
    square_root = math.sqrt(float(theory.hidden_second_moment(depth=3, alpha=0.25)))
    small = replace(
        gaussian, resnet=replace(gaussian.resnet, width=4),
        sequence=non_negative(
            FourthMoments.of(Branch.behind_w(width=4), width=4, depth=6, alpha=gaussian.resnet.scaling).sum
        ),
    )  # fmt: skip
    return [
        Mutant("mean 3 % too large", "theory", replace(rademacher, predicted=1.03)),
        Mutant("root of the mean square for the mean", "theory", replace(rademacher, predicted=square_root)),
        Mutant(
            "mean square of h_L without the one half", "theory",
            _claiming(gaussian, 3.0 + (1.0 + gaussian.resnet.scaling**2) ** gaussian.resnet.depth),
        ),
        Mutant("V not centred", "simulator", with_faults(small, FaultySimulator(mean=0.05))),
        Mutant("V and W one stream", "simulator", with_faults(small, FaultySimulator(shared=True))),
    ]  # fmt: skip


# I2 and I3: networks of every block with a closed form, and a mean square of each.


def _network(name: str, **fields: Any) -> tuple[ResNet, Branch]:
    block, activation = {
        "relu": ("res-3", "relu"), "leaky": ("res-2", "leaky-relu"), "linear": ("res-2", "identity"),
        "linear res-1": ("res-1", "identity"),
    }[name]  # fmt: skip
    resnet = ResNet(block=block, activation=activation, **fields)
    if name == "linear res-1":
        return resnet, Branch.linear_res_1()
    slope = {"relu": 0.0, "leaky": _SLOPE, "linear": 1.0}[name]
    return resnet, Branch.behind_w(width=resnet.width, slope=slope)


def _mean_square(theorem: str, kind: str, what: str, law: str, **fields: Any) -> NumberExperiment:
    """Return the experiment on E‖h_L‖²/‖h_0‖², E‖h_L − h_0‖²/‖h_0‖² or those of gradients."""
    resnet, branch = _network(kind, weights=law, **fields)
    size = {"depth": resnet.depth, "alpha": resnet.scaling, "gain": branch.gain}
    moments = FourthMoments.of(branch, width=resnet.width, depth=resnet.depth, alpha=resnet.scaling)
    side, end, start = ("hidden", "h_L", "h_0") if theorem == "I2" else ("gradient", "p_0", "p_L")
    if what == "ratio":
        predict, quantity, bound = f"{side}_second_moment", f"E‖{end}‖²/‖{start}‖²", moments.ratio
    else:
        predict, bound = f"{side}_difference_second_moment", moments.difference
        quantity = f"E‖{end} − {start}‖²/‖{start}‖²"
    predicted = float(getattr(theory, predict)(**size))
    return _mean(
        theorem, f"{what}, {kind}, {law}, L = {resnet.depth}", quantity, predicted, resnet,
        square(f"log_{side}_{what}"), non_negative(bound),
        request=Request(gradients=theorem == "I3"),
    )  # fmt: skip


def _mean_squares() -> list[NumberExperiment]:
    small = {"width": 16, "depth": 8, "alpha": 0.5}
    flat = {"width": 12, "depth": 4, "alpha": 0.35}
    return [
        _mean_square("I2", "relu", "ratio", "gaussian", **small),
        _mean_square("I2", "relu", "ratio", "uniform", **small),
        _mean_square("I2", "relu", "ratio", "rademacher", **small),
        _mean_square("I2", "relu", "difference", "gaussian", **flat),
        _mean_square("I2", "relu", "difference", "rademacher", **flat),
        _mean_square("I2", "leaky", "difference", "uniform", **flat),
        _mean_square("I2", "linear", "difference", "uniform", **flat),
        _mean_square("I2", "linear res-1", "ratio", "uniform", **flat),
        _mean_square("I2", "relu", "ratio", "gaussian", width=100, depth=1000, beta=0.5),
        _mean_square("I3", "relu", "ratio", "gaussian", **small),
        _mean_square("I3", "relu", "difference", "gaussian", **flat),
        _mean_square("I3", "relu", "difference", "uniform", **flat),
        _mean_square("I3", "leaky", "difference", "uniform", **flat),
        _mean_square("I3", "linear res-1", "difference", "rademacher", **flat),
    ]


def _stretched(experiment: NumberExperiment, factor: float) -> NumberExperiment:
    """Return the experiment with the simulator's scaling off by a factor."""
    resnet = experiment.resnet
    return replace(experiment, resnet=replace(resnet, alpha=factor * resnet.scaling, beta=None))


def _mean_square_mutants() -> list[Mutant]:
    experiments = _mean_squares()
    mutants = []
    for theorem in ("I2", "I3"):
        own = [experiment for experiment in experiments if experiment.theorem == theorem]
        ratio = own[0]
        difference = next(experiment for experiment in own if experiment.name.startswith("difference"))
        a, L = difference.resnet.scaling, difference.resnet.depth
        mutants += [
            Mutant("constant 1/2 taken 3 % larger", "theory",
                   _claiming(difference, math.expm1(L * math.log1p(0.515 * a**2)))),
            Mutant("gain of every unit, active or not", "theory",
                   _claiming(difference, math.expm1(L * math.log1p(a**2)))),
            Mutant("α to the power 2.1", "theory",
                   _claiming(difference, math.expm1(L * math.log1p(a**2.1 / 2.0)))),
            Mutant("a layer less", "theory",
                   replace(ratio, predicted=ratio.predicted / (1.0 + ratio.resnet.scaling**2 / 2.0))),
            Mutant("variance of V 3 % too large", "simulator", _stretched(difference, math.sqrt(1.03))),
            Mutant("V not centred", "simulator",
                   with_faults(difference, FaultySimulator(mean=0.1, gradients=theorem == "I3"))),
        ]  # fmt: skip
    return mutants


# I2 with biases: the start has exactly the mean square 1, which `simulate` does not fix.


def _bias_source(resnet: ResNet) -> Source:
    """Return ‖h_L‖²/‖h_0‖²."""

    def rows(seed: int, first: int, count: int, threads: int | None) -> Array:
        sample = simulate_inputs(
            resnet, [[resnet.width]], replicas=count, seed=seed, first_replica=first, threads=threads,
            layers=[resnet.depth],
        )  # fmt: skip
        return np.exp(2.0 * sample.log_norm[:, 0, 0]) / resnet.width

    return rows


def _biased(activation: str, gain: float) -> NumberOfRows:
    resnet = ResNet(width=12, depth=6, alpha=0.5, block="res-2", activation=activation, bias_std=0.8)
    q = resnet.bias_std**2
    predicted = float(
        theory.hidden_second_moment(depth=resnet.depth, alpha=resnet.scaling, gain=gain, bias_ratio=q)
    )
    branch = Branch.behind_w(width=resnet.width, slope=1.0 if activation == "identity" else 0.0)
    moments = FourthMoments.of(
        branch, width=resnet.width, depth=resnet.depth, alpha=resnet.scaling, bias_ratio=q
    )
    return NumberOfRows(
        theorem="I2", name=f"biases, {activation}", quantity="E‖h_L‖²/‖h_0‖²", predicted=predicted,
        resolution=0.01 * predicted, relative_to=predicted, resnet=resnet, source=_bias_source(resnet),
        sequence=non_negative(moments.ratio), first_rows=20_000,
    )  # fmt: skip


def _bias_mutants() -> list[Mutant]:
    relu = _biased("relu", 0.5)
    resnet, q = relu.resnet, relu.resnet.bias_std**2
    growth = float(theory.hidden_second_moment(depth=resnet.depth, alpha=resnet.scaling))
    wide = replace(resnet, bias_std=1.04 * resnet.bias_std)
    return [
        Mutant("deviation of biases for their variance", "theory",
               _claiming(relu, growth + (growth - 1.0) * resnet.bias_std)),
        Mutant("biases at every layer alike, not grown", "theory",
               _claiming(relu, growth + resnet.depth * resnet.scaling**2 * q / 2.0)),
        Mutant("biases 4 % too large", "simulator", replace(relu, resnet=wide, source=_bias_source(wide))),
    ]  # fmt: skip


# I2b


def _bounds() -> list[NumberExperiment]:
    fields: dict[str, Any] = {"width": 8, "depth": 4, "alpha": 0.3}
    found = []
    for block, activation, law in (
        ("res-1", "relu", "gaussian"),
        ("res-1", "tanh", "rademacher"),
        ("res-2", "gelu", "gaussian"),
    ):
        resnet = ResNet(block=block, activation=activation, weights=law, **fields)
        low, high = theory.second_moment_bounds(
            depth=resnet.depth, alpha=resnet.scaling, lowest_gain=0.0, highest_gain=1.0
        )
        # |σ(x)| <= |x|: ‖g‖ is at most that of the linear branch, and so are the moments of the norm
        # (‖g‖² and ‖g‖⁴ enter E R² with positive coefficients)
        branch = Branch.linear_res_1() if block == "res-1" else Branch.behind_w(width=8, slope=1.0)
        bound = FourthMoments.of(branch, **fields).ratio
        ends: tuple[tuple[Claim, Any], ...] = (("at least", low), ("at most", high))
        for claim, end in ends:
            found.append(
                _mean(
                    "I2b",
                    f"{block} {activation} {law} {claim}",
                    "E‖h_L‖²/‖h_0‖²",
                    math.exp(float(end)),
                    resnet,
                    square("log_hidden_ratio"),
                    non_negative(bound),
                    claim=claim,
                )
            )
    return found


def _bound_mutants() -> list[Mutant]:
    by_name = {experiment.name: experiment for experiment in _bounds()}
    low, high = by_name["res-1 relu gaussian at least"], by_name["res-1 relu gaussian at most"]
    a, L = high.resnet.scaling, high.resnet.depth
    return [
        Mutant("gain at most 1/4", "theory", replace(high, predicted=(1.0 + a**2 / 4.0) ** L)),
        Mutant("gain at least 1", "theory", _claiming(low, high.predicted)),
        Mutant("α to the power 0", "simulator", replace(high, resnet=replace(high.resnet, alpha=1.0))),
    ]


def experiments() -> list[NumberExperiment]:
    """Return the experiments."""
    biased = [_biased("relu", 0.5), _biased("identity", 1.0)]
    return [*_martingale(), *_mean_squares(), *biased, *_bounds()]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    return [*_martingale_mutants(), *_mean_square_mutants(), *_bias_mutants(), *_bound_mutants()]
