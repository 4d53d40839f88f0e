"""`TrainingPlan` and `TrainingItem`: how a network is trained, and which one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from montecarlo.common._errors import InvalidFieldError, check_real, check_seed, check_whole
from montecarlo.networks._dictionary import PLAIN, require_words
from montecarlo.networks._specification import ResNet

RATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Learning rates of the paper's grid."""

TRAINING_FORMAT = 1
"""Raised whenever the same item would train in another way."""

ACTIVATIONS = ("gelu", "identity", "leaky-relu", "relu", "sin", "softplus", "tanh")
"""Activations that can be trained."""


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Adam on cross-entropy, with the learning rate divided at steps; the defaults are the paper's.

    Parameters
    ----------
    epochs : int, default 10
        Passes over the training part.
    batch : int, default 128
        Examples a step; the last batch of an epoch may be smaller.
    decay : float, default 0.1
        Factor of the learning rate after every `decay_epochs`.
    decay_epochs : int, default 5
        Epochs between them.

    Raises
    ------
    InvalidFieldError
        For a value out of range.

    Examples
    --------
    >>> TrainingPlan(epochs=6).rates(0.01)
    [0.01, 0.01, 0.01, 0.01, 0.01, 0.001]
    """

    epochs: int = 10
    batch: int = 128
    decay: float = 0.1
    decay_epochs: int = 5

    def __post_init__(self) -> None:
        for name, high, example in (("epochs", 10**6, 10), ("batch", 10**6, 128), ("decay_epochs", 10**6, 5)):
            object.__setattr__(self, name, check_whole(name, getattr(self, name), 1, high, example))
        decay = check_real("decay", self.decay, 0.0, 1.0, 0.1, open_low=True)
        object.__setattr__(self, "decay", decay)

    def rates(self, rate: float) -> list[float]:
        """Return the learning rate of each epoch."""
        return [float(f"{rate * self.decay ** (e // self.decay_epochs):.12g}") for e in range(self.epochs)]

    def steps(self, examples: int) -> int:
        """Return the number of steps of an epoch."""
        return -(-examples // self.batch)


@dataclass(frozen=True, kw_only=True)
class TrainingItem:
    """One network to train: everything that its outcome depends on, beside the data's content.

    Parameters
    ----------
    resnet : ResNet
        Its initial weights are those of `montecarlo.weights` for the replica and seed, with as many read-out
        rows as classes; `input_dim` is the data's number of features.
    rate : float
        Learning rate of Adam.
    data : str, default "digits"
        As for `load_data`.
    seed : int, default 0
        Of the weights and the order of the examples.
    replica : int, default 0
        Number of the network.
    plan : TrainingPlan, optional
        The paper's by default.

    Raises
    ------
    InvalidFieldError
        For a value out of range, or an activation that cannot be trained.

    Examples
    --------
    >>> net = ResNet(width=30, depth=100, beta=0.5, block="res-1", weights="fbm:0.5")
    >>> TrainingItem(resnet=net, rate=0.01).digest[:8] == TrainingItem(resnet=net, rate=0.1).digest[:8]
    False
    """

    resnet: ResNet
    rate: float
    data: str = "digits"
    seed: int = 0
    replica: int = 0
    plan: TrainingPlan = field(default_factory=TrainingPlan)

    def __post_init__(self) -> None:
        require_words(self.resnet, PLAIN, "training")
        if self.resnet.activation_function.fingerprint not in ACTIVATIONS:
            rule = f"must be one of {', '.join(ACTIVATIONS)} to be trained"
            raise InvalidFieldError("activation", self.resnet.activation, rule, "take one of these")
        object.__setattr__(self, "rate", check_real("rate", self.rate, 0.0, 1e30, 0.01, open_low=True))
        object.__setattr__(self, "seed", check_seed(self.seed))
        object.__setattr__(self, "replica", check_whole("replica", self.replica, 0, 2**63 - 1, 0))

    def canonical(self) -> dict[str, Any]:
        """Return every field, as JSON-serialisable values."""
        return {
            "specification": self.resnet.canonical(),
            "rate": self.rate,
            "data": self.data,
            "seed": self.seed,
            "replica": self.replica,
            "plan": asdict(self.plan),
            "training_format": TRAINING_FORMAT,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, hexadecimal."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
