"""The numbers of a model's branches: scales, schedules, means, zero branches, and exact specifications."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from montecarlo import InvalidFieldError, ResNet, simulate, weights
from montecarlo.diagnosis import Branches, diagnose, measure_branches
from montecarlo.diagnosis.branches import BranchParameters, measure

D, L = 24, 12
RNG = np.random.default_rng(1)


@pytest.fixture(autouse=True)
def _same_weights_in_any_order() -> None:
    RNG.bit_generator.state = np.random.default_rng(2).bit_generator.state


def mat(std: float = 1.0, width: int = D) -> np.ndarray:
    return RNG.normal(0, std / math.sqrt(width), (width, width))


def model(parts: dict[str, object], depth: int = L) -> dict[str, object]:
    """Return blocks of fc1 (W) and fc2 (V) with these parts beside or in place of them."""
    parts = {"fc1": None, "fc2": None} | parts
    return {
        f"b.{k}.{name}": mat() if part is None else part for k in range(depth) for name, part in parts.items()
    }


def said(found: Branches) -> str:
    return " | ".join(found.warnings)


@pytest.mark.parametrize(
    ("name", "scale", "factor"),
    [
        ("ls.gamma", np.full(D, 1e-6), 1e-6),
        ("layer_scale", np.tile([0.3, -0.1], D // 2), math.sqrt(0.05)),
        ("resweight", np.array([-0.02]), 0.02),
        ("alpha", 0.25, 0.25),
        ("gamma_2", np.full((D, 1, 1), 0.5), 0.5),
        ("mlp.residual_scale", np.array(2.0), 2.0),
    ],
)
def test_scales_of_branches_multiply_into_alpha(name: str, scale: object, factor: float) -> None:
    without = model({})
    found = measure_branches(without | {f"b.{k}.{name}": scale for k in range(L)}, multiplier=0.5)
    assert found.roles[f"b.*.{name}"] == "scale"
    assert found.branch_scale == pytest.approx([factor] * L)
    assert found.schedule == pytest.approx(np.multiply(measure_branches(without).schedule, 0.5 * factor))
    # E |V g(W h)|² is the same for a diagonal of this root mean square before V.
    assert found.alpha == pytest.approx(0.5 * factor, rel=0.1)


def test_of_several_scales_the_branchs_own_is_taken() -> None:
    parts = {
        "attn.qkv.weight": np.ones((3 * D, D)),
        "ls1.gamma": np.full(D, 0.1),
        "ls2.gamma": np.full(D, 0.01),
    }
    found = measure_branches(model(parts))
    assert found.alpha == pytest.approx(0.01, rel=0.1)
    assert "2 scales a block: took b.*.ls2.gamma" in said(found)
    under = {"attn.gamma": np.full(D, 0.1), "attn.qkv.weight": np.ones((3 * D, D))}
    assert measure_branches(model(under)).alpha == pytest.approx(1.0, rel=0.1)
    inside = measure_branches(model({"gamma": np.full(5, 0.1)}))
    assert "not read: b.*.gamma" in said(inside)


@pytest.mark.parametrize(
    "parts",
    [
        {"fc2": np.zeros((D, D))},
        {"fc2": np.zeros((D, D)), "fc1.bias": np.ones(D)},
        {"ls": np.zeros(D)},
        {"rezero": np.zeros(1), "fc2.bias": np.ones(D)},
        {"fc1": np.zeros((D, D))},
        {"fc1": np.zeros((D, D)), "fc2": np.zeros((D, D))},
        {"fc2": np.full((D, D), 1e-300)},
    ],
)
def test_zero_branches_are_the_identity_at_initialisation(parts: dict[str, object]) -> None:
    found = measure_branches(model(parts))
    assert found.identity
    assert found.alpha == 0.0
    assert "identity at initialisation" in said(found)
    assert 0.0 < found.resnet("gelu").scaling < 1e-90


def test_the_diagnosis_of_zero_branches_says_identity_at_initialisation() -> None:
    found = diagnose(measure_branches(model({"rezero": 0.0})).resnet(), seconds=0)
    text = " ".join(str(found).split())
    assert "identity at initialisation" in text
    assert "times the present one" not in text
    for prediction in (found.hidden, found.gradient):
        assert prediction.log_range == pytest.approx((0.0, 0.0), abs=1e-12)
    assert "identity at initialisation" not in str(diagnose(ResNet(width=8, depth=9, alpha=1e-9), seconds=0))


@pytest.mark.parametrize(
    "parts",
    [
        {"fc2": np.ones((D, D))},
        {"fc2": np.zeros((D, D)), "fc2.bias": np.ones(D)},
        {"fc1": np.zeros((D, D)), "fc1.bias": np.ones(D)},
    ],
)
def test_branches_that_are_neither_zero_nor_random_have_no_specification(parts: dict[str, object]) -> None:
    found = measure_branches(model(parts))
    assert not found.identity
    with pytest.raises(InvalidFieldError, match="must not be 0"):
        found.resnet()


@pytest.mark.parametrize(("width", "depth", "multiplier"), [(64, 24, 0.1), (32, 10, 0.3)])
def test_the_growth_through_the_weights_mean(width: int, depth: int, multiplier: float) -> None:
    entries = {f"b.{k}.fc{n}": RNG.uniform(0, 1 / 8, (width, width)) for k in range(depth) for n in (1, 2)}
    found = measure_branches(entries, multiplier=multiplier)
    assert "the weights have a mean: V (" in said(found)
    assert min(found.mean_v, found.mean_w) > 100
    if width == 64:
        assert found.log_mean_growth == pytest.approx(20.9, abs=0.3)
    # A linear network with these very weights, from a state whose overlap with the mean is typical, 1/√d.
    h = start = np.eye(width)[0]
    for k in range(depth):
        h = h + multiplier * entries[f"b.{k}.fc2"] @ (entries[f"b.{k}.fc1"] @ h)
    assert math.log(np.linalg.norm(h) / np.linalg.norm(start)) == pytest.approx(
        found.log_mean_growth, abs=0.3
    )


def test_a_mean_of_v_alone_adds_up_what_relu_leaves_positive() -> None:
    width, depth = 64, 40
    entries = {f"b.{k}.fc1": mat(width=width) for k in range(depth)}
    entries |= {f"b.{k}.fc2": mat(width=width) + 0.05 for k in range(depth)}
    found = measure_branches(entries, multiplier=0.1)
    h = start = RNG.normal(size=width)
    for k in range(depth):
        h = h + 0.1 * entries[f"b.{k}.fc2"] @ np.maximum(entries[f"b.{k}.fc1"] @ h, 0)
    grown = math.log(np.linalg.norm(h) / np.linalg.norm(start))
    assert found.log_mean_growth == pytest.approx(grown, rel=0.4)
    assert "W (" not in said(found)


def test_a_mean_that_changes_sign_between_blocks_is_seen() -> None:
    entries = {f"b.{k}.fc": mat() + 0.2 * (-1) ** k for k in range(L)}
    assert "the weights have a mean" in said(measure_branches(entries))


@given(st.floats(0.2, 1.0), st.integers(12, 40))
def test_a_schedule_keeps_the_growth_of_its_blocks(power: float, depth: int) -> None:
    a = np.arange(1, depth + 1) ** -power
    base = RNG.normal(0, 1, (D, D))
    base = (base - base.mean()) / base.std() / math.sqrt(D)
    found = measure(BranchParameters([x * base for x in a], [base] * depth))
    assert found.schedule == pytest.approx(a)
    assert depth * math.log1p(found.alpha**2 / 2) == pytest.approx(np.log1p(a**2 / 2).sum())
    (exponent,) = re.findall(r"changes like k\^(-[\d.]+), from", said(found))
    assert float(exponent) == pytest.approx(-power, abs=0.0051)  # printed to two digits


def test_a_schedule_is_not_pooled() -> None:
    # Deviation 1/√k of V: E |h_L|² grows by Π (1 + 1/(2k)), not by (1 + mean of 1/(2k))^L.
    entries = {f"b.{k}.fc{n}": mat(1 if n == 1 else (k + 1) ** -0.5, 64) for k in range(48) for n in (1, 2)}
    found = measure_branches(entries)
    exact = 0.5 * np.log1p(1 / (2 * np.arange(1, 49))).sum()
    assert 0.5 * 48 * math.log1p(found.alpha**2 / 2) == pytest.approx(exact, rel=0.02)
    assert re.search(r"a schedule: the scaling changes like k\^-0\.(49|50|51)", said(found))
    alternating = {f"b.{k}.fc{n}": mat(1 + (k % 2)) for k in range(20) for n in (1, 2)}
    assert "changes between blocks" in said(measure_branches(alternating))
    scale = measure_branches(model({}) | {f"b.{k}.gamma": (k + 1) ** -1.0 for k in range(L)})
    assert re.search(r"like k\^-(0\.9|1\.0)", said(scale))
    assert "schedule" not in said(measure_branches(model({})))
    some = measure_branches(model({}) | {"b.3.fc2": np.zeros((D, D))})
    assert f"1 of {L} branches are zero" in said(some)


@pytest.mark.parametrize("law", ["gaussian", "uniform", "rademacher"])
def test_the_law_is_that_of_a_block_whatever_the_schedule(law: str) -> None:
    draw = {
        "gaussian": lambda: RNG.normal(size=(D, D)), "uniform": lambda: RNG.uniform(-1, 1, (D, D)),
        "rademacher": lambda: RNG.choice([-1.0, 1.0], (D, D)),
    }[law]  # fmt: skip
    found = measure_branches({f"b.{k}.fc{n}": (k + 1) ** -1.0 * draw() for k in range(L) for n in (1, 2)})
    assert found.weights == law


def orthogonal() -> np.ndarray:
    return np.linalg.qr(RNG.normal(size=(D, D)))[0]


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (orthogonal, "as if orthogonal"),
        (lambda: np.eye(D), "as if orthogonal or diagonal"),
        (lambda: RNG.normal(size=(D, 2)) @ RNG.normal(size=(2, D)), "as if of low rank"),
        (lambda: mat() * (RNG.random((D, D)) < 0.1), "heavy tails or many zeros"),
    ],
)
def test_matrices_of_dependent_entries_are_said(draw: object, words: str) -> None:
    entries = {f"b.{k}.fc{n}": draw() for k in range(L) for n in (1, 2)}  # type: ignore[operator]
    assert words in said(measure_branches(entries))
    assert said(measure_branches(model({}))) == ""


def test_one_matrix_does_not_say_where_the_activation_stands() -> None:
    plain = measure_branches({f"b.{k}.m.fc.weight": mat() for k in range(L)})
    assert "parameters do not tell whether σ stands outside" in said(plain)
    assert plain.resnet("tanh").block == "res-1"
    biased = measure_branches(
        {f"b.{k}.m.fc.{n}": a for k in range(L) for n, a in (("weight", mat()), ("bias", RNG.normal(size=D)))}
    )
    assert "without its biases" in said(biased)
    assert biased.bias_std == 0.0
    with pytest.raises(InvalidFieldError, match="block='res-1'"):
        biased.resnet("tanh")
    assert biased.resnet("tanh", block="res-1").bias_std == 0.0


@pytest.mark.parametrize("activation", ["gelu", "tanh", "relu"])
@pytest.mark.parametrize("s", [0.8, 1.2])
def test_the_scale_of_w_is_exact_for_every_activation(activation: str, s: float) -> None:
    """A model with W = s W₀ is, row for row, the network of scaling s α and input_scale s that W₀ is of."""
    alpha, bias = 0.3, 0.5
    net = ResNet(
        width=D, depth=6, alpha=s * alpha, block="res-2", activation=activation, bias_std=bias, input_scale=s
    )
    row = simulate(net, replicas=1, seed=5, engine="dense", gradients="none")["log_hidden_ratio"][0]
    drawn = weights(net, replica=0, seed=5)
    sigma = {
        "relu": lambda x: np.maximum(x, 0), "tanh": np.tanh,
        "gelu": lambda x: np.array([0.5 * t * (1 + math.erf(t / math.sqrt(2))) for t in x]),
    }[activation]  # fmt: skip
    h = start = drawn.A @ drawn.x / s  # the model's own input
    for V, W, b in zip(drawn.V, drawn.W, drawn.b, strict=True):
        h = h + alpha * V @ sigma(s * W @ h + b)
    assert math.log(np.linalg.norm(h) / np.linalg.norm(start)) == pytest.approx(row, abs=1e-4)

    entries = {f"b.{k}.fc1.weight": s * W for k, W in enumerate(drawn.W)}
    entries |= {f"b.{k}.fc1.bias": b for k, b in enumerate(drawn.b)}
    entries |= {f"b.{k}.fc2.weight": V for k, V in enumerate(drawn.V)}
    read = measure_branches(entries, multiplier=alpha).resnet(activation, input_scale=2.0)
    assert read.scaling == pytest.approx(net.scaling, rel=0.1)
    assert read.input_scale == pytest.approx(2 * s, rel=0.05)
    assert read.bias_std == pytest.approx(bias, rel=0.2)


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.sampled_from([8, 24, 60]))
def test_scales_go_through_every_measure(s: float, t: float, units: int) -> None:
    rng = np.random.default_rng(units)
    v, w = rng.normal(size=(3, D, units)), rng.normal(size=(3, units, D))
    one = measure(BranchParameters(v, w))
    other = measure(BranchParameters(s * v, t * w), multiplier=0.5)
    assert other.schedule == pytest.approx(0.5 * s * t * np.array(one.schedule))
    assert other.inner_scale == pytest.approx(t * one.inner_scale)
    assert other.kurtosis == pytest.approx(one.kurtosis)
    assert other.correlation == pytest.approx(one.correlation)
    assert other.mean_v == pytest.approx(one.mean_v)


def test_single_units_and_single_blocks() -> None:
    found = measure(BranchParameters([np.array([[0.5]]), np.array([[-0.5]])]))
    assert (found.width, found.depth) == (1, 2)
    assert found.alpha == pytest.approx(0.5)
    assert measure(BranchParameters([mat()], [mat()])).depth == 1
