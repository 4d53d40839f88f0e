"""G1 to G4: moments with schedules, factors of the stream, hidden widths and gates, against matrices.

Statistical tests: 5.5 or 6 standard errors, false alarm below 1e-6 together.
"""

import math

import numpy as np
import pytest
from explicit_blocks import explicit_networks, standard_errors
from hypothesis import given
from hypothesis import strategies as st

import theory

D, M, L = 5, 3, 3
ALPHA, SKIP = np.array([0.5, 0.9, 0.4]), np.array([1.0, -0.7, 0.9])
SCHEDULE = {"depth": L, "alpha": ALPHA, "skip": SKIP}


@pytest.fixture(scope="module", params=["gaussian", "rademacher"])
def networks(request):
    law = request.param
    h0 = np.sqrt(D) * np.array([0.61, -0.37, 0.21, 0.55, -0.38])
    return law, explicit_networks(
        np.random.default_rng([2, law == "gaussian"]),
        nets=60_000,
        width=D,
        hidden_width=M,
        law=(law, law),
        h0=h0,
        **SCHEDULE,
    )


@pytest.mark.statistical
def test_mean_squares_of_every_symmetric_law(networks):
    _, sample = networks
    moment = theory.schedule_second_moment(**SCHEDULE)
    for square in (sample.hidden / sample.start, sample.gradient):
        assert standard_errors(square, moment) < 5.5
        assert standard_errors(square, 1.03 * moment) > 5.5
    difference = theory.schedule_difference_second_moment(**SCHEDULE)
    assert standard_errors(sample.difference / sample.start, difference) < 5.5
    assert standard_errors(sample.difference / sample.start, 1.04 * difference) > 5.5


@pytest.mark.statistical
def test_fourth_moment_is_that_of_gaussian_weights(networks):
    law, sample = networks
    moment = math.exp(theory.log_schedule_fourth_moment(width=D, hidden_width=M, **SCHEDULE))
    score = standard_errors((sample.hidden / sample.start) ** 2, moment)
    assert (score < 6) == (law == "gaussian")


@pytest.mark.statistical
def test_weight_gradients_and_gates(networks):
    _, sample = networks
    scale = sample.start.mean()
    size = {"width": D, **SCHEDULE}
    value = theory.schedule_weight_gradients(matrix="V", hidden_width=M, **size)
    weight = theory.schedule_weight_gradients(matrix="W", hidden_width=M, **size)
    gate = theory.gate_gradient_second_moment(**size)
    for k in range(L):
        assert standard_errors(sample.value[:, k] / scale, value[k]) < 5.5
        assert standard_errors(sample.weight[:, k] / scale, weight[k]) < 5.5
        assert standard_errors(sample.gate[:, k] / scale, gate[k]) < 5.5
        # V and W have the same gradients at M = d alone.
        assert standard_errors(sample.value[:, k] / scale, weight[k]) > 5.5
        assert standard_errors(sample.gate[:, k] / scale, 1.15 * gate[k]) > 5.5


factors = st.lists(st.tuples(st.floats(0, 2), st.floats(-1.5, 1.5)), min_size=1, max_size=6)


@given(factors)
def test_the_difference_is_what_the_mean_lacks(pairs):
    alpha, skip = np.array(pairs).T
    size = {"depth": len(pairs), "alpha": alpha, "skip": skip}
    moment, kept = theory.schedule_second_moment(**size), np.prod(skip) ** 2
    difference = theory.schedule_difference_second_moment(**size)
    assert difference + kept == pytest.approx(moment, rel=1e-12, abs=1e-300)


@given(st.integers(1, 30), st.integers(1, 200), st.floats(1e-3, 2))
def test_constant_schedules_are_the_known_networks(width, depth, alpha):
    size = {"depth": depth, "alpha": alpha}
    assert theory.log_schedule_second_moment(**size) == pytest.approx(
        theory.log_hidden_second_moment(**size), rel=1e-12
    )
    fourth = theory.log_schedule_fourth_moment(width=width, **size)
    assert fourth == pytest.approx(theory.log_norm_moment(order=2, width=width, **size), rel=1e-11)
    if depth < 60:
        gradients = theory.schedule_weight_gradients(width=width, matrix="V", **size)
        assert gradients == pytest.approx(theory.weight_gradient_second_moment(**size), rel=1e-10)


@given(factors, st.integers(1, 9), st.integers(1, 9))
def test_value_variance_1_over_d_is_another_scaling(pairs, width, hidden_width):
    alpha, skip = np.array(pairs).T
    size = {"width": width, "hidden_width": hidden_width, "depth": len(pairs), "skip": skip}
    scaled = theory.value_scaling(alpha=alpha, width=width, hidden_width=hidden_width)
    direct = theory.schedule_weight_gradients(alpha=alpha, matrix="V", value_variance="1/d", **size)
    # ∂/∂(entries of variance 1/d) is √(d/M) ∂/∂(entries of variance 1/M) of the scaled network.
    through = theory.schedule_weight_gradients(alpha=scaled, matrix="V", **size) * width / hidden_width
    assert direct == pytest.approx(through, rel=1e-10, abs=1e-300)
    other = theory.schedule_weight_gradients(alpha=alpha, matrix="W", value_variance="1/d", **size)
    assert other == pytest.approx(direct, rel=1e-10, abs=1e-300)


@given(st.lists(st.floats(0, 1.4), min_size=1, max_size=5))
def test_preserving_factors_preserve(alpha):
    a = np.array(alpha)
    moment = theory.schedule_second_moment(depth=len(alpha), alpha=a, skip=np.sqrt(1 - 0.5 * a * a))
    assert moment == pytest.approx(1, rel=1e-12)


def test_gates_see_a_network_that_is_the_identity():
    gates = theory.gate_gradient_second_moment(width=4, depth=3, alpha=0.0)
    assert gates.tolist() == [0.125] * 3
    assert not theory.schedule_weight_gradients(width=4, depth=3, alpha=0.0, matrix="V").any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: theory.schedule_second_moment(depth=2, alpha=[1.0, 2.0, 3.0]),
            "alpha has 3 numbers: must be",
        ),
        (lambda: theory.schedule_second_moment(depth=2, alpha=-1.0), "alpha=-1: must be .* >= 0; give"),
        (lambda: theory.schedule_second_moment(depth=0, alpha=1.0), "depth=0: must be"),
        (
            lambda: theory.schedule_weight_gradients(width=2, depth=1, alpha=1.0, matrix="U"),
            "matrix='U': must be one of V, W",
        ),
        (
            lambda: theory.gate_gradient_second_moment(width=0, depth=1, alpha=1.0),
            "width=0: must be",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
