"""`JacobianRun`: rows of `montecarlo.JacobianSample`, and which kernel draws them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, unknown_name
from montecarlo.engines._outputs import constants_of
from montecarlo.kernels._records import Draw
from montecarlo.networks._dictionary import PLAIN, require_words
from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import HIDDEN_WIDTH, SCHEDULE, SKIP
from montecarlo.runs import Columns, ResNetRun
from montecarlo.streams import derive_key

WIDTH_LIMIT = 1024
"""Widths at most: the work of a layer grows with their cube."""

_WORDS = PLAIN | {HIDDEN_WIDTH, SKIP, SCHEDULE}
_ENGINES = ("gaussian", "dense")


@dataclass(frozen=True)
class JacobianRun(ResNetRun):
    """Jacobians of networks of one specification.

    Parameters
    ----------
    resnet, seed
        As in `montecarlo.runs.ResNetRun`.
    engine : {"gaussian", "dense"}
        Independent Gaussian layers that do not know the state, or the explicit matrices of
        `montecarlo.weights`.
    singular_values : bool, default True
        Whether to carry the whole product, and not its QR diagonal alone.
    """

    engine: str
    singular_values: bool = True

    @classmethod
    def find(cls, resnet: ResNet, seed: int, *, engine: str, singular_values: bool) -> JacobianRun:
        """Return the run, its arguments checked; ``auto`` takes the cheapest engine that samples the law.

        Raises
        ------
        InvalidFieldError
            A ValueError whose one line names the field, the value, the rule and the fix.
        """
        require_words(resnet, _WORDS, "simulate_jacobians")
        if resnet.processes is not None:
            rule = "must be independent over layers for Jacobians"
            raise InvalidFieldError("weights", resnet.weights, rule, "take weights='gaussian', say")
        if max(resnet.width, resnet.inner_width) > WIDTH_LIMIT:
            field = "width" if resnet.width > WIDTH_LIMIT else "hidden_width"
            rule = f"must be at most {WIDTH_LIMIT} for Jacobians, which are whole matrices"
            raise InvalidFieldError(field, getattr(resnet, field), rule, f"give {field}=100, say")
        if not isinstance(engine, str) or engine not in ("auto", *_ENGINES):
            raise unknown_name("engine", engine, ("auto", *_ENGINES))
        reason = _gaussian_refusal(resnet)
        if engine == "gaussian" and reason is not None:
            raise InvalidFieldError("engine", engine, reason, "take engine='auto'")
        if engine == "auto":
            engine = "gaussian" if reason is None else "dense"
        return cls(resnet, seed, engine, singular_values)

    @property
    def kind(self) -> str:
        """Rows of `JacobianSample`."""
        return "jacobian"

    @property
    def details(self) -> dict[str, Any]:
        """The engine: the other one draws other numbers."""
        return {"engine": self.engine}

    @property
    def cells(self) -> dict[str, tuple[int, ...]]:
        """Numbers of the determinant and of traces; a number a mode of the two spectra."""
        d = self.resnet.width
        cells: dict[str, tuple[int, ...]] = {
            "log_abs_determinant": (), "sign_determinant": (), "log_qr_diagonal": (d,),
        }  # fmt: skip
        if self.singular_values:
            cells |= {"log_singular_value": (d,), "log_trace": (), "log_square_trace": ()}
        return cells

    @property
    def seconds(self) -> float:
        """Rough time of one network."""
        d, M = self.resnet.width, self.resnet.inner_width
        per_layer = 2e-10 * (0.5 * d * d * M + d**3 * (1.0 + 0.5 * self.singular_values)) + 2e-8 * d + 1e-7
        if self.engine == "dense":
            per_layer += 2e-10 * (d**3 + 0.5 * d * d * M) + 1e-7 * M * self.resnet.law.cost
        return self.resnet.depth * per_layer + 3e-9 * d**3 * self.singular_values + 1e-6

    def prepare(self) -> None:
        """Compile the engine's kernel, the law and the activation."""
        kernel = "_layers" if self.engine == "gaussian" else "_explicit"
        importlib.import_module(f"montecarlo.samples.jacobians.{kernel}")
        self.resnet.law.kernels()
        self.resnet.activation_function.compiled()

    def sample(self, first: int, count: int) -> Columns:
        """Return the rows of consecutive networks."""
        # Compiled on first use: `import montecarlo` must stay light.
        from montecarlo.samples.jacobians._product import Rows

        resnet, d = self.resnet, self.resnet.width
        rows = Rows(np.empty(count), np.empty((count, d)), np.empty((count, d * self.singular_values)))
        constants = constants_of(resnet)
        if self.engine == "gaussian":
            from montecarlo.samples.jacobians._layers import run_layers

            # Networks of one width share their streams, as in `ResNet.stream_key`.
            key = derive_key(self.seed, {"engine": "jacobian", "width": d})
            run_layers(constants, Draw.of(key, first), resnet.has_w, rows)
        else:
            from montecarlo.samples.jacobians._explicit import run_explicit

            _, combine = resnet.law.kernels()
            draw = Draw.of(resnet.stream_key(self.seed), first)
            functions = (combine, *resnet.activation_function.compiled())
            run_explicit(*functions, constants, draw, resnet.has_w, rows)
        columns = {
            "log_abs_determinant": rows.log_diagonal.sum(axis=1),
            "sign_determinant": rows.sign,
            "log_qr_diagonal": rows.log_diagonal,
        }
        if self.singular_values:
            columns["log_singular_value"] = rows.log_singular
            columns["log_trace"] = _log_sum(2.0 * rows.log_singular)
            columns["log_square_trace"] = _log_sum(4.0 * rows.log_singular)
        return columns


def _log_sum(logs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return logs of sums along the last axis, terms in a fixed order."""
    with np.errstate(invalid="ignore"):  # NaN marks a network that left the finite numbers
        return np.logaddexp.reduce(logs, axis=1)


def _gaussian_refusal(resnet: ResNet) -> str | None:
    """Return why layers are not i.i.d. whatever the state (J1), or None."""
    slope = resnet.activation_function.negative_slope
    if not resnet.law.gaussian:
        return "must be dense for weights that are not Gaussian"
    if slope is None or resnet.bias_std > 0.0 or not (resnet.has_w or slope == 1.0):
        return (
            "must be dense unless layers do not know the state: σ linear on either side of 0 behind W and "
            "no bias, or the identity"
        )
    return None
