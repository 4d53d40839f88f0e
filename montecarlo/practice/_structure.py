"""What kind of block a stream has, told from states and gradients alone: where its norm stands.

Euler's identity on each block, f = h_k − h_{k-1} and p the gradients: if f(ch) = c^m f(h) for c > 0, then
⟨p_{k-1} − p_k, h_{k-1}⟩ = ⟨J_fᵀ p_k, h_{k-1}⟩ = m ⟨p_k, f⟩ exactly, for every model and every input (G5). A norm
at the branch's input gives m = 0, ReLU branches without one m = 1; a norm after the addition makes the whole
block of degree 0, so that ⟨p_{k-1}, h_{k-1}⟩ = 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from montecarlo.practice._stream import Stream, rows_of

_AFTER = 0.03  # of a random inner product, up to which ⟨p, h⟩ is 0 but for a norm's ε
_MISFIT = 0.05  # share of the squares that a degree leaves, up to which there is one
_SPREAD = 0.02  # of the stream's norm over blocks and rows, up to which it is held by a norm


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
        Share of the squares that m leaves; 0 is exact.
    """

    norm: str
    degree: float
    misfit: float

    @property
    def words(self) -> str:
        """The structure in a few words."""
        if self.norm == "after":
            return "a norm on the stream after each addition"
        where = {"before": "a norm at the branch's input", "none": "no norm before or after the branch"}
        return f"{where.get(self.norm, 'no degree that is the same for all blocks')} (degree {self.degree:.2f})"


def find_structure(streams: Sequence[Stream]) -> Structure:
    """Return the structure that blocks of several records share.

    Examples
    --------
    >>> states = [np.full((1, 4), 2.0**k) for k in range(4)]
    >>> back = [np.full((1, 4), 2.0**-k) for k in range(4)]
    >>> find_structure([Stream(tuple(states), ("a", "b", "c"), tuple(back))])
    Structure(norm='none', degree=1.0, misfit=0.0)
    """
    left, right, ends = [], [], []
    for stream in streams:
        if stream.gradients is None or stream.overflow is not None:
            continue
        for k in range(stream.depth):
            h, new = (np.asarray(x, dtype=np.float64) for x in stream.hidden[k : k + 2])
            p, q = (np.asarray(x, dtype=np.float64) for x in stream.gradients[k : k + 2])
            if h.shape != new.shape:
                continue
            scale = float(np.linalg.norm(q) * np.linalg.norm(new - h))
            if scale == 0.0 or not math.isfinite(scale):
                continue
            left.append(float(np.sum((p - q) * h)) / scale)
            right.append(float(np.sum(q * (new - h))) / scale)
            size = float(np.linalg.norm(p) * np.linalg.norm(h))
            if k > 0 and size > 0:
                ends.append(float(np.sum(p * h)) / size * math.sqrt(h.size))
    held = _held(streams)
    if not left:
        return Structure("after" if held else "unknown", math.nan, math.nan)
    a, b = np.array(left), np.array(right)
    total = float(b @ b)
    degree = float(a @ b) / total if total > 0 else math.nan
    misfit = float(np.sum(np.square(a - degree * b))) / max(total, float(a @ a), 1e-300)
    if ends and float(np.sqrt(np.mean(np.square(ends)))) < _AFTER and held:
        return Structure("after", degree, misfit)
    if abs(degree) < 0.2 and float(a @ a) < _MISFIT * total:
        return Structure("before", degree, float(a @ a) / total)
    if abs(degree - 1.0) < 0.2 and misfit < _MISFIT:
        return Structure("none", degree, misfit)
    return Structure("unknown", degree, misfit)


def _held(streams: Sequence[Stream]) -> bool:
    """Return whether every row of the stream has one length behind every block."""
    for stream in streams:
        sizes = [np.sqrt(np.mean(np.square(rows_of(h)), axis=1)) for h in stream.hidden[1:]]
        every = np.concatenate(sizes)
        if not np.isfinite(every).all() or every.std() > _SPREAD * every.mean():
            return False
    return bool(streams)
