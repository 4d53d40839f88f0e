"""The block language: words of a network, dictionaries of engines, and what surrounds the branch."""

import itertools

import numpy as np
import pytest

from montecarlo import (
    InvalidFieldError,
    ResNet,
    TokenRequest,
    simulate,
    simulate_depths,
    simulate_inputs,
    simulate_jacobians,
    simulate_shared,
    weights,
)
from montecarlo.engines._registry import ENGINES
from montecarlo.networks._dictionary import PLAIN
from montecarlo.networks._norms import NORMS
from montecarlo.networks.blocks import BLOCKS

PLAIN_NET = {"width": 8, "depth": 4, "beta": 0.5}
EXTENDED = [
    {"norm": "post-layer"}, {"norm": "pre-tanh:0.5"}, {"norm": "peri-rms"}, {"hidden_width": 32},
    {"skip": 0.9}, {"schedule": "power:0.5"}, {"schedule": [1.0, 0.5, 0.5, 0.25]},
    {"block": "post-activation"},
]  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
def test_networks_need_the_words_of_their_blocks(name):
    words = set(ResNet(**PLAIN_NET, block=name).words)
    assert words == set(BLOCKS[name].branch)
    assert (words <= PLAIN) == (name.startswith("res-") or name == "vanilla")


def test_words_stand_in_the_order_in_which_they_are_performed():
    peri = ResNet(**PLAIN_NET, norm="peri-layer", skip=0.5, hidden_width=16).words
    assert peri.index("norm") < peri.index("linear W") < peri.index("linear V") < peri.index("branch-norm")
    assert ResNet(**PLAIN_NET, norm="post-rms", skip=0.5).words[-1] == "stream-norm"
    assert {"skip", "hidden-width"} < set(peri)


@pytest.mark.parametrize("fields", EXTENDED, ids=str)
def test_what_is_not_plain_has_a_digest_of_its_own(fields):
    extended = ResNet(**PLAIN_NET, **fields)
    assert extended.digest != ResNet(**PLAIN_NET).digest
    record = extended.canonical()
    assert ResNet(**record) == extended  # as a results folder rebuilds it
    assert eval(repr(extended), {"ResNet": ResNet}) == extended
    assert next(iter(fields)) in extended.brief()


def test_defaults_written_out_are_the_plain_network():
    written = ResNet(
        **PLAIN_NET, norm="none", norm_eps=0.0, hidden_width=8, skip=1.0, schedule=[1.0, 1.0, 1.0, 1.0]
    )
    assert written == ResNet(**PLAIN_NET)
    assert written.canonical() == ResNet(**PLAIN_NET).canonical()
    assert ResNet(**PLAIN_NET, schedule="power:0") == ResNet(**PLAIN_NET)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"norm": "pre-batch"}, "norm"), ({"norm": "pre-tanh:-1"}, "norm"), ({"norm": "pre-rms:2"}, "norm"),
        ({"norm_eps": 1e-5}, "norm_eps"), ({"norm": "pre-tanh:1", "norm_eps": 1e-5}, "norm_eps"),
        ({"hidden_width": 0}, "hidden_width"), ({"block": "res-1", "hidden_width": 4}, "hidden_width"),
        ({"skip": float("nan")}, "skip"), ({"schedule": "cosine"}, "schedule"),
        ({"schedule": "power:x"}, "schedule"),
        ({"schedule": [1.0, 2.0]}, "schedule"), ({"schedule": [1.0, -1.0, 1.0, 1.0]}, "schedule"),
        ({"block": "res-4"}, "block"),
    ],
    ids=str,
)  # fmt: skip
def test_bad_surroundings_are_refused(fields, field):
    with pytest.raises(InvalidFieldError) as caught:
        ResNet(**PLAIN_NET, **fields)
    assert caught.value.field == field


