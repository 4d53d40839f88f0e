"""The same for statements on tokens and attention."""

from dataclasses import replace

from network_facts import ATTENTION, CHANGING, FINITE, LONG, SOFTMAX, UNIFORM, WIDE_TOKENS, attending

LINEAR = replace(attending(ATTENTION, mlp=True), activation="identity")
CONSTANT = attending(ATTENTION, attention="constant")
POST = replace(SOFTMAX, norm="post-rms")
NEAR = attending(WIDE_TOKENS, near_collapse=True)

CASES = {
    "T1": (
        [ATTENTION, LINEAR, CONSTANT, attending(LINEAR, attention="softmax"), replace(ATTENTION, v=UNIFORM)],
        [
            (FINITE, "those of a transformer"),
            (attending(ATTENTION, attention="none"), "those of a transformer"),
            (attending(ATTENTION, mlp=True), "the MLP is linear"),
            (SOFTMAX, "there is no norm"),
            (replace(ATTENTION, v=LONG), "independent"),
            (replace(ATTENTION, skip=0.5), "factor 1"),
        ],
    ),
    "T1b": ([ATTENTION, LINEAR], [(CONSTANT, "attention is uniform"), (replace(LINEAR, v=CHANGING), "ind")]),
    "T1c": (
        [ATTENTION, CONSTANT, replace(CONSTANT, v=UNIFORM)],
        [(attending(ATTENTION, attention="softmax"), "one symmetric matrix")],
    ),
    "T2": (
        [ATTENTION],
        [
            (replace(ATTENTION, v=UNIFORM), "V is Gaussian"),
            (LINEAR, "there is no MLP"),
            (CONSTANT, "attention is uniform"),
            (replace(ATTENTION, schedule="vanishing"), "one scaling"),
        ],
    ),
    "T3": (
        [SOFTMAX, replace(SOFTMAX, norm="pre-rms", v=UNIFORM)],
        [
            (POST, "before the branches"),
            (replace(SOFTMAX, norm_eps=1e-5), "ε = 0"),
            (attending(SOFTMAX, mlp=False), "there is an MLP"),
            (replace(SOFTMAX, activation="tanh", v=UNIFORM), "W_1 is Gaussian"),
        ],
    ),
    "T3b": ([SOFTMAX], [(POST, "before the branches"), (replace(SOFTMAX, norm_eps=1e-5), "ε = 0")]),
    "T3c": ([POST, replace(POST, norm="post-layer")], [(SOFTMAX, "after each addition")]),
    "T4": (
        [WIDE_TOKENS],
        [
            (replace(WIDE_TOKENS, limits=()), "d → ∞"),
            (replace(WIDE_TOKENS, activation="tanh"), "σ is ReLU"),
            (attending(WIDE_TOKENS, attention="softmax"), "attention is uniform"),
            (attending(WIDE_TOKENS, equal_tokens=False), "one norm"),
        ],
    ),
    "T4b": (
        [WIDE_TOKENS, replace(attending(WIDE_TOKENS, attention="softmax"), norm="post-layer", norm_eps=1e-5)],
        [
            (replace(WIDE_TOKENS, v=UNIFORM), "Gaussian"),
            (attending(WIDE_TOKENS, equal_tokens=False), "one norm"),
            (attending(WIDE_TOKENS, attention="none"), "those of a transformer"),
        ],
    ),
    "T4c": (
        [NEAR, replace(NEAR, norm="peri-rms")],
        [(WIDE_TOKENS, "nearly one"), (replace(NEAR, limits=()), "d →")],
    ),
}
