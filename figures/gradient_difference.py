"""Figure 3: ‖p_0 - p_L‖/‖p_L‖ against depth for β = 1, 1/4, 1/2, p the gradient of the loss in the hidden
states.
"""

from __future__ import annotations

import theory
from figures._figure import Check, FigureDefinition, Setting
from figures._independent_panels import independent_panels
from figures._laws import CONFIDENCE
from figures._points import Point, Samples
from montecarlo import Request, ResNet
from montecarlo.estimates import log_mean_exp

_WEIGHTS = ResNet(width=40, depth=100, beta=0.5)

_PANELS = independent_panels(
    column="log_gradient_difference",
    label=r"$\Vert p_0 - p_L\Vert \,/\, \Vert p_L\Vert$",
    quantity="‖p_0−p_L‖²/‖p_L‖",
)


def _points(setting: Setting) -> list[Point]:
    # Weight gradients are not in the picture, but among the checks.
    replicas = 20_000 if setting == "paper" else 4_000
    return [*_PANELS.points(setting), Point(_WEIGHTS, replicas, "gaussian", Request(weight_gradients=True))]


def _checks(samples: Samples) -> list[Check]:
    checks = _PANELS.checks(samples)
    predicted = theory.log_weight_gradient_second_moment(depth=_WEIGHTS.depth, alpha=_WEIGHTS.scaling)
    for matrix in ("V", "W"):
        rows = samples[_WEIGHTS][f"log_weight_gradient_{matrix.lower()}"]
        for k in (1, _WEIGHTS.depth // 2, _WEIGHTS.depth):
            estimate = log_mean_exp(rows[:, k - 1], power=2.0, confidence=CONFIDENCE)
            name = (
                f"log E (‖∂loss/∂{matrix}_{k}‖/(‖p_L‖‖h_0‖))², β = 0.5, L = {_WEIGHTS.depth}, Gaussian (I5)"
            )
            checks.append(Check(name, float(predicted), estimate))
    return checks


FIGURE = FigureDefinition(
    name="3",
    title="Gradients: distance from the end against depth",
    caption=(
        "Distance of the gradient at the first hidden state from that at the last one, relative to the "
        "latter, for the same networks as Figure 1. Gradients behave as hidden states do: their law is the "
        "same (duality, I4), and so are the exact root mean squares. "
        "The weight gradients below (I5), of other networks, have one mean square at every layer."
    ),
    paper=(
        "As in the paper: gradients show the regimes of hidden states. Added: the exact root mean square, "
        "and that the whole law, not only the regime, is that of Figure 1."
    ),
    points=_points,
    draw=_PANELS.draw,
    checks=_checks,
)
