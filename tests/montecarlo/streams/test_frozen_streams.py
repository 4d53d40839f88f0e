"""Frozen numbers: the same seed must go on giving the same bits.

The normals and the rows of a few specifications are kept as hexadecimal floats in
data/frozen_streams.json. A change here is a change of the stream format: raise
`montecarlo.streams.STREAM_FORMAT`, then write the file anew with ``python
tests/montecarlo/streams/test_frozen_streams.py``.
"""

import functools
import hashlib
import json
from pathlib import Path

import llvmlite.binding
import numpy as np
import pytest

import montecarlo
from montecarlo import ResNet
from montecarlo.streams import STREAM_FORMAT, normals

simulate = functools.partial(montecarlo.simulate, engine="dense")

FILE = Path(__file__).parent / "data" / "frozen_streams.json"
SEED = 7
SPECIFICATIONS = {
    "gaussian res-3": ResNet(width=40, depth=50, beta=0.5),
    "uniform res-3": ResNet(width=40, depth=50, beta=0.5, weights="uniform"),
    "uniform:24 res-3": ResNet(width=9, depth=20, beta=0.25, weights="uniform:24"),
    "rademacher res-3": ResNet(width=300, depth=10, beta=0.5, weights="rademacher"),
    "gaussian res-1": ResNet(width=5, depth=30, alpha=0.7, block="res-1", activation="leaky-relu"),
    "uniform res-2": ResNet(
        width=12, depth=30, beta=1.0, block="res-2", activation="identity", bias_std=0.5, weights="uniform",
        input_dim=10,
    ),
    "explosion": ResNet(width=8, depth=3000, beta=0.0),
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("warm_kernels")


def first_normals():
    return normals((1, 2), 4096, high=(3, 4, 5))


def rows(net):
    sample = simulate(net, replicas=3, seed=SEED)
    return {name: [float(x).hex() for x in column] for name, column in sample.columns.items()}


def current():
    z = first_normals()
    return {
        "stream_format": STREAM_FORMAT,
        "seed": SEED,
        "normals": [[float(x).hex() for x in row] for row in z[:, :4]],
        "normals_sha256": hashlib.sha256(z.astype("<f4").tobytes()).hexdigest(),
        "specifications": {name: net.digest for name, net in SPECIFICATIONS.items()},
        "rows": {name: rows(net) for name, net in SPECIFICATIONS.items()},
    }


@pytest.fixture(scope="module")
def frozen():
    return json.loads(FILE.read_text())


@pytest.fixture
def promised_hardware():
    features = llvmlite.binding.get_host_cpu_features()
    if not (features.get("avx2") and features.get("fma")):
        pytest.skip("the same bits are promised on x86-64 with AVX2 and FMA only")


def test_stream_format(frozen):
    assert frozen["stream_format"] == STREAM_FORMAT


def test_first_normals(frozen, promised_hardware):
    z = first_normals()
    assert [[float(x).hex() for x in row] for row in z[:, :4]] == frozen["normals"]
    assert hashlib.sha256(z.astype("<f4").tobytes()).hexdigest() == frozen["normals_sha256"]


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_digests(frozen, name):
    assert SPECIFICATIONS[name].digest == frozen["specifications"][name]


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_rows(frozen, promised_hardware, name):
    assert rows(SPECIFICATIONS[name]) == frozen["rows"][name]


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_rows_to_rounding_on_any_hardware(frozen, name):
    for column, values in rows(SPECIFICATIONS[name]).items():
        expected = [float.fromhex(x) for x in frozen["rows"][name][column]]
        np.testing.assert_allclose([float.fromhex(x) for x in values], expected, rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    FILE.write_text(json.dumps(current(), indent=1) + "\n")
