"""`simulate_depths`: networks of several depths on one path of weights."""

from __future__ import annotations

from collections.abc import Sequence

from montecarlo.common._errors import check_seed
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Progress, check_replicas, collect_rows
from montecarlo.samples.depths._run import CoupledRun
from montecarlo.samples.depths._sample import CoupledSample


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
    first_replica, threads, block_size, progress
        As in `montecarlo.simulate`.

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
    replicas, first_replica = check_replicas(replicas, first_replica)
    run = CoupledRun.find(resnet, check_seed(seed), depths)
    columns = collect_rows(
        run, replicas=replicas, first_replica=first_replica, threads=threads, block_size=block_size,
        progress=progress,
    )  # fmt: skip
    return CoupledSample(resnet, run.depths, run.seed, first_replica, **columns)
