"""`Stream`: what was recorded of one real model, and the curves along depth that follow from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError

if TYPE_CHECKING:
    from montecarlo.diagnosis import Branches
    from montecarlo.practice._parameters import ParameterFacts

Array = npt.NDArray[np.floating]
Curve = npt.NDArray[np.float64]
_LARGEST_TURN = math.log(1e3)  # −log cos of an angle of 90° and more, which no residual block has by design


def rows_of(state: Array) -> Curve:
    """Return a state as vectors, shape (rows, coordinates): tokens of width d, or whole images.

    Examples
    --------
    >>> rows_of(np.ones((2, 5, 8))).shape, rows_of(np.ones((2, 3, 4, 4))).shape, rows_of(np.ones(8)).shape
    ((10, 8), (2, 48), (1, 8))
    """
    wide = np.asarray(state, dtype=np.float64)
    if wide.ndim >= 4:
        return wide.reshape(len(wide), -1)
    return wide.reshape(-1, wide.shape[-1])


def log_rms(state: Array) -> float:
    """Return the natural log of the root mean square of all entries; −inf for zeros, NaN or inf as found."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return float(0.5 * np.log(np.mean(np.square(np.asarray(state, dtype=np.float64)))))


@dataclass(frozen=True, eq=False, repr=False)
class Stream:
    """The residual stream of one model on one batch of inputs.

    Blocks are numbered 1 to L; block k maps h_{k-1} to h_k. Logarithms are natural.

    Parameters
    ----------
    hidden : tuple of L + 1 arrays
        h_0, ..., h_L as the model has them (batch, ..., width), float32 or float64.
    names : tuple of L str
        What the model calls its blocks.
    gradients : tuple of L + 1 arrays or None
        Gradients with respect to h_0, ..., h_L of a random linear read-out of h_L; None where the model gives
        none.
    loss_gradients : tuple of L + 1 arrays or None
        The same of the user's loss.
    parameters : tuple of L mappings
        Facts on the parameters of each block by name; empty for functions.
    branches : Branches or None
        What `measure_branches` reads from the same model, where its branches are matrices.
    dtype : str
        The number format of the stream, float16 for example.
    source : str
        "torch", "jax" or "function".
    notes : tuple of str
        What a reader should know.
    """

    hidden: tuple[Array, ...]
    names: tuple[str, ...]
    gradients: tuple[Array, ...] | None = None
    loss_gradients: tuple[Array, ...] | None = None
    parameters: tuple[Mapping[str, ParameterFacts], ...] = ()
    branches: Branches | None = None
    dtype: str = "float32"
    source: str = "function"
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if len(self.hidden) < 2:
            raise InvalidFieldError(
                "model", f"{len(self.hidden)} states", "must have two states at least, h_0 and h_1",
                "return the state before the first block and after each block",
            )  # fmt: skip

    @property
    def depth(self) -> int:
        """L, the number of blocks."""
        return len(self.hidden) - 1

    @property
    def width(self) -> int:
        """Length of the last axis of a state."""
        return int(np.shape(self.hidden[0])[-1]) if np.ndim(self.hidden[0]) else 1

    @cached_property
    def log_hidden(self) -> Curve:
        """Log of the root mean square of h_0, ..., h_L, shape (L + 1,)."""
        return np.array([log_rms(h) for h in self.hidden])

    @cached_property
    def log_branch(self) -> Curve:
        """Log of the root mean square of h_k − h_{k-1}, shape (L,)."""
        with np.errstate(invalid="ignore", over="ignore"):
            return np.array([log_rms(f) for f in self.branch_outputs()])

    def branch_outputs(self) -> tuple[Curve, ...]:
        """Return h_k − h_{k-1} of each block; of states of two shapes their difference in norm alone."""
        return tuple(_difference(a, b) for a, b in zip(self.hidden, self.hidden[1:], strict=False))

    @cached_property
    def log_gradient(self) -> Curve:
        """Log of the root mean square of the read-out's gradients at h_0, ..., h_L; NaN without them."""
        if self.gradients is None:
            return np.full(self.depth + 1, math.nan)
        return np.array([log_rms(p) for p in self.gradients])

    @cached_property
    def log_loss_gradient(self) -> Curve:
        """Log of the root mean square of the loss's gradients at h_0, ..., h_L; NaN without them."""
        if self.loss_gradients is None:
            return np.full(self.depth + 1, math.nan)
        return np.array([log_rms(p) for p in self.loss_gradients])

    @cached_property
    def turns(self) -> Curve:
        """−log cos of the angle by which each block turns the stream, mean over its rows, shape (L,).

        ½ log(1 + ‖f‖²/‖h‖²) for a branch f at a right angle to h: the share of h in the next state, whether
        that is normalised or not.
        """
        return np.array([_turn(a, b) for a, b in zip(self.hidden, self.hidden[1:], strict=False)])

    @cached_property
    def overlaps(self) -> Curve:
        """Mean of ⟨h_k − h_{k-1}, h_{k-1}⟩/‖h_{k-1}‖² over rows, shape (L,): skip factor minus 1."""
        found = []
        for state, branch in zip(self.hidden, self.branch_outputs(), strict=False):
            h, f = rows_of(state), rows_of(branch)
            with np.errstate(all="ignore"):
                found.append(float(np.mean(np.sum(h * f, axis=1) / np.sum(h * h, axis=1))))
        return np.array(found)

    @cached_property
    def log_energy(self) -> float:
        """Log Σ_k ‖h_k − h_{k-1}‖²/‖h_0‖²: what the branches add up to beside the start."""
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            return float(np.log(np.sum(np.exp(2.0 * (self.log_branch - self.log_hidden[0])))))

    @cached_property
    def log_movement(self) -> float:
        """Log ‖h_L − h_0‖/‖h_0‖."""
        with np.errstate(invalid="ignore"):  # a stream of zeros
            return log_rms(_difference(self.hidden[0], self.hidden[-1])) - self.log_hidden[0]

    @cached_property
    def log_largest(self) -> Curve:
        """Log of the largest entry of h_0, ..., h_L in absolute value, shape (L + 1,)."""
        with np.errstate(divide="ignore"):
            return np.array([float(np.log(np.max(np.abs(h)))) for h in self.hidden])

    @property
    def overflow(self) -> int | None:
        """The first block whose output is not finite, 1 to L (0: the stream starts so); None if all are."""
        lost = [k for k, h in enumerate(self.hidden) if not np.isfinite(h).all()]
        return lost[0] if lost else None

    def __repr__(self) -> str:
        shape = tuple(np.shape(self.hidden[0]))
        growth = self.log_hidden[-1] - self.log_hidden[0]
        back = self.log_gradient[0] - self.log_gradient[-1]
        said = "" if math.isnan(back) else f", log_gradient_growth={back:.3g}"
        return (
            f"Stream(depth={self.depth}, shape={shape}, source={self.source!r}, dtype={self.dtype!r}, "
            f"log_growth={growth:.3g}{said})"
        )


def _difference(before: Array, after: Array) -> Curve:
    a, b = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if a.shape == b.shape:
        with np.errstate(invalid="ignore"):
            return b - a
    size = math.sqrt(abs(float(np.mean(b * b)) - float(np.mean(a * a))))
    return np.full(b.shape, size)


def _turn(before: Array, after: Array) -> float:
    if np.shape(before) != np.shape(after):
        return math.nan
    h, new = rows_of(before), rows_of(after)
    with np.errstate(all="ignore"):
        size = np.sum(h * h, axis=1)
        along = np.sum(h * new, axis=1) / size
        across = np.sum(np.square(new - along[:, None] * h), axis=1) / size
        turn = 0.5 * np.log1p(across / np.square(along))
    turn = np.where(along > 0, np.minimum(turn, _LARGEST_TURN), _LARGEST_TURN)
    return float(np.mean(np.where(np.isfinite(across), turn, math.nan)))
