"""`Request`: what is to be observed of each network."""

from __future__ import annotations

from dataclasses import dataclass

from montecarlo.networks._specification import ResNet
from montecarlo.networks.blocks._block import SIGNED_ACTIVATION


@dataclass(frozen=True)
class Request:
    """What is to be observed of each network.

    Parameters
    ----------
    gradients : bool, default True
        The two gradient ratios, jointly with the hidden ones (a backward pass).
    dual : bool, default False
        Instead, the gradient ratios of *other* networks of the same law (duality, I4): each has its right
        law, but a row's gradients do not belong to its hidden states, and the columns are named ``..._dual``.
    trajectories : bool, default False
        Log-norms along depth: ``log_hidden_path`` and, with gradients, ``log_gradient_path``.
    weight_gradients : bool, default False
        Log-norms of the weight gradients of every layer.
    tangent_kernel : bool, default False
        Log of the sum of their squares over all layers and matrices: ``log_tangent_kernel`` (J4).
    gate_gradients : bool, default False
        Logs of the gradients of the factors a_k of every layer.
    """

    gradients: bool = True
    dual: bool = False
    trajectories: bool = False
    weight_gradients: bool = False
    tangent_kernel: bool = False
    gate_gradients: bool = False

    @property
    def any_weight_gradients(self) -> bool:
        """Whether engines must look at weight gradients."""
        return self.weight_gradients or self.tangent_kernel

    def plain(self, resnet: ResNet) -> bool:
        """Whether nothing is asked of layers in between, and the network has neither norms nor signs."""
        layers = self.trajectories or self.any_weight_gradients or self.gate_gradients
        return not (layers or resnet.normalisation.words or SIGNED_ACTIVATION in resnet.words)

    def cells(self, resnet: ResNet) -> dict[str, tuple[int, ...]]:
        """Return the columns of the answer, in order, each with the shape of one network's cell."""
        names = ["log_hidden_ratio", "log_hidden_difference"]
        if self.gradients:
            names += ["log_gradient_ratio", "log_gradient_difference"]
        if self.dual:
            names += ["log_gradient_ratio_dual", "log_gradient_difference_dual"]
        cells: dict[str, tuple[int, ...]] = dict.fromkeys(names, ())
        if self.trajectories:
            paths = ["log_hidden_path"] + ["log_gradient_path"] * self.gradients
            cells |= dict.fromkeys(paths, (resnet.depth + 1,))
        if self.weight_gradients:
            layers = ["log_weight_gradient_v"] + ["log_weight_gradient_w"] * resnet.has_w
            cells |= dict.fromkeys(layers, (resnet.depth,))
        if self.tangent_kernel:
            cells["log_tangent_kernel"] = ()
        if self.gate_gradients:
            cells["log_gate_gradient"] = (resnet.depth,)
        return cells

    def columns(self, resnet: ResNet) -> tuple[str, ...]:
        """Return the names of the columns of the answer, in order."""
        return tuple(self.cells(resnet))
