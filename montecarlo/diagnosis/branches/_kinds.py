"""What a parameter of a block is, from its name, its shape and what stands beside it."""

from __future__ import annotations

import re

import numpy as np

from montecarlo.diagnosis.branches._blocks import Family, common_shape

# Of words in lower case between underscores. The first that matches counts; other matrices may be V or W.
_WORDS = (
    ("norm", r"norm|_(ln|bn|gn|rms|running_mean|running_var)_"),
    ("expert", r"_(experts?|moe)_"),
    ("attention", r"attention|attn|_(att|mha|msa|qkv|rel_pos)_|_in_proj_(weight|bias)_$|logit|temperature"),
    ("gate", r"_(gates?|gating|glu|router)_"),
    ("embedding", r"embed|_(wte|wpe|position|token)_"),
)  # fmt: skip
_SCALE = r"scale|gamma|lambda|alpha|resweight|rezero|gain|gate|_ls_"
_QUERY, _KEY = r"_(w_?)?q_|_query_", r"_(w_?)?k_|_key_"
_HEADS = r"_(w_?)?[qkvo]_|_(query|key|value|out|output)_"


def words(name: str) -> list[str]:
    """Return the words and numbers of a name: `blocks.*.LayerNorm_0.fc1` has layer, norm, 0, fc, 1."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", "_", name)
    return [word for word in re.split(r"[^a-z0-9*]+", split.lower()) if word]


def find_kinds(families: dict[str, Family]) -> dict[str, str]:
    """Return the kind of every family: matrix, bias, scale, convolution, unread, or one of `_WORDS`."""
    kinds = {name: _kind(name, common_shape(family)) for name, family in families.items()}
    siblings: dict[str, list[str]] = {}
    for name in kinds:
        siblings.setdefault(_module(name), []).append(name)
    uncles: dict[str, list[str]] = {}
    for name in kinds:
        uncles.setdefault(_module(_module(name)), []).append(name)
    for names in uncles.values():  # q and k beside each other make what is beside them attention, too
        parts = {name: f"_{'_'.join(words(name[len(_module(_module(name))) :]))}_" for name in names}
        if all(any(re.search(rule, part) for part in parts.values()) for rule in (_QUERY, _KEY)):
            for name, part in parts.items():
                if kinds[name] in ("matrix", "bias") and re.search(_HEADS, part):
                    kinds[name] = "attention"
    for names in siblings.values():  # a module without a matrix that is 1, with or without a 0, is a norm
        if any(len(common_shape(families[name])) > 1 for name in names) or "." not in names[0]:
            continue
        for name in names:
            size = int(np.prod(common_shape(families[name])))
            if kinds[name] in ("unread", "scale") and size > 1 and _all_ones(families[name]):
                kinds[name] = "norm"
        if any(kinds[name] == "norm" for name in names):
            kinds.update({name: "norm" for name in names if kinds[name] in ("bias", "unread")})
    return kinds


def attends(name: str) -> bool:
    """Return whether a name is that of a part of attention."""
    return any(word.startswith(("att", "mha", "msa")) for word in words(name))


def split(name: str) -> tuple[str, str]:
    """Return module and leaf: of `b.*.fc.weight`, `b.*.fc` and `weight`; of `net.V.*`, `net` and `V`."""
    module, _, leaf = name.removesuffix(".*").rpartition(".")
    return module, leaf


def _module(name: str) -> str:
    return split(name)[0]


def _all_ones(family: Family) -> bool:
    return all((p.array() == 1.0).all() for p in family.values())


def _kind(name: str, shape: tuple[int, ...]) -> str:
    parts = name.split(".")
    star = next((place for place, part in enumerate(parts) if "*" in part), 0)
    # What contains the blocks says nothing of what is in them, but for a list of single layers.
    listed = parts[star] == "*" and len(parts) - star <= 2
    text = f"_{'_'.join(words('.'.join(parts[max(star - listed, 0) :])))}_"
    long = [n for n in shape if n != 1]
    if (
        len(long) <= 1
        and re.search(_SCALE, text)
        and not re.search(_WORDS[0][1] + "|logit|temperature", text)
    ):
        return "scale" if not re.search(r"_skip_", text) else "unread"
    for kind, rule in _WORDS:
        if re.search(rule, text):
            return kind
    if len(shape) == 2:
        return "matrix"
    if len(shape) > 2:
        return "convolution"
    own = words(split(name)[1])
    unnamed = all(word.isdigit() for word in own)  # of a tuple (weight, bias)
    return "bias" if len(shape) == 1 and (unnamed or {"bias", "b", "beta"} & set(own)) else "unread"
