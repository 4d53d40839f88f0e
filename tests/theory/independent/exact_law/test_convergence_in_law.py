import numpy as np
import pytest

from theory import convergence_in_law, distances_to_limit


@pytest.mark.parametrize("width", [1, 2, 3, 40])
def test_order_one_in_both_distances(width):
    result = convergence_in_law(width=width)
    assert result.depths == (10, 100, 1000, 10_000, 100_000, 1_000_000)
    # from L = 10 on the fit still feels the next order at width 1
    assert result.kolmogorov_order == pytest.approx(1.0, abs=0.03)
    assert result.wasserstein_order == pytest.approx(1.0, abs=0.01)


def test_depth_times_distance_converges():
    """The leading constant is settled at L = 1e5: its correction is of relative order 1/L."""
    result = convergence_in_law(width=40, depths=(1_000_000, 100_000))
    assert result.depths == (100_000, 1_000_000)
    for distances in (result.kolmogorov, result.wasserstein):
        scaled = np.array(distances) * result.depths
        assert scaled[1] == pytest.approx(scaled[0], rel=2e-5)
    assert result.kolmogorov_order == pytest.approx(1.0, abs=1e-5)
    assert result.wasserstein_order == pytest.approx(1.0, abs=1e-5)


def test_wasserstein_is_at_least_the_difference_of_means():
    from theory import ExactNormLaw

    _, wasserstein = distances_to_limit(width=5, depth=20)
    mean = ExactNormLaw(width=5, depth=20, alpha=20**-0.5).mean()
    assert wasserstein >= abs(mean - 0.5 * (0.5 - 1 / 5))


@pytest.mark.parametrize("depths", [(), (100,), (100, 100)])
def test_one_depth_is_refused(depths):
    with pytest.raises(
        ValueError, match=r"^depths=.*: must hold two different depths; give such as \(100, 1000\)$"
    ):
        convergence_in_law(width=3, depths=depths)


def test_zero_depth_is_refused():
    with pytest.raises(ValueError, match=r"^depth=0: must be"):
        distances_to_limit(width=3, depth=0)
