"""`Fault`: where a model is not what it promises, with the blocks and the number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_WORDS = {
    "overflow": "{where} leaves the numbers of {detail}: the largest entry before is {found:.3g}",
    "copy": "{where}: the very weights of block {found:g}, where independent ones are taken",
    "norm": "{where}: {detail}",
    "zero": "{where} adds nothing: its branch is 0",
    "skip": "{where} keeps {found:.4g} times the stream, {expected:.4g} is promised",
    "mean": "the branch of {where} has a mean of {found:.3g} times its root mean square, 0 is promised",
    "factor": "the branch of {where} is {found:.4g} times what is promised{detail}",
    "schedule": "the branches of {where} are {detail} times what is promised: another schedule",
    "stream": "the stream {place} has {found:.4g} times the root mean square that is promised, {detail}",
    "cosine": "tokens {place} have a mean cosine of {found:.4g}, {expected:.4g} is promised; {detail}",
    "gradient": "gradients grow {found:.4g}-fold, {expected:.4g}-fold is promised",
    "outlier": "the branch of {where} is {found:.4g} times those of the blocks around it",
    "weights": "{detail} of {where} deviates {found:.4g} times as much as in the blocks around it",
    "bias": "{detail} of {where} has a mean of {found:.3g} times its deviation",
}
KINDS = tuple(_WORDS)


@dataclass(frozen=True)
class Fault:
    """One fault of a model.

    Parameters
    ----------
    kind : str
        One of overflow, copy, norm, zero, skip, mean, factor, schedule, stream, cosine, gradient (against a
        promise or certain), and outlier, weights, bias (a block unlike the others).
    blocks : tuple of int
        Blocks 1 to L that have it; 0 stands for what enters the first.
    found, expected : float
        The number, and what it should be.
    depth : int
        L of the model.
    log_evidence : float
        Natural log of the evidence against the promise, inf for what is certain.
    name : str, default ""
        What the model calls its first block.
    detail : str, default ""
        More words.
    """

    kind: str
    blocks: tuple[int, ...]
    found: float
    expected: float
    depth: int
    log_evidence: float = math.inf
    name: str = ""
    detail: str = ""

    @property
    def words(self) -> str:
        """The fault in a sentence."""
        where = where_words(self.blocks, self.depth, self.name)
        place = "that enters the first block" if self.blocks == (0,) else f"after {where}"
        said = _WORDS[self.kind].format(
            where=where, place=place, found=self.found, expected=self.expected, detail=self.detail
        )
        return f"{said} (L = {self.depth})"

    def record(self) -> dict[str, object]:
        """Return JSON-serialisable values."""
        numbers = {name: getattr(self, name) for name in ("found", "expected", "log_evidence")}
        shown = {name: x if math.isfinite(x) else None for name, x in numbers.items()}
        return {"kind": self.kind, "blocks": list(self.blocks), "depth": self.depth, **shown,
                "name": self.name, "words": self.words}  # fmt: skip


def where_words(blocks: Sequence[int], depth: int, name: str = "") -> str:
    """Return which blocks are meant.

    Examples
    --------
    >>> where_words((7,), 12, "h.6"), where_words((2, 3, 4), 12), where_words(tuple(range(1, 13)), 12)
    ('block 7 (h.6)', 'blocks 2 to 4', 'every block')
    """
    if len(blocks) == depth and depth > 1:
        return "every block"
    if len(blocks) == 1:
        said = f"block {blocks[0]}"
        return said if name in ("", said) else f"{said} ({name})"
    if list(blocks) == list(range(blocks[0], blocks[-1] + 1)):
        return f"blocks {blocks[0]} to {blocks[-1]}"
    shown = ", ".join(map(str, blocks[:6]))
    return f"blocks {shown}{' …' if len(blocks) > 6 else ''}"
