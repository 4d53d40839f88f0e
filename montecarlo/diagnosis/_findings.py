"""`Findings`: everything that is known of one network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from montecarlo.diagnosis._check import Check
from montecarlo.diagnosis._float_range import FloatRange
from montecarlo.diagnosis._prediction import Prediction
from montecarlo.diagnosis._regime import Regime
from montecarlo.networks._specification import ResNet

if TYPE_CHECKING:
    from montecarlo.samples.independent._sample import Sample


@dataclass(frozen=True, eq=False, repr=False)
class Findings:
    """What `diagnose` found; the fields are described at `Diagnosis`."""

    resnet: ResNet
    regime: Regime
    hidden: Prediction
    gradient: Prediction
    ranges: tuple[FloatRange, ...]
    check: Check
    gradient_norm: float
    sample: Sample | None

    @property
    def agrees(self) -> bool | None:
        """Whether the simulation refutes nothing that is predicted; None if nothing could be tested."""
        return self.check.agrees

    def record(self) -> dict[str, Any]:
        """Return the diagnosis as JSON-serialisable values; natural logarithms where names say `log`."""
        network = self.resnet.canonical()
        return {
            "specification": json.loads(json.dumps(network)),
            "alpha": self.resnet.scaling,
            "regime": self.regime.record(),
            "hidden": self.hidden.record(),
            "gradient": self.gradient.record(),
            "gradient_norm": self.gradient_norm,
            "ranges": [r.record() for r in self.ranges],
            "check": self.check.record(),
        }
