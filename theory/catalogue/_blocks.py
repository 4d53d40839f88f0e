"""`blocks_of`: the blocks that a theorem is claimed of, found by asking its hypotheses."""

from __future__ import annotations

import itertools
from functools import cache
from typing import cast, get_args

from theory.catalogue._facts import AttentionName, BlockName, Facts, Limit, NormName, TokenFacts, WeightFacts
from theory.catalogue._theorem import Theorem

BLOCKS: tuple[BlockName, ...] = get_args(BlockName)
"""Names of the blocks, as `largedepth simulate --block` takes them."""

_WIDTH, _DEPTH = 64, 100
_BETAS = (0.25, 0.5, 0.75, 1.0, 1.5)
_LIMITS: tuple[tuple[Limit, ...], ...] = ((), ("depth",), ("width",), ("width", "depth"))
_LAWS = (
    WeightFacts(), WeightFacts(independent=False, hurst=0.3), WeightFacts(independent=False, hurst=0.75),
    WeightFacts(independent=False, smooth=True),
)  # fmt: skip
_OF_PAIRS = (
    Facts(block="res-3", width=6, depth=8, alpha=32**-0.5, skip=8**0.25, norm="post-rms"),
    *(
        Facts(block=block, width=100, depth=100, alpha=1.0, skip=0.5**0.5, limits=("width", "depth"))
        for block in ("balanced", "vanilla")
    ),
)
"""Networks whose scaling and factor belong together: no grid hits them."""


@cache
def _networks(block: BlockName) -> tuple[Facts, ...]:
    """Return networks of a block, of every kind that hypotheses tell apart."""
    if block == "transformer":
        return _transformers()
    activations = ("relu",) if block in ("res-3", "balanced", "vanilla") else ("relu", "tanh", "identity")
    found = []
    for law, norm in itertools.product(_LAWS, get_args(NormName)):
        if norm != "none" and not law.independent:
            continue
        for activation, beta, limits in itertools.product(activations, _BETAS, _LIMITS):
            found.append(
                Facts(
                    block=block,
                    width=_WIDTH,
                    depth=_DEPTH,
                    activation=activation,
                    beta=beta,
                    v=law,
                    limits=limits,
                    same_directions=True,
                    expanding=True,
                    norm=cast(NormName, norm),
                )
            )
    return (*found, *(facts for facts in _OF_PAIRS if facts.block == block))


def _transformers() -> tuple[Facts, ...]:
    norms: tuple[NormName, ...] = ("none", "pre-rms", "post-rms")
    attentions: tuple[AttentionName, ...] = ("uniform", "constant", "softmax")
    return tuple(
        Facts(
            block="transformer",
            width=_WIDTH,
            depth=_DEPTH,
            activation=activation,
            beta=0.5,
            limits=limits,
            norm=norm,
            tokens=TokenFacts(attention=attention, mlp=mlp, equal_tokens=True, near_collapse=True),
        )
        for norm, attention, mlp, activation, limits in itertools.product(
            norms, attentions, (True, False), ("relu", "identity"), _LIMITS
        )
    )


def blocks_of(theorem: Theorem) -> tuple[BlockName, ...]:
    """
    Return the blocks of which a theorem is claimed, for some weights, activation, norm and scaling.

    Parameters
    ----------
    theorem : Theorem
        Of the catalogue.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from theory.catalogue import find_theorem
    >>> blocks_of(find_theorem("S1")), blocks_of(find_theorem("P1"))
    (('res-1',), ('post-activation',))
    """
    return tuple(block for block in BLOCKS if any(not theorem.applies(facts) for facts in _networks(block)))
