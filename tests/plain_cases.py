"""Networks that statements on plain layers apply to, and networks that break one hypothesis each."""

from dataclasses import replace

from network_facts import (
    CHANGING,
    CRITICAL,
    DEEP,
    FINITE,
    LINEAR,
    LONG,
    NORMALISED,
    RES_1,
    ROUGH,
    SCHEDULE,
    SKEWED,
    SMOOTH,
    UNIFORM,
    UNITS,
    WIDE,
)

from theory.catalogue import WeightFacts

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
}
