"""What theory predicts behind norms, with schedules, skip factors, hidden widths, and an outer activation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from montecarlo.diagnosis._degenerate import no_branches, unmoved
from montecarlo.diagnosis._laws import HalfLog, Mixture, NormalMixture, StartLaw, start_degrees, start_nodes
from montecarlo.diagnosis._prediction import GRADIENT, HIDDEN, Kind, Prediction
from montecarlo.networks._dictionary import PLAIN
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import (
    BRANCH_NORM,
    HIDDEN_WIDTH,
    NORM,
    OUTER_ACTIVATION,
    SCHEDULE,
    SKIP,
    STREAM_NORM,
)

Array = npt.NDArray[np.float64]
_Way = Callable[[], Prediction]

WORDS = PLAIN | {NORM, BRANCH_NORM, STREAM_NORM, HIDDEN_WIDTH, SKIP, SCHEDULE, OUTER_ACTIVATION}
"""What is known here, if only that there is no theory for it; any other word is refused."""

MISS = 0.05  # of bounds: they hold in 95 % of networks
_SMALL = 0.05  # a²/S_0 up to which limits of small a are taken
_START = 0.01  # what ‖h_0‖²/d may be off from χ², in natural logs of norms
LARGEST_DEPTH = 10**6
"""Most layers: laws of these blocks look at every one."""
_SEEN = 64  # M from which on no sample meets a ReLU branch of less than three active units


def predict_block(resnet: ResNet) -> tuple[Prediction, Prediction]:
    """Return the predictions of both ratios for a network with words beyond res-1 to res-3."""
    hidden, gradient = _ways(resnet)
    return hidden(), gradient()


def predict_hidden(resnet: ResNet) -> Prediction:
    """Return the prediction of hidden states alone for such a network: gradients take longer."""
    return _ways(resnet)[0]()


def _ways(resnet: ResNet) -> tuple[_Way, _Way]:
    """Return how either ratio is predicted."""
    if no_branches(resnet) and resnet.skip == 1.0 and resnet.normalisation.kind in ("none", "tanh"):
        return _known(unmoved())
    if resnet.processes is not None:
        return _known(nothing("weights that are correlated along depth have no theory in this block"))
    if resnet.depth > LARGEST_DEPTH:
        return _known(nothing("laws of these blocks look at every layer, up to a million of them"))
    place = resnet.norm.partition("-")[0]
    plain = resnet.skip == 1.0 and resnet.schedule == "constant"
    if OUTER_ACTIVATION in resnet.words:
        if plain and place == "none":
            return _known(_post_activation(resnet))
        return _known(nothing("an outer activation with norms, schedules or skip factors has no theory"))
    if place == "none":
        return _known(_schedules(resnet))
    if place == "post":
        return partial(_fixed_length, resnet), partial(_post_gradient, resnet, plain)
    if resnet.skip != 1.0:
        return _known(nothing("norms before the branch have a theory for skip = 1 alone"))
    if resnet.normalisation.kind == "tanh":
        return _known(nothing("DyT has mean squares of wide networks alone (N12), and no law"))
    if not resnet.has_w or not resnet.law.gaussian:
        return _known(nothing("laws behind a norm are those of Gaussian weights and of branches with W"))
    mean = mean_square(resnet)
    if resnet.norm_eps > _START * mean:
        return _known(nothing("ε is not small beside ‖h_0‖²/d"))
    if place == "peri":
        return partial(_peri, resnet), partial(_peri_gradient, resnet)
    return partial(_walk, resnet), partial(_walk_gradient, resnet)


def _known(pair: tuple[Prediction, Prediction]) -> tuple[_Way, _Way]:
    hidden, gradient = pair
    return (lambda: hidden), (lambda: gradient)


def mean_square(resnet: ResNet) -> float:
    """Return E ‖h_0‖²/d: the mean square of x, uniform on [0, input_scale]."""
    return resnet.input_scale**2 / 3


def layer_scalings(resnet: ResNet) -> Array:
    """Return a_k, shape (depth,), or (1,) where all are equal."""
    factors = resnet.factors
    return resnet.scaling * (np.ones(1) if factors is None else factors)


def time(resnet: ResNet) -> float:
    """Return Σ a_k²."""
    a = layer_scalings(resnet)
    with np.errstate(over="ignore"):
        return float(np.square(a).sum()) * (resnet.depth if a.size == 1 else 1)


def functions(resnet: ResNet) -> tuple[Any, Any]:
    """Return σ and σ' as `theory` takes them; None for the σ' of activations that it knows by name."""
    from theory import ACTIVATIONS

    function = resnet.activation_function
    if isinstance(resnet.activation, str) and resnet.activation in ACTIVATIONS:
        return resnet.activation, None
    return function.arrays()


def relu_behind_w(resnet: ResNet) -> bool:
    """Whether the branch is V ReLU(W h)."""
    return resnet.has_w and resnet.activation_function.negative_slope == 0.0 and resnet.bias_std == 0.0


def nothing(reason: str) -> tuple[Prediction, Prediction]:
    """Return that no theory covers the network, and why."""
    return no_theory(HIDDEN, reason), no_theory(GRADIENT, reason)


def no_theory(quantity: str, reason: str) -> Prediction:
    """Return that no theory covers one ratio, and why."""
    return Prediction(quantity, "nothing", "", reason)


def by_duality(
    kind: Kind, source: str, remark: str, law: Any, *, slack: float, tail_slack: float
) -> tuple[Prediction, Prediction]:
    """Return one law for both ratios, by the duality of hidden states and gradients (I4)."""
    hidden = Prediction(HIDDEN, kind, source, remark, law, slack=slack, tail_slack=tail_slack)
    return hidden, replace(hidden, quantity=GRADIENT, source=f"{source}, I4")


def _schedules(resnet: ResNet) -> tuple[Prediction, Prediction]:
    import theory

    if not relu_behind_w(resnet):
        return nothing(
            "schedules, skip factors and hidden widths have a theory for branches V ReLU(W h) alone"
        )
    a, b = layer_scalings(resnet), abs(resnet.skip)
    if b == 0.0 or not np.any(a > 0):
        return nothing("skip = 0 and a scaling of 0 have no law here")
    if not np.all((a < 1e100) & ((a == 0) | (a > 1e-100))):
        return nothing("the scaling is out of the range of the exact law")
    law = theory.ScheduleNormLaw(
        width=resnet.width, depth=resnet.depth, alpha=a if a.size > 1 else float(a[0]),
        hidden_width=resnet.inner_width, skip=resnet.skip,
    )  # fmt: skip
    if resnet.law.gaussian:
        remark = "the law of this very network, that of gradients by duality with hidden states"
        return by_duality("exact law", "G1", remark, law, slack=1e-6, tail_slack=1e-6)
    square = np.square(a / b)
    narrow = min(resnet.width, resnet.inner_width)
    slack = 2 * float(np.sum(square * (1 + square))) * (resnet.depth if a.size == 1 else 1) / narrow**2
    remark = f"G1 for Gaussian weights; {resnet.weights} ones are off by O(1/d²) a layer"
    tail = slack + 2 * law.std() * min(1.0, 2 / narrow)
    return by_duality("limit law", "G1", remark, law, slack=slack, tail_slack=tail)


def _walk(resnet: ResNet) -> Prediction:
    import theory

    if resnet.normalisation.kind == "layer" and resnet.width < 3:
        return no_theory(HIDDEN, "a layer norm of two units has a state of two values")
    sigma, _ = functions(resnet)
    a = layer_scalings(resnet)
    starts, weights = start_nodes(resnet)
    scale = math.sqrt(1.0 + resnet.bias_std**2)
    try:
        laws = tuple(
            theory.NormalisedWalk(
                width=resnet.width, depth=resnet.depth, alpha=a if a.size > 1 else float(a[0]),
                hidden_width=resnet.inner_width, activation=sigma, initial_square=float(resnet.width * S),
                input_scale=scale,
            ).log_norm_law()
            for S in starts
        )  # fmt: skip
    except (ArithmeticError, ValueError):
        return no_theory(HIDDEN, "the exact law needs more units, or leaves the range of floats")
    law = Mixture(laws, weights, np.zeros(len(laws)))
    slack = 0.2 * _START * min(1.0, float(law.std())) + resnet.norm_eps / mean_square(resnet)
    source = "N11" if a.size > 1 else "N1L" if resnet.normalisation.kind == "layer" else "N1"
    remark = "the law of this very network, a random walk, averaged over ‖h_0‖"
    return Prediction(HIDDEN, "exact law", source, remark, law, slack=slack, tail_slack=3 * slack)


def _walk_gradient(resnet: ResNet) -> Prediction:
    """Bounds from the mean square, and from its variance where that is finite: no law is known."""
    import theory

    a, S0 = layer_scalings(resnet), mean_square(resnet)
    sigma, slope = functions(resnet)
    kind: Literal["rms", "layer"] = "rms" if resnet.normalisation.kind == "rms" else "layer"
    if resnet.bias_std > 0.0:
        return no_theory(GRADIENT, "gradients behind a norm have a theory for branches without biases")
    starts, weights = start_nodes(resnet, 3)
    known: dict[str, Any] = {"width": resnet.width, "activation": sigma, "derivative": slope}
    try:
        if float(np.square(a).max()) <= _SMALL * S0:
            square = float(
                weights
                @ [
                    theory.prenorm_gradient_limit(**known, norm=kind, time=time(resnet), mean_square=S)
                    for S in starts
                ]
            )
            if kind == "rms" and theory.gradient_variance_is_finite(**known):
                fourth = [
                    theory.prenorm_gradient_fourth_moment(**known, time=time(resnet), mean_square=S)
                    for S in starts
                ]
                return _chebyshev(square, float(weights @ fourth), "N6")
            return _markov(square, "N6" if kind == "rms" else "N6L")
        if kind != "rms" or a.size > 1:
            return no_theory(
                GRADIENT, "gradients at large scalings have a theory for pre-rms without a schedule"
            )
        chains = [
            theory.prenorm_gradient_chain(
                **known, depth=resnet.depth, alpha=float(a[0]), hidden_width=resnet.inner_width,
                initial_square=float(resnet.width * S),
            ).gradient
            for S in starts
        ]  # fmt: skip
        return _markov(float(weights @ chains), "N6")
    except (ArithmeticError, ValueError) as error:
        return no_theory(GRADIENT, str(error).partition(";")[0])


def _markov(mean: float, source: str) -> Prediction:
    remark = "by Markov's inequality, from the mean square"
    return Prediction(GRADIENT, "bounds", source, remark, bounds=(-math.inf, 0.5 * math.log(mean / MISS)))


def _chebyshev(mean: float, fourth: float, source: str) -> Prediction:
    """Return the bounds that mean and variance of ‖p_0‖²/‖p_L‖² give; 2 % are for finite depth."""
    reach = math.sqrt(max(fourth - mean * mean, 0.0) / MISS) + 0.02 * mean
    if reach >= mean:
        return _markov(mean, source)
    bounds = (0.5 * math.log(mean - reach), 0.5 * math.log(mean + reach))
    remark = "by Chebyshev's inequality, from mean and variance of the square"
    return Prediction(GRADIENT, "bounds", source, remark, bounds=bounds)


def _peri(resnet: ResNet) -> Prediction:
    import theory

    if resnet.normalisation.kind != "rms":
        return no_theory(HIDDEN, "peri-norms have a theory for the RMS norm")
    if resnet.inner_width < 8:
        return no_theory(HIDDEN, "branches of so few units may be dead")
    starts, weights = start_nodes(resnet)
    d, tau = resnet.width, time(resnet)
    linear = {"dimension": d, "activation": "identity"}  # c = 1: the norm around the branch sets its length
    laws = tuple(
        HalfLog(theory.walk_limit_law(**linear, time=tau, initial_square=float(d * S)), float(d * S))
        for S in starts
    )
    law = Mixture(laws, weights, np.zeros(len(laws)))
    share = float(np.square(layer_scalings(resnet)).max()) / tau  # 1/L: steps of one length, not normal
    slack = 0.2 * _START * min(1.0, law.std()) + share * law.std() + resnet.norm_eps
    remark = "steps of one length in directions without memory, as Brownian motion, averaged over ‖h_0‖"
    return Prediction(HIDDEN, "limit law", "N9", remark, law, slack=slack, tail_slack=3 * slack)


def _peri_gradient(resnet: ResNet) -> Prediction:
    import theory

    if resnet.normalisation.kind != "rms" or resnet.bias_std > 0.0:
        return no_theory(GRADIENT, "peri-norms have a theory for the RMS norm, without biases")
    if float(np.square(layer_scalings(resnet)).max()) > _SMALL * mean_square(resnet):
        return no_theory(GRADIENT, "gradients of peri-norms have a theory for small scalings")
    if resnet.inner_width < _SEEN:
        return no_theory(GRADIENT, f"gradients of peri-norms have a theory from {_SEEN} hidden units on")
    sigma, slope = functions(resnet)
    starts, weights = start_nodes(resnet, 3)
    try:
        means = [
            theory.peri_gradient_limit(
                width=resnet.width, hidden_width=resnet.inner_width, time=time(resnet), activation=sigma,
                derivative=slope, mean_square=S,
            )
            for S in starts
        ]  # fmt: skip
    except (ArithmeticError, ValueError) as error:
        return no_theory(GRADIENT, str(error).partition(";")[0])
    return _markov(float(weights @ means), "N9")


def _fixed_length(resnet: ResNet) -> Prediction:
    if resnet.norm_eps > 0.0 or (resnet.normalisation.kind == "layer" and resnet.width < 3):
        return no_theory(HIDDEN, "the length after a norm is √d for ε = 0 and more than two units")
    law = StartLaw(mean_square(resnet), start_degrees(resnet))
    remark = "‖h_L‖ = √d after the norm, ‖h_0‖ is random"
    return Prediction(HIDDEN, "exact law", "N10", remark, law, slack=0.2 * _START, tail_slack=2 * _START)


def _post_gradient(resnet: ResNet, plain: bool) -> Prediction:
    import theory

    known = resnet.normalisation.kind == "rms" and plain and resnet.norm_eps == 0.0 and resnet.width > 2
    if not known or not resnet.law.gaussian or not relu_behind_w(resnet):
        return no_theory(
            GRADIENT,
            "gradients of post-norms have a law for post-rms, branches V ReLU(W h) and Gaussian weights",
        )
    law = theory.PostnormLaw(
        width=resnet.width, depth=resnet.depth, alpha=resnet.scaling, hidden_width=resnet.inner_width,
        isotropic=True,
    )  # fmt: skip
    starts, weights = start_nodes(resnet, 7)
    # The first norm divides by the length of h_0, too.
    mixture = Mixture((law,) * len(starts), weights, -0.5 * np.log(starts))
    slack = 0.5 * _START + 3 * law.error * float(law.std())
    remark = "the law of this very network, for a read-out in a direction of its own"
    return Prediction(GRADIENT, "exact law", "N10", remark, mixture, slack=slack, tail_slack=4 * slack)


def _post_activation(resnet: ResNet) -> tuple[Prediction, Prediction]:
    from scipy import special, stats
    from scipy.interpolate import CubicSpline

    import theory

    relu = resnet.activation_function.negative_slope == 0.0
    a, d, L = resnet.scaling, resnet.width, resnet.depth
    if not relu or not resnet.law.gaussian or d < 2 or a > 0.2:
        return nothing("post-activation has laws for ReLU, Gaussian weights and scalings up to 0.2")
    u, _ = np.polynomial.hermite_e.hermegauss(17)
    half = 0.5 * (d - 1)
    cosines = 2.0 * stats.beta.ppf(special.ndtr(u), half, half) - 1.0  # of an isotropic h_0 with (1, …, 1)
    n = a * a * L
    deviation = float(theory.post_activation_law(width=d, cosine=0.0, total=n).std())  # at every angle
    shifts = []
    for c in cosines.tolist():
        state = theory.post_activation_flow(mean=c, variance=1.0 - c * c, time=a * L)
        moved = theory.post_activation_log_growth(width=d, depth=L, alpha=a, cosine=c)
        moved -= theory.post_activation_log_growth(width=d, depth=L, alpha=a, cosine=c, correction=False)
        shifts.append(0.5 * math.log(state.mean_square) + moved)
    # Smooth in the angle: as many angles as make a density of narrow laws.
    fine = np.linspace(-5.0, 5.0, 501)
    weights = np.exp(-0.5 * fine * fine)
    law = NormalMixture(CubicSpline(u, shifts)(fine), weights / weights.sum(), deviation)
    # The term of a²L is that of long times, and the next ones are of order a³L and a.
    slack = 0.5 * n * math.exp(-0.8 * a * L) + 0.3 * a * n + 0.3 * a
    remark = "the flow from the random direction of h_0, with the fluctuations of small scalings"
    hidden = Prediction(HIDDEN, "limit law", "P1, P2", remark, law, slack=slack, tail_slack=2 * slack)
    # |cos∠(p_L, h_L)| of a direction of its own is below this, and ‖h_L‖ below its quantile, in 5 % at most.
    least = math.sqrt(float(stats.beta.ppf(MISS / 2, 0.5, half)))
    bottom = theory.log_gradient_lower_bound(log_hidden_ratio=float(law.ppf(MISS / 2)), cosine=least)
    remark = "‖p_0‖ ≥ |cos∠(p_L, h_L)| ‖h_L‖/‖h_0‖ ‖p_L‖: gradients explode with hidden states"
    bounds = (float(bottom) - slack, math.inf)
    return hidden, Prediction(GRADIENT, "bounds", "P3", remark, bounds=bounds)
