"""Networks of docs/theory/notation.md in float64 numpy, with explicit matrices, to hold engines against.

The reference keeps every matrix and forms every weight gradient as the outer product it is.
"""

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from montecarlo import simulate, weights

TOLERANCE = 2e-5
SMOOTH = {
    "gelu": (
        lambda x: x * special.ndtr(x),
        lambda x: special.ndtr(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    ),
    "identity": (lambda x: x, np.ones_like),
    "sin": (np.sin, np.cos),
    "softplus": (lambda x: np.logaddexp(0.0, x), special.expit),
    "tanh": (np.tanh, lambda x: 1.0 - np.tanh(x) ** 2),
}  # fmt: skip
KINKED = {
    "leaky-relu": (lambda x: np.where(x > 0, x, 0.01 * x), lambda x: np.where(x > 0, 1.0, 0.01)),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0, 1.0, 0.0)),
}
ACTIVATIONS = SMOOTH | KINKED
NETWORKS = [("res-3", "relu")] + [
    (block, name) for block in ("res-1", "res-2") for name in sorted(ACTIVATIONS)
]


@dataclass(frozen=True)
class Reference:
    """One network, every quantity explicit; p_L is the read-out row."""

    h: list
    p: list
    gradient_v: list
    gradient_w: list
    least_back: float  # smallest norm over layers of the active part of Vᵀp, over its typical size
    clearance: float  # smallest |pre-activation| over its typical size, that of h: how far from a kink

    @property
    def condition(self):
        """How much the cancellation in a state or a difference can magnify the rounding of a product."""

        def spread(states):
            sizes = [np.linalg.norm(x) for x in states]
            steps = [np.linalg.norm(b - a) for a, b in itertools.pairwise(states)]
            change = np.linalg.norm(states[-1] - states[0])
            return max(max(sizes) / min(sizes), sum(steps) / change if sum(steps) > 0.0 else 1.0)

        with np.errstate(divide="ignore"):
            return max(spread(self.h), spread(self.p))

    def columns(self):
        def log_norm(x):
            norm = float(np.linalg.norm(x))
            return math.log(norm) if norm > 0.0 else -math.inf

        h, p = self.h, self.p
        start, end = log_norm(h[0]), log_norm(p[-1])
        return {
            "log_hidden_ratio": log_norm(h[-1]) - start,
            "log_hidden_difference": log_norm(h[-1] - h[0]) - start,
            "log_gradient_ratio": log_norm(p[0]) - end,
            "log_gradient_difference": log_norm(p[0] - p[-1]) - end,
            "log_hidden_path": np.array([log_norm(x) - start for x in h]),
            "log_gradient_path": np.array([log_norm(x) - end for x in p]),
            "log_weight_gradient_v": np.array([log_norm(x) - start - end for x in self.gradient_v]),
            "log_weight_gradient_w": np.array([log_norm(x) - start - end for x in self.gradient_w]),
        }


def forward(w, sigma, h):
    """Return the states h_0 ... h_L and the pre-activations."""
    states, pre_activations = [h], []
    for k in range(len(w.V)):
        z = states[-1] if w.W is None else w.W[k] @ states[-1] + (0.0 if w.b is None else w.b[k])
        pre_activations.append(z)
        states.append(states[-1] + w.alpha * w.V[k] @ sigma(z))
    return states, pre_activations


def reference(w, activation):
    sigma, slope = ACTIVATIONS[activation] if isinstance(activation, str) else activation
    h, z = forward(w, sigma, w.A @ w.x)
    p, gradient_v, gradient_w, least_back = [w.readout], [], [], math.inf
    for k in reversed(range(len(w.V))):
        gradient_v.insert(0, w.alpha * np.outer(p[0], sigma(z[k])))
        back = slope(z[k]) * (w.V[k].T @ p[0])
        if slope(z[k]).any():
            least_back = min(
                least_back,
                float(
                    np.linalg.norm(back)
                    / np.linalg.norm(slope(z[k]))
                    * math.sqrt(len(back))
                    / np.linalg.norm(p[0])
                ),
            )
        if w.W is None:
            p.insert(0, p[0] + w.alpha * back)
        else:
            gradient_w.insert(0, w.alpha * np.outer(back, h[k]))
            p.insert(0, p[0] + w.alpha * w.W[k].T @ back)
    sizes = [
        max(np.linalg.norm(x), np.linalg.norm(y)) / math.sqrt(len(x)) for x, y in zip(z, h[:-1], strict=True)
    ]
    clearance = min(float(np.abs(x).min()) / size for x, size in zip(z, sizes, strict=True))
    return Reference(h, p, gradient_v, gradient_w, least_back, clearance)


@functools.lru_cache(maxsize=16)
def reference_of(net, replica, seed, activation=None):
    return reference(weights(net, replica=replica, seed=seed), activation or net.activation)


def is_comparable(exact, kinked):
    """Whether float32 products determine the logs to 1e-5.

    Narrow networks can cancel by chance (with signs for weights even exactly), and a kink between the
    float32 and the float64 pre-activation changes a gradient by a finite amount: 1e-5 of the neighbourhood
    is a hundred times the rounding.
    """
    determined = exact.condition < 60.0 and exact.least_back > 0.02
    return determined and exact.clearance > (1e-5 if kinked else 1e-2 / len(exact.h[0]) ** 4)


def assert_agrees(net, *, engine, replicas, seed, activation=None, tolerance=TOLERANCE):
    """Compare every column of every comparable replica; return how many these were."""
    sample = simulate(
        net, replicas=replicas, seed=seed, threads=1, engine=engine, trajectories=True, weight_gradients=True
    )
    compared = 0
    for replica in range(replicas):
        expected = reference_of(net, replica, seed, activation)
        if not is_comparable(expected, activation is not None or net.activation in KINKED):
            continue
        compared += 1
        columns = expected.columns()
        for name, column in sample.columns.items():
            np.testing.assert_allclose(
                column[replica], columns[name], rtol=0.0, atol=tolerance, err_msg=f"{name} {replica}"
            )
    return compared
