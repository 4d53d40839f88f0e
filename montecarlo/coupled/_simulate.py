"""`simulate_depths`: networks of several depths on one path of weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo._errors import InvalidFieldError, check_seed, check_whole
from montecarlo._outputs import BLOCK_CODES
from montecarlo._simulate import Progress, check_threads, run_on_threads
from montecarlo._specification import ResNet
from montecarlo.coupled._sample import CoupledSample
from montecarlo.kernels._state import EVALUATION_LIMIT
from montecarlo.processes import PATH_LIMIT
from montecarlo.streams import ROLE_V, ROLE_W, derive_key

_LANES = 16
_BLOCK_SECONDS = 0.25
REPLICA_LIMIT = 2**63 - 1

Array = npt.NDArray[np.float64]


def simulate_depths(
    resnet: ResNet,
    depths: Sequence[int],
    *,
    replicas: int,
    seed: int,
    first_replica: int = 0,
    threads: int | None = None,
    block_size: int | None = None,
    progress: Progress | None = None,
) -> CoupledSample:
    """Sample networks of several depths on one path of weights: strong and weak errors in depth.

    Right for S1, O1 and F4: how fast do hidden states approach the limit at large depth, where networks of
    depth L, 2L, 4L, ... are discretisations of one equation. Each network alone has the law of an ordinary
    one of its depth, with ``α = depth**-beta``.

    Parameters
    ----------
    resnet : ResNet
        The deepest network; the others differ in depth alone. It must have `beta`, at least the critical one
        (1/2, H, or 1), since deeper networks explode below. Its weights are independent Gaussian layers
        (Brownian increments; for res-1) or a process along the layers: fbm:H with H >= 1/2, rbf:VARIANCE,
        rbf-increments:VARIANCE, matern:NU:SCALE or a user's. That of W (`weights_w`, or that of V) must be
        smooth.
    depths : sequence of int
        At least two, each a proper divisor of the next, the last one the depth of `resnet`.
    replicas : int
        Number of paths.
    seed : int
        Any whole number from 0 to 2**128 - 1.
    first_replica : int, default 0
        Index of the first path.
    threads : int, optional
        Threads of this process; default: all the processors it may use.
    block_size : int, optional
        Replicas a task; default: about a quarter of a second's worth.
    progress : callable, optional
        Called with the number of replicas of each finished block, in the calling thread.

    Returns
    -------
    CoupledSample
        Row i is a function of (specification, depths, seed, i) alone.

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix; in particular where
        there is no common path or no limit.

    Notes
    -----
    What is coupled (r layers of the deepest network span one of a shallower one):

    * Gaussian (S1): ``V = (V_1 + ... + V_r)/√r``, increments of one Brownian motion. Images of the deepest
      network's matrices on all states at once are drawn, O(d) a layer. In res-2 and res-3 the matrix W of
      each layer is independent and not scaled with depth, so paths do not converge; only laws do.
    * increments (F4, rbf-increments): the same sum over its standard deviation, r^H for fbm:H, which is again
      the process at the smaller depth.
    * values of a process of k/L (O1): every r-th layer.

    W acts inside σ and is not added up over depth. It has a limit where its layers converge one by one, hence
    for smooth processes alone: with V = fbm:H take res-1, or a smooth W.

    For H > 1/2 the error of order 2H − 1 comes from the quadratic variation of single entries, one in d of
    the terms; others are of order min(1, 2H − 1/2). A wide network at moderate depth thus shows a better
    order.

    Examples
    --------
    >>> net = ResNet(width=16, depth=512, beta=0.5, block="res-1", activation="tanh")
    >>> sample = simulate_depths(net, [16, 32, 64, 128, 256, 512], replicas=1024, seed=7)
    >>> order = sample.strong_order()
    >>> order.contains(0.5), order.half_width < 0.05  # S1
    (True, True)
    """
    levels = check_depths(resnet, depths)
    replicas = check_whole("replicas", replicas, 1, REPLICA_LIMIT, 1000)
    seed = check_seed(seed)
    first_replica = check_whole("first_replica", first_replica, 0, REPLICA_LIMIT - replicas, 0)
    workers = check_threads(threads)
    _check_scale(resnet)
    plan = (_images if resnet.processes is None else _paths)(resnet, levels, seed)
    if block_size is None:
        by_time = int(_BLOCK_SECONDS / plan.seconds)
        by_balance = -(-replicas // (4 * workers))
        block_size = max(1, min(by_time, by_balance) // plan.lanes) * plan.lanes
    else:
        block_size = check_whole("block_size", block_size, 1, REPLICA_LIMIT, 64)

    shapes = (len(levels) - 1, len(levels) - 1, len(levels), len(levels))
    columns = [np.empty((replicas, width)) for width in shapes]

    def run(start: int) -> int:
        stop = min(start + block_size, replicas)
        plan.fill(first_replica + start, *(column[start:stop] for column in columns))
        return stop - start

    for finished in run_on_threads(run, iter(range(0, replicas, block_size)), workers):
        if progress is not None:
            progress(finished)
    lost = ~(columns[2] < np.inf).all(axis=1)
    for column in columns:
        column[lost] = np.nan
    return CoupledSample(resnet, levels, seed, first_replica, *columns)


@dataclass(frozen=True)
class _Plan:
    """What fills the rows: ``fill(first_replica, strong, end, ratio, cosine)``."""

    lanes: int
    seconds: float
    fill: Callable[..., None]


def check_depths(resnet: ResNet, depths: Sequence[int]) -> tuple[int, ...]:
    """Return the depths as a tuple of int; raise `InvalidFieldError` where they are not nested."""
    levels = tuple(check_whole("depths", depth, 1, resnet.depth, resnet.depth) for depth in depths)
    nested = all(deep > shallow and deep % shallow == 0 for shallow, deep in itertools.pairwise(levels))
    if len(levels) < 2 or not nested or levels[-1] != resnet.depth:
        rule = f"must be at least two, each a proper divisor of the next, up to the network's {resnet.depth}"
        raise InvalidFieldError("depths", list(levels), rule, "give depths=[16, 32, 64] at depth=64, say")
    if resnet.beta is None:
        raise InvalidFieldError(
            "alpha", resnet.alpha, "must follow the depth for coupled depths", "give beta instead, 0.5 say"
        )
    return levels


def _check_scale(resnet: ResNet) -> None:
    if abs(math.log2(resnet.input_scale)) > EVALUATION_LIMIT:
        rule = f"must be between 2**-{EVALUATION_LIMIT} and 2**{EVALUATION_LIMIT} for coupled depths"
        raise InvalidFieldError("input_scale", resnet.input_scale, rule, "give input_scale=1, say")
    if resnet.bias_std > 0.0:
        raise InvalidFieldError(
            "bias_std", resnet.bias_std, "must be 0 for coupled depths: biases of layers have no common path",
            "leave it out",
        )  # fmt: skip


def _activation(resnet: ResNet) -> tuple[Any, float]:
    value, _ = resnet.activation_function.compiled()
    negative_slope = resnet.activation_function.negative_slope
    return value, math.nan if negative_slope is None else negative_slope


def _key(resnet: ResNet, seed: int) -> tuple[int, int]:
    """Return the key of the streams: other numbers than those of networks of one depth."""
    laws = ["gaussian", ""]
    if resnet.processes is not None:
        laws = [process.fingerprint for process in resnet.processes]
    fields = {"engine": "coupled", "width": resnet.width, "input_dim": resnet.input_dim}
    inner = "" if resnet.block == "res-1" else laws[1]
    return derive_key(seed, fields | {"weights": laws[0], "inner_weights": inner})


def _images(resnet: ResNet, depths: tuple[int, ...], seed: int) -> _Plan:
    if resnet.weights != "gaussian":
        raise InvalidFieldError(
            "weights", resnet.weights, "must be gaussian or a process for coupled depths: sums have another "
            "law", "take weights='gaussian'",
        )  # fmt: skip
    if resnet.block != "res-1":
        raise InvalidFieldError(
            "weights", resnet.weights, f"must be a process for {resnet.block}: independent layers of W are "
            "drawn afresh at every depth, so that only laws converge", "take block='res-1', or give "
            "weights_w='rbf:0.01', say",
        )  # fmt: skip
    beta = float(resnet.beta or 0.0)
    if beta < 0.5:
        raise InvalidFieldError(
            "beta", beta, "must be at least 0.5 for gaussian weights: deeper networks explode below",
            "take beta=0.5",
        )  # fmt: skip
    from montecarlo.coupled._images import run_block

    levels = np.array(depths, np.int64)
    ratios = levels[-1] // levels
    scales = levels**-beta / np.sqrt(ratios)
    value, negative_slope = _activation(resnet)
    k0, k1 = _key(resnet, seed)

    def fill(first_replica: int, *columns: Array) -> None:
        run_block(
            value, negative_slope, resnet.width, resnet.depth, ratios, scales, resnet.input_dim,
            resnet.input_scale, np.uint32(k0), np.uint32(k1), np.uint64(first_replica), *columns,
        )  # fmt: skip

    m = len(depths)
    per_unit = m * (1.8e-9 + 2e-10 * m) + (3e-8 if math.isnan(negative_slope) else 0.0)
    return _Plan(_LANES, resnet.depth * (resnet.width * per_unit + 1e-7), fill)


def _paths(resnet: ResNet, depths: tuple[int, ...], seed: int) -> _Plan:
    from montecarlo.coupled._coupling import check_limit, find_coupling
    from montecarlo.coupled._fill import PathFiller

    assert resnet.processes is not None
    v, w = resnet.processes
    own = find_coupling(v, depths)
    inner = None if resnet.block == "res-1" else find_coupling(w, depths, field="weights_w")
    check_limit(resnet, own, inner)
    if resnet.depth * resnet.width**2 > PATH_LIMIT:
        rule = f"must give paths of at most {PATH_LIMIT:_} numbers, depth times width squared"
        raise InvalidFieldError("width", resnet.width, rule, "take a smaller width or depth")
    sources = [(v, own, ROLE_V)]
    if inner is not None:
        sources.append((w, inner, ROLE_W))
    value, negative_slope = _activation(resnet)
    filler = PathFiller(
        resnet, depths, sources, _key(resnet, seed), value, negative_slope, BLOCK_CODES[resnet.block]
    )
    # Factors are built here, where their errors belong to the caller.
    for source, _, _ in sources:
        source.factor(resnet.depth)
    per_number = 1.5e-8 * len(sources)
    seconds = resnet.depth * (resnet.width**2 * per_number + 1e-7) + 1e-4
    return _Plan(1, seconds, filler.fill)
