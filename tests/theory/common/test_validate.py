import numpy as np
import pytest

from theory.common import _validate


@pytest.mark.parametrize("bad", [-1, 2.5, np.nan, np.inf, True, "3", None, 1j, [3, -2]])
def test_depth_refuses_anything_but_whole_numbers(bad):
    with pytest.raises(ValueError, match=r"^depth=.*must be a whole number >= 0; give"):
        _validate.depth(bad)


@pytest.mark.parametrize("bad", [-1e-9, np.nan, np.inf, "x", [0.1, -0.1]])
def test_alpha_refuses_negative_and_non_finite(bad):
    with pytest.raises(ValueError, match=r"^alpha=.*must be a finite number >= 0; give"):
        _validate.alpha(bad)


@pytest.mark.parametrize("bad", [0, 1, -0.5, 1.5])
def test_failure_probability_is_an_open_interval(bad):
    with pytest.raises(ValueError, match="> 0 and < 1"):
        _validate.failure_probability(bad)


def test_messages_are_one_line_and_name_the_offending_element():
    with pytest.raises(ValueError, match="width=0") as caught:
        _validate.width([4, 0, 3])
    assert "\n" not in str(caught.value)


def test_scalars_come_back_as_floats_and_arrays_as_arrays():
    assert type(_validate.plain(np.float64(1))) is float
    assert isinstance(_validate.plain(np.ones(2)), np.ndarray)
