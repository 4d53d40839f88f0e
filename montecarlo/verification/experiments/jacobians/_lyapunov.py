"""J2: the QR diagonal."""

from __future__ import annotations

from dataclasses import replace

from scipy import stats

import theory
from montecarlo import ResNet
from montecarlo.verification._experiment import Experiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import LawOfRows, SameLawOfRows
from montecarlo.verification.experiments.jacobians._rows import Read, jacobian_source, walk_source

_WIDTH, _DEPTH = 4, 300
_DEEP = ResNet(width=_WIDTH, depth=_DEPTH, alpha=(4.0 / _DEPTH) ** 0.5)  # t = 2
_DISTANCES = {1: 0.004, 2: 0.004, 4: 0.011}
"""From the limits at this depth: the last mode is the furthest, its variance 4 % too large."""


def _mode(mode: int) -> Read:
    return lambda sample: sample["log_qr_diagonal"][:, mode - 1]


def _limit(mode: int) -> LawOfRows:
    law = theory.qr_diagonal_limit_law(mode=mode, width=_WIDTH, time=4.0)
    return LawOfRows(
        theorem="J2", name=f"limit, i = {mode}", resolution=0.025, first_rows=10_000, resnet=_DEEP,
        quantity=f"distance of the law of log r_ii from its limit, i = {mode}, d = {_WIDTH}", cdf=law.cdf,
        source=jacobian_source(_DEEP, _mode(mode)), distance=_DISTANCES[mode],
    )  # fmt: skip


def _walk(mode: int) -> SameLawOfRows:
    resnet = ResNet(width=3, depth=4, alpha=0.6, hidden_width=5)
    return SameLawOfRows(
        theorem="J2", name=f"random walk, i = {mode}", resolution=0.03, first_rows=20_000, quick=True,
        quantity=f"distance between the laws of log r_ii, i = {mode}, and of a sum over single layers",
        resnet=resnet, other=replace(resnet, depth=1), engine="dense",
        source=jacobian_source(resnet, _mode(mode), engine="dense"),
        other_source=walk_source(replace(resnet, depth=1), 4, "log_qr_diagonal", mode),
    )  # fmt: skip


def experiments() -> list[Experiment]:
    """Return the experiments."""
    return [_walk(1), _walk(3), _limit(1), _limit(2), _limit(4)]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    first, last, walk = _limit(1), _limit(4), _walk(3)
    t = 2.0
    deviation = (t / _WIDTH) ** 0.5
    rademacher = replace(walk.resnet, weights="rademacher")
    return [
        Mutant("(d − 2i + 1)/(2d)", "theory",
               replace(first, cdf=stats.norm((_WIDTH - 1) * t / (2 * _WIDTH), deviation).cdf)),
        Mutant("(d − 2i + 1)/(2d) at i = d", "theory",
               replace(last, cdf=stats.norm((1 - _WIDTH) * t / (2 * _WIDTH), deviation).cdf)),
        Mutant("variance t", "theory",
               replace(first, cdf=stats.norm((_WIDTH - 2) * t / (2 * _WIDTH), t**0.5).cdf)),
        Mutant("r_33 beside a walk of r_11", "simulator",
               replace(walk, other_source=walk_source(walk.other, 4, "log_qr_diagonal", 1))),
        Mutant("Rademacher weights, whose frames matter", "simulator",
               replace(walk, resnet=rademacher, source=jacobian_source(rademacher, _mode(3)))),
    ]  # fmt: skip
