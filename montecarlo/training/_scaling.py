"""`weight_scaling`: the exponent in L of the sizes of weights, before or after training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from montecarlo.estimates import Estimate, mean
from montecarlo.training._outcome import Outcome

NORMS = ("mean", "largest", "increment", "sum", "change", "change_sum")
"""Sizes of weights; see `Measured.norms`."""


def weight_scaling(
    outcomes: Sequence[Outcome],
    norm: Literal["mean", "largest", "increment", "sum", "change", "change_sum"] = "mean",
    *,
    moment: Literal["before", "after"] = "after",
    confidence: float = 0.99,
) -> Estimate:
    """Estimate s in |α V| ∝ L^s, for a size of the weights, over networks of several depths.

    The scaling α is part of the size: it is α V_k that moves the hidden states. Where layers stay as rough as
    independent ones, increments scale like single layers; where they are smooth, by 1 less. (R. Cont, A.
    Cohen, A. Rossier and R. Xu, arXiv:2105.12245, study these exponents after training.)

    Parameters
    ----------
    outcomes : sequence of Outcome
        Networks of at least two depths, alike else; each seed and replica at all depths, two of them for an
        interval. Networks that diverged are counted, and their seed and replica left out.
    norm : {"mean", "largest", "increment", "sum", "change", "change_sum"}, default "mean"
        Frobenius norms: of V_k, mean or largest over k; of V_{k+1} − V_k; of the sum over k; of what training
        has added, mean over k or its sum.
    moment : {"before", "after"}, default "after"
        When.
    confidence : float, default 0.99
        Coverage of the interval, Student's over the slopes of single seeds and replicas.

    Raises
    ------
    ValueError
        If the networks do not have several depths each.
    """
    if norm not in NORMS:
        raise ValueError(f"norm={norm!r}: must be one of {', '.join(NORMS)}")
    groups: dict[tuple[int, int], dict[int, float | None]] = {}
    for outcome in outcomes:
        resnet, item = outcome.item.resnet, outcome.item
        measured = outcome.before if moment == "before" else outcome.after
        size = measured.norms.get(norm) if measured is not None else None
        depths = groups.setdefault((item.seed, item.replica), {})
        if resnet.depth in depths:
            raise ValueError(
                f"two networks of depth {resnet.depth} have one seed and replica: must be alike else"
            )
        depths[resnet.depth] = None if size is None else resnet.scaling * size
    if len({tuple(sorted(sizes)) for sizes in groups.values()}) != 1:
        raise ValueError("each seed and replica must have the same depths")
    if min(len(sizes) for sizes in groups.values()) < 2:
        raise ValueError("networks have one depth: must have at least two")
    return mean([_slope(sizes) for sizes in groups.values()], confidence=confidence)


def _slope(sizes: dict[int, float | None]) -> float:
    """Return the least-squares slope of log size in log depth; NaN where a network is missing."""
    x = np.log(np.array(list(sizes), np.float64))
    y = np.log(np.array([np.nan if size is None else size for size in sizes.values()]))
    x -= x.mean()
    return float(x @ y / (x @ x))
