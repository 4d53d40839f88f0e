"""Activations: values against mpmath, derivatives by differences, users' own."""

import functools
import math

import numpy as np
import pytest

import montecarlo
from montecarlo import Activation, InvalidFieldError, ResNet
from montecarlo._activations import BUILT_IN, find_activation

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
        "activation='strange': must be compilable by numba, and its value is not (Untyped global name 'object': "
        "Cannot determine Numba type of <class 'type'>); use floats and the math module only"
    )


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
