import numpy as np
import pytest
from scipy import linalg

from theory.diffusion._fokker_planck import Coordinate, propagate, rates


@pytest.mark.parametrize("width", [1, 2, 7, 50, 3000])
@pytest.mark.parametrize("scale", [0.0, 0.4])
def test_rates_are_a_conservative_chain(width, scale):
    edges = np.linspace(0.0 if scale else -3.0, 3.0, 60)
    up, down = rates(edges, coordinate=Coordinate(scale), rho=lambda s: s + scale, width=width)
    assert (up >= 0).all()
    assert (down >= 0).all()
    assert up[-1] == down[0] == 0


def test_propagation_against_the_matrix_exponential():
    rng = np.random.default_rng(0)
    up, down = rng.uniform(0, 30, (2, 12))
    up[-1] = down[0] = 0
    A = np.diag(-(up + down)) + np.diag(up[:-1], -1) + np.diag(down[1:], 1)
    mass = rng.dirichlet(np.ones(12))
    rows = propagate(mass, up=up, down=down, time=0.7, steps=40)
    for k in (0, 9, 39):
        np.testing.assert_allclose(rows[k], linalg.expm(0.7 * (k + 1) / 40 * A) @ mass, atol=1e-11)


def test_time_stepping_is_of_order_nine():
    up, down = np.array([3.0, 2.0, 0.0]), np.array([0.0, 1.0, 5.0])
    A = np.diag(-(up + down)) + np.diag(up[:-1], -1) + np.diag(down[1:], 1)
    mass = np.array([1.0, 0.0, 0.0])
    exact = linalg.expm(4 * A) @ mass
    errors = [
        np.abs(propagate(mass, up=up, down=down, time=4.0, steps=n)[-1] - exact).max() for n in (4, 6, 8)
    ]
    orders = np.diff(np.log(errors)) / -np.diff(np.log([4, 6, 8]))
    assert ((orders > 8) & (orders < 11)).all()


def test_mass_is_conserved_on_stiff_grids():
    edges = np.linspace(-20, 5, 4000)
    up, down = rates(edges, coordinate=Coordinate(0), rho=lambda s: s + 1, width=3)
    mass = np.zeros(3999)
    mass[2000] = 1
    rows = propagate(mass, up=up, down=down, time=3.0, steps=30)
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-13)


@pytest.mark.parametrize("scale", [0.0, 0.4])
def test_coordinates_invert(scale):
    coordinate, y = Coordinate(scale), np.linspace(-6, 4, 21)
    np.testing.assert_allclose(coordinate.log_of(coordinate.of_log(y)), y, atol=1e-12)
    slope = (coordinate.of_log(y + 1e-6) - coordinate.of_log(y - 1e-6)) / 2e-6
    np.testing.assert_allclose(coordinate.slope(y), slope, rtol=1e-6)
