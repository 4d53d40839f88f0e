"""Users' functions on their way to other processes: they arrive as what left, or are refused."""

import pickle
import weakref

import numpy as np
import pytest

from montecarlo import Activation, InvalidFieldError
from montecarlo.common import _travel
from montecarlo.processes import WeightProcess


@pytest.fixture
def elsewhere(monkeypatch):
    """Make what was pickled arrive as in another process."""

    def arrive(packed):
        monkeypatch.setattr(_travel, "_present", weakref.WeakValueDictionary())
        return pickle.loads(packed)

    return arrive


def test_what_arrives_is_what_left(elsewhere):
    table = np.array([2.0])
    activation = Activation("mine", lambda x: table[0] * x, lambda x: table[0])
    process = WeightProcess.from_lags("p", lambda m, depth: table[0] ** -m)
    packed = pickle.dumps((activation, process))
    table[0] = 3.0
    there = elsewhere(packed)
    assert there == (activation, process)
    assert there[0] is not activation
    assert [f(2.0) for f in there[0].scalars()] == [4.0, 2.0]
    assert there[1].lag_covariance(3).tolist() == [1.0, 0.5, 0.25]


def test_what_computes_something_else_where_it_arrives_is_refused(elsewhere, tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"  # packages stay as they are, and may be others elsewhere
    folder.mkdir()
    (folder / "our_package.py").write_text("C = 2.0\n")
    monkeypatch.syspath_prepend(folder)
    import our_package  # pyright: ignore[reportMissingImports]

    activation = Activation("mine", lambda x: our_package.C * x, lambda x: our_package.C)
    process = WeightProcess.from_lags("mine", lambda m, depth: our_package.C**-m)
    packed = [pickle.dumps(thing) for thing in (activation, process)]
    assert elsewhere(packed[0]) == activation
    monkeypatch.setattr(our_package, "C", 3.0)
    for one_of_two, words in zip(
        packed, ("must compute in this process", "must give the covariances"), strict=True
    ):
        with pytest.raises(InvalidFieldError, match=words) as caught:
            elsewhere(one_of_two)
        assert "\n" not in str(caught.value)
