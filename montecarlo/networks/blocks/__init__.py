"""Blocks by name. A new one is a `Block` in the file of its family, and needs no engine to know it."""

from __future__ import annotations

from montecarlo.common._errors import unknown_name
from montecarlo.networks.blocks import _one_matrix, _post_activation, _residual
from montecarlo.networks.blocks._block import Block as Block

BLOCKS: dict[str, Block] = {
    block.name: block for family in (_residual, _post_activation, _one_matrix) for block in family.BLOCKS
}
"""The blocks that `ResNet` knows."""


def find_block(name: str) -> Block:
    """Return the block of a name.

    Raises
    ------
    InvalidFieldError
        For an unknown one; the message lists the known ones.

    Examples
    --------
    >>> find_block("res-1").formula
    'V σ(h)'
    """
    found = BLOCKS.get(name) if isinstance(name, str) else None
    if found is None:
        raise unknown_name("block", name, BLOCKS)
    return found
