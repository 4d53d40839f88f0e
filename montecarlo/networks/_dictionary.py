"""What to say of a network with a word that an engine, or a prediction, does not know."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

from montecarlo.common._errors import InvalidFieldError
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import (
    ACTIVATION,
    BIAS,
    BRANCH_NORM,
    HIDDEN_WIDTH,
    LINEAR_V,
    LINEAR_W,
    NORM,
    SCHEDULE,
    SKIP,
    STREAM_NORM,
)

PLAIN = frozenset({LINEAR_W, BIAS, ACTIVATION, LINEAR_V})
"""The words of res-1, res-2 and res-3."""

_FIELDS = {
    NORM: "norm", BRANCH_NORM: "norm", STREAM_NORM: "norm", HIDDEN_WIDTH: "hidden_width", SKIP: "skip",
    SCHEDULE: "schedule", BIAS: "bias_std",
}  # fmt: skip


def missing_word(resnet: ResNet, dictionary: Collection[str]) -> str | None:
    """Return the first word of a network that a dictionary lacks, or None.

    Examples
    --------
    >>> missing_word(ResNet(width=8, depth=4, beta=0.5, norm="pre-rms"), PLAIN)
    'norm'
    """
    return next((word for word in resnet.words if word not in dictionary), None)


def require_words(resnet: ResNet, dictionary: Collection[str], reader: str) -> None:
    """Raise `InvalidFieldError` unless something is a network, and a dictionary has all its words.

    Parameters
    ----------
    resnet : ResNet
        The network.
    dictionary : collection of str
        The words that are known.
    reader : str
        Whose dictionary it is, for the message.

    Examples
    --------
    >>> require_words(ResNet(width=8, depth=4, beta=0.5, skip=0.9), PLAIN, "simulate_shared")
    Traceback (most recent call last):
    ...
    montecarlo.InvalidFieldError: skip=0.9: must be 1.0 for simulate_shared; leave it out
    """
    check_resnet(resnet)
    word = missing_word(resnet, dictionary)
    if word is not None:
        field = _FIELDS.get(word, "block")
        if field == "block":
            rule, fix = f"must be of words that {reader} knows, and {word} is none", "take block='res-3', say"
        else:
            plain = {f.name: f.default for f in fields(ResNet)}[field]
            rule, fix = f"must be {plain!r} for {reader}", "leave it out"
        raise InvalidFieldError(field, getattr(resnet, field), rule, fix)


def check_resnet(resnet: object) -> None:
    """Raise `InvalidFieldError` unless something is a `ResNet`."""
    if not isinstance(resnet, ResNet):
        fix = "give ResNet(width=40, depth=1000, beta=0.5), say; transformers are simulate_tokens'"
        raise InvalidFieldError("resnet", resnet, "must be a ResNet", fix)
