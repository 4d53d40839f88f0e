"""The parameters of residual branches by their roles: what any reader of a model hands to `measure`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from montecarlo.diagnosis.branches._tree import Array, Parameter


class Stack:
    """Parameters of all blocks, made into arrays one at a time: a model may be larger than memory."""

    def __init__(self, parameters: Sequence[Parameter], *, rows_out: bool = True) -> None:
        self._parameters, self._rows_out = parameters, rows_out

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Array]:
        for parameter in self._parameters:
            yield parameter.array() if self._rows_out else parameter.array().T


@dataclass(frozen=True)
class BranchParameters:
    """V, W and what belongs to them, block by block.

    Parameters
    ----------
    v : sequence of arrays, shape (width, units)
        The matrices that map back to the stream, rows are outputs.
    w : sequence of arrays, shape (units, width), or None
        Those that map the stream to the units.
    bias_v, bias_w, scale : sequence of arrays or None
        Their biases, and the factors in front of the branch (LayerScale, ReZero).
    gain, shift : sequence of arrays or None
        Weight and bias of the normalisation before the first matrix.
    names : tuple of str
        Of V and W.
    roles : mapping of str to str
        What every parameter of a block was taken as.
    warnings : tuple of str
        What was guessed, and what was not read.
    """

    v: Sequence[Array] | Stack
    w: Sequence[Array] | Stack | None = None
    bias_v: Sequence[Array] | Stack | None = None
    bias_w: Sequence[Array] | Stack | None = None
    scale: Sequence[Array] | Stack | None = None
    gain: Sequence[Array] | Stack | None = None
    shift: Sequence[Array] | Stack | None = None
    names: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
