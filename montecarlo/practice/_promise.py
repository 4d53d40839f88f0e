"""Whether a model has the law that its specification promises, block by block.

Rows are one a network and block, means over the inputs of the batch: y, the log of the branch's mean square
over what is promised (`BranchLaw`), and the cosines of the branch with the state and with the vector of
ones, which are one coordinate of a uniform direction: sub-Gaussian with variance proxy 1/d. Both are tested
at every block, and together over all blocks. Given the states before it, each row has its law whatever came
before, so sums over blocks are as valid as sums over networks. Every test is always-valid, and they share
the false alarm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.networks._specification import ResNet
from montecarlo.practice._activation_moments import activation_moments, values_of
from montecarlo.practice._branch_law import FLOOR, BranchLaw
from montecarlo.practice._fault import Fault
from montecarlo.practice._stream import Stream, rows_of
from montecarlo.practice._structure import Structure
from montecarlo.sequential._sub_gaussian_mean import log_normal_mixture, tuned_rho

_BLOCKS = ("res-1", "res-2", "res-3")
_NORMS = {
    "none": "none",
    "pre-rms": "before",
    "pre-layer": "before",
    "post-rms": "after",
    "post-layer": "after",
}
_FEW = 1 / 6  # of the blocks, up to which one factor is that of all and others stand beside it
_TUNED = 16  # networks at which the test of a direction is narrowest
_SMALLEST = 8  # width from which on the floor of a row is out of reach


@dataclass
class PromiseTest:
    """The tests of one depth, fed with one network after another.

    Parameters
    ----------
    resnet : ResNet
        The promise.
    false_alarm : float
        Probability, at most, that any of these tests ever refutes a model that keeps it.
    """

    resnet: ResNet
    false_alarm: float
    networks: int = 0
    names: tuple[str, ...] = ()
    _sums: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        depth = self.resnet.depth
        self._sums = {name: np.zeros(depth) for name in ("y", "n", "along", "ones", "turned", "skip")}
        self._sums["zero"] = np.zeros(depth, dtype=int)
        self._laws: list[BranchLaw] = [self._law(1.0)] * depth

    @property
    def note(self) -> str:
        """Why blocks cannot be tested one by one; "" if they can."""
        net = self.resnet
        if net.block not in _BLOCKS or net.processes is not None:
            return f"blocks of {net.block} with {net.weights} weights are not tested one by one"
        if net.norm not in ("none", "pre-rms", "pre-layer"):
            return f"branches behind norm={net.norm!r} are not tested one by one"
        if net.width < _SMALLEST:
            return f"blocks narrower than {_SMALLEST} are not tested one by one"
        return (
            ""
            if net.weights == "gaussian"
            else f"the law of blocks is that of gaussian, not {net.weights}, weights"
        )

    def update(self, stream: Stream) -> None:
        """Take a network in."""
        net = self.resnet
        if (stream.depth, stream.width) != (net.depth, net.width):
            raise InvalidFieldError(
                "promise", net, f"must have the model's depth {stream.depth} and width {stream.width}",
                "return the ResNet that the factory builds",
            )  # fmt: skip
        self.networks += 1
        self.names = stream.names
        if self.note.startswith(("blocks", "branches")) or stream.overflow is not None:
            return
        scalings = net.scaling * (np.ones(net.depth) if net.factors is None else net.factors)
        for k in range(net.depth):
            h, new = rows_of(stream.hidden[k]), rows_of(stream.hidden[k + 1])
            self._take(k, h, new - net.skip * h, float(scalings[k]))

    def _take(self, k: int, h: Any, f: Any, scaling: float) -> None:
        size, length = np.sum(f * f, axis=1), np.sum(h * h, axis=1)
        if not (size > 0).any():
            self._sums["zero"][k] += 1
            return
        mean_square, law = self._promised(h, length, scaling)
        with np.errstate(divide="ignore"):
            y = np.maximum(np.log(size) - np.log(self.resnet.width * mean_square), -FLOOR)
        if law is not None and law.spread > self._laws[k].spread:
            self._laws[k] = law  # of the widest spread so far: its moments bound the others'
        some = (size > 0) & (length > 0)
        norm = np.sqrt(size[some])
        self._sums["y"][k] += float(y.mean())
        self._sums["n"][k] += 1
        self._sums["along"][k] += float(np.mean(np.sum(f * h, axis=1)[some] / (norm * np.sqrt(length[some]))))
        self._sums["skip"][k] += float(np.mean(np.sum(f * h, axis=1)[some] / length[some]))
        self._sums["ones"][k] += float(np.mean(f.sum(axis=1)[some] / (norm * math.sqrt(h.shape[1]))))

    def _law(self, scale: float) -> BranchLaw:
        net = self.resnet
        if net.block == "res-1":
            return BranchLaw(net.width)
        units = net.hidden_width or net.width
        if net.activation_function.name == "relu" and net.bias_std == 0.0:
            return BranchLaw(net.width, units=units)
        c, v = activation_moments(net.activation_function, scale)
        return BranchLaw(net.width, spread=v / (units * c * c))

    def _promised(self, h: Any, length: Any, scaling: float) -> tuple[Any, BranchLaw | None]:
        """Return the mean of f's squared entries given the states, and the law about it."""
        net = self.resnet
        mean_square = length / net.width
        if net.block == "res-1":
            inside = h if net.norm == "none" else h / np.sqrt(mean_square)[:, None]
            return scaling**2 * np.mean(
                np.square(values_of(net.activation_function.value, inside)), axis=1
            ), None
        variance = (mean_square if net.norm == "none" else np.ones(len(h))) + net.bias_std**2
        if net.activation_function.name == "relu":
            law = None if net.bias_std == 0.0 else self._law(1.0)
            return scaling**2 * variance / 2.0, law
        moments = [activation_moments(net.activation_function, float(s)) for s in variance]
        c = np.array([pair[0] for pair in moments])
        return scaling**2 * c, self._law(float(variance[np.argmax([v / (c * c) for c, v in moments])]))

    def faults(self, structure: Structure) -> list[Fault]:
        """Return what is refuted so far."""
        promised = _NORMS.get(self.resnet.norm)
        depth = self.resnet.depth
        every = tuple(range(1, depth + 1))
        relu = self.resnet.activation_function.name == "relu"
        seen = structure.exact and structure.norm != "unknown" and (relu or structure.norm == "after")
        if promised is not None and seen and structure.norm != promised:
            detail = f"{structure.words}, where {self.resnet.norm!r} is promised"
            degree = {"none": 1.0, "before": 0.0, "after": 0.0}[promised]
            return [Fault("norm", every, structure.degree, degree, depth, detail=detail)]
        zero = [k for k in every if self._sums["zero"][k - 1] == self.networks > 0]
        found = [Fault("zero", (k,), 0.0, 1.0, depth, name=self.names[k - 1]) for k in zero]
        blocks, pooled = math.log(12.0 * depth / self.false_alarm), math.log(12.0 / self.false_alarm)
        turned: set[int] = set(zero)
        for kind, column, shown in (("skip", "along", "skip"), ("mean", "ones", "ones")):
            found += self._directions(kind, column, shown, turned, blocks, pooled)
        return found + self._factors(turned, blocks, pooled)

    def _directions(
        self, kind: str, column: str, shown: str, turned: set[int], one: float, pooled: float
    ) -> list[Fault]:
        n, total = self._sums["n"], self._sums[column]
        proxy = 1.0 / self.resnet.width
        rho = tuned_rho(self.false_alarm) * _TUNED * proxy
        evidence = log_normal_mixture(total, n * proxy, rho)
        open_blocks = [k for k in range(self.resnet.depth) if k + 1 not in turned]
        refuted = [k for k in open_blocks if evidence[k] > one]
        rest = [k for k in open_blocks if k not in refuted]
        together = float(log_normal_mixture(total[rest].sum(), n[rest].sum() * proxy, rho)) if rest else 0.0
        if together > pooled:
            refuted = open_blocks
        if not refuted:
            return []
        turned.update(k + 1 for k in refuted)
        mean = float(np.sum(self._sums[shown][refuted]) / np.sum(n[refuted]))
        found, expected = (self.resnet.skip + mean, self.resnet.skip) if kind == "skip" else (mean, 0.0)
        strongest = max(float(evidence[refuted].max()), together)
        return [self._fault(kind, refuted, found, expected, strongest)]

    def _factors(self, turned: set[int], one: float, pooled: float) -> list[Fault]:
        n, total = self._sums["n"], self._sums["y"]
        kept = [k for k in range(self.resnet.depth) if k + 1 not in turned and n[k] > 0]
        if not kept:
            return []
        evidence = {k: self._laws[k].log_evidence(float(total[k]), int(n[k])) for k in kept}
        refuted = [k for k in kept if evidence[k] > one]
        rest = [k for k in kept if k not in refuted]
        widest = max((self._laws[k] for k in kept), key=lambda law: law.spread)
        together = widest.log_evidence(float(total[rest].sum()), int(n[rest].sum())) if rest else 0.0
        if together > pooled:
            refuted = kept
        if not refuted:
            return []
        logs = np.array([0.5 * (total[k] / n[k] - self._laws[k].mean) for k in refuted])
        error = np.sqrt(self._variance(widest) / (4.0 * n[refuted]))
        strongest = max(together, *(evidence[k] for k in refuted))
        centre, middle = float(np.mean(logs)), float(np.median(logs))
        beside = np.abs(logs - middle) < 5.0 * error
        alike = len(refuted) == 1 or bool((np.abs(logs - centre) < 5.0 * error).all())
        if alike:
            return [self._fault("factor", refuted, math.exp(centre), 1.0, strongest)]
        if len(refuted) == len(kept) > 4 and 0 < np.sum(~beside) <= _FEW * len(kept):
            return self._two_factors(refuted, logs, beside, strongest)
        if len(refuted) > max(2, len(kept) // 2):
            return [self._fault("schedule", refuted, math.exp(centre), 1.0, strongest, _trend(refuted, logs))]
        return [
            self._fault("factor", [k], math.exp(log), 1.0, evidence[k])
            for k, log in zip(refuted, logs, strict=True)
        ]

    def _two_factors(self, blocks: Sequence[int], logs: Any, beside: Any, evidence: float) -> list[Fault]:
        """Return the factor of all blocks, and of a few blocks one more."""
        common = float(np.mean(logs[beside]))
        said = f", beside the {math.exp(common):.4g} of every block"
        return [self._fault("factor", blocks, math.exp(common), 1.0, evidence)] + [
            self._fault("factor", [k], math.exp(log - common), 1.0, evidence, said)
            for k, log, usual in zip(blocks, logs, beside, strict=True)
            if not usual
        ]

    def _variance(self, law: BranchLaw) -> float:
        step = 0.05
        up, down = law.log_moments(np.array([step, -step]))
        return float(up + down) / step**2

    def _fault(
        self,
        kind: str,
        blocks: Sequence[int],
        found: float,
        expected: float,
        evidence: float,
        detail: str = "",
    ) -> Fault:
        numbers = tuple(k + 1 for k in blocks)
        return Fault(
            kind, numbers, found, expected, self.resnet.depth, evidence, self.names[blocks[0]], detail
        )


def _trend(blocks: Sequence[int], logs: Any) -> str:
    ends = [f"{math.exp(logs[i]):.3g} at block {blocks[i] + 1}" for i in (0, -1)]
    slope = float(np.polyfit(np.log(np.asarray(blocks) + 1.0), logs, 1)[0])
    return f"{ends[0]} to {ends[1]}, about k^{slope:.2f}"
