"""Hypotheses accept a typical network of each theorem and reject counterexamples to it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory
from theory.catalogue import THEOREMS, Facts, WeightFacts, applicable, find_theorem

UNIFORM = WeightFacts(gaussian=False, law="uniform")
SKEWED = WeightFacts(gaussian=False, symmetric=False)
SMOOTH = WeightFacts(independent=False, smooth=True)
CHANGING = WeightFacts(independent=False, stationary=False)


def fractional(hurst: float) -> WeightFacts:
    return WeightFacts(independent=hurst == 0.5, hurst=hurst)


FINITE = Facts(block="res-3", width=40, depth=1000, beta=0.25)
DEEP = replace(FINITE, limits=("depth",))
CRITICAL = replace(DEEP, beta=0.5)
RES_1 = replace(CRITICAL, block="res-1")
LINEAR = replace(RES_1, activation="identity")
WIDE = replace(FINITE, limits=("width",))
UNITS = replace(FINITE, hidden_width=160)
SCHEDULE = replace(UNITS, skip=0.5, schedule="vanishing")
NORMALISED = replace(FINITE, norm="pre-rms")
OUTER = replace(DEEP, block="post-activation", beta=1.0)
DEEPNORM = Facts(block="res-3", width=6, depth=8, alpha=32**-0.5, skip=8**0.25, norm="post-rms")
PRE_RMS = replace(CRITICAL, norm="pre-rms")
PRE_LAYER = replace(CRITICAL, norm="pre-layer")
PERI = replace(CRITICAL, norm="peri-rms", hidden_width=64)
POST = replace(CRITICAL, norm="post-rms")
DYT = replace(WIDE, norm="pre-tanh")
ROUGH = fractional(0.2)
LONG = fractional(0.8)


def tanh(facts: Facts) -> Facts:
    """Return the network with tanh behind W."""
    return replace(facts, block="res-2", activation="tanh")


# id -> networks that the theorem covers; (network that breaks it, words of the hypothesis that fails)
CASES = {
    "I1": (
        [FINITE, RES_1, replace(FINITE, v=WeightFacts(), w=LONG), replace(UNITS, schedule="other")],
        [
            (replace(FINITE, v=LONG), "V is independent"),
            (replace(FINITE, v=SKEWED), "symmetric"),
            (SCHEDULE, "b = 1"),
            (replace(RES_1, block="post-activation"), "without a norm"),
        ],
    ),
    "I2": (
        [
            FINITE,
            LINEAR,
            replace(FINITE, block="res-2", bias_std=1.0),
            replace(FINITE, v=UNIFORM),
            SCHEDULE,
        ],
        [
            (replace(FINITE, v=LONG), "independent"),
            (replace(FINITE, w=LONG), "independent"),
            (RES_1, "behind a matrix W"),
            (replace(FINITE, block="res-2", activation="tanh"), "behind a matrix W"),
            (replace(FINITE, v=SKEWED), "symmetric"),
            (NORMALISED, "without a norm"),
        ],
    ),
    "I2b": (
        [FINITE, RES_1, replace(RES_1, activation="tanh")],
        [
            (UNITS, "layers are h + α V g(h)"),
            (replace(FINITE, block="res-2", bias_std=1.0), "at every h"),
            (replace(RES_1, v=LONG), "independent"),
        ],
    ),
    "I3": (
        [
            FINITE,
            LINEAR,
            replace(FINITE, block="res-2", bias_std=1.0),
            replace(LINEAR, tie_free=False),
            SCHEDULE,
        ],
        [
            (NORMALISED, "without a norm"),
            (RES_1, "behind a matrix W"),
            (replace(FINITE, width=2, v=UNIFORM, tie_free=False), "P((W h)_i = 0) = 0"),
            (replace(FINITE, free_read_out=False), "direction of p_L"),
            (replace(FINITE, v=LONG), "independent"),
        ],
    ),
    "I4": (
        [
            FINITE,
            LINEAR,
            replace(FINITE, v=UNIFORM, same_directions=True),
            SCHEDULE,
            replace(UNITS, v=UNIFORM, same_directions=True, skip=-0.5),
        ],
        [
            (replace(SCHEDULE, v=UNIFORM, same_directions=True), "one scaling a, or weights are Gaussian"),
            (NORMALISED, "without a norm"),
            (replace(FINITE, v=UNIFORM), "one law of direction"),
            (replace(FINITE, w=UNIFORM, same_directions=True), "same law"),
            (replace(FINITE, block="res-2", bias_std=1.0), "no biases"),
            (replace(FINITE, tie_free=False), "P((W h)_i = 0) = 0"),
            (replace(FINITE, v=LONG), "independent"),
            (replace(FINITE, block="res-2", activation="gelu"), "ReLU behind a matrix W"),
        ],
    ),
    "I4b": (
        [LINEAR, replace(LINEAR, v=LONG), replace(LINEAR, block="res-2", v=SMOOTH)],
        [
            (replace(FINITE, v=LONG), "σ is the identity"),
            (replace(LINEAR, v=CHANGING), "stationary"),
            (replace(LINEAR, v=UNIFORM), "Gaussian"),
            (replace(LINEAR, block="res-2", v=LONG, w=ROUGH), "same law"),
            (replace(LINEAR, v=LONG, schedule="vanishing"), "one scaling a"),
            (replace(LINEAR, norm="post-rms"), "without a norm"),
        ],
    ),
    "I5": (
        [FINITE, LINEAR, replace(UNITS, skip=0.5)],
        [
            (SCHEDULE, "one scaling a"),
            (NORMALISED, "without a norm"),
            (replace(FINITE, block="res-2", bias_std=1.0), "no biases"),
            (replace(FINITE, tie_free=False), "P((W h)_i = 0) = 0"),
            (RES_1, "behind a matrix W"),
        ],
    ),
    "I6": (
        [FINITE, replace(FINITE, block="res-2"), SCHEDULE],
        [
            (replace(FINITE, v=UNIFORM), "Gaussian"),
            (LINEAR, "the branch is V ReLU(W h)"),
            (NORMALISED, "without a norm"),
            (replace(FINITE, skip=0.0), "b is not 0"),
        ],
    ),
    "I7": (
        [FINITE, LINEAR, SCHEDULE],
        [
            (replace(FINITE, v=UNIFORM), "Gaussian"),
            (RES_1, "the branch is V ReLU(W h)"),
            (NORMALISED, "without a norm"),
        ],
    ),
    "I8": (
        [CRITICAL, replace(CRITICAL, v=UNIFORM), LINEAR],
        [
            (DEEP, "β = 1/2"),
            (replace(CRITICAL, limits=()), "L → ∞"),
            (replace(CRITICAL, beta=None, alpha=0.1), "L → ∞"),
            (RES_1, "behind a matrix W"),
            (replace(CRITICAL, v=LONG), "independent"),
        ],
    ),
    "I9": (
        [replace(CRITICAL, width=64), replace(LINEAR, width=100)],
        [
            (CRITICAL, "d >= 64"),
            (replace(RES_1, width=64), "not so for res-1 with ReLU"),
            (replace(DEEP, width=64), "β = 1/2"),
        ],
    ),
    "I9b": (
        [CRITICAL, LINEAR],
        [(RES_1, "not so for res-1 with ReLU"), (replace(CRITICAL, tie_free=False), "P((W h)_i = 0) = 0")],
    ),
    "I10": (
        [CRITICAL, replace(RES_1, beta=0.7), replace(FINITE, beta=None, alpha=0.01)],
        [(FINITE, "Lα² <= 1"), (replace(CRITICAL, block="res-2", bias_std=1.0), "at every h")],
    ),
    "I10b": (
        [replace(DEEP, beta=1.0), replace(RES_1, beta=0.8, activation="tanh")],
        [(CRITICAL, "β > 1/2"), (replace(DEEP, beta=0.9, v=ROUGH), "independent")],
    ),
    "I11": (
        [DEEP, replace(DEEP, width=2), replace(DEEP, width=2, v=UNIFORM), replace(DEEP, v=UNIFORM, beta=0.1)],
        [
            (replace(DEEP, width=2, v=UNIFORM, beta=0.15), "at d = 2"),
            (CRITICAL, "0 < β < 1/2"),
            (replace(DEEP, beta=0.0), "0 < β < 1/2"),
            (replace(DEEP, block="res-1"), "behind a matrix W"),
        ],
    ),
    "S1": (
        [RES_1, LINEAR, replace(RES_1, activation="tanh")],
        [
            (CRITICAL, "res-1"),
            (replace(RES_1, v=UNIFORM), "V is Gaussian"),
            (replace(RES_1, activation="cube"), "Lipschitz"),
        ],
    ),
    "S2": ([CRITICAL, LINEAR], [(RES_1, "behind a matrix W"), (DEEP, "β = 1/2")]),
    "S3": (
        [CRITICAL, replace(CRITICAL, block="res-2", activation="gelu", bias_std=0.3)],
        [(RES_1, "has a matrix W"), (replace(CRITICAL, v=UNIFORM), "Gaussian"), (DEEP, "β = 1/2")],
    ),
    "S4": (
        [WIDE, replace(CRITICAL, limits=("depth", "width"))],
        [
            (FINITE, "d → ∞"),
            (replace(DEEP, limits=("depth", "width")), "β = 1/2 where the depth"),
            (replace(RES_1, limits=("width",)), "has a matrix W"),
        ],
    ),
    "S5": (
        [WIDE, replace(CRITICAL, limits=("depth", "width"))],
        [
            (FINITE, "d → ∞"),
            (replace(WIDE, block="res-2", bias_std=0.1), "no bias"),
            (replace(WIDE, v=LONG), "ind"),
        ],
    ),
    "S6": (
        [RES_1],
        [(LINEAR, "σ is ReLU"), (CRITICAL, "res-1"), (replace(RES_1, v=UNIFORM), "V is Gaussian")],
    ),
    "O1": (
        [replace(DEEP, beta=1.0, v=SMOOTH), replace(LINEAR, beta=1.0, v=SMOOTH)],
        [
            (replace(DEEP, beta=1.0), "smooth paths"),
            (replace(DEEP, beta=1.0, v=SMOOTH, w=WeightFacts()), "smooth paths"),
            (replace(DEEP, beta=0.9, v=SMOOTH), "β = 1"),
        ],
    ),
    "O2": (
        [replace(DEEP, beta=1.3, v=SMOOTH), replace(RES_1, beta=2.0, v=SMOOTH)],
        [
            (replace(DEEP, beta=1.0, v=SMOOTH), "β > 1"),
            (replace(DEEP, beta=1.3, block="res-2", activation="tanh", v=SMOOTH), "block is res-1"),
        ],
    ),
    "O3": (
        [FINITE, replace(RES_1, activation="tanh"), replace(DEEP, beta=1.0, v=SMOOTH)],
        [
            (replace(RES_1, activation="softplus"), "|σ(x)| <= |x|"),
            (replace(FINITE, block="res-2", bias_std=0.1), "no biases"),
        ],
    ),
    "O4": (
        [replace(DEEP, v=SMOOTH, expanding=True)],
        [
            (replace(LINEAR, width=1, beta=0.5, v=SMOOTH), "not to contract"),
            (replace(DEEP, beta=1.0, v=SMOOTH, expanding=True), "0 < β < 1"),
        ],
    ),
    "O4b": (
        [replace(LINEAR, v=SMOOTH)],
        [
            (LINEAR, "smooth paths"),
            (replace(DEEP, v=SMOOTH), "V h"),
            (replace(LINEAR, v=SMOOTH, beta=0.0), "β > 0"),
        ],
    ),
    "F1": (
        [DEEP, replace(DEEP, v=LONG), replace(DEEP, v=ROUGH, beta=0.7)],
        [
            (replace(DEEP, width=2), "d >= 3"),
            (replace(DEEP, v=LONG, beta=0.8), "not max(H, 1/2)"),
            (replace(DEEP, v=ROUGH, w=LONG), "one index H"),
            (replace(LINEAR, v=ROUGH, beta=0.3), "ReLU(W h)"),
        ],
    ),
    "F2": (
        [
            replace(DEEP, v=ROUGH, beta=0.6),
            replace(DEEP, v=LONG, beta=0.9),
            replace(LINEAR, v=ROUGH, beta=0.85),
            replace(DEEP, v=SMOOTH, beta=1.1),
            replace(DEEP, v=UNIFORM, w=WeightFacts(), beta=0.6),
        ],
        [
            (replace(LINEAR, v=ROUGH, beta=0.7), "β > 1 − H"),
            (replace(DEEP, v=LONG, beta=0.7), "β > max(H, 1/2)"),
            (replace(DEEP, v=CHANGING, beta=2.0), "stationary"),
        ],
    ),
    "F2b": (
        [replace(DEEP, v=LONG, beta=0.9)],
        [
            (replace(LINEAR, v=LONG, beta=0.9), "ReLU(W h)"),
            (replace(DEEP, v=LONG, beta=0.8), "β > max(H, 1/2)"),
            (replace(DEEP, v=LONG, beta=0.9, free_read_out=False), "direction of p_L"),
        ],
    ),
    "F2c": (
        [replace(DEEP, v=ROUGH, beta=0.7), replace(LINEAR, v=ROUGH, beta=0.7)],
        [(replace(RES_1, v=ROUGH, beta=0.7), "V h"), (replace(DEEP, v=LONG, beta=0.7), "β > max(H, 1/2)")],
    ),
    "F2d": (
        [replace(WIDE, v=LONG), replace(WIDE, v=SMOOTH)],
        [(replace(FINITE, v=LONG), "d → ∞"), (replace(WIDE, block="res-1"), "V ReLU(W h)")],
    ),
    "F3": (
        [replace(LINEAR, v=ROUGH), replace(LINEAR, v=ROUGH, beta=0.75)],
        [
            (LINEAR, "H < 1/2"),
            (replace(LINEAR, v=ROUGH, beta=0.8), "0 < β < 1 − H"),
            (replace(CRITICAL, v=ROUGH), "V h"),
        ],
    ),
    "F3b": (
        [replace(CRITICAL, v=ROUGH), replace(CRITICAL, v=ROUGH, w=LONG), CRITICAL],
        [
            (replace(CRITICAL, v=LONG), "H_V <= 1/2"),
            (replace(CRITICAL, v=ROUGH, w=SMOOTH), "H_W < 1"),
            (replace(DEEP, v=ROUGH), "β = 1/2"),
        ],
    ),
    "F4": (
        [replace(RES_1, activation="tanh", v=LONG, beta=0.8), replace(LINEAR, v=LONG, beta=0.8)],
        [
            (replace(RES_1, v=LONG, beta=0.8), "kink of ReLU"),
            (replace(LINEAR, v=LONG), "β = H"),
            (replace(LINEAR, v=ROUGH, beta=0.2), "1/2 < H < 1"),
        ],
    ),
    "F4b": (
        [replace(LINEAR, v=LONG, beta=0.8)],
        [(replace(RES_1, activation="tanh", v=LONG, beta=0.8), "V h"), (replace(LINEAR, v=LONG), "β = H")],
    ),
    "N1": (
        [PRE_RMS, PRE_LAYER, replace(PRE_RMS, hidden_width=160, schedule="other"), tanh(PRE_RMS)],
        [
            (CRITICAL, "is normalised"),
            (replace(PRE_RMS, v=UNIFORM), "Gaussian"),
            (replace(PRE_RMS, v=LONG), "independent"),
            (replace(PRE_RMS, norm_eps=1e-5), "ε = 0"),
            (replace(PRE_RMS, skip=0.5), "factor 1"),
            (replace(PRE_RMS, block="res-2", bias_std=0.1), "no biases"),
            (replace(PRE_RMS, block="res-1"), "has a matrix W"),
        ],
    ),
    "N1b": (
        [PRE_RMS, replace(PRE_RMS, v=UNIFORM), replace(tanh(PRE_RMS), v=UNIFORM, w=WeightFacts())],
        [
            (replace(tanh(PRE_RMS), v=UNIFORM), "or W is Gaussian"),
            (replace(PRE_RMS, v=SKEWED), "symmetric"),
            (PERI, "is normalised"),
        ],
    ),
    "N1L": (
        [PRE_LAYER],
        [(PRE_RMS, "behind a layer norm"), (replace(PRE_LAYER, width=1), "d >= 2")],
    ),
    "N2": (
        [PRE_RMS, PRE_LAYER],
        [(replace(PRE_RMS, beta=0.6), "β = 1/2"), (replace(PRE_RMS, limits=()), "L → ∞")],
    ),
    "N3": (
        [PRE_RMS, replace(PRE_LAYER, beta=0.25, limits=())],
        [
            (replace(PRE_RMS, beta=None, alpha=0.1), "α = L^−β"),
            (replace(PRE_RMS, schedule="vanishing"), "one scaling"),
        ],
    ),
    "N5": (
        [replace(PRE_RMS, limits=("width",)), tanh(replace(PRE_RMS, limits=("width",)))],
        [
            (PRE_RMS, "d → ∞"),
            (replace(PRE_LAYER, limits=("width",)), "behind an RMS norm"),
            (replace(PRE_RMS, limits=("width",), free_read_out=False), "direction of p_L"),
        ],
    ),
    "N6": (
        [PRE_RMS, replace(PRE_RMS, width=11), replace(tanh(PRE_RMS), width=13)],
        [
            (replace(PRE_RMS, width=10), "the mean is finite"),
            (replace(tanh(PRE_RMS), width=12), "the mean is finite"),
            (replace(PRE_RMS, block="res-2", activation="softplus"), "the mean is finite"),
            (replace(PRE_RMS, isotropic_read_out=False), "uniform on the sphere"),
            (replace(PRE_RMS, beta=0.4), "β = 1/2"),
        ],
    ),
    "N6L": (
        [PRE_LAYER, replace(PRE_LAYER, width=12)],
        [(replace(PRE_LAYER, width=11), "one more"), (PRE_RMS, "behind a layer norm")],
    ),
    "N7": (
        [PRE_RMS, replace(PRE_RMS, hidden_width=160)],
        [(PRE_LAYER, "behind an RMS norm"), (replace(PRE_RMS, limits=()), "L → ∞")],
    ),
    "N8": (
        [replace(PRE_RMS, beta=0.25)],
        [(PRE_RMS, "0 < β < 1/2"), (replace(PRE_RMS, beta=0.25, width=8), "the mean is finite")],
    ),
    "N9": (
        [PERI, replace(PERI, v=UNIFORM), replace(tanh(PERI), hidden_width=3)],
        [(PRE_RMS, "Peri-RMSNorm"), (replace(PERI, v=SKEWED), "symmetric")],
    ),
    "N9b": (
        [PERI, replace(tanh(PERI), hidden_width=12)],
        [
            (replace(PERI, hidden_width=12), "M >= 64"),
            (replace(PERI, v=UNIFORM), "Gaussian"),
            (replace(PERI, limits=()), "L → ∞"),
        ],
    ),
    "N10": (
        [POST, replace(POST, limits=(), beta=0.1), tanh(POST)],
        [
            (replace(POST, isotropic_read_out=False), "uniform on the sphere"),
            (replace(POST, width=1), "d >= 2"),
            (PRE_RMS, "after each addition"),
        ],
    ),
    "N11": (
        [replace(PRE_RMS, schedule="other"), PRE_LAYER],
        [(replace(POST, schedule="other"), "is normalised"), (replace(PRE_RMS, v=UNIFORM), "Gaussian")],
    ),
    "N12": (
        [DYT],
        [
            (replace(DYT, limits=()), "d → ∞"),
            (tanh(DYT), "ReLU(W h)"),
            (replace(PRE_RMS, limits=("width",)), "tanh of the stream"),
        ],
    ),
    "G1": (
        [SCHEDULE, replace(UNITS, v=UNIFORM), replace(FINITE, skip=0.0)],
        [
            (NORMALISED, "without a norm"),
            (LINEAR, "V ReLU(W h)"),
            (replace(UNITS, v=LONG), "independent"),
            (replace(UNITS, v=SKEWED), "symmetric"),
            (replace(UNITS, tie_free=False), "P((W h)_i = 0) = 0"),
            (replace(UNITS, free_read_out=False), "direction of p_L"),
        ],
    ),
    "G1b": (
        [SCHEDULE, replace(UNITS, skip=-1.1)],
        [
            (replace(SCHEDULE, v=UNIFORM), "Gaussian"),
            (replace(SCHEDULE, skip=0.0), "b is not 0"),
            (NORMALISED, "without a norm"),
        ],
    ),
    "G1c": (
        [
            CRITICAL,
            replace(CRITICAL, schedule="vanishing", hidden_width=2),
            replace(CRITICAL, skip=np.sqrt(1 - 1 / 2000)),
        ],
        [
            (replace(CRITICAL, schedule="other"), "largest a_k tends to 0"),
            (DEEP, "Σ a_k² converges"),
            (replace(CRITICAL, skip=0.99), "b = 1, or b² = 1 − a²/2"),
            (replace(CRITICAL, v=UNIFORM), "Gaussian"),
        ],
    ),
    "G2": (
        [UNITS, NORMALISED, replace(UNITS, v=LONG)],
        [(RES_1, "has a matrix W"), (replace(UNITS, norm="peri-rms"), "undo scales")],
    ),
    "G3": (
        [SCHEDULE, replace(UNITS, v=UNIFORM)],
        [
            (NORMALISED, "without a norm"),
            (replace(SCHEDULE, free_read_out=False), "direction of p_L"),
            (LINEAR, "V ReLU(W h)"),
        ],
    ),
    "G4": (
        [SCHEDULE, replace(FINITE, beta=None, alpha=0.0)],
        [(NORMALISED, "without a norm"), (replace(UNITS, tie_free=False), "P((W h)_i = 0) = 0")],
    ),
    "G5": (
        [
            replace(SCHEDULE, v=CHANGING),
            replace(RES_1, v=SKEWED),
            OUTER,
            replace(RES_1, activation="tanh", norm="pre-layer"),
            DEEPNORM,
        ],
        [
            (replace(RES_1, activation="tanh"), "linear on either side of 0"),
            (replace(DEEPNORM, block="res-2", activation="gelu"), "linear on either side of 0"),
            (replace(NORMALISED, norm_eps=1e-5), "norm without ε"),
            (replace(FINITE, norm="pre-tanh"), "no tanh"),
            (replace(FINITE, block="res-2", bias_std=0.3), "no biases"),
        ],
    ),
    "G6": (
        [DEEPNORM, replace(DEEPNORM, hidden_width=24)],
        [
            (replace(DEEPNORM, skip=1.0), "DeepNorm's constants"),
            (replace(DEEPNORM, norm="pre-rms"), "stream is normalised"),
            (replace(DEEPNORM, v=UNIFORM), "Gaussian"),
        ],
    ),
    "P1": (
        [OUTER, replace(OUTER, activation="tanh")],
        [
            (replace(DEEP, beta=1.0), "h + a σ(V h)"),
            (replace(OUTER, beta=0.5), "β = 1"),
            (replace(OUTER, skip=0.5), "the stream no factor"),
            (replace(OUTER, activation="cube"), "Lipschitz"),
            (replace(OUTER, v=UNIFORM), "Gaussian"),
        ],
    ),
    "P2": (
        [replace(OUTER, beta=0.5), replace(OUTER, beta=0.9)],
        [(OUTER, "0 < β < 1"), (replace(OUTER, beta=0.5, activation="gelu"), "σ is ReLU")],
    ),
    "P3": (
        [OUTER, replace(OUTER, v=LONG, limits=())],
        [
            (replace(OUTER, activation="tanh"), "linear on either side of 0"),
            (replace(OUTER, norm="pre-rms"), "h + a σ(V h)"),
        ],
    ),
    "J0": (
        [FINITE, RES_1, PRE_LAYER, PERI, POST, DYT, replace(PRE_RMS, v=LONG, skip=0.5, schedule="other")],
        [
            (replace(FINITE, free_read_out=False), "direction of p_L"),
            (replace(FINITE, isotropic_read_out=False), "uniform on the sphere"),
        ],
    ),
}

AROUND = [
    replace(FINITE, norm="pre-rms"),
    replace(FINITE, hidden_width=160),
    replace(FINITE, skip=0.5),
    replace(FINITE, schedule="vanishing"),
    replace(FINITE, block="post-activation"),
]
"""Networks whose layers are not h + α V g(h)."""


OF_OTHER_LAYERS = {"I1", "I2", "I3", "I4", "I4b", "I5", "I6", "I7"}
"""Statements that say what changes with b_k, a_k and M."""


@pytest.mark.parametrize("facts", AROUND)
def test_statements_on_plain_layers_are_claimed_of_them_alone(facts):
    claimed = {theorem.id for theorem in applicable(facts) if theorem.id[0] in "ISOF"}
    known = facts.norm == "none" and facts.block != "post-activation"
    assert claimed <= (OF_OTHER_LAYERS if known else set())
    assert ("I2" in claimed) == known


def test_every_theorem_has_its_cases():
    assert list(CASES) == list(THEOREMS)


@pytest.mark.parametrize("id", CASES)
def test_typical_networks_are_covered(id):
    for facts in CASES[id][0]:
        assert [hypothesis.text for hypothesis in find_theorem(id).applies(facts)] == []
        assert find_theorem(id) in applicable(facts)


@pytest.mark.parametrize("id", CASES)
def test_counterexamples_are_rejected_for_their_reason(id):
    for facts, words in CASES[id][1]:
        failing = [hypothesis.text for hypothesis in find_theorem(id).applies(facts)]
        assert any(words in text for text in failing), (facts, failing)
        assert find_theorem(id) not in applicable(facts)


@pytest.mark.parametrize("id", THEOREMS)
def test_each_hypothesis_can_fail(id):
    pool = [
        facts for typical, broken in CASES.values() for facts in [*typical, *(facts for facts, _ in broken)]
    ] + AROUND
    for hypothesis in find_theorem(id).hypotheses:
        assert any(not hypothesis.holds(facts) for facts in pool), hypothesis.text


@given(
    st.sampled_from(["res-1", "res-2", "res-3"]),
    st.sampled_from(["relu", "identity", "tanh"]),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from(["independent", "reversible", "other"]),
    st.booleans(),
)
def test_duality_is_claimed_where_theory_proves_it(block, activation, bias_std, layers, tie_free):
    activation = "relu" if block == "res-3" else activation
    bias_std = bias_std if block == "res-2" else 0.0
    law = {"independent": WeightFacts(), "reversible": LONG, "other": CHANGING}[layers]
    facts = replace(
        FINITE, block=block, activation=activation, bias_std=bias_std, v=law, tie_free=tie_free, beta=0.5
    )
    proved = theory.gradient_duality(
        block=block, activation=activation, bias_std=bias_std, layers=layers, tie_free=tie_free
    )
    claimed = any(not find_theorem(id).applies(facts) for id in ("I4", "I4b"))
    assert claimed == (proved == "hidden")


@given(st.floats(0.01, 0.99), st.floats(0.0, 2.0))
def test_formulas_refuse_what_the_hypotheses_refuse(hurst, beta):
    def accepts(function, **arguments):
        try:
            function(**arguments)
        except ValueError:
            return False
        return True

    law = fractional(hurst)
    linear = replace(LINEAR, v=law, beta=beta)
    contracts = accepts(theory.antipersistent_contraction, width=3, depth=9, hurst=hurst, beta=beta)
    assert (find_theorem("F3").applies(linear) == []) == contracts
    young = accepts(theory.young_log_error, width=3, depth=9, hurst=hurst)
    assert (find_theorem("F4b").applies(replace(linear, beta=hurst)) == []) == young
    relu = replace(CRITICAL, v=law, beta=beta)
    assert relu.critical_beta == theory.critical_scaling(hurst)
    identity = theory.regime(beta, hurst=hurst) == "identity"
    assert (find_theorem("F2b").applies(relu) == []) == identity
    bound = accepts(theory.identity_bound, depth=1000, alpha=1000**-beta, failure_probability=0.1)
    assert (find_theorem("I10").applies(replace(CRITICAL, beta=beta)) == []) == bound


@pytest.mark.parametrize("activation", ["relu", "identity", "leaky-relu", "gelu", "tanh"])
@pytest.mark.parametrize("norm", ["rms", "layer"])
def test_finite_means_of_gradients_are_those_of_theory(activation, norm):
    network = replace(PRE_RMS, block="res-2", activation=activation, norm=f"pre-{norm}")
    for width in range(8, 20):
        claimed = not find_theorem("N6" if norm == "rms" else "N6L").applies(replace(network, width=width))
        assert claimed == theory.gradient_mean_is_finite(width=width, activation=activation, norm=norm)


@pytest.mark.parametrize(
    ("activation", "units"), [("relu", 64), ("gelu", 12), ("tanh", 12), ("identity", 12)]
)
def test_peri_norm_is_claimed_where_its_means_are_finite(activation, units):
    network = replace(PERI, block="res-2", activation=activation, width=24, hidden_width=units)
    assert not find_theorem("N9b").applies(network)
    assert find_theorem("N9b").applies(replace(network, hidden_width=units - 1))
    slope = theory.peri_slope(width=24, hidden_width=units, activation=activation)
    assert 8 * slope * 23 <= 22**2  # N6's condition with c = 1


def test_ties_break_the_second_moment_of_gradients():
    # All 256 pairs of Rademacher matrices of width 2, h_0 = (1, 1): one layer, p_L of any direction.
    a, h, p = 0.7, np.ones(2), np.array([0.6, 0.8])
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 8)).reshape(8, -1).T.reshape(-1, 2, 2, 2) / np.sqrt(2)
    total = {"gradient": 0.0, "hidden": 0.0}
    for V, W in signs:
        active = W @ h > 0
        total["gradient"] += float(np.sum((p + a * W.T @ (active * (V.T @ p))) ** 2))
        total["hidden"] += float(np.sum((h + a * V @ (active * (W @ h))) ** 2)) / 2
    assert total["gradient"] / 256 == pytest.approx(1 + a * a / 4, rel=1e-12)
    assert total["hidden"] / 256 == pytest.approx(1 + a * a / 2, rel=1e-12)
    facts = replace(FINITE, width=2, depth=1, v=UNIFORM, tie_free=False)
    assert find_theorem("I3").applies(facts)
    assert not find_theorem("I2").applies(facts)


def test_res_1_with_relu_is_below_the_gain_of_one_half_somewhere():
    h = np.array([-1.0, -2.0, 0.5])
    assert np.sum(np.maximum(h, 0) ** 2) < np.sum(h**2) / 2
    assert RES_1.gain_bounds == (0.0, 1.0)
