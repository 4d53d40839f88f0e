"""`simulate_inputs`: several inputs, and tangents at them, through one and the same random network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import check_seed
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Progress, check_replicas, collect_rows
from montecarlo.samples._sample import Labels, RowSample
from montecarlo.samples.inputs._run import JointRun

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class JointSample(RowSample):
    """Norms and cosines of several vectors in the same random networks, in the order of the replica index.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    seed : int
        The seed; network i is a function of (specification, inputs, tangents, seed, i).
    first_replica : int
        Index of the first network.
    inputs : array, shape (vectors, vectors)
        Gram matrix of the vectors at layer 0.
    tangents : tuple of int
        The inputs that the last vectors are attached to as tangents.
    layers : array of int, shape (layers,)
        The layers k, 0 <= k <= L, that were recorded.
    log_norm : array, shape (networks, layers, vectors)
        log ‖h_k‖ of the inputs and log ‖t_k‖ of the tangents: natural logs of the norms themselves, not of
        ratios to layer 0. -inf is an exact zero, NaN marks a network that left the finite numbers.
    cosine : array, shape (networks, layers, vectors, vectors)
        Cosines of the angles of all pairs of vectors, in [-1, 1], 1 on the diagonal; NaN beside a zero vector
        and in a network that left the finite numbers.
    engine : {"gaussian", "gram"}, default "gaussian"
        The engine that drew them.
    """

    kind = "joint"

    resnet: ResNet
    seed: int
    first_replica: int
    inputs: Array
    tangents: tuple[int, ...]
    layers: npt.NDArray[np.int64]
    log_norm: Array
    cosine: Array
    engine: str = "gaussian"

    @property
    def columns(self) -> dict[str, Array]:  # type: ignore[override]
        """The arrays by name."""
        return {name: getattr(self, name) for name in ("log_norm", "cosine")}

    def _with(self, columns: dict[str, Array]) -> JointSample:
        return replace(self, **columns)

    @property
    def _said(self) -> dict[str, object]:
        vectors: dict[str, object] = {"inputs": len(self.inputs) - len(self.tangents)}
        if self.tangents:
            vectors["tangents"] = self.tangents
        return vectors | super()._said | {"layers": len(self.layers)}

    @property
    def details(self) -> dict[str, Any]:
        """Vectors, layers and engine."""
        return {
            "gram": self.inputs.tolist(), "tangents": list(self.tangents), "layers": self.layers.tolist(),
            "engine": self.engine,
        }  # fmt: skip

    def table(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of a file: a list a network."""
        rows = {name: array.reshape(len(self), -1) for name, array in self.columns.items()}
        return {"replica": self.replica, **rows}

    @property
    def labels(self) -> Labels:
        """The arrays with their dimensions: replica, layer, vector, and other_vector of the cosines."""
        vectors = np.arange(len(self.inputs))
        coordinates = {
            "replica": self.replica, "layer": self.layers, "vector": vectors, "other_vector": vectors,
        }  # fmt: skip
        dims = ("replica", "layer", "vector")
        variables = {"log_norm": (dims, self.log_norm), "cosine": ((*dims, "other_vector"), self.cosine)}
        return Labels(dims, coordinates, variables)

    @property
    def n_nonfinite(self) -> int:
        """Number of networks that left the finite numbers."""
        return int(np.isnan(self.log_norm).any(axis=(1, 2)).sum())


