"""What kind of block a stream has, told from states and gradients alone: where its norm stands.

Euler's identity on each block, f = h_k − h_{k-1} and p the gradients: if f(ch) = c^m f(h) for c > 0, then
⟨p_{k-1} − p_k, h_{k-1}⟩ = ⟨J_fᵀ p_k, h_{k-1}⟩ = m ⟨p_k, f⟩ exactly, for every model and every input (G5). A
norm at the branch's input gives m = 0, ReLU branches without one m = 1. A norm after the addition is seen
at the states, which then have one length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from montecarlo.practice._stream import Stream, rows_of

_NEAR = 0.35  # of 0 or 1, within which a degree with twice its standard error must lie
_EXACT = 1e-2  # share of the squares that a degree leaves, up to which it is exact: ε of a norm, rounding
_SKIPPED = 0.2  # of 1, the share of a gradient that a skip hands on: below it there is none
_SPREAD = 0.02  # of the stream's lengths over blocks and rows, up to which a norm may hold them


@dataclass(frozen=True)
class Structure:
    """Where the norm of a stream's blocks stands.

    Parameters
    ----------
    norm : {"none", "before", "after", "unknown"}
        At no place that sees the stream's length, at the branch's input, on the stream after each addition.
    degree : float
        m of f(ch) = c^m f(h), by least squares over blocks; NaN without gradients.
    misfit : float
        Share of the squares that m leaves. 0 is exact; a block of two branches behind norms of their own is
        of degree 0 to first order in their size alone.
    residual : bool
        Whether blocks add to the stream: False where gradients show that none of it passes them by.
    """

    norm: str
    degree: float
    misfit: float
    residual: bool = True

    @property
    def exact(self) -> bool:
        """Whether nothing but rounding, and a norm's ε, is in the way of the degree."""
        return self.norm == "after" or self.misfit < _EXACT

    @property
    def words(self) -> str:
        """The structure in a few words."""
        if not self.residual:
            return "not residual: no block hands the stream on beside its branch"
        if self.norm == "after":
            return "a norm on the stream after each addition"
        if math.isnan(self.degree):
            return "not recognised: no gradients, or branches that are 0 or not finite"
        where = {"before": "a norm at the branch's input", "none": "no norm before or after the branch"}
        return (
            f"{where.get(self.norm, 'no degree that is the same for all blocks')} (degree {self.degree:.2f})"
        )


def find_structure(streams: Sequence[Stream]) -> Structure:
    """Return the structure that blocks of several records share.

    Examples
    --------
    >>> states = [np.full((1, 4), 2.0**k) for k in range(4)]
    >>> back = [np.full((1, 4), 2.0**-k) for k in range(4)]
    >>> find_structure([Stream(tuple(states), ("a", "b", "c"), tuple(back))])
    Structure(norm='none', degree=1.0, misfit=0.0, residual=True)
    """
    passed = [share for stream in streams for share in _passed(stream)]
    if passed and abs(float(np.median(passed))) < _SKIPPED:
        return Structure("unknown", math.nan, math.nan, residual=False)
    if _held(streams):
        return Structure("after", math.nan, math.nan)
    pairs = [pair for stream in streams for pair in _products(stream)]
    a, b = np.array(pairs).T if pairs else (np.zeros(0), np.zeros(0))
    total = float(b @ b)
    if total == 0.0:
        return Structure("unknown", math.nan, math.nan)
    degree = float(a @ b) / total
    left = float(np.sum(np.square(a - degree * b)))
    misfit = left / max(total, float(a @ a))
    reach = 2.0 * math.sqrt(left / total / len(a))
    for norm, ideal in (("before", 0.0), ("none", 1.0)):
        if abs(degree - ideal) + reach < _NEAR:
            return Structure(norm, degree, misfit)
    return Structure("unknown", degree, misfit)


def _passed(stream: Stream) -> list[float]:
    """Return ⟨p_{k-1}, p_k⟩/‖p_k‖² of each block between states of one shape.

    p_{k-1} = p_k + J_fᵀ p_k behind a skip, of which the second part is at about a right angle to p_k for the
    matrices of an initialisation, however large: 1, and with a norm after the addition the share that is kept
    of the stream. Without a skip the first part is missing: 0.
    """
    found: list[float] = []
    if stream.gradients is None or stream.overflow is not None:
        return found
    for before, after in pairwise(stream.gradients):
        p, q = np.asarray(before, dtype=np.float64).ravel(), np.asarray(after, dtype=np.float64).ravel()
        if p.shape == q.shape and q.any():
            found.append(float(p @ q) / float(q @ q))
    return found


def _products(stream: Stream) -> list[tuple[float, float]]:
    """Return ⟨p_{k-1} − p_k, h_{k-1}⟩ and ⟨p_k, f_k⟩ over ‖p_k‖‖f_k‖, for each block and member of the
    batch.
    """
    found: list[tuple[float, float]] = []
    if stream.gradients is None or stream.overflow is not None:
        return found
    for k in range(stream.depth):
        h, new, p, q = (
            np.asarray(x, dtype=np.float64) for x in (*stream.hidden[k : k + 2], *stream.gradients[k : k + 2])
        )
        if h.shape != new.shape:
            continue
        h, new, p, q = (x.reshape(len(x) if x.ndim > 1 else 1, -1) for x in (h, new, p, q))
        scale = np.linalg.norm(q, axis=1) * np.linalg.norm(new - h, axis=1)
        some = np.isfinite(scale) & (scale > 0)
        left, right = np.sum((p - q) * h, axis=1), np.sum(q * (new - h), axis=1)
        found += zip((left[some] / scale[some]).tolist(), (right[some] / scale[some]).tolist(), strict=True)
    return found


def _held(streams: Sequence[Stream]) -> bool:
    """Return whether all rows have one length behind every block, although blocks turn them."""
    for stream in streams:
        sizes = [np.sqrt(np.mean(np.square(rows_of(h)), axis=1)) for h in stream.hidden[1:]]
        every = np.concatenate(sizes)
        if not np.isfinite(every).all() or not every.any():
            return False
        spread = float(every.std() / every.mean())
        if spread > _SPREAD or not spread < 0.1 * float(np.sum(stream.turns)):
            return False
    return bool(streams)
