"""The words of a transformer, by name and by the code that the kernels know them by."""

from __future__ import annotations

import numpy as np

NO_NORM, RMS, LAYER = (np.int64(code) for code in range(3))
NORMS = {"none": NO_NORM, "rms": RMS, "layer": LAYER}

PRE, POST, PERI = (np.int64(code) for code in range(3))
PLACEMENTS = {"pre": PRE, "post": POST, "peri": PERI}

NO_ATTENTION, UNIFORM, FULL, CAUSAL = (np.int64(code) for code in range(4))
ATTENTIONS = {"none": NO_ATTENTION, "uniform": UNIFORM, "full": FULL, "causal": CAUSAL}

NO_POSITION, LEARNED, SINUSOIDAL, ROTARY, RELATIVE = (np.int64(code) for code in range(5))
POSITIONS = {
    "none": NO_POSITION, "learned": LEARNED, "sinusoidal": SINUSOIDAL, "rotary": ROTARY, "relative": RELATIVE,
}  # fmt: skip

SCALES = ("sqrt", "linear")

IDENTITY, RELU, LEAKY_RELU, TANH, SILU, GELU_TANH, GELU = (np.int64(code) for code in range(7))
TOKEN_ACTIVATIONS = {
    "identity": IDENTITY, "relu": RELU, "leaky-relu": LEAKY_RELU, "tanh": TANH, "silu": SILU,
    "gelu-tanh": GELU_TANH, "gelu": GELU,
}  # fmt: skip

BUCKETS = 32
"""Distance buckets of relative positions."""
FARTHEST = 128
"""Distance from which on all share a bucket."""
