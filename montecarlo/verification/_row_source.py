"""Row sources: where rows of a claim come from, a specification's networks or a user's function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, unknown_name
from montecarlo.networks._specification import ResNet
from montecarlo.samples.independent._sample import Sample
from montecarlo.samples.independent._simulate import Gradients, make_request
from montecarlo.verification._experiment import network_rows

Array = npt.NDArray[np.float64]
RowSource = Callable[[int, int, int], npt.ArrayLike]
"""``(seed, first, count)`` to the i.i.d. rows ``first ... first + count - 1``, shape (count,)."""

_TELLING = 10
"""Rows apart from the commonest that a batch must have before its repetition cannot be chance."""


@dataclass(frozen=True)
class NetworkRows:
    """An observable of the networks of a specification, as a row source; made by `rows_of`."""

    resnet: ResNet
    observable: Callable[[Sample], npt.ArrayLike]
    gradients: Gradients = "joint"
    engine: str = "auto"
    threads: int | None = None

    def __call__(self, seed: int, first: int, count: int) -> Array:
        """Return the rows of the networks ``first ... first + count - 1``."""
        return network_rows(
            self.resnet, lambda sample: np.asarray(self.observable(sample), np.float64), seed=seed,
            first=first, count=count, threads=self.threads, engine=self.engine,
            request=make_request(self.gradients),
        )  # fmt: skip


def rows_of(
    resnet: ResNet,
    observable: str | Callable[[Sample], npt.ArrayLike],
    *,
    gradients: Gradients = "joint",
    engine: str = "auto",
    threads: int | None = None,
) -> NetworkRows:
    """Return an observable of a specification's networks as a source of rows.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    observable : str or callable
        A column of samples, such as "log_hidden_ratio" (a natural log), or a function of a `Sample` that
        returns a row a network.
    gradients : {"joint", "none", "dual"}, default "joint"
        As in `montecarlo.simulate`; "none" saves the backward pass.
    engine : str, default "auto"
        As in `montecarlo.simulate`.
    threads : int, optional
        Threads; default: all processors. Never changes a row.

    Raises
    ------
    InvalidFieldError
        When rows are drawn, for what `montecarlo.simulate` refuses and for an unknown column.

    Examples
    --------
    >>> rows = rows_of(ResNet(width=8, depth=4, beta=0.5), "log_hidden_ratio", gradients="none")
    >>> rows(seed=7, first=0, count=3).shape
    (3,)
    """
    if isinstance(observable, str):
        column = observable

        def read(sample: Sample) -> npt.ArrayLike:
            if column not in sample.columns:
                raise unknown_name("observable", column, sample.columns)
            return sample[column]

        return NetworkRows(resnet, read, gradients, engine, threads)
    return NetworkRows(resnet, observable, gradients, engine, threads)


class CheckedRows:
    """A row source whose batches are looked at before a test believes them.

    A function that ignores `first` returns the same rows for every batch: they are not independent, and what
    a test says of them is worthless. It is refused once a batch repeats the one before.
    """

    def __init__(self, source: RowSource) -> None:
        self._source = source
        self._before: Array = np.empty(0)

    def __call__(self, seed: int, first: int, count: int) -> Array:
        """Return a batch, or raise InvalidFieldError."""
        rows = np.asarray(self._source(seed, first, count))
        if rows.shape != (count,):
            raise InvalidFieldError(
                "rows", f"array of shape {rows.shape}", f"must have the shape ({count},) that was asked for",
                "return one row a number from first to first + count - 1",
            )  # fmt: skip
        try:
            rows = rows.astype(np.float64)
        except (TypeError, ValueError):
            raise InvalidFieldError(
                "rows", f"array of {rows.dtype}", "must hold numbers", "return floats or booleans"
            ) from None
        shared = min(count, self._before.size)
        _, counts = np.unique(rows[:shared], return_counts=True)
        telling = shared - counts.max(initial=0) >= _TELLING
        if telling and np.array_equal(rows[:shared], self._before[:shared], equal_nan=True):
            raise InvalidFieldError(
                "rows", f"batch at first={first}", "must not repeat the batch before",
                "use `first`, as in np.random.default_rng([seed, first])",
            )  # fmt: skip
        self._before = rows
        return rows
