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
from montecarlo.streams import ROLE_BIAS, ROLE_EMBEDDING, ROLE_INPUT, ROLE_READOUT, ROLE_V, ROLE_W, words
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
    from montecarlo.engines.correlated._engine import Paths

    check_resnet(resnet)
    replica = check_whole("replica", replica, 0, 2**63 - 1, 0)
    seed = check_seed(seed)
    _, combine = resnet.law.kernels()
    address = Address.of(resnet.stream_key(seed), replica)
    d, M, L, n = resnet.width, resnet.inner_width, resnet.depth, resnet.input_dim

    def matrix(role: int, layer: int, n_units: int, length: int) -> Array:
        return _unit_rows(combine, address, np.uint32(layer | role << 28), n_units, length)

    def stack(role: int, n_units: int, length: int, scale: float) -> Array:
        return scale * np.stack([matrix(role, k, n_units, length) for k in range(L)])

    x = _input(address, n)
    scale = 1.0 / math.sqrt(d)
    biased = resnet.bias_std > 0.0
    if resnet.processes is None:
        v = stack(ROLE_V, M, d, 1.0 / math.sqrt(M)).transpose(0, 2, 1)  # a unit is a column of V
        w = stack(ROLE_W, M, d, scale) if resnet.has_w else None
    else:
        paths = Paths.draw(resnet, resnet.stream_key(seed), replica)
        v = paths.v.reshape(L, d, M).astype(np.float64) / math.sqrt(M)
        w = scale * paths.w.reshape(L, M, d).astype(np.float64) if paths.w.size else None
    return ReplicaWeights(
        V=v,
        W=w,
        b=stack(ROLE_BIAS, 1, M, resnet.bias_std)[:, 0] if biased else None,
        A=matrix(ROLE_EMBEDDING, 0, d, n) / math.sqrt(n),
        x=resnet.input_scale * x,
        readout=readout_rows(resnet, replica=replica, seed=seed, rows=1)[0],
        alpha=resnet.scaling,
        alphas=resnet.scaling * (np.ones(L) if resnet.factors is None else resnet.factors),
        skip=resnet.skip,
        signs=_signs(address, L, d) if SIGNED_ACTIVATION in resnet.words else None,
    )


def _input(address: Address, n: int) -> Array:
    """Return x as `montecarlo.kernels._state.draw_input`, which would be compiled for this call alone."""
    high = (ROLE_INPUT << 28, int(address.low), int(address.high))
    levels = words((address.k0, address.k1), -(-n // 4), high=high).T.ravel()[:n] >> np.uint32(8)
    uniform = (levels.astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-24)
    return uniform.astype(np.float64)


def _signs(address: Address, depth: int, width: int) -> Array:
    """Return the signs of all layers, shape (L, d)."""
    from montecarlo.kernels._signs import fill_signs

    signs, (k0, k1, low, high) = np.empty((depth, width), np.float32), address
    for k in range(depth):
        fill_signs(k0, k1, np.uint32(k), low, high, np.uint64(width), np.uint64(1), np.uint64(0), signs[k])
    return signs.astype(np.float64)


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
