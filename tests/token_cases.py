"""Small transformers, one for every word, and what is compared of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo import Transformer

Array = npt.NDArray[np.float64]

PLAIN: dict[str, Any] = {
    "width": 8, "depth": 2, "heads": 2, "tokens": 3, "head_width": 4, "hidden_width": 12, "norm": "layer",
    "placement": "pre", "attention": "causal", "position": "none", "activation": "gelu", "query_std": 0.7,
    "key_std": 0.7, "value_std": 0.5, "output_std": 0.5, "up_std": 0.4, "down_std": 0.35, "token_std": 1.0,
}  # fmt: skip

# Words together where they do not meet: each case is one comparison of laws.
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "post, rms, full, embedding norm": {
        "placement": "post", "norm": "rms", "attention": "full", "embedding_norm": True, "skip": 1.3,
        "position": "learned", "position_std": 0.7, "segment_std": 0.8,
    },
    "peri, layer, sinusoids": {"placement": "peri", "activation": "tanh", "position": "sinusoidal"},
    "no norm, relative, cap": {
        "norm": "none", "attention": "full", "position": "relative", "position_std": 1.0, "logit_cap": 1.5,
        "query_std": 0.4, "key_std": 0.4, "activation": "leaky-relu",
    },
    "rotary, gate, grouped keys": {
        "norm": "rms", "norm_eps": 0.1, "position": "rotary", "rotary_base": 10.0, "gated": True,
        "gate_std": 0.6, "activation": "silu", "heads": 4, "kv_heads": 2,
    },
    "narrow factors of wide heads": {
        "head_width": 12, "query_std": 0.5, "key_std": 0.5, "heads": 2, "kv_heads": 1, "activation": "relu",
    },
    "norms of queries, schedule": {
        "qk_norm": True, "norm_eps": 0.01, "beta": 0.5, "schedule": "power:0.5", "activation": "gelu-tanh",
    },
    "biases": {
        "qkv_bias_std": 0.5, "output_bias_std": 0.5, "up_bias_std": 0.5, "down_bias_std": 0.5, "gated": True,
    },
    "uniform, patches, no MLP": {"attention": "uniform", "patch_dim": 5, "tokens": 4, "hidden_width": 0},
    "no attention": {"attention": "none", "activation": "identity", "hidden_width": 130, "down_std": 0.1},
    "more tokens than coordinates": {
        "tokens": 9, "width": 5, "head_width": 32, "query_std": 0.3, "key_std": 0.3, "norm": "rms",
    },
    "far out": {
        "norm": "none", "token_std": 1e12, "skip": 1e9, "up_bias_std": 0.5, "down_bias_std": 0.5,
        "qkv_bias_std": 0.5, "position": "relative", "position_std": 1.0,
    },
    "far out, tanh, full, no bias": {
        "norm": "none", "token_std": 1e12, "skip": 1e9, "alpha": 1e9, "activation": "tanh",
        "attention": "full", "qk_norm": True, "norm_eps": 1e30,
    },
    "far out, gate": {
        "norm": "none", "token_std": 1e12, "gated": True, "activation": "silu", "attention": "uniform",
        "gate_std": 1e12, "down_std": 1e12, "depth": 1,
    },
    "far in, tanh": {
        "norm": "none", "token_std": 1e-12, "skip": 1e-11, "alpha": 1e-11, "activation": "tanh",
    },
    "far in, gate, peri": {
        "norm": "rms", "norm_eps": 1e-5, "placement": "peri", "token_std": 1e-12, "skip": 1e-11,
        "alpha": 1e-11, "gated": True, "activation": "gelu-tanh",
    },
    "far in, pre": {
        "norm": "layer", "norm_eps": 1e-5, "token_std": 1e-12, "skip": 1e-11, "alpha": 1e-14,
        "output_bias_std": 1e-40,
    },
    "far in, at first": {
        "norm": "none", "token_std": 1e-40, "up_bias_std": 1e-40, "down_bias_std": 1e-40,
    },
    "no output matrix": {"output_std": None, "heads": 1, "head_width": 8, "query_std": 0.4, "key_std": 0.4},
}  # fmt: skip


def make(case: str = "plain", **fields: Any) -> Transformer:
    """Return the transformer of a case."""
    return Transformer(**{**PLAIN, **CASES[case], **fields})


def statistics(columns: Mapping[str, Array]) -> dict[str, Array]:
    """Return numbers a network that see the joint law of the last Gram matrix, and what leads to it."""
    size, cosine = columns["token_log_rms_path"][:, -1], columns["token_cosine_path"][:, -1]
    out = {
        "size 0": size[:, 0],
        "size -1": size[:, -1],
        "size 0 - size 1": size[:, 0] - size[:, 1],
        "cosine 01": cosine[:, 0],
        "cosine 12": cosine[:, -1],
        "cosine 01 - cosine 02": cosine[:, 0] - cosine[:, 1],
        "cosines": cosine.sum(axis=1),
        "size 0 - cosine 01": size[:, 0] - cosine[:, 0],
        "size 1 + cosine 02": size[:, 1] + cosine[:, 1],
        "growth": columns["log_rms_path"][:, -1] - columns["log_rms_path"][:, 0],
        "start": columns["cosine_path"][:, 0],
        "rank": columns["effective_rank_path"][:, -1],
    }
    if "log_tangent_path" in columns:
        tangent = columns["log_tangent_path"]
        out |= {
            "tangent": tangent[:, -1],
            "tangent - size 0": tangent[:, -1] - size[:, 0],
            "tangent + cosine 01": tangent[:, -1] + cosine[:, 0],
            "tangent in the middle": tangent[:, 1],
        }
    if "attention_entropy" in columns:
        out |= {
            "entropy": columns["attention_entropy"][:, -1, -1],
            "logits": columns["logit_deviation"][:, 0, 0],
            "entropy + cosine 01": columns["attention_entropy"][:, 0, 0] + cosine[:, 0],
        }
    # What does not vary, such as sizes behind a norm, is compared by itself: its rounding has no law.
    return {name: np.round(values, 9) + 0.0 for name, values in out.items()}
