"""Spellings of processes, users' own ones, and what is refused."""

import functools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from montecarlo import InvalidFieldError
from montecarlo.processes import WeightProcess, find_process


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fbm:0.30", "fbm:0.3"),
        ("fbm:.5", "fbm:0.5"),
        ("rbf:1e-2", "rbf:0.01"),
        ("rbf-increments:1", "rbf-increments:1"),
        ("rbf:1.0", "rbf:1"),
        ("matern:1.50:0.10", "matern:1.5:0.1"),
    ],
)
def test_canonical_spelling(text, name):
    process = find_process(text)
    assert process is not None
    assert (process.name, process.fingerprint) == (name, name)
    assert process == find_process(name)
    assert hash(process) == hash(find_process(name))
    assert (
        pickle.loads(pickle.dumps(process)).factor(5).matrix().tolist() == process.factor(5).matrix().tolist()
    )


@given(hurst=st.floats(0.0, 1.0, exclude_min=True, exclude_max=True))
def test_a_canonical_name_is_a_fixed_point(hurst):
    name = find_process(f"fbm:{hurst!r}").name
    assert find_process(name).name == name


@pytest.mark.parametrize("text", ["gaussian", "uniform:24", "rademacher", "", "fbmx", "nonsense:1"])
def test_other_names_are_no_processes(text):
    assert find_process(text) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("fbm", "must be fbm:H with 0 < H < 1"),
        ("fbm:", "must be fbm:H with 0 < H < 1"),
        ("fbm:0", "0 < H < 1"),
        ("fbm:1", "0 < H < 1"),
        ("fbm:nan", "0 < H < 1"),
        ("fbm:0.3:0.4", "fbm:H"),
        ("rbf:0", "VARIANCE"),
        ("rbf:-1", "VARIANCE"),
        ("rbf:inf", "VARIANCE"),
        ("rbf-increments:x", "VARIANCE"),
        ("matern:1.5", "matern:NU:SCALE"),
        ("matern:1:0.1", "NU one of 0.5, 1.5, 2.5"),
        ("matern:1.5:0", "SCALE"),
    ],
)
def test_bad_parameters_are_refused_in_one_line(text, rule):
    with pytest.raises(InvalidFieldError) as caught:
        find_process(text)
    message = str(caught.value)
    assert message.startswith(f"weights={text!r}: ")
    assert rule in message
    assert "give weights='" in message
    assert "\n" not in message


def test_a_process_is_returned_as_it_is():
    process = WeightProcess.from_lags("table", [1.0, 0.5])
    assert find_process(process) is process


def test_fingerprints_tell_laws_apart():
    def power(rate):
        return WeightProcess.from_lags("power", lambda m, depth: rate**m)

    assert power(0.9) == power(0.9)
    assert power(0.9).fingerprint != power(0.91).fingerprint
    tables = [WeightProcess.from_lags("t", lags) for lags in ([1, 0.5], [1, 0.5], [1, 0.5 + 1e-15])]
    assert tables[0] == tables[1]
    assert tables[0].fingerprint != tables[2].fingerprint
    kernels = [WeightProcess.from_kernel("k", k) for k in (np.minimum, lambda s, t: np.minimum(s, t) + 1e-6)]
    assert kernels[0].fingerprint != kernels[1].fingerprint

    def cut(at):  # equal at all small lags
        return WeightProcess.from_lags("cut", lambda m, depth: np.where(m < at, 0.999**m, 0.0))

    assert cut(1000).fingerprint != cut(2000).fingerprint


def test_factors_are_kept():
    process = find_process("fbm:0.123")
    assert process.factor(77) is find_process("fbm:0.1230").factor(77)


BAD = {
    "not positive semidefinite": (lambda: WeightProcess.from_lags("u", [1.0, 2.0]).factor(2), "semidefinite"),
    "moving average": (
        lambda: WeightProcess.from_lags("u", lambda m, depth: 1.0 * (m == 0) + 0.6 * (m == 1)).factor(400),
        "must be positive semidefinite at depth 400",
    ),
    "too few lags": (
        lambda: WeightProcess.from_lags("u", [1.0, 0.5]).factor(3),
        "depth=3: must be at most 2",
    ),
    "no variance": (lambda: WeightProcess.from_lags("u", [0.0, 0.5]), "γ(0) > 0"),
    "not finite": (lambda: WeightProcess.from_lags("u", [1.0, np.nan]), "finite"),
    "shape": (lambda: WeightProcess.from_lags("u", lambda m, depth: 1.0), "shape of m"),
    "taken name": (lambda: WeightProcess.from_lags("fbm:2", [1.0]), "name='fbm:2'"),
    "taken law": (lambda: WeightProcess.from_kernel("gaussian", np.minimum), "name='gaussian'"),
    "not symmetric": (
        lambda: WeightProcess.from_kernel("u", lambda s, t: np.exp(-s + 2 * t)),
        "kernel='u': must be symmetric: it is 2.71828 at (s, t) = (0, 0.5), and 0.606531 at (0.5, 0)",
    ),
    "zero diagonal": (
        lambda: WeightProcess.from_kernel("u", lambda s, t: 1.0 * (s != t)).factor(20),
        "covariance of layers 0 and 1 is 1 off",
    ),
    "kernel not finite": (
        lambda: WeightProcess.from_kernel("u", lambda s, t: s / 0.0 * t),
        "one finite number",
    ),
    "kernel not finite on fine grids": (
        lambda: WeightProcess.from_kernel(
            "u", lambda s, t: np.where(abs(s - t) == 0.001, np.inf, 1.0)
        ).factor(1000),
        "kernel='u': must give one finite number",
    ),
    "no layers": (lambda: find_process("fbm:0.7").factor(0), "depth=0: must be a whole number"),
    "not stationary": (lambda: WeightProcess.from_kernel("u", np.minimum).lag_covariance(5), "stationary"),
    "too large": (
        lambda: WeightProcess.from_kernel("u", np.minimum).factor(100_000),
        "must give 'u' a factor of at most 16_777_216 numbers",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_what_is_no_process_is_refused_in_one_line(case):
    attempt, words = BAD[case]
    with pytest.raises(InvalidFieldError) as caught:
        attempt()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def _exponential(scale, s, t):
    return np.exp(-np.abs(s - t) / scale)


class _Steps:
    def __init__(self, last):
        self.last = last

    def __call__(self, m, depth):
        return np.where(m == 0, 1.0, np.where(m == 300, self.last, 0.0))


def _of_array(table):
    return lambda m, depth: np.where(m < len(table), table[np.minimum(m, len(table) - 1)], 0.0)


def _pairs():
    spike = np.zeros(400)
    spike[0] = 1.0
    other = spike.copy()
    other[300] = 0.25
    yield [WeightProcess.from_kernel("k", functools.partial(_exponential, x)) for x in (0.0005, 0.0014)]
    yield [WeightProcess.from_lags("k", _Steps(x)) for x in (0.1, 0.2)]
    yield [WeightProcess.from_lags("k", _of_array(x)) for x in (spike, other)]
    yield [
        WeightProcess.from_lags("k", lambda m, depth, x=x: np.where(m == 0, 1.0, np.where(m == 300, x, 0.0)))
        for x in (0.1, 0.2)
    ]


@pytest.mark.parametrize("pair", list(_pairs()), ids=["partial", "object", "array", "default"])
def test_laws_that_differ_where_nobody_probes_are_not_equal(pair):
    first, second = pair
    assert first != second
    factors = [process.factor(600).matrix() for process in pair]
    assert not np.allclose(factors[0] @ factors[0].T, factors[1] @ factors[1].T)
