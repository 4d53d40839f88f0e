"""Samples of exact draws in place of networks, so that tests of figures may have any size."""

from __future__ import annotations

import numpy as np

import figures
from montecarlo import Sample


def exact_sample(point: figures.Point, log_ratio: np.ndarray, log_difference: np.ndarray) -> Sample:
    """Return a sample of the given logs, the same for hidden states and gradients."""
    columns = {
        "log_hidden_ratio": log_ratio, "log_hidden_difference": log_difference,
        "log_gradient_ratio": log_ratio, "log_gradient_difference": log_difference,
    }  # fmt: skip
    return Sample(point.resnet, 0, "gaussian", 0, columns)
