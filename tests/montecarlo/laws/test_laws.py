"""Weight laws: their entries are the documented functions of the words, their kernels products with them.

The entries are rebuilt here in numpy from `streams.words`, the way the module docstrings of the laws say.
Statistical tests share FALSE_ALARM = 1e-6 each, over all their comparisons. The seed may be changed once,
with a reason.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from montecarlo import ResNet, simulate
from montecarlo.common._jit import LANES
from montecarlo.engines._replay import _unit_rows
from montecarlo.estimates import same_law
from montecarlo.laws import LAWS
from montecarlo.laws._products import SCRATCH
from montecarlo.streams import normals_of_words, words
from montecarlo.streams._address import Address

pytestmark = pytest.mark.usefixtures("warm_kernels")

FALSE_ALARM = 1e-6
NAMES = sorted(LAWS)
WORD = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Stream:
    """Where a virtual matrix lives: key, layer with role, replica."""

    key: tuple[int, int] = (11, 22)
    layer_role: int = 3 | 1 << 28
    low: int = 5
    high: int = 0

    @property
    def arguments(self):
        return Address.of(self.key, self.low | self.high << 32), np.uint32(self.layer_role)


STREAMS = st.builds(Stream, st.tuples(WORD, WORD), WORD, WORD, WORD)


def matrix(law, stream, n_units, length):
    """Return M[unit, j] as the replay does, by combinations with unit vectors."""
    _, combine = LAWS[law].kernels()
    return _unit_rows(combine, *stream.arguments, n_units, length)


def rebuilt_matrix(law, stream, n_units, length):
    """Return M[unit, j] from the words themselves."""
    steps = -(-length // 8)
    counters = {"rademacher": -(-steps // 16), "uniform": steps}.get(law, 2 * steps)
    w = words(stream.key, n_units * counters, high=(stream.layer_role, stream.low, stream.high))
    if law == "gaussian":
        first, second = normals_of_words(w[0], w[1]), normals_of_words(w[2], w[3])
        entries = np.stack([*first, *second], axis=1)
    elif law == "rademacher":
        bits = (w.T[:, :, None] >> np.arange(32, dtype=np.uint32)) & np.uint32(1)
        entries = 1.0 - 2.0 * bits
    elif law == "uniform":
        levels = np.ascontiguousarray(w.T).view(np.int16)  # little-endian: the low half first
        entries = (levels + np.float32(0.5)) * np.float32(math.sqrt(12.0 / (2.0**32 - 1.0)))
    else:
        levels = np.ascontiguousarray(w.T).view(np.int32) >> 8
        entries = (levels.astype(np.float32) + np.float32(0.5)) * np.float32(
            math.sqrt(12.0 / (2.0**48 - 1.0))
        )
    return entries.reshape(n_units, -1)[:, :length].astype(np.float64)


@pytest.mark.parametrize("law", NAMES)
@settings(max_examples=30)
@given(stream=STREAMS, length=st.integers(1, 300), n_units=st.integers(1, 12))
def test_entries_are_the_documented_functions_of_the_words(law, stream, length, n_units):
    drawn = matrix(law, stream, n_units, length)
    assert np.array_equal(drawn, rebuilt_matrix(law, stream, n_units, length))


def padded(values, dtype):
    out = np.zeros(-(-len(values) // LANES) * LANES, dtype)
    out[: len(values)] = values
    return out


@pytest.mark.parametrize("law", NAMES)
@settings(max_examples=30)
@given(data=st.data(), stream=STREAMS, length=st.integers(1, 200), n_units=st.integers(1, 700))
def test_kernels_are_products_with_the_matrix(law, data, stream, length, n_units):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    density = data.draw(st.sampled_from([1.0, 0.5, 0.02]))
    chosen = np.flatnonzero(rng.random(n_units) < density)
    units, n = padded(chosen, np.uint32), np.uint64(-(-len(chosen) // LANES) * LANES)
    steps = np.uint64(-(-length // LANES))
    M = rebuilt_matrix(law, stream, n_units, length)[chosen]
    x = rng.standard_normal(length).astype(np.float32)
    y = rng.standard_normal(len(chosen)).astype(np.float32)
    scratch = np.full(SCRATCH, np.nan, np.float32)
    images = np.full(len(units), np.nan, np.float32)
    combination = np.full(int(steps) * LANES, np.nan, np.float32)
    project, combine = LAWS[law].kernels()

    x_padded = padded(x, np.float32)
    project(*stream.arguments, units, n, x_padded, steps, scratch, images)
    bound = 4.0 * np.finfo(np.float32).eps * math.sqrt(length + 16.0)
    exact = M @ x.astype(np.float64)
    assert np.all(np.abs(images[: len(chosen)] - exact) <= bound * (np.abs(M) @ np.abs(x) + np.abs(x).sum()))

    combine(*stream.arguments, units, n, padded(y, np.float32), steps, scratch, combination)
    bound = 4.0 * np.finfo(np.float32).eps * math.sqrt(len(chosen) + 16.0)
    exact = M.T @ y.astype(np.float64)
    assert np.all(np.abs(combination[:length] - exact) <= bound * (np.abs(M.T) @ np.abs(y) + np.abs(y).sum()))


@pytest.mark.parametrize("law", NAMES)
@pytest.mark.parametrize("n_units", [248, 256, 264, 512, 520])
def test_kernels_are_adjoint_across_chunks(law, n_units):
    stream, length = Stream(), 40
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(length).astype(np.float32), rng.standard_normal(n_units).astype(np.float32)
    units, scratch = np.arange(n_units, dtype=np.uint32), np.zeros(SCRATCH, np.float32)
    images, combination = np.zeros(n_units, np.float32), np.zeros(length, np.float32)
    project, combine = LAWS[law].kernels()
    project(*stream.arguments, units, np.uint64(n_units), x, np.uint64(length // 8), scratch, images)
    combine(*stream.arguments, units, np.uint64(n_units), y, np.uint64(length // 8), scratch, combination)
    scale = np.linalg.norm(y) * np.linalg.norm(images)
    assert abs(np.dot(y.astype(float), images) - np.dot(combination.astype(float), x)) < 1e-6 * scale


def test_uniform_levels_have_unit_variance_exactly():
    # (s + 1/2)² summed over the levels in whole numbers: Σ (2s + 1)² = n (n² - 1) / 3
    twice = 2 * np.arange(-(2**15), 2**15, dtype=np.int64) + 1
    n = 2**16
    assert 3 * int((twice * twice).sum()) == n * (n * n - 1)
    assert sorted(-twice) == sorted(twice)
    from montecarlo.laws import _uniform16, _uniform24

    for bits, scale in ((16, _uniform16._SCALE), (24, _uniform24._SCALE)):
        # the float32 scale alone is rounded: half a unit in the last place, twice in the variance
        assert float(scale) ** 2 * (4**bits - 1) / 12 == pytest.approx(1.0, abs=2**-23)


@pytest.mark.statistical
def test_uniform_entries_fill_their_65536_levels_evenly():
    from montecarlo.laws._uniform16 import _SCALE

    entries = matrix("uniform", Stream(), 20_000, 128).ravel()  # 39 a level
    levels = entries / float(_SCALE) - 0.5
    whole = np.rint(levels).astype(np.int64)
    assert np.array_equal(((whole + 0.5).astype(np.float32) * _SCALE).astype(np.float64), entries)
    assert (whole.min(), whole.max()) == (-(2**15), 2**15 - 1)
    counts = np.bincount(whole + 2**15, minlength=2**16)
    expected = len(entries) / 2**16
    statistic = np.sum((counts - expected) ** 2) / expected
    assert counts.min() > 0  # fails by chance with probability 7e-13
    assert FALSE_ALARM / 2 < stats.chi2.sf(statistic, 2**16 - 1) < 1.0 - FALSE_ALARM / 2


def test_uniform_24_entries_lie_on_their_levels():
    from montecarlo.laws._uniform24 import _SCALE

    entries = matrix("uniform:24", Stream(), 500, 128)
    whole = np.rint(entries / float(_SCALE) - 0.5)
    assert np.array_equal(((whole + 0.5).astype(np.float32) * _SCALE).astype(np.float64), entries)
    assert -(2**23) <= whole.min() < whole.max() < 2**23
    assert len(np.unique(whole)) > 63_500  # few repeats among 64,000 draws of 2**24
    assert np.abs(entries).max() < math.sqrt(3.0)


@pytest.mark.statistical
def test_rademacher_signs_are_fair_bit_by_bit():
    entries = matrix("rademacher", Stream(), 20_000, 128)
    assert set(np.unique(entries)) == {-1.0, 1.0}
    positive = (entries > 0).sum(axis=0)
    pvalues = [stats.binomtest(int(count), len(entries)).pvalue for count in positive]
    assert min(pvalues) > FALSE_ALARM / 128


@pytest.mark.statistical
@pytest.mark.parametrize("law", NAMES)
def test_entries_are_uncorrelated(law):
    n_units, length = 4000, 64
    base = Stream()
    streams = {
        "layer": Stream(layer_role=base.layer_role + 1),
        "role": Stream(layer_role=3 | 2 << 28),
        "replica": Stream(low=6),
        "high word of the replica": Stream(high=1),
        "key": Stream(key=(11, 23)),
    }
    M = matrix(law, base, n_units, length)
    pairs = {name: (M, matrix(law, stream, n_units, length)) for name, stream in streams.items()}
    pairs["unit"] = (M[1:], M[:-1])
    pairs["position"] = (M[:, 1:], M[:, :-1])
    pairs["group"] = (M[:, 8:], M[:, :-8])
    pairs["transposed"] = (M[:length], M[:length].T.copy())
    np.fill_diagonal(pairs["transposed"][1], 0.0)
    transforms = [lambda x: x] if law == "rademacher" else [lambda x: x, lambda x: x * x - 1.0]
    scores = {}
    for number, transform in enumerate(transforms):
        for name, (a, b) in pairs.items():
            x, y = transform(a).ravel(), transform(b).ravel()
            scores[name, number] = np.dot(x, y) / math.sqrt(np.dot(x, x) * np.dot(y, y)) * math.sqrt(x.size)
    limit = stats.norm.isf(FALSE_ALARM / (2 * len(scores)))
    # the transposed pair counts each product twice
    assert all(abs(score) < limit * (1.5 if "transposed" in name else 1.0) for name, score in scores.items())


@pytest.mark.statistical
@pytest.mark.parametrize("law", NAMES)
def test_entries_have_unit_variance_and_a_fair_sign(law):
    entries = matrix(law, Stream(low=77), 4000, 128).ravel()
    n = entries.size
    fourth = {"gaussian": 3.0, "rademacher": 1.0}.get(law, 1.8)
    limit = stats.norm.isf(FALSE_ALARM / 8)
    assert abs((entries**2).mean() - 1.0) <= limit * math.sqrt((fourth - 1.0) / n)
    assert abs(entries.mean()) < limit / math.sqrt(n)
    assert stats.binomtest(int((entries > 0).sum()), n).pvalue > FALSE_ALARM / 4


@pytest.mark.statistical
def test_both_uniform_laws_give_the_same_law_of_networks():
    samples = [
        simulate(ResNet(width=6, depth=12, beta=0.5, weights=law), replicas=20_000, seed=20240607)
        for law in ("uniform", "uniform:24")
    ]
    for column in samples[0].columns:
        assert not same_law(samples[0][column], samples[1][column], false_alarm=FALSE_ALARM / 4).refuted


@pytest.mark.statistical
def test_the_comparison_of_laws_refutes_another_weight_law():
    uniform, rademacher = (
        simulate(ResNet(width=2, depth=4, alpha=1.0, weights=law), replicas=5_000, seed=20240607)
        for law in ("uniform", "rademacher")
    )
    column = "log_hidden_ratio"
    assert same_law(uniform[column], rademacher[column], false_alarm=FALSE_ALARM).refuted
