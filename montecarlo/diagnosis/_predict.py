"""What theory predicts of ‖h_L‖/‖h_0‖ and ‖p_0‖/‖p_L‖ for a specification: the sharpest statement that applies."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from montecarlo._specification import ResNet
from montecarlo.diagnosis._prediction import Prediction

HIDDEN, GRADIENT = "‖h_L‖/‖h_0‖", "‖p_0‖/‖p_L‖"

# Shares of the variance by which the means of wide-network laws were off, at most, when simulated at width 64, and
# of their deviations: res-2 forward, anything else.
_MEAN_SHARE, _MEAN_SHARE_CHAIN = 0.6, 0.15
_STD_SHARE, _STD_SHARE_CHAIN = 0.15, 0.05
_FIRST_ORDER_LIMIT = 0.15
_GRADIENT_LIMIT = 0.03
_SMALL_SCALING = 0.35


def predict(resnet: ResNet) -> tuple[Prediction, Prediction]:
    """Return the predictions for hidden states and for gradients."""
    if resnet.processes is not None:
        return _correlated(resnet)
    if _relu_behind_w(resnet):
        return _exact(resnet)
    return _wide(resnet)


def mean_square_of_input(resnet: ResNet) -> float:
    """Return E ‖h_0‖²/d: the mean square of x, uniform on [0, input_scale]."""
    return resnet.input_scale**2 / 3


def log_variance_of_input(resnet: ResNet) -> float:
    """Return the variance of log ‖x‖², to first order: that of log ‖h_0‖² is 2/d more."""
    return 0.8 / resnet.input_dim


def _relu_behind_w(resnet: ResNet) -> bool:
    relu = resnet.block != "res-1" and resnet.activation_function.negative_slope == 0.0
    return relu and resnet.bias_std == 0.0


def _exact(resnet: ResNet) -> tuple[Prediction, Prediction]:
    import theory

    d, L, a = resnet.width, resnet.depth, resnet.scaling
    if not 1e-100 <= a <= 1e100:
        return _nothing("the scaling is out of the range of the exact law")
    law = theory.ExactNormLaw(width=d, depth=L, alpha=a)
    if resnet.law.gaussian:
        return (
            Prediction(HIDDEN, "exact law", "I6", law, slack=1e-9, tail_slack=1e-8),
            Prediction(GRADIENT, "exact law", "I6 by duality, I4", law, slack=1e-9, tail_slack=1e-8),
        )
    source = f"I8, I11: the law of Gaussian weights, of {resnet.weights} ones to order 1/d"
    # Kurtosis enters mean and variance of a layer at order a²/d², a⁴/d².
    slack = 2 * L * a * a * (1 + a * a) / d**2 if a < 1e50 else math.inf
    tail = slack + 2 * law.std() * min(1.0, 2 / d)
    kept = {"law": law, "slack": slack, "tail_slack": tail}
    return Prediction(HIDDEN, "limit law", source, **kept), Prediction(
        GRADIENT, "limit law", f"{source}, by duality, I4", **kept
    )


def _wide(resnet: ResNet) -> tuple[Prediction, Prediction]:
    import theory

    if resnet.width < 2:
        return _nothing("no theory for a single unit")
    sigma, slope = _functions(resnet)
    direct = resnet.block == "res-1"
    try:
        hidden, gradient = theory.wide_log_norm_laws(
            block=resnet.block, activation=sigma, derivative=slope, width=resnet.width, depth=resnet.depth,
            alpha=resnet.scaling, initial_mean_square=mean_square_of_input(resnet), bias_std=resnet.bias_std,
            initial_log_variance=log_variance_of_input(resnet) + (0 if direct else 2 / resnet.width),
        )  # fmt: skip
    except (ArithmeticError, ValueError):
        return _nothing("norms leave every float range")
    square = resnet.scaling**2
    extra = 0.0 if resnet.law.gaussian else 2 * resnet.depth * square * (1 + square) / resnet.width**2
    if direct and resnet.activation_function.negative_slope != 1.0:
        # Coordinates of h_0 are sums of few entries of A where the input has few; ρ sees their kurtosis.
        extra += 0.0 if resnet.law.gaussian else 0.3 / resnet.input_dim * abs(float(hidden.mean()))
    chain = not direct or resnet.activation_function.negative_slope == 1.0

    def prediction(quantity: str, law: Any, source: str, chain: bool) -> Prediction:
        share, tail = (_MEAN_SHARE_CHAIN, _STD_SHARE_CHAIN) if chain else (_MEAN_SHARE, _STD_SHARE)
        slack = share * float(law.var()) + extra
        return Prediction(
            quantity, "wide-network law", source, law, slack=slack,
            tail_slack=slack + 2 * tail * float(law.std()),
        )  # fmt: skip

    order = "S4 with its fluctuations of order 1/√d, at this depth"
    linear = resnet.activation_function.negative_slope == 1.0
    return (
        prediction(HIDDEN, hidden, order, chain),
        prediction(GRADIENT, gradient, f"{order}, backward", linear),
    )


def _functions(resnet: ResNet) -> tuple[Any, Any]:
    """Return σ and σ' as `theory` takes them."""
    from theory import ACTIVATIONS

    function = resnet.activation_function
    if isinstance(resnet.activation, str) and resnet.activation in ACTIVATIONS:
        return resnet.activation, None

    def vectorised(scalar: Callable[[float], float]) -> Any:
        return np.vectorize(getattr(scalar, "py_func", scalar), otypes=[np.float64])

    return vectorised(function.value), vectorised(function.derivative)


