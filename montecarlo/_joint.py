"""`simulate_inputs`: several inputs, and tangents at them, through one and the same random network."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from montecarlo._errors import InvalidFieldError, check_seed, check_whole
from montecarlo._outputs import BLOCK_CODES
from montecarlo._simulate import Progress, available_threads, run_on_threads
from montecarlo._specification import ResNet
from montecarlo.kernels._state import EVALUATION_LIMIT
from montecarlo.streams import derive_key

VECTOR_LIMIT = 64
"""Inputs and tangents together, at most: the cost of a layer grows with their square."""

_LANES = 16
_BLOCK_SECONDS = 0.25
_BLOCK_BYTES = 64 << 20
_REPLICA_LIMIT = 2**63 - 1
_GRAM_ERROR = 1e-12  # of a correlation matrix: what rounding may do to a Gram matrix that a user computes
_PIVOT = 64.0 * 2.0**-52

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class JointSample:
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
    """

    resnet: ResNet
    seed: int
    first_replica: int
    inputs: Array
    tangents: tuple[int, ...]
    layers: npt.NDArray[np.int64]
    log_norm: Array
    cosine: Array

    def __len__(self) -> int:
        return len(self.log_norm)

    def __repr__(self) -> str:
        tangents = f", tangents={self.tangents}" if self.tangents else ""
        start = f", first_replica={self.first_replica}" if self.first_replica else ""
        return (
            f"JointSample({self.resnet!r}, inputs={len(self.inputs) - len(self.tangents)}{tangents}, "
            f"replicas={len(self)}, seed={self.seed}, layers={len(self.layers)}{start})"
        )

    @property
    def replica(self) -> npt.NDArray[np.int64]:
        """Index of the network of each row, 0-based."""
        return np.arange(self.first_replica, self.first_replica + len(self))

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
    first_replica : int, default 0
        Index of the first network.
    threads : int, optional
        Threads of this process; default: all the processors it may use.
    block_size : int, optional
        Networks a task; default: about a quarter of a second's worth.
    progress : callable, optional
        Called with the number of networks of each finished block, in the calling thread.

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
    if resnet.processes is not None or not resnet.law.gaussian:
        raise InvalidFieldError(
            "weights",
            resnet.weights,
            "must be gaussian for joint inputs, layers being independent",
            "take weights='gaussian'",
        )
    owners = _owners(inputs, tangents)
    gram, mixing, exponents = _factor(resnet, inputs, owners)
    recorded = _layers(resnet, layers)
    replicas = check_whole("replicas", replicas, 1, _REPLICA_LIMIT, 1000)
    seed = check_seed(seed)
    first_replica = check_whole("first_replica", first_replica, 0, _REPLICA_LIMIT - replicas, 0)
    workers = available_threads() if threads is None else check_whole("threads", threads, 1, 4096, 2)
    if block_size is None:
        block_size = _suggest_block_size(resnet, len(owners), len(recorded), replicas, workers)
    else:
        block_size = check_whole("block_size", block_size, 1, _REPLICA_LIMIT, 64)

    # Compiled on first use: `import montecarlo` must stay light.
    from montecarlo.gaussian._inputs import run_block

    m = len(owners)
    log_norm = np.empty((replicas, len(recorded), m))
    cosine = np.empty((replicas, len(recorded), m, m))
    value, slope = resnet.activation_function.compiled()
    negative_slope = resnet.activation_function.negative_slope
    k0, k1 = _key(resnet, seed)

    def run(start: int) -> int:
        stop = min(start + block_size, replicas)
        run_block(
            value, slope, math.nan if negative_slope is None else negative_slope, BLOCK_CODES[resnet.block],
            resnet.bias_std, resnet.width, resnet.depth, resnet.scaling, mixing, exponents, owners, recorded,
            np.uint32(k0), np.uint32(k1), np.uint64(first_replica + start), log_norm[start:stop],
            cosine[start:stop],
        )  # fmt: skip
        return stop - start

    for finished in run_on_threads(run, iter(range(0, replicas, block_size)), workers):
        if progress is not None:
            progress(finished)
    attached = tuple(int(owner) for owner in owners if owner >= 0)
    return JointSample(resnet, seed, first_replica, gram, attached, recorded, log_norm, cosine)


def _key(resnet: ResNet, seed: int) -> tuple[int, int]:
    """Return the key of the joint streams; shared by networks of one width, as in `ResNet.stream_key`."""
    return derive_key(seed, {"engine": "joint", "width": resnet.width})


def _owners(inputs: npt.ArrayLike, tangents: Sequence[int] | None) -> npt.NDArray[np.int64]:
    """Return the input of each vector that is a tangent, -1 for inputs."""
    m = len(_matrix(inputs))
    attached = [] if tangents is None else list(tangents)
    n_inputs = m - len(attached)
    if n_inputs < 1:
        rule = f"must leave at least one of the {m} vectors an input"
        raise InvalidFieldError("tangents", attached, rule, "add rows to the Gram matrix")
    for owner in attached:
        check_whole("tangents", owner, 0, n_inputs - 1, 0)
    return np.array([-1] * n_inputs + [int(owner) for owner in attached], np.int64)


