"""Box-Muller normals: accuracy of every radius, exact symmetries, and the normal law itself.

Statistical tests share FALSE_ALARM = 1e-6 each, over all their comparisons. The seed may be changed once,
with a reason.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from scipy import stats

from montecarlo.estimates import dkw_epsilon
from montecarlo.streams import LARGEST_NORMAL, normals, normals_of_words, words

pytestmark = pytest.mark.usefixtures("warm_kernels")

FALSE_ALARM = 1e-6
KEY = (20240607, 1)
WORD = st.integers(0, 2**32 - 1)
CELLS = 1024  # histogram cells a unit
RANGE = 7


def exact_radius(radius_words):
    """Return sqrt(-2 log u), u = (w + 1/2) / 2**31 with w the upper 31 bits, to float64 accuracy."""
    w = (np.asarray(radius_words, np.uint32) >> np.uint32(1)).astype(np.float64)
    u = (w + 0.5) / 2.0**31
    complement = (2.0**31 - 0.5 - w) / 2.0**31
    return np.sqrt(-2.0 * np.where(u > 0.5, np.log1p(-complement), np.log(u)))


def exact_angle(angle_words):
    """Return the angle from the axis that the upper two bits choose: the lower 30 bits, centred."""
    t = ((np.asarray(angle_words, np.uint32) << np.uint32(2)) | np.uint32(2)).view(np.int32) / 2.0**32
    return 0.5 * math.pi * t


def edge_words():
    powers = 2 ** np.arange(32, dtype=np.uint64)
    near_one = np.uint64(math.floor(math.sqrt(0.5) * 2.0**32)) + np.arange(-64, 64).astype(np.uint64)
    edges = [np.arange(4096, dtype=np.uint64), 2**32 - 1 - np.arange(4096, dtype=np.uint64), near_one]
    edges += [powers - 1, powers, powers + 1]
    return np.unique(np.concatenate(edges)).astype(np.uint32)


@pytest.mark.parametrize("which", ["edges", "random"])
def test_radii_are_accurate_everywhere(which):
    radius_words = edge_words() if which == "edges" else words(KEY, 500_000).ravel()
    z = normals_of_words(radius_words, np.zeros_like(radius_words)).astype(np.float64)
    radius = np.hypot(z[0], z[1])
    error = np.abs(radius / exact_radius(radius_words) - 1.0)
    # 4e-7 of the radius (its docstring) and 2e-7 of sine, cosine and the two products
    assert error.max() < 6e-7, f"at word {radius_words[error.argmax()]:08x}"


def test_smallest_radii_against_mpmath():
    mpmath = pytest.importorskip("mpmath")
    radius_words = 2**32 - 1 - np.array([0, 1, 2, 3, 10, 1000, 10**6], np.uint32)
    z = normals_of_words(radius_words, np.zeros_like(radius_words)).astype(np.float64)
    with mpmath.workdps(40):
        exact = [
            float(mpmath.sqrt(-2 * mpmath.log((int(w >> 1) + mpmath.mpf(0.5)) / 2**31))) for w in radius_words
        ]
    np.testing.assert_allclose(np.hypot(*z), exact, rtol=6e-7)
    np.testing.assert_allclose(exact_radius(radius_words), exact, rtol=1e-15)


def test_directions_are_accurate_everywhere():
    angle_words = np.concatenate([edge_words(), words(KEY, 100_000).ravel()])
    z = normals_of_words(np.full_like(angle_words, 0x12345678), angle_words).astype(np.float64)
    z /= exact_radius([0x12345678])
    angle = exact_angle(angle_words)
    swap = (angle_words & np.uint32(0x40000000)) != 0
    sign = np.where(angle_words & np.uint32(0x80000000), -1.0, 1.0)
    first, second = np.where(swap, np.sin(angle), np.cos(angle)), np.where(swap, np.cos(angle), np.sin(angle))
    np.testing.assert_allclose(z, sign * np.array([first, second]), rtol=1e-6, atol=0.0)


def test_largest_normal_is_the_radius_of_word_zero():
    z = normals_of_words(np.array([0, 1, 2], np.uint32), np.zeros(3, np.uint32))
    exact = math.sqrt(2.0 * math.log(2.0**32))
    assert np.abs(z[0]).tolist() == [np.abs(z).max(), np.abs(z).max(), z[0, 2]]
    assert np.abs(z).max() == pytest.approx(exact, rel=6e-7)
    assert abs(LARGEST_NORMAL - exact) < 1e-4


def test_no_normal_is_beyond_the_stated_largest_one():
    z = normals_of_words(np.zeros(1, np.uint32), np.zeros(1, np.uint32))
    assert np.abs(z).max() <= LARGEST_NORMAL


@given(radius=WORD, angle=WORD)
def test_exact_symmetries(radius, angle):
    def pair(angle_word):
        return normals_of_words(np.array([radius], np.uint32), np.array([angle_word], np.uint32))[
            :, 0
        ].tolist()

    first, second = pair(angle)
    assert np.isfinite([first, second]).all()
    assert np.any(np.array([first, second]) != 0.0)
    assert pair(angle ^ 0x80000000) == [-first, -second]
    assert pair(angle ^ 0x40000000) == [second, first]
    mirrored = [first, -second] if not angle & 0x40000000 else [-first, second]
    assert pair(angle ^ 0x3FFFFFFF) == mirrored


def test_normals_are_the_images_of_the_words():
    drawn, w = normals(KEY, 1000, high=(3, 2, 1)), words(KEY, 1000, high=(3, 2, 1))
    pairs = np.concatenate([normals_of_words(w[0], w[1]), normals_of_words(w[2], w[3])])
    assert np.array_equal(drawn.view(np.uint32), pairs.view(np.uint32))


@njit(nogil=True)
def _tally(z, counts, sums):
    """Count z into cells of width 1/CELLS and add its powers 1..8 to the sums."""
    totals = np.zeros(8)
    for i in range(z.size):
        x = float(z[i])
        counts[int((x + RANGE) * CELLS)] += 1
        power = 1.0
        for m in range(8):
            power *= x
            totals[m] += power
    sums += totals


@pytest.fixture(scope="module")
def hundred_million():
    """Return (counts in cells over [-7, 7), means of the powers 1..8, n) of 10^8 normals."""
    counts, sums = np.zeros(2 * RANGE * CELLS, np.int64), np.zeros(8)
    n_chunks, n_counters = 100, 250_000
    for chunk in range(n_chunks):
        _tally(normals(KEY, n_counters, high=(chunk, 0, 0)).ravel(), counts, sums)
    n = n_chunks * n_counters * 4
    assert counts.sum() == n
    return counts, sums / n, n


def cell_edges():
    return np.arange(-RANGE * CELLS, RANGE * CELLS + 1) / CELLS


@pytest.mark.statistical
def test_law_by_largest_distance(hundred_million):
    counts, _, n = hundred_million
    distance = np.abs(np.cumsum(counts) / n - stats.norm.cdf(cell_edges()[1:])).max()
    threshold = dkw_epsilon(n, false_alarm=FALSE_ALARM)
    assert threshold < 2.8e-4
    assert distance < threshold


def chi_square_pvalue(counts, n, scale=1.0):
    expected = n * np.diff(stats.norm.cdf(cell_edges(), scale=scale))
    full = expected > 100.0
    assert full.sum() > 7000
    statistic = np.sum((counts[full] - expected[full]) ** 2 / expected[full])
    # two-sided: too good a fit would be wrong too
    return 2.0 * min(stats.chi2.sf(statistic, full.sum()), stats.chi2.cdf(statistic, full.sum()))


@pytest.mark.statistical
def test_law_by_chi_square(hundred_million):
    counts, _, n = hundred_million
    assert chi_square_pvalue(counts, n) > FALSE_ALARM


@pytest.mark.statistical
def test_chi_square_refutes_a_scale_wrong_by_three_per_mille(hundred_million):
    counts, _, n = hundred_million
    assert chi_square_pvalue(counts, n, scale=1.003) < FALSE_ALARM


def moment(order):
    return float(math.prod(range(order - 1, 0, -2))) if order % 2 == 0 else 0.0


def moment_score(means, n, order, scale=1.0):
    error = math.sqrt((moment(2 * order) - moment(order) ** 2) / n)
    return abs(means[order - 1] - scale**order * moment(order)) / error


@pytest.mark.statistical
@pytest.mark.parametrize("order", range(1, 9))
def test_moments(hundred_million, order):
    _, means, n = hundred_million
    assert moment_score(means, n, order) < stats.norm.isf(FALSE_ALARM / 16)


@pytest.mark.statistical
def test_second_moment_refutes_a_scale_wrong_by_half_a_per_mille(hundred_million):
    _, means, n = hundred_million
    assert moment_score(means, n, 2, scale=1.0005) > stats.norm.isf(FALSE_ALARM / 16)


@pytest.mark.statistical
@pytest.mark.parametrize("sigma", [4, 5])
@pytest.mark.parametrize("side", [-1, 1])
def test_tail_mass(hundred_million, sigma, side):
    counts, _, n = hundred_million
    edges = cell_edges()
    beyond = counts[edges[:-1] >= sigma] if side > 0 else counts[edges[1:] <= -sigma]
    assert stats.binomtest(int(beyond.sum()), n, stats.norm.sf(sigma)).pvalue > FALSE_ALARM / 4


@pytest.mark.statistical
def test_no_correlation_between_words_pairs_and_neighbours():
    n = 2_000_000
    z = normals(KEY, n, high=(0, 5, 0)).astype(np.float64)
    other_key = normals((KEY[0] + 1, KEY[1]), n, high=(0, 5, 0)).astype(np.float64)
    scores = []
    for transform, spread in ((lambda x: x, 1.0), (lambda x: x * x - 1.0, 2.0), (np.sign, 1.0)):
        columns = transform(z)
        for i in range(4):
            for j in range(i):
                scores.append(np.dot(columns[i], columns[j]) / (spread * math.sqrt(n)))
            for lag in (1, 2, 8, 256):
                scores.append(np.dot(columns[i, lag:], columns[i, :-lag]) / (spread * math.sqrt(n - lag)))
            scores.append(np.dot(columns[i], transform(other_key[i])) / (spread * math.sqrt(n)))
    assert np.abs(scores).max() < stats.norm.isf(FALSE_ALARM / (2 * len(scores)))


@pytest.mark.statistical
def test_every_word_bit_is_fair():
    w = words(KEY, 250_000, high=(0, 0, 9))
    ones = [int(((w[i] >> np.uint32(bit)) & np.uint32(1)).sum()) for i in range(4) for bit in range(32)]
    pvalues = [stats.binomtest(count, w.shape[1]).pvalue for count in (min(ones), max(ones))]
    assert min(pvalues) > FALSE_ALARM / len(ones)
