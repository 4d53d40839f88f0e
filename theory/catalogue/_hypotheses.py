"""Hypotheses that several theorems share."""

from __future__ import annotations

from theory.catalogue._facts import Facts
from theory.catalogue._theorem import Hypothesis

_ROUNDING = 1e-12


def _equals(x: float | None, y: float | None) -> bool:
    return x is not None and y is not None and abs(x - y) <= _ROUNDING


def _critical(facts: Facts) -> bool:
    return _equals(facts.beta, 0.5)


def _second_order_exponent(facts: Facts) -> float | None:
    """Exponent above which the first order outweighs the second, whose mean is L α²/(2d) for res-1."""
    index, critical = facts.v.index, facts.critical_beta
    if index is None or critical is None:
        return None
    return max(critical, 1 - index) if facts.block == "res-1" else critical


def _above(beta: float | None, threshold: float | None) -> bool:
    return beta is not None and threshold is not None and beta > threshold + _ROUNDING


# Layers

INDEPENDENT = Hypothesis("layers are independent", lambda f: all(law.independent for law in f.laws))
V_INDEPENDENT = Hypothesis("V is independent over layers, and of W", lambda f: f.v.independent)
SYMMETRIC = Hypothesis(
    ("entries of the weights are symmetric"), lambda f: all(law.symmetric for law in f.laws)
)
GAUSSIAN = Hypothesis("weights are Gaussian", lambda f: all(law.gaussian for law in f.laws))
V_GAUSSIAN = Hypothesis("V is Gaussian", lambda f: f.v.gaussian)
W_GAUSSIAN = Hypothesis(
    ("W, if there is one, is Gaussian"), lambda f: f.laws[-1].gaussian or len(f.laws) == 1
)
STATIONARY = Hypothesis(
    "weights are stationary along the layers", lambda f: all(w.stationary for w in f.laws)
)
ONE_LAW = Hypothesis("V and W have the same law", lambda f: len(set(f.laws)) == 1)
SMOOTH_WEIGHTS = Hypothesis(
    "layers read smooth paths, V_k = 𝒱(k/L), and so for W", lambda f: all(law.smooth for law in f.laws)
)
PERSISTENT = Hypothesis(
    "V is fractional Gaussian noise with 1/2 < H < 1",
    lambda f: f.v.hurst is not None and f.v.hurst > 0.5,
)

# Blocks and activations

CLOSED_GAIN = Hypothesis(
    "σ is the identity, or linear on either side of 0 behind a matrix W (res-2, res-3)",
    lambda f: f.linear or (f.block != "res-1" and f.sigma.homogeneous),
)
NO_BIAS = Hypothesis("there are no biases", lambda f: f.bias_std == 0)
RELU_OF_W = Hypothesis(
    "the branch is V ReLU(W h): res-3, or res-2 with ReLU and no bias", lambda f: f.relu_of_w
)
RELU_OF_W_OR_LINEAR = Hypothesis(
    "the branch is V ReLU(W h), or V h (res-1 with the identity)",
    lambda f: f.relu_of_w or (f.block == "res-1" and f.linear),
)
LINEAR_RES_1 = Hypothesis(
    "the branch is V h: res-1 with the identity", lambda f: f.block == "res-1" and f.linear
)
LINEAR = Hypothesis("σ is the identity, without biases", lambda f: f.linear and f.bias_std == 0)
RES_1 = Hypothesis("the block is res-1", lambda f: f.block == "res-1")
BEHIND_W = Hypothesis("the block has a matrix W: res-2 or res-3", lambda f: f.has_w)
LIPSCHITZ = Hypothesis("σ is Lipschitz", lambda f: f.sigma.lipschitz)
SMOOTH_ACTIVATION = Hypothesis(
    "σ has bounded derivatives, which excludes the kink of ReLU", lambda f: f.sigma.smooth
)
BELOW_IDENTITY = Hypothesis("|σ(x)| <= |x|", lambda f: f.sigma.below_identity)
GAIN_AT_MOST_ONE = Hypothesis("E‖g(h)‖² <= ‖h‖² at every h", lambda f: f.gain_bounds[1] <= 1)
GAIN_FROM_HALF_TO_ONE = Hypothesis(
    "‖h‖²/2 <= E‖g(h)‖² <= ‖h‖² at every h (not so for res-1 with ReLU)",
    lambda f: f.gain_bounds[0] >= 0.5 and f.gain_bounds[1] <= 1,
)

# What surrounds the branch

