"""Known transformers: sizes, words and deviations of the reference implementations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Sizes = Mapping[str, int]
Fields = dict[str, Any]


def _sizes(given: Sizes, width: int, depth: int, heads: int, hidden: Callable[[int], int]) -> Fields:
    """Return the sizes, the model's own where none are given."""
    d, h = given.get("width", width), given.get("heads", heads)
    sizes = {
        "width": d,
        "depth": given.get("depth", depth),
        "heads": h,
        "head_width": given.get("head_width"),
        "hidden_width": given.get("hidden_width", hidden(d)),
    }
    return {**sizes, "tokens": 16}


def _inner(sizes: Fields) -> int:
    """Return the coordinates of all heads together."""
    head = sizes["head_width"]
    return sizes["width"] if head is None else sizes["heads"] * head


def _four(width: int) -> int:
    return 4 * width


def _same(std: float) -> Fields:
    """Return one deviation for all matrices and the token embedding."""
    names = ("query", "key", "value", "output", "up", "down", "token")
    return {f"{name}_std": std for name in names}


def _glorot(sizes: Fields, gain: float = 1.0) -> Fields:
    """Return Glorot's deviations; `gain` is DeepNet's, of all but queries and keys."""
    d, inner, hidden = sizes["width"], _inner(sizes), max(sizes["hidden_width"], 1)
    around, across = math.sqrt(2.0 / (d + inner)), math.sqrt(2.0 / (d + hidden))
    return {
        "query_std": around, "key_std": around, "value_std": gain * around, "output_std": gain * around,
        "up_std": gain * across, "down_std": gain * across, "token_std": 1.0,
    }  # fmt: skip


def _gpt2(given: Sizes) -> Fields:
    sizes = _sizes(given, 768, 12, 12, _four)
    residual = 0.02 / math.sqrt(2.0 * sizes["depth"])
    words = {
        "norm": "layer", "placement": "pre", "norm_eps": 1e-5, "attention": "causal", "position": "learned",
        "activation": "gelu-tanh", "position_std": 0.02,
    }  # fmt: skip
    return {**sizes, **words, **_same(0.02), "output_std": residual, "down_std": residual}


def _llama_hidden(width: int) -> int:
    return 256 * -(-8 * width // (3 * 256))


def _llama(given: Sizes) -> Fields:
    words = {
        "norm": "rms", "placement": "pre", "norm_eps": 1e-6, "attention": "causal", "position": "rotary",
        "activation": "silu", "gated": True,
    }  # fmt: skip
    return {**_sizes(given, 4096, 32, 32, _llama_hidden), **words, **_same(0.02)}


def _bert(given: Sizes) -> Fields:
    words = {
        "norm": "layer", "placement": "post", "norm_eps": 1e-12, "embedding_norm": True, "attention": "full",
        "position": "learned", "activation": "gelu", "position_std": 0.02, "segment_std": 0.02,
    }  # fmt: skip
    return {**_sizes(given, 768, 12, 12, _four), **words, **_same(0.02)}


def _vit(given: Sizes) -> Fields:
    words = {
        "norm": "layer", "placement": "pre", "norm_eps": 1e-12, "attention": "full", "position": "learned",
        "activation": "gelu", "position_std": 0.02, "patch_dim": 768,
    }  # fmt: skip
    return {**_sizes(given, 768, 12, 12, _four), **words, **_same(0.02)}


def _t5(given: Sizes) -> Fields:
    sizes = _sizes({"head_width": 64, **given}, 512, 6, 8, _four)
    d, inner = sizes["width"], _inner(sizes)
    root = d**-0.5
    words = {
        "norm": "rms", "placement": "pre", "norm_eps": 1e-6, "attention": "full", "attention_scale": 1.0,
        "position": "relative", "activation": "relu", "position_std": root,
    }  # fmt: skip
    deviations = {
        "query_std": (d * sizes["head_width"]) ** -0.5, "key_std": root, "value_std": root,
        "output_std": inner**-0.5, "up_std": root, "down_std": max(sizes["hidden_width"], 1) ** -0.5,
        "token_std": 1.0,
    }  # fmt: skip
    return {**sizes, **words, **deviations}


_WORDS_2017: Fields = {
    "norm": "layer", "norm_eps": 1e-6, "attention": "full", "position": "sinusoidal", "activation": "relu",
}  # fmt: skip


def _post_ln(given: Sizes) -> Fields:
    sizes = _sizes(given, 512, 6, 8, _four)
    return {**sizes, **_WORDS_2017, "placement": "post", **_glorot(sizes)}


def _pre_ln(given: Sizes) -> Fields:
    return {**_post_ln(given), "placement": "pre"}


def _deepnet(given: Sizes) -> Fields:
    sizes = _sizes(given, 512, 6, 8, _four)
    depth = sizes["depth"]
    words = {**_WORDS_2017, "placement": "post", "skip": (2.0 * depth) ** 0.25}
    return {**sizes, **words, **_glorot(sizes, (8.0 * depth) ** -0.25)}


def _mup(given: Sizes) -> Fields:
    sizes = _sizes(given, 768, 12, 12, _four)
    d, inner = sizes["width"], _inner(sizes)
    words = {
        "norm": "layer", "placement": "pre", "norm_eps": 1e-5, "attention": "causal",
        "attention_scale": "linear", "position": "learned", "activation": "gelu-tanh", "position_std": 1.0,
    }  # fmt: skip
    deviations = {
        **_same(d**-0.5), "output_std": inner**-0.5, "down_std": max(sizes["hidden_width"], 1) ** -0.5,
        "token_std": 1.0,
    }  # fmt: skip
    return {**sizes, **words, **deviations}


PRESETS: dict[str, Callable[[Sizes], Fields]] = {
    "bert": _bert, "deepnet": _deepnet, "gpt2": _gpt2, "llama": _llama, "mup": _mup, "post-ln": _post_ln,
    "pre-ln": _pre_ln, "t5": _t5, "vit": _vit,
}  # fmt: skip
"""Fields of a preset, given the sizes that the user overrides."""
