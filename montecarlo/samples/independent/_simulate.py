"""`simulate`: random networks, one row each, in the order of the replicas."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

from montecarlo.common._errors import InvalidFieldError, check_flag, check_seed, unknown_name
from montecarlo.engines._request import Request
from montecarlo.networks._specification import ResNet
from montecarlo.runs import Progress, check_replicas, collect_rows, iter_rows
from montecarlo.samples.independent._run import NetworkRun
from montecarlo.samples.independent._sample import Sample

Gradients = Literal["joint", "none", "dual"]


def simulate(
    resnet: ResNet,
    *,
    replicas: int,
    seed: int,
    first_replica: int = 0,
    engine: str = "auto",
    threads: int | None = None,
    block_size: int | None = None,
    gradients: Gradients = "joint",
    trajectories: bool = False,
    weight_gradients: bool = False,
    tangent_kernel: bool = False,
    gate_gradients: bool = False,
    progress: Progress | None = None,
) -> Sample:
    """Sample random networks, one row each.

    Row i is a function of (specification, seed, i) alone: not of threads, block size, or the number of
    replicas.

    Parameters
    ----------
    resnet : ResNet
        The specification.
    replicas : int
        Number of networks.
    seed : int
        Any whole number from 0 to 2**128 - 1. The same seed gives the same rows for the same stream format.
    first_replica : int, default 0
        Index of the first network.
    engine : str, default "auto"
        The engine; auto takes the fastest one that samples exactly this law.
    threads : int, optional
        Threads of this process; default: all the processors it may use.
    block_size : int, optional
        Networks a task; default: about a quarter of a second's worth.
    gradients : {"joint", "none", "dual"}, default "joint"
        Joint: the gradient ratios of the very network of each row. None: no backward pass. Dual: gradient
        ratios of other networks of the same law, in columns named ``..._dual`` (I4; radial engine only):
        right one by one, independent of the hidden ratios beside them.
    trajectories, weight_gradients : bool, default False
        Whether to return log-norms along depth, and those of the weight gradients (needs joint
        gradients).
    tangent_kernel : bool, default False
        Whether to return the network's tangent kernel at its input (J4; needs joint gradients).
    gate_gradients : bool, default False
        Whether to return log |∂ℓ/∂a_k| over ‖p_L‖‖h_0‖, of the factor a_k of each layer's branch (needs joint
        gradients).
    progress : callable, optional
        Called with the number of networks of each finished block, in the calling thread.

    Returns
    -------
    Sample

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.

    Examples
    --------
    >>> import numpy as np
    >>> net = ResNet(width=40, depth=100, beta=0.5, weights="uniform")
    >>> sample = simulate(net, replicas=400, seed=7)
    >>> second_moment = np.exp(2 * sample["log_hidden_ratio"]).mean()  # I2: (1 + 1/200)**100 = 1.647
    >>> bool(abs(second_moment - 1.647) < 0.2)
    True
    """
    request = make_request(
        gradients,
        trajectories=trajectories,
        weight_gradients=weight_gradients,
        tangent_kernel=tangent_kernel,
        gate_gradients=gate_gradients,
    )
    replicas, first_replica = check_replicas(replicas, first_replica)
    run = NetworkRun.find(resnet, check_seed(seed), engine=engine, request=request)
    columns = collect_rows(
        run, replicas=replicas, first_replica=first_replica, threads=threads, block_size=block_size,
        progress=progress,
    )  # fmt: skip
    return Sample(resnet, run.seed, run.engine, first_replica, columns)


def make_request(
    gradients: str = "joint",
    *,
    trajectories: bool = False,
    weight_gradients: bool = False,
    tangent_kernel: bool = False,
    gate_gradients: bool = False,
) -> Request:
    """Return the `Request` of `simulate`'s arguments.

    Parameters
    ----------
    gradients : {"joint", "none", "dual"}, default "joint"
        Ratios of the same networks' gradients; none; or those of other networks of the same law (I4).
    trajectories, weight_gradients : bool, default False
        Log-norms along depth, and those of the weight gradients of every layer.
    tangent_kernel : bool, default False
        The tangent kernel.
    gate_gradients : bool, default False
        Those of the factors a_k.

    Returns
    -------
    Request
        What `iter_blocks` takes.

    Raises
    ------
    InvalidFieldError
        If `gradients` is none of the three words, or not joint where gradients of layers or their sum are
        asked for, or anything else is not True or False.
    """
    if gradients not in ("joint", "none", "dual"):
        raise unknown_name("gradients", gradients, ("joint", "none", "dual"))
    for field, value in (
        ("trajectories", trajectories), ("weight_gradients", weight_gradients),
        ("tangent_kernel", tangent_kernel), ("gate_gradients", gate_gradients),
    ):  # fmt: skip
        check_flag(field, value)
    asked = {
        "weight gradients": weight_gradients, "the tangent kernel": tangent_kernel,
        "gate gradients": gate_gradients,
    }  # fmt: skip
    if any(asked.values()) and gradients != "joint":
        of = next(name for name, wanted in asked.items() if wanted)
        raise InvalidFieldError("gradients", gradients, f"must be joint for {of}", "drop one of the two")
    joint, dual = gradients == "joint", gradients == "dual"
    return Request(joint, dual, trajectories, weight_gradients, tangent_kernel, gate_gradients)


def iter_blocks(
    resnet: ResNet,
    *,
    replicas: int,
    seed: int,
    first_replica: int = 0,
    engine: str = "auto",
    threads: int | None = None,
    block_size: int | None = None,
    request: Request | None = None,
) -> Generator[Sample, None, None]:
    """Yield samples of consecutive replicas as they finish, in any order.

    All arguments are checked before the first block starts. Closing the iterator drops the blocks that are
    not finished.

    Parameters
    ----------
    resnet, replicas, seed, first_replica, engine, threads, block_size
        As in `simulate`.
    request : Request, optional
        What to observe; the four ratios by default. See `make_request`.

    Yields
    ------
    Sample
        A block of rows.

    Raises
    ------
    InvalidFieldError
        As `simulate`.

    Examples
    --------
    >>> net = ResNet(width=8, depth=4, beta=0.5)
    >>> sum(len(block) for block in iter_blocks(net, replicas=100, seed=1, block_size=32))
    100
    """
    replicas, first_replica = check_replicas(replicas, first_replica)
    run = NetworkRun.find(resnet, check_seed(seed), engine=engine, request=request)
    blocks = iter_rows(
        run, replicas=replicas, first_replica=first_replica, threads=threads, block_size=block_size
    )

    def samples() -> Generator[Sample, None, None]:
        try:
            for first, columns in blocks:
                yield Sample(resnet, run.seed, run.engine, first, columns)
        finally:
            blocks.close()

    return samples()
