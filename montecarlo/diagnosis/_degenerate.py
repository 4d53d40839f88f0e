"""Networks that leave nothing to chance: σ = 0 keeps hidden states, σ' = 0 gradients, zero branches both."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from montecarlo.diagnosis._prediction import GRADIENT, HIDDEN, Prediction
from montecarlo.networks._activations import ScalarFunction
from montecarlo.networks._specification import ResNet

# Sizes of pre-activations at which a function is looked at: a constant is one at all of them.
_SIZES = np.concatenate([np.geomspace(1e-6, 1e6, 49), np.linspace(0.05, 10.0, 200)])
ROUNDING = 1e-9
"""What is allowed to a row for its floating-point sums, in natural-log units."""


_ZERO = 1e-30  # α L below which branches change no digit of a state


def no_branches(resnet: ResNet) -> bool:
    """Return whether branches change no digit of a state, as α = 0 would."""
    return resnet.scaling * resnet.depth < _ZERO


def unmoved() -> tuple[Prediction, Prediction]:
    """Return the predictions for a network whose branches are zero: every ratio is 1."""
    nothing = (Prediction(ratio, "exact law", "", "") for ratio in (HIDDEN, GRADIENT))
    hidden, gradient = (_certain(prediction, "α = 0 to every digit") for prediction in nothing)
    return hidden, gradient


def vanishing(resnet: ResNet) -> tuple[bool, bool]:
    """Return whether σ and σ' are 0 everywhere.

    Examples
    --------
    >>> from montecarlo import Activation
    >>> one = Activation("one", lambda x: 1.0, lambda x: 0.0)
    >>> vanishing(ResNet(width=8, depth=4, beta=0.5, block="res-2", activation=one))
    (False, True)
    """
    activation = resnet.activation_function
    if activation.fingerprint == activation.name:
        return False, False

    def vanishes(function: ScalarFunction) -> bool:
        python = getattr(function, "py_func", function)
        try:
            return not any(python(float(s * x)) for x in _SIZES for s in (1.0, -1.0)) and python(0.0) == 0.0
        except ArithmeticError:
            return False

    return vanishes(activation.value), vanishes(activation.derivative)


def fix_what_stays(
    resnet: ResNet, predictions: tuple[Prediction, Prediction]
) -> tuple[Prediction, Prediction]:
    """Return the predictions with a certain 1 for every ratio that the activation leaves alone."""
    hidden_stays, gradient_stays = vanishing(resnet)
    hidden, gradient = predictions
    return (
        _certain(hidden, "σ = 0") if hidden_stays else hidden,
        _certain(gradient, "σ' = 0") if gradient_stays else gradient,
    )


def _certain(prediction: Prediction, source: str) -> Prediction:
    from theory import PointMass

    return replace(
        prediction, kind="exact law", source=source, law=PointMass(0.0), bounds=(-math.inf, math.inf),
        remark=f"{source}: the branch adds nothing, whatever the weights", slack=ROUNDING,
        tail_slack=ROUNDING,
    )  # fmt: skip
