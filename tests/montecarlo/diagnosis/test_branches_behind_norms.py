"""Norms of models: found beside the branch, told to `Branches.resnet`; the scale of W behind them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special

from montecarlo import InvalidFieldError
from montecarlo.diagnosis import diagnose, measure_branches

D, M, L = 32, 96, 16
ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "gelu": lambda x: x * special.ndtr(x),
}
ONES, ZEROS = np.ones(D), np.zeros(D)


def model(gain: Any = ONES, shift: Any = None, *, std_w: float = 1.0, bias: float = 0.0) -> dict[str, Any]:
    """Return the parameters of ``h + 0.4 V σ(W n(h) + b)``, names as in transformers without attention."""
    rng = np.random.default_rng(8)
    made = {}
    for k in range(L):
        made[f"h.{k}.ln.weight"] = gain
        if shift is not None:
            made[f"h.{k}.ln.bias"] = shift
        made[f"h.{k}.up.weight"] = rng.normal(0, std_w / math.sqrt(D), (M, D))
        made[f"h.{k}.up.bias"] = rng.normal(0, bias, M)
        made[f"h.{k}.down.weight"] = rng.normal(0, 0.4 / math.sqrt(M), (D, M))
    return made


@pytest.mark.parametrize(("shift", "norm"), [(None, "pre-rms"), (ZEROS, "pre-layer")])
def test_a_norm_is_asked_for_and_then_passed_on(shift: Any, norm: str) -> None:
    found = measure_branches(model(shift=shift))
    assert found.roles["h.*.ln.weight"] == "norm"
    assert found.warnings[0] == (
        "h.*.ln.weight looks like a normalisation: the branch is taken as a plain one, "
        f"unless norm='{norm}', say, tells where it stands"
    )
    assert found.resnet().norm == "none"
    net = found.resnet(norm=norm)
    assert (net.norm, net.block, net.width, net.hidden_width, net.depth) == (norm, "res-3", D, M, L)
    assert net.alpha == pytest.approx(0.4, rel=0.02)
    assert diagnose(net, seconds=0).hidden.kind == "exact law"
    assert diagnose(found.resnet(norm=norm, beta=0.5), seconds=0).regime.name == "critical"


@pytest.mark.parametrize(
    ("activation", "gain", "bias"),
    [("relu", 0.5, 0.0), ("relu", 1.0, 0.3), ("tanh", 1.0, 0.0), ("tanh", 0.5, 0.3), ("gelu", 2.0, 0.0)],
)
def test_branches_behind_a_norm_have_the_size_of_their_specification(
    activation: str, gain: float, bias: float
) -> None:
    # W of deviation 0.577/√d, as PyTorch's Linear has it, and gains: on the matrices themselves. The 16 · 32
    # rows of V leave 2 % of chance; a deviation that counts into the scaling of tanh alone is off by 50 %.
    scaled = np.full(D, gain)
    parameters = model(scaled, std_w=3**-0.5, bias=bias)
    net = measure_branches(parameters).resnet(activation, norm="pre-rms")
    sigma = ACTIVATIONS[activation]
    rng = np.random.default_rng(9)
    n = rng.normal(size=(D, 40))
    n *= math.sqrt(D) / np.linalg.norm(n, axis=0)
    square = np.mean([
        np.mean(
            (parameters[f"h.{k}.down.weight"] @ sigma(
                parameters[f"h.{k}.up.weight"] @ (gain * n) + parameters[f"h.{k}.up.bias"][:, None])) ** 2
        )
        for k in range(L)
    ])  # fmt: skip
    assert net.scaling**2 * _mean_square(net) == pytest.approx(square, rel=0.08)


def _mean_square(net: Any) -> float:
    """Return E σ(Z)² for Z ~ N(0, 1 + σ_b²)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    values = [net.activation_function.value(math.sqrt(1 + net.bias_std**2) * z) for z in nodes.tolist()]
    return float(weights @ np.square(values)) / math.sqrt(2 * math.pi)


def test_the_input_keeps_its_scale_behind_a_norm() -> None:
    found = measure_branches(model(std_w=0.5))
    assert found.resnet("tanh").input_scale == pytest.approx(0.5, rel=0.02)
    assert found.resnet("tanh", norm="pre-rms").input_scale == 1.0
    assert found.resnet("tanh", norm="pre-rms", input_scale=2.0).input_scale == 2.0
    # Hidden widths: of plain branches those with an exact law.
    assert (found.resnet().hidden_width, found.resnet("tanh").hidden_width) == (M, None)


def test_one_matrix_behind_a_norm() -> None:
    rng = np.random.default_rng(3)
    listed = {f"b.{k}.fc.weight": rng.normal(0, D**-0.5, (D, D)) for k in range(L)}
    listed |= {f"b.{k}.norm.weight": np.full(D, 0.5) for k in range(L)}
    found = measure_branches(listed)
    assert found.norm_gain == 0.5
    relu, tanh = found.resnet(norm="pre-layer"), found.resnet("tanh", norm="pre-layer")
    assert (relu.block, tanh.activation_function.name) == ("res-1", "tanh(0.5 x)")
    assert relu.scaling == pytest.approx(0.5 * tanh.scaling)


def test_norms_that_are_no_gain_of_one_number() -> None:
    unequal = measure_branches(model(np.linspace(0.5, 1.5, D), np.full(D, 0.1))).warnings
    assert "gains of the normalisation differ: behind it taken as their root mean square" in unequal
    assert "biases of the normalisation are not 0, which the theory leaves out" in unequal
    with pytest.raises(InvalidFieldError, match=r"norm='post-rms': must stand before the branch .* is 0.5"):
        measure_branches(model(np.full(D, 0.5))).resnet(norm="post-rms")
    assert measure_branches(model()).resnet(norm="post-rms").norm == "post-rms"


def test_the_norm_of_the_branch_is_that_before_its_first_matrix() -> None:
    # A norm of the branch's output and those of attention do not scale what W sees.
    parameters = model(np.full(D, 0.5))
    named = {}
    for name, array in parameters.items():
        block = name.split(".up")[0]
        if name.endswith("ln.weight"):
            named[name.replace("ln", "attn_norm")] = 3.0 * ONES
        named[name] = array
        if name.endswith("down.weight"):
            named[f"{block.split('.down')[0]}.post_norm.weight"] = 2.0 * ONES
    assert measure_branches(named).norm_gain == 0.5
