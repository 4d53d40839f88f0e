"""Whether a real transformer has the law that its `Transformer` promises: its whole stream against samples.

A row is one network on its first sequence: log rms of the stream and mean cosine of its tokens after every
layer, and log ‖p_0‖/‖p_L‖ for a random read-out of all tokens, which has the law of a tangent (J0). Rows of
`simulate_tokens` are exact draws of the same law, so that under the promise those of the model and the
simulated ones are exchangeable, and the rank sum of the model's rows among all has its exact law (Mann and
Whitney), whatever the rows' law is. The false alarm is shared among looks, quantities and layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError
from montecarlo.networks._transformer import Transformer
from montecarlo.practice._fault import Fault
from montecarlo.practice._stream import Array, Stream
from montecarlo.practice._structure import Structure

Rows = npt.NDArray[np.float64]

_SIMULATED = 256  # networks: more would tell little beside a few dozen of the model
_SEED = 0x70726F6D697365  # of those networks; the model has its own generators
_ROUNDING = 1e-3  # medians nearer than this may differ by the model's number format


@dataclass
class TokenPromise:
    """The tests of one depth, fed with one network after another.

    Parameters
    ----------
    transformer : Transformer
        The promise.
    false_alarm : float
        Probability, at most, that one look refutes a model that keeps it.
    networks : int, default 0
        How many were taken in.
    """

    transformer: Transformer
    false_alarm: float
    networks: int = 0
    _rows: dict[str, list[Rows]] = field(default_factory=dict)
    _names: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What a reader should know of the test."""
        return "the promise is tested on the first sequence of the batch, whose tokens must be distinct"

    def update(self, stream: Stream) -> None:
        """Take a network in."""
        net = self.transformer
        first = _first_sequence(stream.hidden[0])
        if (stream.depth, *first.shape) != (net.depth, net.tokens, net.width):
            tokens, width = first.shape
            raise InvalidFieldError(
                "promise", net,
                f"must have the model's depth {stream.depth}, width {width} and {tokens} tokens",
                "return the Transformer that the factory builds",
            )  # fmt: skip
        self.networks += 1
        self._names = stream.names
        states = [_first_sequence(h) for h in stream.hidden]
        row = {"stream": np.array([_log_rms(h) for h in states])}
        if net.tokens > 1:
            row["cosine"] = np.array([_mean_cosine(h) for h in states])
        if stream.gradients is not None:
            sizes = [_log_rms(_first_sequence(stream.gradients[k])) for k in (0, -1)]
            row["gradient"] = np.array([sizes[0] - sizes[1]])
        for name, values in row.items():
            self._rows.setdefault(name, []).append(values)

    @cached_property
    def _simulated(self) -> dict[str, Rows]:
        from montecarlo.samples.tokens._sample import simulate_tokens

        gradient = "gradient" in self._rows
        sample = simulate_tokens(self.transformer, replicas=_SIMULATED, seed=_SEED, tangent=gradient)
        found = {"stream": sample["log_rms_path"], "cosine": sample["cosine_path"]}
        return found | ({"gradient": sample["log_tangent_path"][:, -1:]} if gradient else {})

    def faults(self, structure: Structure) -> list[Fault]:
        """Return what is refuted so far: of each quantity the first layer where it is."""
        del structure
        rows = {name: np.stack(values) for name, values in self._rows.items()}
        log_level = math.log(self.false_alarm / max(1, sum(own.shape[1] for own in rows.values())))
        found = []
        for name, own in rows.items():
            simulated = self._simulated[name]
            for k in range(own.shape[1]):
                evidence = -rank_sum_log_probability(own[:, k], simulated[:, k])
                if evidence > -log_level:
                    found.append(self._fault(name, k, own, simulated, evidence))
                    break
        return found

    def _fault(self, name: str, k: int, own: Rows, simulated: Rows, evidence: float) -> Fault:
        depth = self.transformer.depth
        middle, promised = (float(np.median(rows[:, k])) for rows in (own, simulated))
        if name == "gradient":
            every = tuple(range(1, depth + 1))
            return Fault(name, every, math.exp(middle), math.exp(promised), depth, evidence)
        last = [float(np.median(rows[:, -1])) for rows in (own, simulated)]
        if name == "cosine":
            ends = f"{last[0]:.4g} after the last block, {last[1]:.4g} is promised"
            return Fault(name, (k,), middle, promised, depth, evidence, self._name(k), ends)
        # What branches add up to until here: the mean square beyond that of layer 0, network by network.
        added = [float(np.mean(np.exp(2 * r[:, k]) - np.exp(2 * r[:, 0]))) for r in (own, simulated)]
        detail = f"{math.exp(last[0] - last[1]):.4g} times after the last block"
        if min(added) > 0.0 and self.transformer.placement != "post" and k > 0:
            detail += (
                f"; up to there branches add {math.sqrt(added[0] / added[1]):.3g} times what is promised"
            )
        return Fault(name, (k,), math.exp(middle - promised), 1.0, depth, evidence, self._name(k), detail)

    def _name(self, k: int) -> str:
        return self._names[k - 1] if k > 0 else ""


def rank_sum_log_probability(own: Rows, others: Rows) -> float:
    """Return the natural log of the exact two-sided probability of a rank sum as far out as this one.

    0 where medians differ by no more than the rounding of a number format.

    Examples
    --------
    >>> print(f"{rank_sum_log_probability(np.array([5.0, 6.0]), np.array([1.0, 2.0, 3.0])):.4f}")  # log 2/10
    -1.6094
    """
    from scipy.stats import mannwhitneyu

    if not (np.isfinite(own).all() and np.isfinite(others).all()):
        return 0.0
    if abs(float(np.median(own)) - float(np.median(others))) <= _ROUNDING:
        return 0.0
    return math.log(float(mannwhitneyu(own, others, method="exact").pvalue))


def _first_sequence(state: Array) -> Rows:
    wide = np.asarray(state, dtype=np.float64)
    return wide.reshape(-1, *wide.shape[-2:])[0] if wide.ndim >= 2 else wide[None]


def _log_rms(rows: Rows) -> float:
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return 0.5 * float(np.log(np.mean(np.square(rows))))


def _mean_cosine(rows: Rows) -> float:
    """Return the mean cosine over the pairs of different rows."""
    with np.errstate(all="ignore"):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    n = len(rows)
    return float((np.sum(np.square(unit.sum(axis=0))) - n) / (n * (n - 1)))
