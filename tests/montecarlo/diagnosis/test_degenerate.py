"""Activations that leave nothing to chance: constants, zero, steps; and their neighbours that do."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from figures import draw_diagnosis
from montecarlo import Activation, ResNet
from montecarlo.diagnosis import diagnose
from montecarlo.diagnosis._check import check_ratio
from montecarlo.diagnosis._predict import predict, rarity
from montecarlo.diagnosis._text import text

ONE = Activation("one", lambda x: 1.0, lambda x: 0.0)
ZERO = Activation("zero", lambda x: 0.0, lambda x: 0.0)
STEP = Activation("step", lambda x: 1.0 if x > 0.0 else 0.0, lambda x: 0.0)
AFFINE = Activation("affine", lambda x: x + 1.0, lambda x: 1.0)
SIZE = Activation("size", lambda x: 0.0 + abs(x), lambda x: 1.0 if x > 0.0 else -1.0)
MINUS = Activation("minus", lambda x: -x, lambda x: -1.0)
SMALL: dict = {"width": 32, "depth": 10, "beta": 0.5}


@pytest.mark.parametrize("weights", ["gaussian", "fbm:0.7"])
@pytest.mark.parametrize("block", ["res-1", "res-2"])
@pytest.mark.parametrize("activation", [ONE, ZERO, STEP], ids=lambda a: a.name)
def test_what_the_branch_leaves_alone_is_exactly_one(
    activation: Activation, block: str, weights: str
) -> None:
    found = diagnose(
        ResNet(block=block, activation=activation, weights=weights, **SMALL), seed=3, seconds=0.02
    )
    assert found.agrees is True, str(found)
    still = [found.gradient] if activation is not ZERO else [found.hidden, found.gradient]
    for prediction in still:
        assert (prediction.kind, prediction.log_median, prediction.log_range) == (
            "exact law",
            0.0,
            (0.0, 0.0),
        )
    assert found.sample is not None
    assert np.all(found.sample["log_gradient_ratio"] == 0.0)
    backward = next(r for r in found.ranges if r.direction == "backward")
    assert (backward.overflow, backward.underflow) == (0.0, 0.0)
    assert "nan" not in text(found).lower()
    assert math.isfinite(found.record()["gradient"]["log_median"])


RARE: dict = {"block": "res-2", "activation": "tanh", "width": 64, "depth": 20, "alpha": 0.2}


def test_rarity_is_the_kurtosis_over_the_units() -> None:
    for scale in (1.0, 5000.0):
        z = np.random.default_rng(0).normal(0.0, scale / 3**0.5, 1_000_000)
        for order, g in enumerate((np.tanh, lambda x: 1.0 - np.tanh(x) ** 2)):
            expected = np.mean(g(z) ** 4) / np.mean(g(z) ** 2) ** 2 / (64 * 20)
            found = rarity(ResNet(input_scale=scale, **RARE), order)
            assert found == pytest.approx(expected, rel=0.3)
    assert rarity(ResNet(input_scale=5000.0, **RARE), 1) > 2.0


@pytest.mark.statistical
def test_slopes_that_few_units_have_are_no_disagreement() -> None:
    # Refuted with probability 1e-7 at most; saturated: the median is 1.3e-5 away from the wide law's 7.3e-5.
    found = diagnose(ResNet(input_scale=5000.0, **RARE), seconds=0.2, false_alarm=1e-7)
    assert found.agrees is True, str(found)
    # The twin: without the allowance it is refuted, and where slopes are no rarity it is next to nothing.
    assert found.sample is not None
    sharp = dataclasses.replace(found.gradient, slack=0.6 * float(found.gradient.law.var()))
    refuted = check_ratio(found.sample["log_gradient_ratio"], sharp, false_alarm=1e-7)
    assert refuted.agrees is False
    plain = predict(ResNet(**RARE))[1]
    assert plain.slack < 0.62 * float(plain.law.var())


@pytest.mark.statistical
@pytest.mark.parametrize("activation", [AFFINE, SIZE, MINUS], ids=lambda a: a.name)
def test_neighbours_that_are_random_keep_their_laws(activation: Activation) -> None:
    # Each refuted with probability 1e-7 at most.
    found = diagnose(
        ResNet(block="res-2", activation=activation, **SMALL), seed=3, seconds=0.1, false_alarm=1e-7
    )
    assert found.agrees is True, str(found)
    assert found.gradient.kind == "wide-network law"
    # |σ'| = 1: the gradients of all three grow alike, by (1 + α²)^(L/2) in mean square.
    assert found.gradient.log_median == pytest.approx(0.448, abs=0.01)


def test_a_gradient_that_moves_refutes_a_point() -> None:
    from montecarlo.diagnosis._check import check_ratio

    still = diagnose(ResNet(block="res-2", activation=ONE, **SMALL), seconds=0).gradient
    assert check_ratio(np.full(64, 1e-3), still, false_alarm=1e-6).agrees is False
    assert check_ratio(np.full(64, 0.0), still, false_alarm=1e-6).agrees is True


def test_a_point_is_drawn(tmp_path: Path) -> None:
    found = diagnose(ResNet(block="res-2", activation=ONE, **SMALL), seed=3, seconds=0.02)
    assert draw_diagnosis(found, tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")


def test_inputs_so_large_that_slopes_vanish() -> None:
    # σ' is 0 in floats at every pre-activation: nothing is random that floats can tell.
    found = diagnose(
        ResNet(block="res-2", activation="tanh", input_scale=1e12, **SMALL), seed=3, seconds=0.02
    )
    assert math.isfinite(found.gradient.log_median)
    assert found.agrees is True, str(found)
