"""What a model promises is tested block by block: faults have a block and a number, right models pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import fake_torch
import numpy as np
import pytest
import torch_models as models

from montecarlo import InvalidFieldError, ResNet
from montecarlo.practice import DepthCheck, Fault, depth_check
from montecarlo.practice._activation_moments import _moments_at, activation_moments
from montecarlo.practice._branch_law import FLOOR, BranchLaw

DEPTHS = (4, 6, 8)
FALSE_ALARM = 1e-6


def _promise(depth: int, **fields: Any) -> ResNet:
    return ResNet(
        width=models.WIDTH,
        hidden_width=models.UNITS,
        depth=depth,
        alpha=(2 * depth) ** -0.5,
        input_dim=8,
        **fields,
    )


def _changed(change: Callable[[list[models.Block]], None], **options: Any) -> Callable[[int, int], Any]:
    def factory(depth: int, seed: int) -> Any:
        net, x = models.factory(depth, seed, **options)
        change(list(net._modules["layers"]._modules.values()))
        return net, x

    return factory


def _check(factory: Any, promise: Any = _promise, seeds: int = 24) -> DepthCheck:
    return depth_check(factory, DEPTHS, seeds, promise=promise, false_alarm=FALSE_ALARM)


@pytest.fixture(autouse=True)
def _torch(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_torch.install(monkeypatch)


def _scale(factor: float, which: int) -> Callable[[list[models.Block]], None]:
    def change(blocks: list[models.Block]) -> None:
        blocks[which].scale *= factor

    return change


def _tilt(blocks: list[models.Block]) -> None:
    blocks[2].shift = 0.4


def _share(blocks: list[models.Block]) -> None:
    for block in blocks[1:]:
        block._modules = blocks[0]._modules


def _shared(depth: int, seed: int) -> Any:
    """Return a network that calls one block again and again, as a list multiplied by a number does."""
    net, x = models.factory(depth, seed)
    layers = net._modules["layers"]._modules
    for name in layers:
        layers[name] = layers["0"]
    return net, x


def _ramp(blocks: list[models.Block]) -> None:
    for k, block in enumerate(blocks, start=1):
        block.scale *= 0.5 * k


def _overflow(blocks: list[models.Block]) -> None:
    blocks[2].scale = 1e39


FAULTS = {
    "factor in one block": (_changed(_scale(1.66, 2)), _promise, "factor", (3,), 1.66),
    "missing scale": (partial(models.factory, scale=1.0), _promise, "factor", tuple(range(1, 9)), 4.0),
    "1/√L": (_changed(lambda blocks: [_scale(2**0.5, k)(blocks) for k in range(len(blocks))]),
              _promise, "factor", tuple(range(1, 9)), 2**0.5),
    "zero": (_changed(_scale(0.0, 2)), _promise, "zero", (3,), 0.0),
    "double skip": (partial(models.factory, skip=2.0), _promise, "skip", tuple(range(1, 9)), 2.0),
    "norm after": (partial(models.factory, norm="after"), partial(_promise, norm="pre-rms"), "norm",
                    tuple(range(1, 9)), None),
    "no norm": (models.factory, partial(_promise, norm="pre-rms"), "norm", tuple(range(1, 9)), 1.0),
    "mean": (_changed(_tilt), _promise, "mean", (3,), None),
    "shared": (_changed(_share), _promise, "copy", tuple(range(2, 9)), 1.0),
    "schedule": (_changed(_ramp), _promise, "schedule", None, None),
}  # fmt: skip


@pytest.mark.statistical
@pytest.mark.parametrize("name", FAULTS)
def test_planted_faults_are_found_with_block_and_number(name: str) -> None:
    factory, promise, kind, blocks, number = FAULTS[name]
    check = _check(factory, promise)
    assert check.verdict == "refuted"
    found = [fault for fault in check.refuted if fault.depth == DEPTHS[-1]]
    assert [fault.kind for fault in found] == [kind]
    assert blocks is None or found[0].blocks == blocks
    assert number is None or found[0].found == pytest.approx(number, rel=0.1)
    assert "block" in found[0].words


@pytest.mark.statistical
def test_a_factor_of_all_blocks_and_one_more_of_one_are_told_apart() -> None:
    def change(blocks: list[models.Block]) -> None:
        for k in range(len(blocks)):
            _scale(2**0.5 * (1.66 if k == 2 else 1.0), k)(blocks)

    check = _check(_changed(change))
    every, one = [fault for fault in check.refuted if fault.depth == DEPTHS[-1]]
    assert (every.kind, every.blocks) == ("factor", tuple(range(1, 9)))
    assert (one.kind, one.blocks) == ("factor", (3,))
    assert [every.found, one.found] == pytest.approx([2**0.5, 1.66], rel=0.1)
    assert "times what is promised, beside the 1.4" in one.words


def test_shared_blocks_are_found_and_refute_nothing_that_was_not_promised() -> None:
    check = depth_check(_shared, (4, 8, 16), 4)
    assert {fault.kind for fault in check.faults} == {"copy"}
    assert check.curves(1)["log_branch"].shape == (8,)  # the blocks, not the two layers of the shared one
    assert check.verdict != "refuted"
    assert "warning    blocks 2 to 4: the very weights of block 1" in str(check)
    assert "3 warnings" in str(check)
    assert any("independent weights" in note for note in check.notes)


@pytest.mark.statistical
@pytest.mark.parametrize("norm", ["none", "pre-rms"])
def test_models_that_keep_their_promise_are_not_refuted(norm: str) -> None:
    place = {"none": "none", "pre-rms": "before"}[norm]
    check = depth_check(
        partial(models.factory, norm=place),
        (4, 8, 16),
        24,
        promise=partial(_promise, norm=norm),
        expect="critical",
    )
    assert (check.verdict, check.faults, check.structure.norm) == ("consistent", (), place)
    assert check.theory[0].source.startswith(("G1", "N1"))


def test_overflow_is_found_at_its_block() -> None:
    with np.errstate(all="ignore"):
        check = depth_check(_changed(_overflow), DEPTHS, 4)
    assert check.verdict == "refuted"
    assert {fault.kind for fault in check.refuted} == {"overflow"}
    assert check.refuted[0].blocks == (3,)


@pytest.mark.statistical
def test_a_block_of_larger_weights_is_named_without_a_promise() -> None:
    def change(blocks: list[models.Block]) -> None:
        weight = blocks[4]._modules["down"]._own["weight"]
        weight.value = weight.value * np.float32(1.66)

    check = depth_check(_changed(change), (6, 8, 10), 4)
    (fault,) = [fault for fault in check.faults if fault.depth == 10 and fault.kind == "weights"]
    assert (fault.blocks, fault.detail) == ((5,), "down.weight")
    assert fault.found == pytest.approx(1.66, rel=0.1)
    assert check.verdict != "refuted"  # nothing was promised


@pytest.mark.statistical
@pytest.mark.parametrize(("shift", "refuted"), [(0.0, False), (2 * np.log(1.1), True)])
def test_the_law_of_a_branch_refutes_a_factor_of_a_tenth(shift: float, refuted: bool) -> None:
    rng = np.random.default_rng(11)
    n, d, M = 60, 128, 512
    active = rng.chisquare(np.maximum(rng.binomial(M, 0.5, n), 1)) * 2 / M
    rows = np.log(active * rng.chisquare(d, n) / d) + shift
    evidence = BranchLaw(d, units=M).log_evidence(float(rows.sum()), n)
    assert (evidence > np.log(1 / FALSE_ALARM)) == refuted


@pytest.mark.parametrize("law", [BranchLaw(16), BranchLaw(16, units=24), BranchLaw(16, spread=0.1)])
def test_moments_of_a_branch_begin_with_its_mean_and_are_convex(law: BranchLaw) -> None:
    powers = np.linspace(-0.4, 3.0, 60)
    psi = law.log_moments(powers)
    assert law.log_moments(np.array([0.0, 1.0])) == pytest.approx([0.0, 0.0], abs=1e-6)  # E‖f‖² is E‖f‖²
    assert (np.diff(psi, 2) > -1e-9).all()
    assert -0.5 < law.mean < 0.0
    assert FLOOR > 0


def test_promises_of_another_shape_and_of_other_blocks_are_told() -> None:
    with pytest.raises(InvalidFieldError, match="must have the model's depth 4 and width 32"):
        _check(models.factory, lambda depth: ResNet(width=8, depth=depth, beta=0.5))
    check = depth_check(
        partial(models.factory, norm="after"), DEPTHS, 4,
        promise=lambda depth: ResNet(width=models.WIDTH, depth=depth, alpha=0.2, norm="post-rms"),
    )  # fmt: skip
    assert any("not tested one by one" in note for note in check.notes)


def test_faults_are_records() -> None:
    fault = Fault("factor", (7,), 1.66, 1.0, 12, 30.0, "h.6")
    assert fault.words == "the branch of block 7 (h.6) is 1.66 times what is promised (L = 12)"
    assert fault.record()["blocks"] == [7]


def test_tabulated_moments_are_those_of_quadrature() -> None:
    tanh = ResNet(width=8, depth=1, beta=0.5, block="res-2", activation="tanh").activation_function
    for variance in (1e-3, 0.37, 1.0, 1.017, 40.0):
        c, v = activation_moments(tanh, variance)
        exact_c, exact_v = _moments_at(tanh, variance)
        assert (c, v) == (pytest.approx(exact_c, rel=2e-4), pytest.approx(exact_v, rel=2e-3))
    assert activation_moments(tanh, 1.0)[0] == pytest.approx(0.394294, abs=1e-6)