def _matrix(inputs: npt.ArrayLike) -> Array:
    fix = "give [[1.0, 0.5], [0.5, 1.0]], say"
    try:
        gram = np.array(inputs, np.float64)
    except (TypeError, ValueError):
        raise InvalidFieldError("inputs", inputs, "must be a matrix of numbers", fix) from None
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1] or not 1 <= len(gram) <= VECTOR_LIMIT:
        rule = f"must be a square matrix of 1 to {VECTOR_LIMIT} vectors"
        raise InvalidFieldError("inputs", f"array of shape {gram.shape}", rule, fix)
    if not np.isfinite(gram).all():
        raise InvalidFieldError("inputs", gram.tolist(), "must be finite", fix)
    return gram


def _factor(
    resnet: ResNet, inputs: npt.ArrayLike, owners: npt.NDArray[np.int64]
) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """Return the Gram matrix G, and B and e with ``G_ij = 2^(e_i + e_j) (B Bᵀ)_ij``; copies have equal
    rows.
    """
    gram = _matrix(inputs)
    squares = np.diag(gram)
    fix = "give the Gram matrix of vectors, X @ X.T"
    if squares.min() < 0.0:
        raise InvalidFieldError("inputs", gram.tolist(), "must have squared norms on its diagonal", fix)
    exponents = np.frexp(np.sqrt(squares))[1].astype(np.int64)
    scaled = np.ldexp(np.ldexp(gram, -exponents[:, None]), -exponents[None, :])
    if not np.allclose(scaled, scaled.T, rtol=0.0, atol=_GRAM_ERROR):
        raise InvalidFieldError("inputs", gram.tolist(), "must be symmetric", fix)
    if np.linalg.eigvalsh(scaled)[0] < -_GRAM_ERROR * len(gram):
        raise InvalidFieldError("inputs", gram.tolist(), "must be positive semidefinite", fix)
    if resnet.activation_function.negative_slope is None or resnet.bias_std > 0.0:
        tame = (squares == 0.0) | (np.abs(exponents) <= EVALUATION_LIMIT) | (owners >= 0)
        if not tame.all():
            rule = "must have norms between 2**-100 and 2**100, or zero, for this network"
            fix = "rescale them, or take a homogeneous activation without bias"
            raise InvalidFieldError("inputs", gram.tolist(), rule, fix)
    m = len(gram)
    mixing, units, pivots = np.zeros((m, m)), np.eye(m), np.zeros(m)
    for i in range(m):
        # As in the kernel: a row ends where the vectors before it leave nothing but rounding.
        residual = scaled[i, i]
        for j in range(i):
            if residual > _PIVOT * scaled[i, i] and pivots[j] > 0.0:
                known = scaled[i, j]
                for l in range(j):
                    known -= (units[i, l] * units[j, l]) * pivots[l]
                units[i, j] = known / pivots[j]
                residual -= (units[i, j] * units[i, j]) * pivots[j]
        pivots[i] = residual if residual > _PIVOT * scaled[i, i] else 0.0
        mixing[i, : i + 1] = units[i, : i + 1] * np.sqrt(pivots[: i + 1])
    rank = int((pivots > 0.0).sum())
    if rank > resnet.width:
        raise InvalidFieldError(
            "inputs", gram.tolist(), f"must have rank at most the width, and has {rank}", f"take width={rank}"
        )
    return gram, mixing, exponents


def _layers(resnet: ResNet, layers: Sequence[int] | None) -> npt.NDArray[np.int64]:
    if layers is None:
        return np.arange(resnet.depth + 1, dtype=np.int64)
    checked = [check_whole("layers", k, 0, resnet.depth, resnet.depth) for k in layers]
    if not checked or any(k >= after for k, after in itertools.pairwise(checked)):
        fix = f"give layers=[0, {resnet.depth}], say"
        raise InvalidFieldError("layers", checked, "must be increasing, and at least one", fix)
    return np.array(checked, np.int64)


def _suggest_block_size(resnet: ResNet, vectors: int, layers: int, replicas: int, workers: int) -> int:
    """Return the networks a block: a multiple of sixteen, about a quarter of a second, 64 MiB of rows at
    most.
    """
    per_unit = 1.5e-9 * vectors * (2 if resnet.block != "res-1" else 1) + 2e-10 * vectors**2
    if resnet.activation_function.negative_slope is None:
        per_unit += 1.5e-8 * vectors
    by_time = int(_BLOCK_SECONDS / (resnet.depth * (resnet.width * per_unit + 1e-7) + 1e-6))
    by_balance = -(-replicas // (4 * workers))
    by_memory = _BLOCK_BYTES // (8 * layers * (vectors + vectors**2))
    return max(_LANES, min(by_time, by_balance, by_memory) // _LANES * _LANES)
