"""The words of a transformer, by name and by the code that the kernels know them by."""

from __future__ import annotations

NORMS = {"none": 0, "rms": 1, "layer": 2}
PLACEMENTS = {"pre": 0, "post": 1, "peri": 2}
ATTENTIONS = {"none": 0, "uniform": 1, "full": 2, "causal": 3}
POSITIONS = {"none": 0, "learned": 1, "sinusoidal": 2, "rotary": 3, "relative": 4}
SCALES = ("sqrt", "linear")
TOKEN_ACTIVATIONS = {
    "identity": 0, "relu": 1, "leaky-relu": 2, "tanh": 3, "silu": 4, "gelu-tanh": 5, "gelu": 6,
}  # fmt: skip

BUCKETS = 32
"""Distance buckets of relative positions."""
FARTHEST = 128
"""Distance from which on all share a bucket."""