PLAIN = Hypothesis(
    "layers are h + α V g(h): no norm, as many units inside as outside, no factor of h, one α",
    lambda f: f.plain,
)
UNIT_SKIP = Hypothesis("the stream is added as it is, factor 1", lambda f: f.skip == 1)
ONE_SCALING = Hypothesis("all layers have one scaling", lambda f: f.schedule == "constant")
NO_EPSILON = Hypothesis("norms have ε = 0 and gain 1", lambda f: f.norm_eps == 0)
PRE_NORM = Hypothesis(
    "the branch's input is normalised: pre-RMSNorm or pre-LayerNorm",
    lambda f: f.norm in ("pre-rms", "pre-layer"),
)
PRE_RMS = Hypothesis("the branch's input is behind an RMS norm", lambda f: f.norm == "pre-rms")
PRE_LAYER = Hypothesis("the branch's input is behind a layer norm", lambda f: f.norm == "pre-layer")
PERI_RMS = Hypothesis(
    "the branch's input and its output are normalised: Peri-RMSNorm", lambda f: f.norm == "peri-rms"
)
POST_RMS = Hypothesis("the stream is behind an RMS norm after each addition", lambda f: f.norm == "post-rms")
PRE_TANH = Hypothesis("the branch's input is tanh of the stream: DyT", lambda f: f.norm == "pre-tanh")

NO_NORM = Hypothesis(
    "layers are b_k h + a_k V_k g(h), of any hidden width M, without a norm",
    lambda f: f.norm == "none" and f.block not in ("post-activation", "transformer"),
)
STREAM_KEPT = Hypothesis("the stream has no factor: b = 1", lambda f: f.skip == 1)
STREAM_NOT_LOST = Hypothesis("b is not 0", lambda f: f.skip != 0)
ONE_SCALING = Hypothesis("all layers have one scaling a", lambda f: f.schedule == "constant")
ANY_ORDER = Hypothesis(
    "all layers have one scaling a, or weights are Gaussian, whose layers may change places",
    lambda f: f.schedule == "constant" or all(law.gaussian for law in f.laws),
)

# Gradients

NO_TIES = Hypothesis("P((W h)_i = 0) = 0, where σ has a kink at 0", lambda f: f.tie_free or f.linear)
FREE_READ_OUT = Hypothesis(
    "the direction of p_L does not depend on the hidden layers", lambda f: f.free_read_out
)
ISOTROPIC_READ_OUT = Hypothesis(
    "the direction of p_L is uniform on the sphere", lambda f: f.isotropic_read_out
)
SAME_DIRECTIONS = Hypothesis(
    "h_0 and p_L have one law of direction (any directions will do for Gaussian weights)",
    lambda f: f.same_directions or all(law.gaussian for law in f.laws),
)

# Scaling and limits

DEPTH_GROWS = Hypothesis("L → ∞ with α = L^-β", lambda f: "depth" in f.limits and f.beta is not None)
WIDTH_GROWS = Hypothesis("d → ∞", lambda f: "width" in f.limits)
CRITICAL = Hypothesis("β = 1/2", _critical)
CRITICAL_IF_DEEP = Hypothesis(
    "β = 1/2 where the depth grows too", lambda f: "depth" not in f.limits or _critical(f)
)
BETA_ONE = Hypothesis("β = 1", lambda f: _equals(f.beta, 1.0))
BETA_ABOVE_ONE = Hypothesis("β > 1", lambda f: _above(f.beta, 1.0))
BETA_BELOW_ONE = Hypothesis("0 < β < 1", lambda f: f.beta is not None and 0 < f.beta < 1 - _ROUNDING)
BETA_ABOVE_HALF = Hypothesis("β > 1/2", lambda f: _above(f.beta, 0.5))
BETA_BELOW_HALF = Hypothesis("0 < β < 1/2", lambda f: f.beta is not None and 0 < f.beta < 0.5 - _ROUNDING)
BETA_IS_HURST = Hypothesis("β = H", lambda f: _equals(f.beta, f.v.hurst))
BETA_ABOVE_CRITICAL = Hypothesis(
    "β > max(H, 1/2), H the index of V (1/2 for independent layers, 1 for smooth ones)",
    lambda f: _above(f.beta, f.critical_beta),
)
BETA_ABOVE_SECOND_ORDER = Hypothesis(
    "β > max(H, 1/2), and for res-1 β > 1 − H too, H the index of V (1/2 for independent layers, 1 "
    "for smooth)",
    lambda f: _above(f.beta, _second_order_exponent(f)),
)
