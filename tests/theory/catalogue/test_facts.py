"""Facts refuse contradictions, and traits of activations are true of the functions."""

from dataclasses import replace

import numpy as np
import pytest

from theory import ACTIVATIONS, activation_function
from theory.catalogue import TRAITS, Facts, TokenFacts, Traits, WeightFacts

FACTS = Facts(block="res-2", width=40, depth=100, beta=0.5)


def test_traits_are_known_for_every_named_activation():
    assert set(TRAITS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", TRAITS)
def test_traits_hold_of_the_function(name):
    sigma = activation_function(name)
    x = np.concatenate([np.linspace(-30, 30, 20001), np.linspace(-0.01, 0.01, 2001)])
    traits = TRAITS[name]
    assert traits.homogeneous == np.allclose(sigma(3 * x), 3 * sigma(x), rtol=1e-12, atol=1e-12)
    assert traits.below_identity == bool(np.all(np.abs(sigma(x)) <= np.abs(x) * (1 + 1e-12)))
    slopes = np.abs(np.diff(sigma(np.sort(x)))) / np.maximum(np.diff(np.sort(x)), 1e-300)
    assert traits.lipschitz
    assert slopes[np.diff(np.sort(x)) > 1e-9].max() < 2
    step = 1e-5
    kink = abs(sigma(np.array([step])) - 2 * sigma(np.array([0.0])) + sigma(np.array([-step])))[0] / step
    assert traits.smooth == (kink < 1e-3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 0}, "width=0"),
        ({"depth": 0}, "depth=0"),
        ({"beta": None}, "beta=None"),
        ({"alpha": 0.1}, "alpha=0.1"),
        ({"beta": None, "alpha": -1.0}, "alpha=-1"),
        ({"beta": float("nan")}, "beta=nan"),
        ({"block": "res-4"}, "block='res-4'"),
        ({"block": "res-3", "activation": "tanh"}, "activation='tanh'"),
        ({"block": "res-1", "bias_std": 1.0}, "bias_std=1"),
        ({"bias_std": -1.0}, "bias_std=-1"),
        ({"limits": ("time",)}, "limits='time'"),
        ({"norm": "batch"}, "norm='batch'"),
        ({"norm_eps": 1e-5}, "norm_eps=1e-05"),
        ({"hidden_width": 0}, "hidden_width=0"),
        ({"block": "res-1", "hidden_width": 8}, "hidden_width=8"),
        ({"skip": float("inf")}, "skip=inf"),
        ({"schedule": "power"}, "schedule='power'"),
        ({"block": "transformer"}, "tokens=None"),
        ({"tokens": TokenFacts(attention="softmax")}, "tokens=TokenFacts"),
    ],
)
def test_bad_facts_are_one_line(changes, words):
    with pytest.raises(ValueError, match="must") as error:
        replace(FACTS, **changes)
    assert words in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hurst": 0.8}, "hurst=0.8"),
        ({"hurst": 0.5, "independent": False}, "hurst=0.5"),
        ({"hurst": 1.5, "independent": False}, "hurst=1.5"),
        ({"hurst": 0.8, "independent": False, "gaussian": False}, "hurst=0.8"),
        ({"smooth": True}, "smooth=True"),
        ({"smooth": True, "independent": False, "hurst": 0.8}, "smooth=True"),
    ],
)
def test_contradictory_weights_are_one_line(fields, words):
    with pytest.raises(ValueError, match="must") as error:
        WeightFacts(**fields)
    assert words in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_traits_follow_a_changed_activation():
    assert FACTS.sigma == TRAITS["relu"]
    assert replace(FACTS, activation="tanh").sigma == TRAITS["tanh"]
    assert replace(FACTS, activation="mine").sigma == Traits(
        homogeneous=False, below_identity=False, lipschitz=False, smooth=False
    )
    mine = TRAITS["tanh"]
    assert replace(FACTS, activation="mine", traits=mine).sigma == mine


def test_laws_of_the_block():
    long = WeightFacts(independent=False, hurst=0.8)
    assert replace(FACTS, v=long).laws == (long, long)
    assert replace(FACTS, w=long).laws == (WeightFacts(), long)
    assert replace(FACTS, block="res-1", w=long).laws == (WeightFacts(),)


def test_plain_layers_have_nothing_around_the_branch():
    assert FACTS.plain
    assert replace(FACTS, hidden_width=FACTS.width).plain
    changes = [{"norm": "pre-rms"}, {"hidden_width": 8}, {"skip": 0.5}, {"schedule": "vanishing"}]
    for change in [*changes, {"block": "post-activation"}]:
        assert not replace(FACTS, **change).plain


def test_scaling_is_that_of_the_depth():
    assert FACTS.scaling == pytest.approx(0.1, rel=1e-15)
    assert replace(FACTS, beta=None, alpha=0.3).scaling == 0.3
