"""Frozen rows and keys of the runs that have no frozen networks of their own.

A results folder gives rows of earlier versions for a key. Where rows or keys change here, raise
`montecarlo.streams.STREAM_FORMAT` and freeze the new ones.
"""

import numpy as np
import pytest

from montecarlo import ResNet
from montecarlo.samples.depths._run import CoupledRun
from montecarlo.samples.independent._run import NetworkRun
from montecarlo.samples.inputs._run import JointRun
from montecarlo.samples.shared._run import SharedRun
from montecarlo.streams import STREAM_FORMAT

FRACTIONAL = ResNet(width=6, depth=8, beta=1.0, weights="fbm:0.7")
SMOOTH = ResNet(width=6, depth=8, beta=1.0, weights="rbf:0.01")
SHALLOW = ResNet(width=6, depth=8, beta=0.5, block="res-1", activation="tanh")
GAUSSIAN = ResNet(width=6, depth=8, beta=0.5)

RUNS = {
    "correlated": NetworkRun.find(FRACTIONAL, 3),
    "shared": SharedRun.find(FRACTIONAL, 3, betas=[0.5, 1], inputs=3, gradients=True),
    "images": CoupledRun.find(SHALLOW, 3, [2, 4, 8]),
    "paths": CoupledRun.find(SMOOTH, 3, [2, 4, 8]),
    "joint": JointRun.find(GAUSSIAN, 3, [[6, 1], [1, 6]], [0], None),
}
FROZEN = {
    "correlated": (
        "8f55e28232ee25e7",
        "0.1192892 -0.1008919 -0.1008919 -1.173925 -1.34535 -1.34535 -0.1060213 0.05465795 "
        "0.05465795 -1.386469 -1.180382 -1.180382",
    ),
    "shared": (
        "1c57b3051493111d",
        "0.6000891 0.8395556 -0.1231807 0.1878895 0.7746849 -1.262216 -0.1072116 -0.04798958 "
        "-0.004690484 -0.3298674 -0.1691002 -1.071322",
    ),
    "images": (
        "29d8544757ee3912",
        "-1.334081 -1.422174 -2.198848 -1.334081 -1.817688 -2.198848 0.679612 0.7522197 0.2571648 "
        "0.9599024 0.957052 0.9329759",
    ),
    "paths": (
        "b802abfdfc68ffb8",
        "-1.191792 -1.13952 -1.406783 -1.191792 -1.13952 -1.406783 -0.03701061 -0.1403189 "
        "0.01786357 0.7783197 0.9226114 0.9644956",
    ),
    "joint": (
        "2c54e19643777a03",
        "0.8958797 0.8958797 1.072454 1 0.1666667 1",
    ),
}  # fmt: skip


def some_of(run):
    """Return the key's beginning, and first two and last number of each column of rows 5 and 6."""
    rows = run.sample(5, 2)
    return run.key[:16], [column.ravel()[i] for column in rows.values() for i in (0, 1, -1)]


@pytest.mark.parametrize("name", FROZEN)
def test_rows_and_keys_have_not_changed(name):
    assert STREAM_FORMAT == 1, "freeze the new rows here"
    key, numbers = FROZEN[name]
    RUNS[name].prepare()
    found_key, found = some_of(RUNS[name])
    assert found_key == key
    # States are float32, and products are not in the same order on every processor.
    np.testing.assert_allclose(found, [*map(float, numbers.split())], rtol=1e-4, atol=1e-5)
