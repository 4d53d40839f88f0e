"""Sampled paths have the covariance they should, and a wrong one is refuted.

For fixed a and n independent paths x, ``Σ (aᵀx)² / aᵀCa`` is chi-square with n degrees of freedom, exactly.
Several a share FALSE_ALARM = 1e-6 by Bonferroni. The seed may be changed once, with a reason.
"""

import numpy as np
import pytest
from scipy import stats

from montecarlo.processes import WeightProcess, find_process, sample_paths
from montecarlo.streams import ROLE_V, ROLE_W

pytestmark = pytest.mark.statistical

FALSE_ALARM = 1e-6
KEY = (20240607, 4)
DEPTH, ENTRIES = 100, 5000
NAMES = [
    "fbm:0.05",
    "fbm:0.3",
    "fbm:0.5",
    "fbm:0.8",
    "fbm:0.97",
    "rbf:0.01",
    "rbf:1e-5",
    "rbf-increments:0.01",
]
NAMES += ["matern:0.5:0.1", "matern:1.5:0.1", "matern:2.5:0.1"]


def directions():
    """First and last layer, neighbours' sum and difference, halves, all layers, waves."""
    unit = np.eye(DEPTH)
    k = np.arange(DEPTH)
    return np.array(
        [
            unit[0],
            unit[-1],
            unit[50] + unit[51],
            unit[50] - unit[51],
            unit[0] + unit[-1],
            1.0 * (k < DEPTH // 2) - 1.0 * (k >= DEPTH // 2),
            np.ones(DEPTH),
            (-1.0) ** k,
            np.cos(2 * np.pi * k / 10),
            np.sin(2 * np.pi * k / 37),
        ]
    )


def smallest_pvalue(paths, covariance):
    a = directions()
    statistic = ((a @ paths.astype(np.float64)) ** 2).sum(axis=1) / np.einsum("ij,jk,ik->i", a, covariance, a)
    law = stats.chi2(paths.shape[1])
    return 2.0 * float(np.minimum(law.sf(statistic), law.cdf(statistic)).min())


def refuted(paths, covariance):
    return smallest_pvalue(paths, covariance) < FALSE_ALARM / len(directions())


@pytest.mark.parametrize("name", NAMES)
def test_covariance(name):
    process = find_process(name)
    assert not refuted(sample_paths(process, DEPTH, ENTRIES, KEY, ROLE_V, 1), process.covariance(DEPTH))


def test_covariance_of_a_process_that_is_not_stationary():
    process = WeightProcess.from_kernel("brownian", lambda s, t: 1.0 + np.minimum(s, t))
    assert not refuted(sample_paths(process, DEPTH, ENTRIES, KEY, ROLE_V, 1), process.covariance(DEPTH))


@pytest.mark.parametrize(
    ("true", "mutant"),
    [
        ("fbm:0.3", "fbm:0.32"),
        ("fbm:0.5", "fbm:0.48"),
        ("fbm:0.8", "fbm:0.82"),
        ("fbm:0.97", "fbm:0.95"),
        ("rbf:0.01", "rbf:0.0115"),
        ("rbf:0.01", "rbf-increments:0.01"),
        ("rbf-increments:0.01", "rbf-increments:0.0115"),
        ("matern:1.5:0.1", "matern:1.5:0.12"),
        ("matern:2.5:0.1", "matern:1.5:0.1"),
    ],
)
def test_a_wrong_covariance_is_refuted(true, mutant):
    paths = sample_paths(find_process(true), DEPTH, ENTRIES, KEY, ROLE_V, 1)
    assert refuted(paths, find_process(mutant).covariance(DEPTH))


def test_dropped_negative_eigenvalues_are_refuted():
    # 0 where the row folds back gives negative eigenvalues; dropping them raises the variance.
    process = find_process("fbm:0.97")
    lags = process.lag_covariance(DEPTH)
    row = np.concatenate([lags, [0.0], lags[:0:-1]])
    eigenvalues = np.fft.fft(row).real
    assert eigenvalues.min() < -0.5
    wrong = np.fft.ifft(np.maximum(eigenvalues, 0.0)).real[:DEPTH]
    assert wrong[0] == pytest.approx(1.25, abs=0.01)
    paths = sample_paths(process, DEPTH, ENTRIES, KEY, ROLE_V, 1)
    assert refuted(paths, wrong[np.abs(np.subtract.outer(np.arange(DEPTH), np.arange(DEPTH)))])


def correlation_pvalue(x, y):
    """Return the p-value of independence of two rows of independent normals (Pearson, exact)."""
    return float(stats.pearsonr(x, y).pvalue)


def test_roles_replicas_and_entries_are_independent():
    process = find_process("fbm:0.8")
    v, w = (sample_paths(process, DEPTH, ENTRIES, KEY, role, 1) for role in (ROLE_V, ROLE_W))
    other = sample_paths(process, DEPTH, ENTRIES, KEY, ROLE_V, 2)
    rows = v[-1].astype(np.float64)
    pairs = [(rows, w[-1]), (rows, other[-1])]
    pairs += [(rows[lag:], rows[:-lag]) for lag in (1, 4, 256, 512, 1024)]
    pvalues = [correlation_pvalue(x, y) for x, y in pairs]
    assert min(pvalues) > FALSE_ALARM / len(pairs)
    assert correlation_pvalue(rows, 0.2 * rows + v[0]) < FALSE_ALARM  # the test can fail