def _correlated(resnet: ResNet) -> tuple[Prediction, Prediction]:
    import theory

    d, L, a = resnet.width, resnet.depth, resnet.scaling
    assert resnet.processes is not None
    linear = resnet.block == "res-1" and resnet.activation_function.negative_slope == 1.0
    if not (linear or _relu_behind_w(resnet)):
        return _nothing("for correlated weights only ReLU behind W and linear res-1 have a theory")
    if not all(process.stationary for process in resnet.processes):
        return _nothing("the weights are not stationary along depth")
    gamma_v, gamma_w = (process.lag_covariance(L) for process in resnet.processes)
    if not np.allclose([gamma_v[0], gamma_w[0]], 1.0, rtol=1e-9):
        return _nothing("the weights have not unit variance")
    c = 1.0 if linear else 0.5
    lags = {"gamma_v": gamma_v, "gamma_w": None if linear else gamma_w}
    with np.errstate(over="ignore"):
        m = float(theory.first_order_difference(alpha=a, depth=L, **lags))
        time = L * a * a
    rough = resnet.processes[0].name.startswith("fbm:") and float(resnet.processes[0].name[4:]) < 0.5
    near = m <= _FIRST_ORDER_LIMIT and time <= _FIRST_ORDER_LIMIT
    if near or (rough and not linear and a <= _SMALL_SCALING):
        from scipy import stats

        mean = float(theory.correlated_log_mean(width=d, depth=L, alpha=a, first_order=m, gain=c))
        law = stats.norm(mean, math.sqrt(m / d))
        slack = m * m + c * c * time * time if near else 0.1 * m
        kind = "limit law"
        source = "F2c: near the identity, to second order" if near else "F3b: rough weights, m for its sum"
        hidden = Prediction(HIDDEN, kind, source, law, slack=slack, tail_slack=slack + 0.5 * float(law.std()))
    else:
        hidden = Prediction(HIDDEN, "nothing", "no law is known for persistent weights far from the identity")
    if linear and hidden.law is not None:
        gradient = Prediction(
            GRADIENT, hidden.kind, f"{hidden.source}, by duality, I4b", hidden.law, slack=hidden.slack,
            tail_slack=hidden.tail_slack,
        )  # fmt: skip
        return hidden, gradient
    if not linear:
        with np.errstate(over="ignore"):
            m_p = float(theory.first_order_gradient_difference(width=d, alpha=a, depth=L, **lags))
        if m_p <= _GRADIENT_LIMIT:
            reach = math.sqrt(m_p * (1 + m_p) / 0.05)
            bounds = (math.log1p(-reach), math.log1p(reach))
            source = "F2b and Markov's inequality: ‖p_0 − p_L‖/‖p_L‖ in 95 % of networks"
            return hidden, Prediction(GRADIENT, "bounds", source, bounds=bounds)
    return hidden, Prediction(GRADIENT, "nothing", "no law of gradients is known far from the identity")


def _nothing(reason: str) -> tuple[Prediction, Prediction]:
    return Prediction(HIDDEN, "nothing", reason), Prediction(GRADIENT, "nothing", reason)
