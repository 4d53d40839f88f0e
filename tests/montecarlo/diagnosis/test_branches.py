"""Models of PyTorch and Flax read by duck typing: shapes, scales, laws, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest

from montecarlo import InvalidFieldError, simulate
from montecarlo.diagnosis import diagnose, measure_branches

D, L = 48, 20


class Tensor:
    """What of a PyTorch parameter is used."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self

    def float(self) -> Tensor:
        return self

    def numpy(self) -> np.ndarray:
        return self._array.astype(np.float32)


class Module:
    """What of a PyTorch module is used."""

    def __init__(self, named: dict[str, np.ndarray]) -> None:
        self._named = named

    def named_parameters(self):
        return ((name, Tensor(array)) for name, array in self._named.items())


def torch_like(
    width: int = D, hidden: int = D, depth: int = L, std: float = 1.0, bias: float = 0.0
) -> Module:
    rng = np.random.default_rng(1)
    named = {"embed.weight": rng.normal(size=(width, 10))}
    for k in range(depth):
        named[f"blocks.{k}.fc1.weight"] = rng.normal(0, std / math.sqrt(width), (hidden, width))
        named[f"blocks.{k}.fc1.bias"] = rng.normal(0, bias, hidden)
        named[f"blocks.{k}.fc2.weight"] = rng.normal(0, 1 / math.sqrt(width), (width, hidden))
        named[f"blocks.{k}.fc2.bias"] = np.zeros(width)
    named["head.weight"] = rng.normal(size=(10, width))
    return Module(named)


def test_a_torch_module() -> None:
    found = measure_branches(torch_like(), multiplier=0.25)
    assert (found.width, found.hidden_width, found.depth) == (D, D, L)
    assert found.names == ("blocks.*.fc2.weight", "blocks.*.fc1.weight")
    assert found.scale_v == pytest.approx(1, abs=0.02)
    assert found.scale_w == pytest.approx(1, abs=0.02)
    assert found.alpha == pytest.approx(0.25, abs=0.01)
    assert found.weights == "gaussian"
    assert found.bias_std == 0
    assert found.warnings == ()
    net = found.resnet()
    assert (net.block, net.width, net.depth, net.weights) == ("res-3", D, L, "gaussian")
    assert net.scaling == found.alpha


def test_biases_make_res_2() -> None:
    net = measure_branches(torch_like(bias=0.3)).resnet("gelu")
    assert net.block == "res-2"
    assert net.bias_std == pytest.approx(0.3, abs=0.01)
    assert net.activation == "gelu"


def test_default_linear_layers_are_uniform_and_small() -> None:
    # torch.nn.Linear: uniform on ±1/√d, deviation 1/√(3d)
    rng = np.random.default_rng(2)
    edge = 1 / math.sqrt(D)
    model = {
        f"{k}.{name}.weight": rng.uniform(-edge, edge, (D, D))
        for k in range(L)
        for name in ("inner", "outer")
    }
    found = measure_branches(model)
    assert found.weights == "uniform"
    assert found.alpha == pytest.approx(1 / 3, abs=0.01)
    assert any("times 1/√d: counted" in words for words in found.warnings)


def test_wide_branches_have_the_gain_of_their_scaling() -> None:
    # Four times as many units: E‖V relu(W h)‖² = α²/2 ‖h‖², measured on the matrices themselves.
    model = torch_like(hidden=4 * D)
    found = measure_branches(model)
    assert found.hidden_width == 4 * D
    assert any("192 units" in words for words in found.warnings)
    named = {name: tensor.numpy() for name, tensor in model.named_parameters()}
    h = np.random.default_rng(3).normal(size=D)
    gains = [
        np.sum((named[f"blocks.{k}.fc2.weight"] @ np.maximum(named[f"blocks.{k}.fc1.weight"] @ h, 0)) ** 2)
        for k in range(L)
    ]
    assert np.mean(gains) / np.sum(h**2) == pytest.approx(found.alpha**2 / 2, rel=0.15)


def test_flax_parameters_nested_and_scanned() -> None:
    rng = np.random.default_rng(4)
    kernel = rng.normal(0, 1 / math.sqrt(D), (L, D, 3 * D)), rng.normal(0, 1 / math.sqrt(D), (L, 3 * D, D))
    nested = {
        "params": {
            f"Block_{k}": {"Dense_0": {"kernel": kernel[0][k]}, "Dense_1": {"kernel": kernel[1][k]}}
            for k in range(L)
        }
    }
    scanned = {"params": {"blocks": {"up": {"kernel": kernel[0]}, "down": {"kernel": kernel[1]}}}}
    one, other = measure_branches(nested), measure_branches(scanned)
    assert (
        (one.width, one.hidden_width, one.depth)
        == (other.width, other.hidden_width, other.depth)
        == (D, 3 * D, L)
    )
    assert one.alpha == other.alpha
    assert one.names == ("params.Block_*.Dense_1.kernel", "params.Block_*.Dense_0.kernel")


def test_correlated_blocks_and_normalisation_are_told() -> None:
    rng = np.random.default_rng(5)
    shared = rng.normal(0, 1 / math.sqrt(D), (D, D))
    model = {f"layers.{k}.weight": shared for k in range(L)} | {
        f"layers.{k}.norm.weight": np.ones(D) for k in range(L)
    }
    warnings = " ".join(measure_branches(model).warnings)
    assert "correlated between neighbouring blocks" in warnings
    assert "normalisation" in warnings


def test_pattern_chooses() -> None:
    rng = np.random.default_rng(6)
    model = {
        f"b.{k}.{name}.weight": rng.normal(0, scale / math.sqrt(D), (D, D))
        for k in range(L) for name, scale in (("q", 1.0), ("k", 1.0), ("fc", 2.0))
    }  # fmt: skip
    assert "3 matrices a block" in measure_branches(model).warnings[0]
    found = measure_branches(model, pattern="fc")
    assert found.names == ("b.*.fc.weight",)
    assert found.alpha == pytest.approx(2.0, abs=0.05)
    assert found.resnet("tanh").block == "res-1"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"a": np.ones((3, 3))}, "two or more matrices"),
        ({}, "two or more matrices"),
        (3.0, "named_parameters"),
        ({f"l.{k}.w": np.ones((3, 4)) for k in range(3)}, "square matrices"),
        ({f"l.{k}.{n}": np.ones((3, 4)) for k in range(3) for n in "ab"}, "back"),
    ],
)
def test_what_has_no_branches_is_refused(model: object, words: str) -> None:
    with pytest.raises(InvalidFieldError, match=words):
        measure_branches(model)


def test_a_measured_model_can_be_diagnosed() -> None:
    net = measure_branches(torch_like(), multiplier=0.2).resnet()
    found = diagnose(net, seed=1, seconds=0.1)
    assert found.hidden.kind == "exact law"
    # Its own weights, run forward, lie in the predicted range of 99.99 % of networks.
    named = {name: tensor.numpy() for name, tensor in torch_like().named_parameters()}
    h = start = np.random.default_rng(7).normal(size=D)
    for k in range(L):
        h = h + 0.2 * named[f"blocks.{k}.fc2.weight"] @ np.maximum(named[f"blocks.{k}.fc1.weight"] @ h, 0)
    growth = math.log(np.linalg.norm(h) / np.linalg.norm(start))
    assert found.hidden.log_quantile(5e-5) < growth < found.hidden.log_quantile(1 - 5e-5)
    assert len(simulate(net, replicas=2, seed=0)) == 2
