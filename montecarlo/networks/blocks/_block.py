"""`Block`: what a layer does to the stream, as a sentence of words.

A residual network is a stream and a sentence,

    stream ← stream-norm(b_k · stream + a_k · branch(stream)),

and the branch a few words that are performed one after the other. A block names the words of its branch and
what may be asked of it; the specification adds those of its norm, biases and schedule. Engines are
dictionaries: each lists the words that it can perform, and refuses a network that needs another.
"""

from __future__ import annotations

from dataclasses import dataclass

NORM = "norm"
"""Normalise the branch's input."""

LINEAR_W = "linear W"
"""A fresh random matrix from the stream's width to the hidden one."""

BIAS = "bias"
"""Add a fresh random vector."""

ACTIVATION = "activation"
"""σ, unit by unit, before a matrix."""

OUTER_ACTIVATION = "outer activation"
"""σ, unit by unit, on the image of the last matrix."""

SIGNED_ACTIVATION = "signed activation"
"""σ of s x, unit by unit, with fresh random signs s."""

LINEAR_V = "linear V"
"""A fresh random matrix back to the stream's width."""

BRANCH_NORM = "branch-norm"
"""Normalise the branch's output."""

HIDDEN_WIDTH = "hidden-width"
"""The branch has another number of units inside than the stream."""

SKIP = "skip"
"""The stream is multiplied by b before the branch is added."""

SCHEDULE = "schedule"
"""The scaling changes along the layers."""

STREAM_NORM = "stream-norm"
"""Normalise the stream after each addition."""


@dataclass(frozen=True)
class Block:
    """A residual block in plain data: validation, formula and hypotheses follow from it.

    Parameters
    ----------
    name : str
        As in ``ResNet(block=...)``.
    branch : tuple of str
        The words of the branch, in the order in which they are performed.
    formula : str
        The branch g(h) for people, with σ for the activation.
    activations : tuple of str, default ()
        The activations it may have, by name; () for any.

    Examples
    --------
    >>> from montecarlo.networks.blocks import BLOCKS
    >>> BLOCKS["res-2"].branch
    ('linear W', 'bias', 'activation', 'linear V')
    >>> BLOCKS["res-1"].matrices
    ('V',)
    """

    name: str
    branch: tuple[str, ...]
    formula: str
    activations: tuple[str, ...] = ()

    @property
    def matrices(self) -> tuple[str, ...]:
        """Its matrices: V, and W where it has one."""
        return ("V", "W") if LINEAR_W in self.branch else ("V",)

    @property
    def inner(self) -> bool:
        """Whether a matrix W stands inside the activation."""
        return LINEAR_W in self.branch

    @property
    def takes_bias(self) -> bool:
        """Whether it has a place for biases."""
        return BIAS in self.branch
