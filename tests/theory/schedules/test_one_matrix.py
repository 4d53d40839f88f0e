"""G7: the recursion of balanced blocks against explicit matrices, and the expansion of vanilla ones."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory

NETS, WIDTH, DEPTH, BRANCH = 200_000, 4, 3, 0.6


@pytest.fixture(scope="module")
def growth():
    """‖z_L‖² over ‖z_0‖² of explicit balanced networks, from one coordinate and from an isotropic start."""
    rng = np.random.default_rng(5)
    found = {}
    for name in ("one", "isotropic"):
        z = np.zeros((NETS, WIDTH)) + np.eye(WIDTH)[0]
        if name == "isotropic":
            z = rng.standard_normal((NETS, WIDTH))
            z /= np.linalg.norm(z, axis=1, keepdims=True)
        for _ in range(DEPTH):
            units = np.maximum(rng.choice([-1.0, 1.0], z.shape) * z, 0.0)
            W = rng.standard_normal((NETS, WIDTH, WIDTH))
            step = np.einsum("nij,nj->ni", W, units)
            z = math.sqrt(1 - BRANCH**2) * z + BRANCH * math.sqrt(2 / WIDTH) * step
        found[name] = np.sum(z * z, axis=1)
    return found


@pytest.mark.statistical
@pytest.mark.parametrize(("name", "start"), [("one", 1.0), ("isotropic", None)])
def test_the_recursion_is_that_of_explicit_networks(growth, name, start):
    # False alarm 1e-6 for both moments of both: 5.2 deviations, of the sample.
    square = growth[name] ** 2
    exact = theory.balanced_fourth_moment(width=WIDTH, depth=DEPTH, branch=BRANCH, initial_fourth=start)
    error = square.std() / math.sqrt(NETS)
    assert abs(square.mean() - exact) < 5.2 * error
    assert abs(growth[name].mean() - 1) < 5.2 * growth[name].std() / math.sqrt(NETS)
    # The product of two-matrix blocks of these factors: 7λ⁴ in the place of 5λ⁴.
    a2, l2 = 1 - BRANCH**2, BRANCH**2
    n = WIDTH
    layer = a2**2 + (2 + 4 / n) * a2 * l2 + (1 + 2 / n) * (1 + 5 / n) * l2**2
    assert abs(square.mean() - layer**DEPTH) > 5.2 * error or name == "one"


@given(st.integers(1, 200), st.floats(0.05, 1.0))
def test_one_layer_is_the_moments_of_its_units(width, branch):
    # Given the active units: E‖φ‖² = 1/2 and E‖φ‖⁴ = (1 + Σ z_i⁴)/4.
    q = 3 / (width + 2)
    a2, s = 1 - branch**2, 2 * branch**2 / width
    fourth = a2**2 + (2 * width + 4) * a2 * s / 2 + s**2 * width * (width + 2) * (1 + q) / 4
    exact = theory.balanced_fourth_moment(width=width, depth=1, branch=branch)
    assert exact == pytest.approx(fourth, rel=1e-12)


@given(st.floats(0.1, 1.0))
def test_the_recursion_tends_to_the_log_gaussian_limit(branch):
    law = theory.log_gaussian_law(ratio=0.5, branch=branch)
    limit = math.exp(2 * law.mean() + 2 * law.var())
    finite = [theory.balanced_fourth_moment(width=n, depth=n // 2, branch=branch) for n in (2000, 4000)]
    assert finite[1] == pytest.approx(limit, rel=0.02)
    assert abs(finite[1] - limit) < abs(finite[0] - limit) + 1e-9


def test_the_vanilla_expansion_and_its_limits():
    found = theory.vanilla_expansion(width=400, depth=400, branch=0.5**0.5)
    # Computed apart from this project, and beside networks of this size.
    assert found.mean == pytest.approx(-1.977, abs=1e-3)
    assert found.variance == pytest.approx(5.416, abs=1e-3)
    assert 400 * (0.5 - found.active) == pytest.approx(0.335, abs=1e-3)
    alone = theory.vanilla_expansion(width=50, depth=50, branch=1.0)  # no skip: fresh signs in each layer
    assert alone == (-2.5, 5.0, 0.5)
    near = theory.vanilla_expansion(width=50, depth=50, branch=1 - 1e-9)
    assert near.variance == pytest.approx(5.0, abs=1e-3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: theory.balanced_fourth_moment(width=4, depth=2, branch=1.2), "branch=1.2"),
        (lambda: theory.balanced_fourth_moment(width=4, depth=2, branch=0.5, initial_fourth=0.1), "0.1"),
        (lambda: theory.log_gaussian_law(ratio=0.0, branch=0.5), "ratio=0"),
        (lambda: theory.vanilla_expansion(width=4, depth=0, branch=0.5), "depth=0"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert "\n" not in str(error.value)
