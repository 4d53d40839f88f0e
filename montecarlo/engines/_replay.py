"""`weights`, `final_states`: the arrays of one replica, for rebuilding that network elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import check_seed, check_whole
from montecarlo.common._jit import LANES
from montecarlo.networks._dictionary import check_resnet
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import SIGNED_ACTIVATION
from montecarlo.streams import ROLE_BIAS, ROLE_EMBEDDING, ROLE_READOUT, ROLE_V, ROLE_W
from montecarlo.streams._address import Address

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ReplicaWeights:
    """Everything that is random in one network, float64, scaled as in the recursion of `ResNet`.

    Attributes
    ----------
    V : array, shape (L, d, M)
        ``h_{k+1} = skip * h_k + alphas[k] * V[k] @ g(h_k)``; M is d unless the network has a hidden width.
    W : array of shape (L, M, d), or None
        ``g(h) = σ(W[k] @ h + b[k])``; None where there is no W.
    b : array of shape (L, M), or None
        None unless the block is res-2 with biases.
    A : array, shape (d, n)
        ``h_0 = A @ x``.
    x : array, shape (n,)
        The input.
    readout : array, shape (d,)
        The row B; p_L has its direction.
    alpha : float
        The scaling α.
    alphas : array, shape (L,)
        α times its schedule.
    skip : float
        The factor of the stream.
    signs : array of shape (L, d), or None
        ``g(h) = ReLU(signs[k] * h)``; None unless the block is balanced.
    """

    V: Array
    W: Array | None
    b: Array | None
    A: Array
    x: Array
    readout: Array
    alpha: float
    alphas: Array
    skip: float
    signs: Array | None = None


def weights(resnet: ResNet, *, replica: int, seed: int) -> ReplicaWeights:
    """Return the arrays that the dense engine, or the correlated one, used for one replica.

    Those of independent layers are read through the dense engine's own kernel (combinations with unit
    vectors), those of processes along depth are the correlated engine's paths, so they cannot drift from
    what the engines do. Memory: 16 L d M bytes for V and W.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    replica : int
        Row of the sample, 0-based.
    seed : int
        Seed of the sample.

    Returns
    -------
    ReplicaWeights

    Examples
    --------
    >>> from montecarlo import simulate
    >>> net = ResNet(width=8, depth=5, beta=0.5)
    >>> w = weights(net, replica=2, seed=1)
    >>> h = h_0 = w.A @ w.x
    >>> for V, W in zip(w.V, w.W):
    ...     h = h + w.alpha * V @ np.maximum(W @ h, 0)
    >>> ratio = np.log(np.linalg.norm(h) / np.linalg.norm(h_0))
    >>> sample = simulate(net, replicas=3, seed=1, engine="dense")
    >>> bool(np.isclose(ratio, sample["log_hidden_ratio"][2], atol=1e-5))
    True
    """
    from montecarlo.kernels._signs import signs_of
    from montecarlo.kernels._state import input_of

    check_resnet(resnet)
    replica = check_whole("replica", replica, 0, 2**63 - 1, 0)
    seed = check_seed(seed)
    address = Address.of(resnet.stream_key(seed), replica)
    d, n = resnet.width, resnet.input_dim
    x = input_of(address, n)
    v, w = matrices(resnet, replica=replica, seed=seed)
    b = None
    if resnet.bias_std > 0.0:
        b = resnet.bias_std * _stack(resnet, address, ROLE_BIAS, 1, resnet.inner_width)[:, 0]
    _, combine = resnet.law.kernels()
    embedding = _unit_rows(combine, address, np.uint32(ROLE_EMBEDDING << 28), d, n)
    return ReplicaWeights(
        V=v,
        W=w,
        b=b,
        A=embedding / math.sqrt(n),
        x=resnet.input_scale * x.astype(np.float64),
        readout=readout_rows(resnet, replica=replica, seed=seed, rows=1)[0],
        alpha=resnet.scaling,
        alphas=resnet.scaling * (np.ones(resnet.depth) if resnet.factors is None else resnet.factors),
        skip=resnet.skip,
        signs=signs_of(address, resnet.depth, d).astype(np.float64)
        if SIGNED_ACTIVATION in resnet.words
        else None,
    )


def matrices(resnet: ResNet, *, replica: int, seed: int) -> tuple[Array, Array | None]:
    """Return V and W of `weights` alone.

    Examples
    --------
    >>> net = ResNet(width=8, depth=5, beta=0.5)
    >>> V, W = matrices(net, replica=2, seed=1)
    >>> bool((V == weights(net, replica=2, seed=1).V).all()), W.shape
    (True, (5, 8, 8))
    """
    from montecarlo.engines.correlated._engine import Paths

    d, M, L, key = resnet.width, resnet.inner_width, resnet.depth, resnet.stream_key(seed)
    scale = 1.0 / math.sqrt(d)
    if resnet.processes is not None:
        paths = Paths.draw(resnet, key, replica)
        v = paths.v.reshape(L, d, M).astype(np.float64) / math.sqrt(M)
        return v, scale * paths.w.reshape(L, M, d).astype(np.float64) if paths.w.size else None
    address = Address.of(key, replica)
    units = 1.0 / math.sqrt(M) * _stack(resnet, address, ROLE_V, M, d)  # columns of V
    v = units.transpose(0, 2, 1)
    return v, scale * _stack(resnet, address, ROLE_W, M, d) if resnet.has_w else None


def _stack(resnet: ResNet, address: Address, role: int, n_units: int, length: int) -> Array:
    """Return the standardised matrices of a role in all layers, shape (L, n_units, length)."""
    _, combine = resnet.law.kernels()
    roles = (np.uint32(k | role << 28) for k in range(resnet.depth))
    return np.stack([_unit_rows(combine, address, layer_role, n_units, length) for layer_role in roles])


def readout_rows(resnet: ResNet, *, replica: int, seed: int, rows: int) -> Array:
    """Return the first rows of the read-out matrix B of one replica, shape (rows, d).

    Parameters
    ----------
    resnet : ResNet
        The specification.
    replica : int
        Row of the sample, 0-based.
    seed : int
        Seed of the sample.
    rows : int
        Outputs of the network; row 0 is the read-out row of `weights`.

    Examples
    --------
    >>> net = ResNet(width=8, depth=5, beta=0.5)
    >>> rows = readout_rows(net, replica=2, seed=1, rows=3)
    >>> rows.shape, bool((rows[0] == weights(net, replica=2, seed=1).readout).all())
    ((3, 8), True)
    """
    replica = check_whole("replica", replica, 0, 2**63 - 1, 0)
    _, combine = resnet.law.kernels()
    address = Address.of(resnet.stream_key(check_seed(seed)), replica)
    d = resnet.width
    return _unit_rows(combine, address, np.uint32(ROLE_READOUT << 28), rows, d) / math.sqrt(d)


@dataclass(frozen=True, eq=False)
class ReplicaStates:
    """Where one replica of `weights` ended, as unit vectors: the norms are the sample's log-ratios.

    Attributes
    ----------
    hidden : array, shape (d,)
        ``h_L / ‖h_L‖``.
    gradient : array, shape (d,)
        ``p_0 / ‖p_0‖``, where p_L is the read-out row.
    """

    hidden: Array
    gradient: Array


def final_states(resnet: ResNet, *, replica: int, seed: int) -> ReplicaStates:
    """Return the directions of h_L and p_0 of one replica of `weights`, float64.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    replica : int
        Row of the sample, 0-based.
    seed : int
        Seed of the sample.

    Examples
    --------
    >>> states = final_states(ResNet(width=8, depth=5, beta=0.5), replica=2, seed=1)
    >>> round(float(np.linalg.norm(states.hidden)), 6)
    1.0
    """
    from montecarlo.engines.correlated import _engine as correlated
    from montecarlo.engines.dense import _engine as dense

    replica = check_whole("replica", replica, 0, 2**63 - 1, 0)
    engine = dense if resnet.processes is None else correlated
    hidden, gradient = engine.final_states(resnet, resnet.stream_key(check_seed(seed)), replica)
    return ReplicaStates(hidden / np.linalg.norm(hidden), gradient / np.linalg.norm(gradient))


def _unit_rows(combine: Any, address: Address, layer_role: Any, n_units: int, length: int) -> Array:
    """Return the entries M[unit, j] of a virtual matrix, shape (n_units, length)."""
    from montecarlo.laws._products import SCRATCH

    steps = -(-length // LANES)
    rows = np.empty((n_units, length))
    scratch = np.zeros(SCRATCH, np.float32)
    out = np.zeros(steps * LANES, np.float32)
    first = np.zeros(LANES, np.float32)
    first[0] = 1.0
    for unit in range(n_units):
        units = np.full(LANES, unit, np.uint32)
        combine(address, layer_role, units, np.uint64(LANES), first, np.uint64(steps), scratch, out)
        rows[unit] = out[:length]
    return rows