def simulate_inputs(
    resnet: ResNet,
    inputs: npt.ArrayLike,
    *,
    replicas: int,
    seed: int,
    tangents: Sequence[int] | None = None,
    layers: Sequence[int] | None = None,
    engine: str = "auto",
    first_replica: int = 0,
    threads: int | None = None,
    block_size: int | None = None,
    progress: Progress | None = None,
) -> JointSample:
    """Sample random networks, each applied to all the inputs at once, without drawing a matrix.

    Right for questions about two or more inputs or a derivative in a direction: do inputs align or drift
    apart with depth (S5), how does a perturbation grow. Exact for independent Gaussian layers at every width
    and depth, up to rounding; refused for other weights. Use `simulate` for one input and for gradients of a
    loss.

    The hidden states h_0 of the inputs have exactly the given Gram matrix, in a uniformly random orientation
    (for res-2 and res-3 the orientation does not matter). `input_dim` and `input_scale` of the specification
    are not used.

    Parameters
    ----------
    resnet : ResNet
        The specification; its weights must be Gaussian.
    inputs : array_like, shape (vectors, vectors)
        Gram matrix of the vectors at layer 0: products ``h_0^i · h_0^j``, so ``[[d, d c], [d c, d]]`` is two
        inputs of mean square 1 and cosine c. Positive semidefinite, of rank at most the width. Copies and
        multiples of a vector, and zero vectors, are allowed; equal inputs stay exactly equal.
    replicas : int
        Number of networks.
    seed : int
        Any whole number from 0 to 2**128 - 1. The same seed gives the same rows for the same stream format.
    tangents : sequence of int, optional
        Says that the last ``len(tangents)`` vectors are tangents, and the index of the input that each is
        attached to: a tangent t of input i is the derivative of h^i in the direction t_0. By default all
        vectors are inputs.
    layers : sequence of int, optional
        The layers to record, increasing, between 0 and the depth; default: all of them. The answer takes
        ``8 replicas len(layers) (m + m²)`` bytes for m vectors, the work ``320 m width`` a thread.
    engine : {"auto", "gaussian", "gram"}, default "auto"
        "gaussian" draws images, d numbers a vector and layer. "gram" draws the Gram matrices alone, at the
        cost of the hidden width whatever d is: res-2 and res-3, with norm="pre-rms", hidden widths, factors
        and schedules, at most d vectors. "auto" takes "gaussian".
    first_replica, threads, block_size, progress
        As in `montecarlo.simulate`.

    Returns
    -------
    JointSample
        A network's numbers do not depend on threads, block size, the number of replicas or the layers
        recorded, nor those of the first vectors on the ones that follow. A network is marked NaN, at all its
        layers, if it leaves the finite numbers before the last recorded one.

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.

    Notes
    -----
    *Derived* (S5's finite networks): given the layers before, the images of a fresh matrix V with independent
    N(0, 1/d) entries on vectors s_i are jointly normal, their rows independent with covariance ``s_i·s_j/d``.
    So a layer takes the Gram matrix of all h and t for W, then that of ``σ(z)`` and ``σ'(z) ∘ W t`` for V,
    with ``t' = t + α V (σ'(z) ∘ W t)``, and ``t' = t + α V (σ'(h) ∘ t)`` for res-1. The bias of res-2 is one
    vector for all inputs.

    Angles below about 2.4e-7 (d = 1000; √(8 ε √d) in general) are taken as zero by the factorisation, a
    relative error of that size; for smaller perturbations use a tangent. Norms of any size are carried as
    logarithms, each vector with its own power of two; for an activation that is not homogeneous, or with a
    bias, inputs must start between 2**-100 and 2**100, and beyond that σ is taken as homogeneous.

    Examples
    --------
    Two orthogonal inputs of a wide network align (S5: cosine 0.1413 at the end):

    >>> net = ResNet(width=500, depth=100, beta=0.5)
    >>> sample = simulate_inputs(net, 500 * np.eye(2), replicas=160, seed=7, layers=[0, 100])
    >>> sample
    JointSample(ResNet(width=500, depth=100, beta=0.5), inputs=2, replicas=160, seed=7, layers=2)
    >>> bool(abs(sample.cosine[:, 1, 0, 1].mean() - 0.1413) < 0.02)
    True

    The derivative of a res-3 network at h_0 in the direction h_0 is h_k itself:

    >>> sample = simulate_inputs(net, np.ones((2, 2)), replicas=1, seed=7, tangents=[0])
    >>> bool((sample.log_norm[..., 0] == sample.log_norm[..., 1]).all())
    True
    """
    replicas, first_replica = check_replicas(replicas, first_replica)
    run = JointRun.find(resnet, check_seed(seed), inputs, tangents, layers, engine)
    columns = collect_rows(
        run, replicas=replicas, first_replica=first_replica, threads=threads, block_size=block_size,
        progress=progress,
    )  # fmt: skip
    return JointSample(
        resnet, run.seed, first_replica, run.matrix, run.tangents, run.recorded, **columns, engine=run.engine
    )
