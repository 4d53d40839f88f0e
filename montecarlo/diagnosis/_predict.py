"""What theory predicts of ‖h_L‖/‖h_0‖ and ‖p_0‖/‖p_L‖: the sharpest statement that applies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from montecarlo.diagnosis._degenerate import ROUNDING, fix_what_stays, no_branches, unmoved
from montecarlo.diagnosis._predict_blocks import (
    MISS,
    by_duality,
    functions,
    mean_square,
    no_theory,
    nothing,
    predict_block,
    relu_behind_w,
)
from montecarlo.diagnosis._prediction import GRADIENT, HIDDEN, Prediction
from montecarlo.networks._dictionary import PLAIN, missing_word
from montecarlo.networks._specification import ResNet

# By which shares of the variance the means of wide-network laws were off, at most, when simulated at
# width 64, and by which shares their deviations: for the Markov chain of res-2 forward, and for the
# rest.
_CHAIN, _REST = (0.15, 0.05), (0.6, 0.15)
_FIRST_ORDER_LIMIT = 0.15
_SMALL_SCALING = 0.35


def predict(resnet: ResNet) -> tuple[Prediction, Prediction]:
    """Return the predictions for hidden states and for gradients."""
    if missing_word(resnet, PLAIN) is not None:
        return predict_block(resnet)
    if no_branches(resnet):
        return unmoved()
    if resnet.processes is not None:
        return fix_what_stays(resnet, _correlated(resnet))
    if relu_behind_w(resnet):
        return _exact(resnet)
    return fix_what_stays(resnet, _wide(resnet))


def log_variance_of_input(resnet: ResNet) -> float:
    """Return the variance of log ‖x‖², to first order: that of log ‖h_0‖² is 2/d more."""
    return 0.8 / resnet.input_dim


def _exact(resnet: ResNet) -> tuple[Prediction, Prediction]:
    import theory

    d, L, a = resnet.width, resnet.depth, resnet.scaling
    if not 1e-100 <= a <= 1e100:
        return nothing("the scaling is out of the range of the exact law")
    law = theory.ExactNormLaw(width=d, depth=L, alpha=a)
    if resnet.law.gaussian:
        remark = "the law of this very network, that of gradients by duality with hidden states"
        return by_duality("exact law", "I6", remark, law, slack=1e-9, tail_slack=1e-8)
    # Kurtosis enters mean and variance of a layer at order a²/d², a⁴/d².
    slack = 2 * L * a * a * (1 + a * a) / d**2 if a < 1e50 else math.inf
    remark = f"I6 for Gaussian weights, the limit of all; {resnet.weights} ones are off by O(1/d²) a layer"
    tail = slack + 2 * law.std() * min(1.0, 2 / d)
    return by_duality("limit law", "I8, I11", remark, law, slack=slack, tail_slack=tail)


def _wide(resnet: ResNet) -> tuple[Prediction, Prediction]:
    import theory

    if resnet.width < 2:
        return nothing("there is no law of a single unit with this activation")
    sigma, slope = functions(resnet)
    direct = resnet.block == "res-1"
    linear = resnet.activation_function.negative_slope == 1.0
    try:
        hidden, gradient = theory.wide_log_norm_laws(
            block=resnet.block, activation=sigma, derivative=slope, width=resnet.width, depth=resnet.depth,
            alpha=resnet.scaling, initial_mean_square=mean_square(resnet), bias_std=resnet.bias_std,
            initial_log_variance=log_variance_of_input(resnet) + (0 if direct else 2 / resnet.width),
        )  # fmt: skip
    except (ArithmeticError, ValueError):
        return nothing("norms leave every float range")
    extra = 0.0
    if not resnet.law.gaussian:
        square = resnet.scaling**2
        extra = 2 * resnet.depth * square * (1 + square) / resnet.width**2
        if direct and not linear:
            # Coordinates of h_0 are sums of as many entries of A as the input has; ρ sees their kurtosis.
            extra += 0.3 / resnet.input_dim * abs(float(hidden.mean()))
    remark = "S4 with the fluctuations of order 1/√d, at this very depth"

    def prediction(quantity: str, law: Any, chain: bool) -> Prediction:
        mean_share, std_share = _CHAIN if chain else _REST
        rare = rarity(resnet, 0 if quantity == HIDDEN else 1)
        slack = mean_share * float(law.var()) + extra + min(1.0, rare / 2) * abs(float(law.mean()))
        slack = max(slack, ROUNDING)
        tail = slack + 2 * (std_share + min(1.0, rare / 4)) * float(law.std())
        return Prediction(quantity, "wide-network law", "S4", remark, law, slack=slack, tail_slack=tail)

    return prediction(HIDDEN, hidden, linear or not direct), prediction(GRADIENT, gradient, linear)


def rarity(resnet: ResNet, order: int) -> float:
    """Return the relative variance, over networks, of a mean square over all units of all layers.

    Laws of wide networks take it for 0. Where few units move (tanh of inputs in the thousands has σ' = 0
    but for one unit in many), most networks stay below its mean. With κ = E g⁴/(E g²)² for g = σ (order 0)
    or σ' (order 1), it is κ/(d L).
    """
    function = resnet.activation_function
    built_in = isinstance(resnet.activation, str)  # plain Python will do, and needs no compiler
    g = ((function.value, function.derivative) if built_in else function.scalars())[order]
    direct = resnet.block == "res-1"
    deviation = math.sqrt(mean_square(resnet) + (0.0 if direct else resnet.bias_std**2))
    logs = np.linspace(math.log(deviation) - 30.0, math.log(deviation) + 2.0, 3000)
    half = np.exp(logs)
    x = np.concatenate([-half[::-1], half])
    weight = np.abs(x) * np.exp(-0.5 * (x / deviation) ** 2)  # of equal steps of log |x|
    with np.errstate(all="ignore"):
        square = np.array([g(value) for value in x.tolist()], np.float64) ** 2
        total = weight.sum()
        kurtosis = (weight * square**2).sum() * total / (weight * square).sum() ** 2
    return float(kurtosis) / (resnet.width * resnet.depth) if kurtosis < math.inf else 0.0


def _correlated(resnet: ResNet) -> tuple[Prediction, Prediction]:
    import theory

    d, L, a = resnet.width, resnet.depth, resnet.scaling
    assert resnet.processes is not None
    hidden, gradient = _gronwall(resnet)
    lags = lag_covariances(resnet)
    if lags is None:
        return hidden, gradient
    linear = lags["gamma_w"] is None
    c = 1.0 if linear else 0.5
    with np.errstate(over="ignore"):
        m = float(theory.first_order_difference(alpha=a, depth=L, **lags))
        time = L * np.float64(a) * a
    rough = resnet.processes[0].name.startswith("fbm:") and float(resnet.processes[0].name[4:]) < 0.5
    near = m <= _FIRST_ORDER_LIMIT and time <= _FIRST_ORDER_LIMIT
    if near or (rough and not linear and a <= _SMALL_SCALING):
        from scipy import stats

        mean = float(theory.correlated_log_mean(width=d, depth=L, alpha=a, first_order=m, gain=c))
        law = stats.norm(mean, math.sqrt(m / d))
        slack = m * m + c * c * time * time if near else 0.1 * m
        source, remark = ("F2c", "to second order in the distance from the identity") if near else (
            "F3b", "rough weights, with the sum of covariances at this depth"
        )  # fmt: skip
        kept: dict[str, Any] = {"law": law, "slack": slack, "tail_slack": slack + 0.5 * float(law.std())}
        hidden = Prediction(HIDDEN, "limit law", source, remark, **kept)
        if linear:
            return hidden, Prediction(GRADIENT, "limit law", f"{source}, I4b", "by duality", **kept)
    if not linear:
        with np.errstate(over="ignore"):
            m_p = float(theory.first_order_gradient_difference(width=d, alpha=a, depth=L, **lags))
        reach = math.sqrt(m_p * (1 + m_p) / MISS) if m_p < 1 else math.inf
        if reach < 1 and math.log1p(reach) < gradient.bounds[1]:
            remark = "‖p_0 − p_L‖/‖p_L‖ by Markov's inequality, to first order in its mean square"
            bounds = (math.log1p(-reach), math.log1p(reach))
            gradient = Prediction(GRADIENT, "bounds", "F2b", remark, bounds=bounds)
    return hidden, gradient


def lag_covariances(resnet: ResNet) -> dict[str, Any] | None:
    """Return γ_V and γ_W (None for linear branches without W) for F2, or None where it does not apply."""
    assert resnet.processes is not None
    linear = resnet.block == "res-1" and resnet.activation_function.negative_slope == 1.0
    if not (linear or relu_behind_w(resnet)) or not all(p.stationary for p in resnet.processes):
        return None
    gamma_v, gamma_w = (process.lag_covariance(resnet.depth) for process in resnet.processes)
    if not np.allclose([gamma_v[0], gamma_w[0]], 1.0, rtol=1e-9):
        return None
    return {"gamma_v": gamma_v, "gamma_w": None if linear else gamma_w}


def _gronwall(resnet: ResNet) -> tuple[Prediction, Prediction]:
    """Return the pathwise bounds (1 ± a‖V‖‖W‖)^L of O3, with norms that Gaussian matrices rarely exceed.

    Davidson and Szarek: ‖V‖ > 2 + t/√d has probability e^{−t²/2} at most, so no matrix of the network does
    with probability 95 %.
    """
    from theory.catalogue import TRAITS

    assert resnet.processes is not None
    name = resnet.activation_function.name
    known = resnet.activation_function.fingerprint == name and name in TRAITS
    if not known or not TRAITS[name].below_identity or resnet.bias_std > 0:
        return nothing("for correlated weights only branches with ‖g(h)‖ <= ‖W‖‖h‖ have bounds")
    if not all(p.stationary for p in resnet.processes):
        return nothing("the weights are not stationary along depth")
    deviations = [math.sqrt(float(p.lag_covariance(1)[0])) for p in resnet.processes]
    matrices = 1 if resnet.block == "res-1" else 2
    t = math.sqrt(2 * math.log(matrices * resnet.depth / MISS))
    factor = resnet.scaling * math.prod(
        deviation * (2 + t / math.sqrt(resnet.width)) for deviation in deviations[:matrices]
    )
    low = resnet.depth * math.log1p(-factor) if factor < 1 else -math.inf
    bounds = (low, resnet.depth * math.log1p(factor))
    remark = "the pathwise bound, with norms of Gaussian matrices; far from sharp"
    hidden = Prediction(HIDDEN, "bounds", "O3", remark, bounds=bounds)
    if name == "gelu":  # its slope exceeds 1
        return hidden, no_theory(GRADIENT, "no bound for gradients of gelu")
    return hidden, Prediction(GRADIENT, "bounds", "O3", remark, bounds=bounds)
