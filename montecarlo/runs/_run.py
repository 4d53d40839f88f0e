"""`Run`: an endless table of rows, one a replica, of which any part can be drawn."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Protocol

from montecarlo.common.rows import Columns, record_key
from montecarlo.networks._specification import ResNet
from montecarlo.streams import STREAM_FORMAT


class Specification(Protocol):
    """What rows are of: networks of one law."""

    def canonical(self) -> dict[str, Any]:
        """Return every field that changes the law, as JSON-serialisable values."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, hexadecimal."""
        ...


class Run(ABC):
    """Everything that changes a replica's row, and how to draw rows; how many there are is not part of it.

    A run is what travels to the workers of an executor and what a results folder knows rows by. Subclasses
    are frozen dataclasses; cached properties stay behind when a run is pickled.

    Attributes
    ----------
    seed : int
        Row i is a function of (run, i), and the run's seed is part of it.
    """

    seed: int

    @property
    @abstractmethod
    def specification(self) -> Specification:
        """What the rows are of."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """What the rows are of, in one word."""

    @property
    def details(self) -> dict[str, Any]:
        """What else changes rows, as JSON-serialisable values."""
        return {}

    @property
    @abstractmethod
    def cells(self) -> dict[str, tuple[int, ...]]:
        """Shape of one row's cell in each column; () is a number."""

    @property
    @abstractmethod
    def seconds(self) -> float:
        """Rough time of one row on one core."""

    @property
    def family(self) -> tuple[str, ...]:
        """What decides how far `seconds` is off, as far as one can tell."""
        return (self.kind, str(self.details.get("engine", "")))

    @property
    def lanes(self) -> int:
        """Rows that cost as much as one: blocks begin and end at multiples of it."""
        return 1

    @property
    def networks(self) -> int:
        """Networks of one row."""
        return 1

    @abstractmethod
    def prepare(self) -> None:
        """Compile and factorise what `sample` needs; what cannot be is refused here."""

    @abstractmethod
    def sample(self, first: int, count: int) -> Columns:
        """Return the rows ``first ... first + count - 1``, arrays of shape ``(count, *cell)``."""

    @cached_property
    def record(self) -> dict[str, Any]:
        """What the run is, as JSON-serialisable values: readable, and complete."""
        return {
            "kind": self.kind,
            "specification": self.specification.canonical(),
            "seed": self.seed,
            "stream_format": STREAM_FORMAT,
            "columns": {name: list(cell) for name, cell in self.cells.items()},
            **self.details,
        }

    @cached_property
    def key(self) -> str:
        """SHA-256 of the record, hexadecimal."""
        return record_key(self.record)

    @property
    def row_bytes(self) -> int:
        """Memory of one row."""
        return 8 * sum(math.prod(cell) for cell in self.cells.values())

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True)
class ResNetRun(Run):
    """A run of residual networks.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    seed : int
        As in `Run`.
    """

    resnet: ResNet
    seed: int

    @property
    def specification(self) -> ResNet:
        """The networks."""
        return self.resnet

    @property
    def family(self) -> tuple[str, ...]:
        """Blocks and activations differ, too."""
        return (*super().family, self.resnet.block, self.resnet.activation_function.name)


@dataclass(frozen=True)
class Block:
    """Consecutive rows of a run, to be drawn.

    Parameters
    ----------
    run : Run
        The run.
    first : int
        The first row.
    count : int
        How many.
    """

    run: Run
    first: int
    count: int


@dataclass(frozen=True)
class Drawn:
    """The rows of a block.

    Parameters
    ----------
    columns : dict of str to array, shape (count, ...)
        The rows.
    seconds : float
        The time that it took its worker.
    """

    columns: Columns
    seconds: float


def draw_block(block: Block) -> Drawn:
    """Draw the rows of a block; what an executor runs."""
    start = time.perf_counter()
    columns = block.run.sample(block.first, block.count)
    return Drawn(columns, time.perf_counter() - start)
