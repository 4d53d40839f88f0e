"""`ResNet`: what it refuses and how it says so, equality, repr, digest."""

import dataclasses
import json
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from montecarlo import Activation, InvalidFieldError, ResNet
from montecarlo.laws import LAWS
from montecarlo.networks._activations import BUILT_IN

GOOD = {"width": 8, "depth": 4, "beta": 0.5}
NAN, INF = math.nan, math.inf

INVALID = [
    *[("width", value, {}) for value in (0, -1, 100_001, 2.5, NAN, INF, None, "wide", True, [8], "")],
    *[("depth", value, {}) for value in (0, -1, 2**28, 1.5, NAN, INF, None, "deep", False)],
    *[("beta", value, {}) for value in (NAN, INF, -INF, -10.1, 30.1, "half", True, [0.5], 1j)],
    ("beta", None, {}),
    *[("alpha", value, {"beta": None}) for value in (0.0, -0.1, NAN, INF, 1e101, "small", True)],
    ("alpha", 0.1, {"beta": 0.5}),
    *[("block", value, {}) for value in ("res-4", "RES-3", "", None, 3, ["res-3"])],
    *[("activation", value, {"block": "res-1"}) for value in ("swish", "ReLU", "", None, 3, max, ["relu"])],
    *[("activation", value, {"block": "res-3"}) for value in ("tanh", BUILT_IN["gelu"])],
    *[("bias_std", value, {"block": "res-2"}) for value in (-0.1, NAN, INF, 1e31, "some", None, True)],
    *[("bias_std", 0.1, {"block": block}) for block in ("res-1", "res-3")],
    *[("weights", value, {}) for value in ("normal", "Gaussian", "", None, 1, "uniform:8", ["uniform"])],
    *[("input_dim", value, {}) for value in (0, -3, 1_000_001, 0.5, None, "x", True)],
    *[("input_scale", value, {}) for value in (0.0, -1.0, NAN, INF, 1e101, None, "x", True)],
]


@pytest.mark.parametrize(("field", "value", "others"), INVALID)
def test_invalid_fields_are_refused_in_one_line(field, value, others):
    with pytest.raises(InvalidFieldError) as caught:
        ResNet(**(GOOD | others | {field: value}))
    error = caught.value
    assert isinstance(error, ValueError)
    assert error.field == field
    assert repr(error.value) == repr(value)
    assert error.rule.startswith("must ") or "must be given" in error.rule
    assert error.fix
    assert "\n" not in str(error)
    assert str(error) == f"{field}={value!r}: {error.rule}; {error.fix}"
    assert pickle.loads(pickle.dumps(error)).field == field


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("block", "res3", "did you mean 'res-3'?"),
        ("weights", "unifrom", "did you mean 'uniform'?"),
        ("activation", "leakyrelu", "did you mean 'leaky-relu'?"),
        ("weights", "normal", "did you mean 'gaussian'?"),
        ("weights", "zzzz", "give 'gaussian', say"),
        ("width", 0, "give width=40, say"),
    ],
)
def test_the_fix_names_the_nearest_right_value(field, value, hint):
    with pytest.raises(InvalidFieldError) as caught:
        ResNet(**(GOOD | {"block": "res-1"} | {field: value}))
    assert caught.value.fix == hint


@pytest.mark.parametrize(("field", "known"), [("weights", LAWS), ("activation", BUILT_IN)])
def test_an_unknown_name_lists_the_known_ones(field, known):
    with pytest.raises(InvalidFieldError) as caught:
        ResNet(**(GOOD | {"block": "res-1", field: "nothing"}))
    assert all(name in caught.value.rule for name in known)


@pytest.mark.parametrize("field", ["width", "depth"])
def test_required_fields_and_keywords_only(field):
    with pytest.raises(TypeError, match=field):
        ResNet(**{name: value for name, value in GOOD.items() if name != field})
    with pytest.raises(TypeError):
        ResNet(8, 4)


def test_borders_are_accepted():
    ResNet(width=1, depth=1, beta=-10.0, input_dim=1)
    ResNet(width=100_000, depth=2**28 - 1, beta=30.0, input_dim=100_000, input_scale=1e100)
    ResNet(width=8, depth=4, alpha=1e100)
    ResNet(width=8, depth=4, alpha=5e-324, input_scale=5e-324)
    ResNet(width=8, depth=4, beta=0.5, block="res-2", bias_std=1e30)


@st.composite
def fields(draw):
    block = draw(st.sampled_from(["res-1", "res-2", "res-3"]))
    chosen = {
        "width": draw(st.integers(1, 100_000)),
        "depth": draw(st.integers(1, 2**28 - 1)),
        "block": block,
        "activation": "relu" if block == "res-3" else draw(st.sampled_from(sorted(BUILT_IN))),
        "weights": draw(st.sampled_from(sorted(LAWS))),
        "bias_std": draw(st.floats(0.0, 1e30)) if block == "res-2" else 0.0,
        "input_dim": draw(st.integers(1, 10**5)),
        "input_scale": draw(st.floats(1e-300, 1e100)),
    }
    scaling = (
        {"beta": draw(st.floats(-10, 30))}
        if draw(st.booleans())
        else {"alpha": draw(st.floats(1e-300, 1e100))}
    )
    return chosen | scaling


@given(a=fields())
def test_repr_can_be_pasted_back(a):
    net = ResNet(**a)
    again = eval(repr(net), {"ResNet": ResNet})
    assert again == net
    assert hash(again) == hash(net)
    assert repr(again) == repr(net)
    assert again.digest == net.digest


def test_repr_shows_what_is_not_default():
    assert repr(ResNet(**GOOD, block="res-3", input_dim=64)) == "ResNet(width=8, depth=4, beta=0.5)"