@pytest.mark.parametrize("fields", EXTENDED, ids=str)
def test_engines_refuse_the_words_that_they_lack(fields):
    net = ResNet(**PLAIN_NET, **fields)
    lacking = {name: [w for w in net.words if w not in engine.words] for name, engine in ENGINES.items()}
    assert not lacking["dense"]
    assert not lacking["gaussian"]
    assert not lacking["correlated"]
    assert bool(lacking["radial"]) == (net.block == "post-activation")
    for name, missing in lacking.items():
        if missing:
            with pytest.raises(InvalidFieldError, match=f"'{missing[0]}'|must be .* for the"):
                simulate(net, replicas=1, seed=1, engine=name, gradients="none")


@pytest.mark.parametrize("fields", EXTENDED, ids=str)
def test_samplers_know_the_words_or_refuse_them(fields):
    """Factors that change along depth, or at each layer, have no common limit of several depths."""
    smooth = ResNet(**PLAIN_NET | {"beta": 1.0}, **fields, weights="rbf:0.1")
    assert simulate_shared(smooth, replicas=1, inputs=2, seed=1)["log_hidden_ratio"].size == 2
    sample = simulate_inputs(ResNet(**PLAIN_NET, **fields), [[1.0]], replicas=1, seed=1)
    assert np.isfinite(sample.log_norm).all()
    assert sample.columns["log_norm"] is sample["log_norm"] is sample.log_norm
    with pytest.raises(KeyError, match="no column 'norm'; there are log_norm, cosine"):
        sample["norm"]
    if "skip" in fields or "schedule" in fields:
        with pytest.raises(InvalidFieldError, match=r"must be .* for simulate_depths"):
            simulate_depths(smooth, [2, 4], replicas=1, seed=1)
    else:
        assert np.isfinite(simulate_depths(smooth, [2, 4], replicas=1, seed=1).log_hidden_ratio).all()


def test_depths_need_weights_that_give_the_words_a_limit():
    net = {"width": 8, "depth": 4, "beta": 0.5}
    for fields, rule in (
        ({"norm": "pre-rms", "block": "res-1"}, "must be a process"),
        ({"norm": "peri-rms", "weights": "fbm:0.5", "block": "res-1"}, "must converge layer by layer"),
        ({"block": "post-activation", "weights": "fbm:0.5"}, "must converge layer by layer"),
    ):
        with pytest.raises(InvalidFieldError, match=rule):
            simulate_depths(ResNet(**net, **fields), [2, 4], replicas=1, seed=1)


def test_norms_name_words():
    assert set(itertools.chain.from_iterable(NORMS.values())) == {"norm", "branch-norm", "stream-norm"}


NET = ResNet(**PLAIN_NET)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simulate("n", replicas=1, seed=1), "resnet='n': must be a ResNet"),  # type: ignore[arg-type]
        (lambda: simulate_jacobians("n", replicas=1, seed=1), "resnet='n': must be a ResNet"),  # type: ignore[arg-type]
        (lambda: simulate_shared("n", replicas=1, seed=1, inputs=2), "resnet='n': must be a ResNet"),  # type: ignore[arg-type]
        (lambda: simulate_inputs("n", [[1.0]], replicas=1, seed=1), "resnet='n': must be a ResNet"),  # type: ignore[arg-type]
        (lambda: simulate_depths("n", [2, 4], replicas=1, seed=1), "resnet='n': must be a ResNet"),  # type: ignore[arg-type]
        (lambda: weights("n", replica=0, seed=1), "resnet='n': must be a ResNet"),  # type: ignore[arg-type]
        (
            lambda: simulate(NET, replicas=1, seed=1, gate_gradients="yes"),
            "gate_gradients='yes': must be True",
        ),  # type: ignore[arg-type]
        (lambda: simulate(NET, replicas=1, seed=1, trajectories=2), "trajectories=2: must be True or"),  # type: ignore[arg-type]
        (
            lambda: simulate_jacobians(NET, replicas=1, seed=1, singular_values=2),
            "singular_values=2: must be",
        ),  # type: ignore[arg-type]
        (lambda: TokenRequest(attention="no"), "attention='no': must be True or False"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_network_or_no_flag_is_one_line(call, words):
    with pytest.raises(InvalidFieldError) as caught:
        call()
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
