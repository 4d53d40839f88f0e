"""`CoupledSample`: errors between neighbouring depths on one path of weights, one row a replica."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import unknown_name
from montecarlo.networks._specification import ResNet
from montecarlo.samples._sample import Labels, RowSample

if TYPE_CHECKING:
    from montecarlo.estimates import Estimate

Array = npt.NDArray[np.float64]
Observable = Literal["cosine", "decay"]

COLUMNS = ("log_strong_error", "log_end_error", "log_hidden_ratio", "cosine")


@dataclass(frozen=True, eq=False, repr=False)
class CoupledSample(RowSample):
    """Networks of several depths on common paths, in the order of the replica index.

    Column v of an error compares the depths ``depths[v]`` and ``depths[v + 1]``. A replica one of whose
    networks left the finite numbers has NaN in all columns.

    Parameters
    ----------
    resnet : ResNet
        The specification of the deepest network.
    depths : tuple of int
        The depths, each of which divides the next.
    seed : int
        The seed; row i is a function of (specification, depths, seed, i).
    first_replica : int
        Index of the first row.
    log_strong_error : array, shape (replicas, depths - 1)
        Natural log of ``max_k ‖h_k − h'_{rk}‖ / ‖h_0‖`` over the layers k of the shallower network, h' the
        deeper one and r the ratio of the depths; -inf is an exact zero.
    log_end_error : array, shape (replicas, depths - 1)
        The same for the last layers alone.
    log_hidden_ratio : array, shape (replicas, depths)
        Natural log of ``‖h_L‖ / ‖h_0‖``.
    cosine : array, shape (replicas, depths)
        Cosine of the angle between h_L and h_0.
    """

    kind = "coupled"

    resnet: ResNet
    depths: tuple[int, ...]
    seed: int
    first_replica: int
    log_strong_error: Array
    log_end_error: Array
    log_hidden_ratio: Array
    cosine: Array

    @property
    def columns(self) -> dict[str, Array]:  # type: ignore[override]
        """The arrays by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    def _with(self, columns: dict[str, Array]) -> CoupledSample:
        return replace(self, **columns)

    @property
    def _said(self) -> dict[str, object]:
        return {"depths": self.depths} | super()._said

    @property
    def details(self) -> dict[str, Any]:
        """The depths."""
        return {"depths": list(self.depths)}

    @property
    def labels(self) -> Labels:
        """The arrays with their dimensions, replica and depth; errors stand beside the shallower depth."""
        dims = ("replica", "depth")
        last = np.full((len(self), 1), np.nan)  # the deepest network has none deeper to be compared with
        variables = {
            name: (dims, array if array.shape[1] == len(self.depths) else np.hstack([array, last]))
            for name, array in self.columns.items()
        }
        return Labels(dims, {"replica": self.replica, "depth": np.array(self.depths)}, variables)

    @property
    def n_nonfinite(self) -> int:
        """Number of replicas that left the finite numbers."""
        return int(np.isnan(self.log_hidden_ratio).any(axis=1).sum())

    @property
    def decay(self) -> Array:
        """``exp(−‖h_L‖²/‖h_0‖²)``, a bounded smooth function of the end state, shape (replicas, depths)."""
        # Beyond the first float that makes it zero the square itself need not fit into one.
        return np.exp(-np.exp(np.minimum(2.0 * self.log_hidden_ratio, 7.0)))

    def strong_order(
        self, *, confidence: float = 0.99, correction: float = 0.5, end: bool = False
    ) -> Estimate:
        """Estimate the order p of the mean strong error ``c L^-p`` with its interval.

        Parameters
        ----------
        confidence : float, default 0.99
            Nominal coverage of the statistical part of the interval.
        correction : float, default 0.5
            Smallest relative order of what the leading term leaves out; 1 for smooth weights (rbf).
        end : bool, default False
            Whether to take the error of the last layers instead of the largest one.

        Returns
        -------
        Estimate
            `montecarlo.estimates.strong_order` says how; it needs at least four depths.
        """
        from montecarlo.estimates import strong_order  # scipy: `import montecarlo` must stay light

        errors = self.log_end_error if end else self.log_strong_error
        return strong_order(errors, self.depths[:-1], confidence=confidence, correction=correction)

    def weak_order(self, observable: Observable = "cosine", *, confidence: float = 0.99) -> Estimate:
        """Estimate the order p of the bias ``E f(h^2L) − E f(h^L)`` where it exceeds noise, else undecided.

        Parameters
        ----------
        observable : {"cosine", "decay"}, default "cosine"
            f: the cosine of the angle to h_0, or ``exp(−‖h‖²/‖h_0‖²)``.
        confidence : float, default 0.99
            Nominal coverage of the statistical part of the interval.

        Returns
        -------
        Estimate
            `montecarlo.estimates.weak_order` says how; it needs at least four depths.

        Raises
        ------
        InvalidFieldError
            For an unknown observable.
        """
        from montecarlo.estimates import weak_order

        if observable not in ("cosine", "decay"):
            raise unknown_name("observable", observable, ("cosine", "decay"))
        values = self.cosine if observable == "cosine" else self.decay
        return weak_order(np.diff(values, axis=1), self.depths[:-1], confidence=confidence)
