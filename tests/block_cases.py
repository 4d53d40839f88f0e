"""The same for statements on normalised, scheduled and post-activation blocks."""

from dataclasses import replace

import numpy as np
from network_facts import (
    BALANCED,
    CHANGING,
    CRITICAL,
    DEEP,
    DEEPNORM,
    DYT,
    FINITE,
    LINEAR,
    LONG,
    NORMALISED,
    OUTER,
    PERI,
    POST,
    PRE_LAYER,
    PRE_RMS,
    RES_1,
    SCHEDULE,
    SKEWED,
    UNIFORM,
    UNITS,
    tanh,
)

from theory.catalogue import WeightFacts

CASES = {
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
    "N4": (
        [PRE_RMS, replace(PRE_RMS, hidden_width=160, limits=()), tanh(replace(PRE_RMS, schedule="other"))],
        [
            (PRE_LAYER, "behind an RMS norm"),
            (replace(PRE_RMS, v=UNIFORM), "W, if there is one, is Gaussian"),
            (replace(PRE_RMS, block="res-2", bias_std=0.1), "no biases"),
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
    "G7": (
        [BALANCED, replace(BALANCED, limits=(), width=6)],
        [
            (replace(BALANCED, block="vanilla"), "is balanced"),
            (replace(BALANCED, skip=1.0), "α² + λ² = 1"),
            (replace(BALANCED, v=UNIFORM), "Gaussian"),
        ],
    ),
    "G7b": (
        [BALANCED, replace(BALANCED, block="vanilla")],
        [
            (replace(BALANCED, limits=("depth",)), "d → ∞"),
            (replace(BALANCED, limits=("width",)), "grows like the width"),
            (replace(FINITE, limits=("width", "depth")), "balanced or vanilla"),
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
    "J1": (
        [FINITE, UNITS, SCHEDULE, replace(UNITS, v=UNIFORM), replace(LINEAR, v=UNIFORM, limits=())],
        [
            (NORMALISED, "without a norm"),
            (replace(FINITE, v=SKEWED), "symmetric"),
            (replace(FINITE, v=LONG), "independent"),
            (replace(UNITS, tie_free=False), "P((W h)_i = 0) = 0"),
            (RES_1, "the branch is V ReLU(W h), or V h"),
        ],
    ),
    "J1b": (
        [CRITICAL, LINEAR, replace(CRITICAL, v=UNIFORM, hidden_width=7)],
        [
            (DEEP, "β = 1/2"),
            (replace(CRITICAL, limits=()), "L → ∞"),
            (replace(CRITICAL, skip=0.5), "b = 1"),
            (replace(CRITICAL, schedule="other"), "one scaling"),
        ],
    ),
    "J2": (
        [CRITICAL, LINEAR, replace(CRITICAL, hidden_width=7)],
        [(replace(CRITICAL, v=UNIFORM), "Gaussian"), (tanh(CRITICAL), "V ReLU(W h)")],
    ),
    "J3": (
        [FINITE, UNITS, SCHEDULE, LINEAR],
        [(replace(FINITE, v=UNIFORM), "Gaussian"), (NORMALISED, "without a norm")],
    ),
    "J4": (
        [FINITE, UNITS],
        [
            (replace(FINITE, v=UNIFORM), "Gaussian"),
            (LINEAR, "V ReLU(W h)"),
            (replace(UNITS, free_read_out=False), "direction of p_L"),
            (replace(UNITS, isotropic_read_out=False), "uniform on the sphere"),
        ],
    ),
    "J4b": (
        [replace(FINITE, limits=("width",)), replace(UNITS, limits=("width",))],
        [(FINITE, "d → ∞"), (replace(UNITS, limits=("width",), v=UNIFORM), "Gaussian")],
    ),
    "C1": (
        [CRITICAL, replace(CRITICAL, hidden_width=3, schedule="vanishing"), replace(CRITICAL, width=2)],
        [
            (replace(CRITICAL, width=1), "d >= 2"),
            (RES_1, "V ReLU(W h)"),
            (replace(CRITICAL, v=UNIFORM), "W, if there is one, is Gaussian"),
            (replace(CRITICAL, limits=()), "max a_k → 0"),
            (replace(CRITICAL, beta=0.4), "β = 1/2"),
        ],
    ),
    "C2": (
        [CRITICAL, DEEP, replace(DEEP, hidden_width=3)],
        [
            (replace(DEEP, width=1), "d >= 2"),
            (replace(DEEP, schedule="vanishing"), "one scaling"),
            (replace(DEEP, v=UNIFORM), "Gaussian"),
        ],
    ),
    "C3": (
        [
            FINITE,
            PRE_RMS,
            tanh(replace(UNITS, schedule="other")),
            replace(FINITE, v=UNIFORM, w=WeightFacts()),
        ],
        [
            (RES_1, "of any hidden width"),
            (replace(FINITE, skip=0.5), "of any hidden width"),
            (PRE_LAYER, "behind an RMS norm"),
            (replace(FINITE, v=UNIFORM), "W, if there is one, is Gaussian"),
        ],
    ),
    "C4": (
        [replace(CRITICAL, limits=()), replace(CRITICAL, hidden_width=3)],
        [
            (FINITE, "β = 1/2"),
            (replace(CRITICAL, schedule="vanishing"), "one scaling"),
            (replace(CRITICAL, v=UNIFORM), "Gaussian"),
        ],
    ),
}
