"""J1: volumes, by all matrices of signs; the determinant's limit and its Lyapunov exponents (J2)."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory

SIZES = {"width": st.integers(1, 9), "depth": st.integers(1, 6), "alpha": st.floats(0.0, 2.0)}


def signs(rows, columns):
    """Every matrix of signs, shape (matrices, rows, columns)."""
    entries = np.array(list(itertools.product((-1.0, 1.0), repeat=rows * columns)))
    return entries.reshape(-1, rows, columns)


def square_volumes(factors):
    """Mean squares of the volumes of the first i columns, i = 1 ... d, of many matrices."""
    gram = np.einsum("...ki,...kj->...ij", factors, factors)
    d = gram.shape[-1]
    return np.array([np.linalg.det(gram[..., :i, :i]).mean() for i in range(1, d + 1)])


@pytest.mark.parametrize(("d", "M", "skip"), [(1, 2, 1.0), (2, 1, -0.7), (2, 2, 1.0), (3, 1, 0.5)])
def test_volumes_are_averages_over_all_signs(d, M, skip):
    a = 0.8
    v, w = signs(d, M) / math.sqrt(M), signs(M, d) / math.sqrt(d)
    active = np.array(list(itertools.product((0.0, 1.0), repeat=M)))
    branch = np.einsum("aim,bm,cmj->abcij", v, active, w)
    found = square_volumes(skip * np.eye(d) + a * branch)
    expected = [
        theory.volume_second_moment(order=i, width=d, depth=1, alpha=a, hidden_width=M, skip=skip)
        for i in range(1, d + 1)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    # mutants of the text: all units active, V of variance 1/d
    if d == M == 2:
        wrong = theory.volume_second_moment(order=2, width=2, depth=1, alpha=a * math.sqrt(2.0))
        assert abs(wrong / found[1] - 1) > 0.03


@pytest.mark.parametrize("d", [1, 2, 3])
def test_linear_volumes_are_averages_over_all_signs(d):
    found = square_volumes(0.9 * np.eye(d) + 0.6 * signs(d, d) / math.sqrt(d))
    expected = [
        theory.volume_second_moment(
            order=i, width=d, depth=1, alpha=0.6, skip=0.9, activation="identity"
        )
        for i in range(1, d + 1)
    ]  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(**SIZES, hidden_width=st.integers(1, 9), skip=st.floats(-1.5, 1.5))
def test_lengths_are_those_of_schedules(width, depth, alpha, hidden_width, skip):
    size = {"depth": depth, "alpha": alpha, "skip": skip}
    ours = theory.volume_second_moment(order=1, width=width, hidden_width=hidden_width, **size)
    assert ours == pytest.approx(theory.schedule_second_moment(**size), rel=1e-12)


@given(width=st.integers(1, 12), time=st.floats(0.05, 3.0), units=st.integers(1, 12))
def test_limits_agree_with_each_other_and_with_deep_networks(width, time, units):
    t = 0.5 * time
    law = theory.log_determinant_limit_law(time=time)
    deep = theory.log_volume_second_moment(
        order=width, width=width, depth=10**5, alpha=math.sqrt(time / 1e5), hidden_width=units
    )
    assert deep == pytest.approx(t, rel=1e-3)
    assert 2 * law.mean() + 2 * law.var() == pytest.approx(t)  # log of the log-normal's mean square
    laws = [theory.qr_diagonal_limit_law(mode=i, width=width, time=time) for i in range(1, width + 1)]
    assert sum(each.mean() for each in laws) == pytest.approx(law.mean())
    assert sum(each.var() for each in laws) == pytest.approx(law.var())
    exponents = theory.lyapunov_exponents(width=width)
    np.testing.assert_allclose([each.mean() / t for each in laws], exponents, atol=1e-12)
    assert exponents.sum() == pytest.approx(-0.5)


def test_layers_of_their_own_are_a_product():
    alphas, skips = [0.3, 0.0, 1.2], [1.0, -0.5, 0.2]
    whole = theory.log_volume_second_moment(order=3, width=4, depth=3, alpha=alphas, skip=skips)
    parts = [
        theory.log_volume_second_moment(order=3, width=4, depth=1, alpha=a, skip=b)
        for a, b in zip(alphas, skips, strict=True)
    ]
    assert whole == pytest.approx(math.fsum(parts), rel=1e-13)
    assert theory.log_volume_second_moment(
        order=2, width=3, depth=1, alpha=1.0, hidden_width=1, skip=0.0
    ) == -math.inf  # fmt: skip


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.volume_second_moment(order=4, width=3, depth=1, alpha=0.1), "order=4"),
        (lambda: theory.volume_second_moment(order=0, width=3, depth=1, alpha=0.1), "order=0"),
        (
            lambda: theory.volume_second_moment(
                order=1, width=3, depth=1, alpha=0.1, hidden_width=4, activation="identity"
            ),
            "hidden_width=4: must be the width",
        ),
        (lambda: theory.qr_diagonal_limit_law(mode=3, width=2), "mode=3"),
        (lambda: theory.log_determinant_limit_law(time=0.0), "time=0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