@given(a=fields())
def test_canonical_json_builds_the_same_network(a):
    net = ResNet(**a)
    text = json.dumps(net.canonical(), sort_keys=True, allow_nan=False)
    assert ResNet(**json.loads(text)) == net
    assert len(net.digest) == 64
    assert int(net.digest, 16) >= 0


@given(a=fields(), b=fields())
def test_equal_exactly_if_the_fields_are(a, b):
    x, y = ResNet(**a), ResNet(**b)
    assert (x == y) == (a == b)
    assert (x.digest == y.digest) == (a == b)


OTHERS = {
    "width": 9,
    "depth": 5,
    "beta": 0.51,
    "block": "res-1",
    "activation": "tanh",
    "bias_std": 0.2,
    "weights": "uniform",
    "input_dim": 65,
    "input_scale": 2.0,
}


@pytest.mark.parametrize("field", OTHERS)
def test_digest_changes_with_each_field(field):
    base = GOOD | {"block": "res-2"}
    net, other = ResNet(**base), ResNet(**(base | {field: OTHERS[field]}))
    assert net.digest != other.digest
    assert net != other
    # a field's other value leaves the other fields' digests apart, too
    digests = {ResNet(**(base | {name: value})).digest for name, value in OTHERS.items()}
    assert len(digests) == len(OTHERS)


def test_alpha_and_beta_of_the_same_scaling_are_two_specifications():
    by_beta, by_alpha = ResNet(width=8, depth=4, beta=0.5), ResNet(width=8, depth=4, alpha=0.5)
    assert by_beta.scaling == by_alpha.scaling == 0.5
    assert by_beta.digest != by_alpha.digest


def test_values_of_other_types_are_the_same_specification():
    net = ResNet(width=8, depth=4, beta=1.0, block="res-2", bias_std=1.0)
    same = ResNet(
        width=np.int64(8), depth=4.0, beta=1, block="res-2", bias_std=np.float32(1.0), input_scale=1,
        activation=BUILT_IN["relu"],
    )  # fmt: skip
    assert same == net
    assert hash(same) == hash(net)
    assert same.digest == net.digest
    assert repr(same) == repr(net)


def test_minus_zero_is_zero():
    zero, minus_zero = ResNet(width=8, depth=4, beta=0.0), ResNet(width=8, depth=4, beta=-0.0)
    assert zero == minus_zero
    assert zero.digest == minus_zero.digest


def test_frozen():
    net = ResNet(**GOOD)
    for field in dataclasses.fields(net):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(net, field.name, 1)
    assert {net: 1}[ResNet(**GOOD)] == 1
    assert pickle.loads(pickle.dumps(net)) == net


def test_scaling():
    assert ResNet(width=8, depth=100, beta=0.5).scaling == pytest.approx(0.1, rel=1e-15)
    assert ResNet(width=8, depth=100, beta=0.0).scaling == 1.0
    assert ResNet(width=8, depth=100, alpha=0.3).scaling == 0.3


def test_stream_key_is_shared_by_networks_that_share_their_weights():
    net = ResNet(**GOOD)
    same = ResNet(
        width=8, depth=90, alpha=2.0, block="res-2", activation="tanh", bias_std=1.0, input_scale=3.0
    )
    assert net.stream_key(1) == same.stream_key(1)
    for field in ("width", "input_dim", "weights"):
        assert ResNet(**(GOOD | {field: OTHERS[field]})).stream_key(1) != net.stream_key(1)
    assert net.stream_key(1) != net.stream_key(2)


def test_digest_is_the_same_in_another_process():
    net = ResNet(**GOOD, block="res-2", bias_std=0.1)
    program = f"from montecarlo import ResNet; print({net!r}.digest)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == net.digest


def net(value, derivative, name="mine"):
    return ResNet(**GOOD, block="res-1", activation=Activation(name, value, derivative))


def test_digest_of_users_activations_follows_what_they_compute():
    square = net(lambda x: x * x, lambda x: 2.0 * x)
    assert square.digest == net(lambda x: x * x, lambda x: 2.0 * x).digest
    assert square.digest != net(lambda x: x * x * x, lambda x: 3.0 * x * x).digest
    assert square.digest != net(lambda x: x * x, lambda x: 2.0 * x + 1e-12).digest
    assert square.digest != net(lambda x: x * x, lambda x: 2.0 * x, name="other").digest


def test_digest_of_users_activations_follows_what_they_close_over():
    def scaled(factor):
        return net(lambda x: factor * x, lambda x: factor)

    assert scaled(0.5).digest == scaled(0.5).digest
    assert scaled(0.5).digest != scaled(0.25).digest


def test_digest_of_users_activations_follows_their_globals():
    def scaled(factor):
        names = {"factor": factor}
        exec("def value(x): return factor * x\ndef derivative(x): return factor", names)
        return net(names["value"], names["derivative"])

    # numba compiles the value of a global in: the rows differ
    assert scaled(0.5).digest == scaled(0.5).digest
    assert scaled(0.5).digest != scaled(0.25).digest


def test_digest_of_users_activations_does_not_depend_on_addresses():
    def through_helper():
        def helper(x):
            return 0.5 * x

        return net(lambda x: helper(x) + 0.0, lambda x: 0.5)

    first, second = through_helper(), through_helper()
    assert first.digest == second.digest


def test_digest_of_piecewise_linear_activations_follows_the_slope():
    def leaky(negative_slope):
        functions = (lambda x: x if x > 0.0 else 0.1 * x, lambda x: 1.0 if x > 0.0 else 0.1)
        return ResNet(**GOOD, block="res-1", activation=Activation("mine", *functions, negative_slope))

    # the engines take the slope, not the function: it changes the rows
    assert leaky(0.1).digest != leaky(None).digest
