"""Activations: values against mpmath, derivatives by differences, users' own."""

import functools
import math

import numpy as np
import pytest

import montecarlo
from montecarlo import Activation, InvalidFieldError, ResNet
from montecarlo.networks._activation_values import check_slopes
from montecarlo.networks._activations import BUILT_IN, find_activation

simulate = functools.partial(montecarlo.simulate, engine="dense")

POINTS = [-40.0, -8.0, -2.5, -1.0, -0.3, -1e-9, 1e-9, 0.2, 1.0, 3.3, 9.0, 40.0]


def exact(name, x, mp):
    return {
        "gelu": lambda: x * mp.erfc(-x / mp.sqrt(2)) / 2,
        "identity": lambda: x,
        "leaky-relu": lambda: x if x > 0 else mp.mpf(0.01) * x,
        "relu": lambda: max(x, mp.mpf(0)),
        "sin": lambda: mp.sin(x),
        "softplus": lambda: mp.log1p(mp.exp(x)),
        "tanh": lambda: mp.tanh(x),
    }[name]()


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_values_and_derivatives(name):
    mpmath = pytest.importorskip("mpmath")
    activation = BUILT_IN[name]
    with mpmath.workdps(60):
        for x in POINTS:
            value = float(exact(name, mpmath.mpf(x), mpmath))
            step = mpmath.mpf(abs(x)) * mpmath.mpf(10) ** -20
            above, below = (exact(name, mpmath.mpf(x) + s, mpmath) for s in (step, -step))
            assert activation.value(x) == pytest.approx(value, rel=1e-12, abs=1e-300)
            slope = float((above - below) / (2 * step))
            assert activation.derivative(x) == pytest.approx(slope, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_compiled_functions_are_the_plain_ones(name):
    activation = BUILT_IN[name]
    for compiled, plain in zip(activation.compiled(), (activation.value, activation.derivative), strict=True):
        for x in [*POINTS, 0.0, -0.0, 1e300, -1e300]:
            assert compiled.ctypes(x) == pytest.approx(plain(x), rel=1e-14, abs=1e-300)


@pytest.mark.parametrize("name", ["relu", "leaky-relu"])
def test_the_derivative_at_a_kink_is_the_one_from_below(name):
    activation = BUILT_IN[name]
    assert activation.derivative(0.0) == activation.negative_slope


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_negative_slopes_are_those_of_the_functions(name):
    activation = BUILT_IN[name]
    if activation.negative_slope is not None:
        assert activation.value(-1.0) == -activation.negative_slope
        assert (activation.value(2.0), activation.derivative(2.0)) == (2.0, 1.0)


@pytest.mark.parametrize("field", ["value", "derivative"])
@pytest.mark.parametrize("wrong", [None, 1.0, "relu"])
def test_what_is_no_function_is_refused(field, wrong):
    functions = {"value": math.sin, "derivative": math.cos} | {field: wrong}
    with pytest.raises(InvalidFieldError) as caught:
        Activation("wrong", **functions)
    assert (caught.value.field, caught.value.value) == (field, wrong)


def test_what_numba_cannot_compile_is_refused_in_one_line():
    with pytest.raises(InvalidFieldError) as caught:
        Activation("strange", lambda x: {}.get(x, object()), lambda x: 1.0)
    assert str(caught.value) == (
        "activation='strange': must be compilable by numba, and its value is not (Untyped global name "
        "'object': Cannot determine Numba type of <class 'type'>); use floats, arrays and the math module, "
        "and take numbers out of objects before: c = config.c"
    )


def half(x):
    return 0.5 * max(x, 0.0)


def half_step(x):
    return 0.5 if x > 0.0 else 0.0


def approximate_gelu(x):
    return 0.5 * x * (1.0 + math.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


CONTRADICTIONS = {
    "scaled ReLU": (half, half_step, 0.0, ("make max(x, 0)", "x = 0.0625 they are 0.0625 and 0.03125")),
    "other slope": (
        lambda x: x if x > 0.0 else 0.1 * x, lambda x: 1.0 if x > 0.0 else 0.1, 0.2,
        ("negative_slope=0.2", "the value of 'mine': at x = -0.0625 they are -0.0125 and -0.00625"),
    ),
    "slope not finite": (half, half_step, math.nan, ("negative_slope=nan", "must be a finite number")),
    "factor": (lambda x: x * x, lambda x: x, None, ("derivative=-29.3", "x = -29.3", "slope -58.6")),
    "a per mille": (math.tanh, lambda x: 1.001 * (1.0 - math.tanh(x) ** 2), None, ("derivative=",)),
    "sign": (math.cos, math.sin, None, ("derivative=", "must be the slope of value")),
    "other gelu": (approximate_gelu, BUILT_IN["gelu"].derivative, None, ("derivative=", "x = -3.9")),
    "nowhere": (lambda x: x, lambda x: math.nan, None, ("derivative=nan", "slope 1 by")),
    "straight through": (math.floor, lambda x: 1.0, None, ("derivative=1.0", "slope 0 by")),
    "swapped": (half_step, half, None, ("derivative=0.0065", "slope 0 by")),
    "at zero": (lambda x: x * x, lambda x: 2.0 * x if x != 0.0 else 1.0, None, ("derivative=1.0", "x = 0")),
}  # fmt: skip


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_value_derivative_and_slope_are_held_against_each_other(case):
    value, derivative, negative_slope, words = CONTRADICTIONS[case]
    with pytest.raises(InvalidFieldError) as caught:
        Activation("mine", value, derivative, negative_slope)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("at_kink", [0.0, 0.3, 1.0])
def test_derivatives_at_kinks_may_be_those_of_either_side(at_kink):
    def step(x):
        return at_kink if x == 0.0 else 2.0 * half_step(x)

    def window(x):
        return at_kink if abs(x) == 1.0 else 1.0 if abs(x) < 1.0 else 0.0

    Activation("mine", lambda x: max(x, 0.0), step, 0.0)
    Activation("clip", lambda x: min(max(x, -1.0), 1.0), window)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_built_in_activations_agree_with_themselves(name):
    check_slopes(name, *BUILT_IN[name].scalars(), BUILT_IN[name].negative_slope)
    assert BUILT_IN[name].fingerprint == name


@pytest.mark.parametrize("name", ["relu", "gelu", "", None, 3])
def test_names_of_built_in_activations_are_theirs(name):
    with pytest.raises(InvalidFieldError, match="must be a text other than the built-in") as caught:
        Activation(name, lambda x: x * x, lambda x: 2.0 * x)
    assert caught.value.field == "name"


@pytest.mark.parametrize("name", ["relu ", " mine", "two\nlines", "a\tb"])
def test_names_are_one_line(name):
    with pytest.raises(InvalidFieldError, match="must be one line without blanks at its ends"):
        Activation(name, lambda x: x * x, lambda x: 2.0 * x)


def test_only_relu_itself_is_taken_by_res_3():
    mine = Activation("ReLU", lambda x: max(x, 0.0), lambda x: 2.0 * half_step(x), 0.0)
    with pytest.raises(InvalidFieldError, match="must be relu for res-3"):
        ResNet(width=2, depth=2, beta=0.5, block="res-3", activation=mine)
    assert ResNet(width=2, depth=2, beta=0.5, activation=BUILT_IN["relu"]).activation == "relu"


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("silu", "give one of your own in Python, as Activation('mine', value, derivative)"),
        ("tanhh", "did you mean 'tanh'?"),
        ("linear", "did you mean 'identity'?"),
    ],
)
def test_unknown_names_say_how_to_give_ones_own(name, fix):
    with pytest.raises(InvalidFieldError) as caught:
        find_activation(name)
    known = "gelu, identity, leaky-relu, relu, sin, softplus, tanh"
    assert str(caught.value) == f"activation={name!r}: must be one of {known}; no other σ has a name; {fix}"


def test_find_activation():
    mine = Activation("mine", math.sin, math.cos)
    assert find_activation(mine) is mine
    assert find_activation("tanh") is BUILT_IN["tanh"]


def test_a_users_copy_of_a_built_in_gives_its_rows(warm_kernels):
    copy = Activation("copy", lambda x: math.tanh(x) + 0.0, lambda x: 1.0 - math.tanh(x) * math.tanh(x))
    built_in, own = (
        simulate(ResNet(width=5, depth=6, beta=0.5, block="res-1", activation=a), replicas=4, seed=1)
        for a in ("tanh", copy)
    )
    for name in built_in.columns:
        assert np.array_equal(built_in[name], own[name])


@pytest.mark.parametrize("engine", ["dense", "gaussian"])
def test_division_by_zero_marks_a_network(engine):
    pole = Activation("pole", lambda x: x + 0.0 / (x - x), lambda x: 1.0)
    sample = simulate(
        ResNet(block="res-2", activation=pole, width=4, depth=5, beta=0.5), replicas=4, seed=1, engine=engine
    )
    assert sample.n_nonfinite == 4
