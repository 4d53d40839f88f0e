"""Samples with planted numbers: every column of every point has a level of its own, so that none stands in
for another unseen. They take no simulation, so that a test of a picture takes little but the drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from figures._figure import FigureDefinition
from figures._points import DepthsPoint, JacobianPoint, Point, SharedPoint
from montecarlo import CoupledSample, JacobianSample, ResNet, Sample, SharedSample

LEVELS = {
    "log_hidden_ratio": 0.02,
    "log_hidden_difference": -0.33,
    "log_gradient_ratio": -0.11,
    "log_gradient_difference": 0.27,
}
"""Where the columns of a sample lie, about; a point adds an offset of its own."""


def planted(definition: FigureDefinition, *, rows: int = 40, spread: float = 0.2) -> dict[ResNet, Any]:
    """Return a sample for every point of a figure's quick setting."""
    rng = np.random.default_rng(17)
    return {point.resnet: _sample(point, rows, spread, rng) for point in definition.points("quick")}


def _sample(point: Any, rows: int, spread: float, rng: np.random.Generator) -> Any:
    offset = 0.4 * rng.random()
    if isinstance(point, Point):
        return _plain(point, rows, spread, offset, rng)
    if isinstance(point, SharedPoint):
        return _shared(point, spread, offset, rng)
    if isinstance(point, JacobianPoint):
        return _jacobians(point, spread, offset, rng)
    assert isinstance(point, DepthsPoint), point
    return _coupled(point, rows, rng)


def _plain(point: Point, rows: int, spread: float, offset: float, rng: np.random.Generator) -> Sample:
    columns = {
        name: level + offset + spread * rng.standard_normal(rows)
        for name, level in LEVELS.items()
        if point.request.gradients or "hidden" in name
    }
    if point.request.trajectories:
        steps = rng.standard_normal((rows, point.resnet.depth)) / np.sqrt(point.resnet.depth)
        columns["log_hidden_path"] = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
        if point.request.gradients:
            columns["log_gradient_path"] = 0.3 - columns["log_hidden_path"][:, ::-1]
    if point.request.tangent_kernel:
        columns["log_tangent_kernel"] = 0.5 + offset + spread * rng.standard_normal(rows)
    return Sample(point.resnet, 0, "dense", 0, columns)


def _jacobians(
    point: JacobianPoint, spread: float, offset: float, rng: np.random.Generator
) -> JacobianSample:
    d, rows = point.resnet.width, min(point.replicas, 40)
    falling = np.linspace(1.0, -1.0, d) + offset
    values = -np.sort(-(falling + spread * rng.standard_normal((rows, d))), axis=1)
    diagonal = 0.5 * falling - 0.2 + spread * rng.standard_normal((rows, d))
    columns = {
        "log_abs_determinant": diagonal.sum(1), "sign_determinant": np.ones(rows),
        "log_qr_diagonal": diagonal, "log_singular_value": values,
        "log_trace": np.logaddexp.reduce(2 * values, axis=1),
        "log_square_trace": np.logaddexp.reduce(4 * values, axis=1),
    }  # fmt: skip
    return JacobianSample(point.resnet, 0, "gaussian", 0, columns)


def _shared(point: SharedPoint, spread: float, offset: float, rng: np.random.Generator) -> SharedSample:
    shape = (point.replicas, len(point.betas), point.inputs)
    # Larger scalings are smaller ratios, as of networks, at another rate in every column.
    fall = np.asarray(point.betas)[None, :, None]
    columns = {
        name: 3.0 + 10.0 * level + 5.0 * offset - (4.0 + level) * fall + spread * rng.standard_normal(shape)
        for name, level in LEVELS.items()
    }
    return SharedSample(point.resnet, 0, 0, np.asarray(point.betas), columns)


def _coupled(point: DepthsPoint, rows: int, rng: np.random.Generator) -> CoupledSample:
    depths = np.array(point.depths, np.float64)
    order = 0.3 + rng.random()

    def errors(size: float) -> np.ndarray:
        return np.log(size) - order * np.log(depths[:-1]) + 0.1 * rng.standard_normal((rows, len(depths) - 1))

    bias = depths**-order
    return CoupledSample(
        point.resnet, point.depths, 0, 0, log_strong_error=errors(2.0), log_end_error=errors(0.7),
        log_hidden_ratio=0.3 + bias + 1e-5 * rng.standard_normal((rows, len(depths))),
        cosine=0.5 - 0.4 * bias + 1e-5 * rng.standard_normal((rows, len(depths))),
    )  # fmt: skip


def distinct(values: Sequence[float] | np.ndarray, *, apart: float = 1e-9) -> bool:
    """Whether no two numbers are the same."""
    return bool(np.all(np.diff(np.sort(np.asarray(values, np.float64).ravel())) > apart))
