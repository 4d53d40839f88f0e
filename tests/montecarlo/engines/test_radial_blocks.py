"""The radial engine with norms, hidden widths, skips and schedules: invariances, extremes, exact laws."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from scipy import stats

import montecarlo
from montecarlo import InvalidFieldError, ResNet
from montecarlo.engines.radial import _network
from montecarlo.estimates import same_law

simulate = functools.partial(montecarlo.simulate, engine="radial", gradients="none")

pytestmark = pytest.mark.usefixtures("warm_kernels")

LINEAR = {"block": "res-1", "activation": "identity"}
SPECIFICATIONS = [
    {"width": 5, "hidden_width": 70, "skip": -0.6},
    {"width": 70, "hidden_width": 3, "schedule": "power:0.5"},
    {"width": 3, "skip": 0.0, "hidden_width": 40},
    {"width": 4, "skip": 1.3, "schedule": "power:1", **LINEAR},
    {"width": 6, "norm": "pre-rms", "hidden_width": 100, "schedule": "power:0.3"},
    {"width": 6, "norm": "pre-layer", **LINEAR},
    {"width": 1, "norm": "peri-rms", "hidden_width": 2},
    {"width": 9, "norm": "post-rms", "skip": 0.5, "schedule": "power:0.3"},
]
PLAIN = [fields for fields in SPECIFICATIONS if "norm" not in fields]


def same_rows(a, b):
    return all(np.array_equal(column, b[name]) for name, column in a.columns.items())


@pytest.mark.parametrize("fields", SPECIFICATIONS, ids=str)
def test_rows_are_functions_of_the_replica(fields):
    net = ResNet(depth=45, beta=0.3, **fields)
    gradients = "none" if net.norm == "pre-layer" else "dual"
    simulate = functools.partial(montecarlo.simulate, engine="radial", gradients=gradients)
    whole = simulate(net, replicas=37, seed=3, threads=1, block_size=37)
    assert same_rows(whole, simulate(net, replicas=37, seed=3, threads=2, block_size=5))
    part = simulate(net, replicas=4, seed=3, first_replica=33)
    assert all(np.array_equal(column[33:], part[name]) for name, column in whole.columns.items())
    path = simulate(net, replicas=37, seed=3, trajectories=True)
    assert same_rows(whole, path)
    assert np.array_equal(path["log_hidden_path"][:, -1], whole["log_hidden_ratio"])
    assert not path["log_hidden_path"][:, 0].any()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_network, "CHUNK_LAYERS", 7)
        other = simulate(net, replicas=37, seed=3)
    for name, column in whole.columns.items():
        np.testing.assert_allclose(other[name], column, rtol=1e-10, atol=1e-10)


def test_defaults_written_out_change_no_bit():
    plain, written = (
        simulate(ResNet(width=7, depth=40, alpha=0.3, **fields), replicas=20, seed=2, gradients="dual")
        for fields in ({}, {"hidden_width": 7, "skip": 1.0, "schedule": [1.0] * 40})
    )
    assert same_rows(plain, written)
    half = simulate(
        ResNet(width=7, depth=40, alpha=0.6, schedule=[0.5] * 40), replicas=20, seed=2, gradients="dual"
    )
    assert same_rows(plain, half)


def test_a_schedule_is_gone_through_from_both_ends():
    """One layer of two moves: forward it is the first, and the last for a gradient."""
    first, last = (
        simulate(
            ResNet(width=5, depth=2, alpha=1.0, schedule=schedule), replicas=30, seed=2, gradients="dual"
        )
        for schedule in ([1.0, 0.0], [0.0, 1.0])
    )
    one = simulate(ResNet(width=5, depth=1, alpha=1.0), replicas=30, seed=2, gradients="dual")
    assert np.array_equal(first["log_hidden_ratio"], one["log_hidden_ratio"])
    assert np.array_equal(last["log_gradient_ratio_dual"], one["log_gradient_ratio_dual"])
    assert not np.array_equal(first["log_gradient_ratio_dual"], one["log_gradient_ratio_dual"])


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"norm": "post-layer"}, "post-layer"), ({"norm": "peri-layer"}, "peri-layer"),
        ({"norm": "pre-tanh:1"}, "pre-tanh"), ({"norm": "pre-rms", "norm_eps": 0.1}, "norm_eps=0.1"),
        ({"norm": "pre-rms", "skip": 0.5}, "with a skip factor"),
        ({"norm": "pre-layer", "width": 1}, "pre-layer"), ({"block": "post-activation"}, "outer activation"),
        ({"skip": 0.5, "schedule": [1.0, 1e-150]}, "below 1e-120"),
    ],
    ids=str,
)  # fmt: skip
def test_laws_that_norms_alone_do_not_give_are_refused(fields, word):
    with pytest.raises(InvalidFieldError, match=word):
        simulate(ResNet(**{"width": 4, "depth": 2, "alpha": 1.0} | fields), replicas=1, seed=1)


def test_gradients_that_norms_alone_do_not_give_are_refused():
    for norm, gradients in (("none", "joint"), ("pre-layer", "joint"), ("pre-layer", "dual")):
        net = ResNet(width=4, depth=2, alpha=1.0, norm=norm)
        with pytest.raises(InvalidFieldError, match="needs gradients='none'"):
            simulate(net, replicas=1, seed=1, gradients=gradients)


# --- extremes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skip", [0.5, -2.0, 1e30, 1e-30])
def test_far_outside_the_range_of_floats(skip):
    still = simulate(ResNet(width=4, depth=3000, alpha=1e-90, skip=skip), replicas=3, seed=1)
    np.testing.assert_allclose(still["log_hidden_ratio"], 3000 * math.log(abs(skip)), rtol=1e-9)
    expected = max(3000 * math.log(abs(skip)), 0.0)
    np.testing.assert_allclose(still["log_hidden_difference"], expected, rtol=1e-9, atol=1e-9)
    for alpha in (1e-30, 1.0, 1e60):
        moving = simulate(ResNet(width=4, depth=3000, alpha=alpha, skip=skip), replicas=3, seed=1)
        assert all(np.isfinite(column).all() for column in moving.columns.values())


@pytest.mark.parametrize("skip", [0.0, 1.0])
def test_a_stream_that_is_dropped_may_die(skip):
    net = ResNet(width=3, depth=4, alpha=1.0, skip=skip, hidden_width=1)
    sample = simulate(net, replicas=400, seed=1, trajectories=True)
    dead = np.isneginf(sample["log_hidden_ratio"])
    assert dead.any() == (skip == 0.0)
    assert not dead.all()
    np.testing.assert_allclose(sample["log_hidden_difference"][dead], 0.0, atol=1e-12)


@pytest.mark.parametrize("norm", ["pre-rms", "peri-rms", "post-rms"])
def test_a_norm_has_a_scale_of_its_own(norm):
    fields = {"width": 6, "depth": 9, "norm": norm}
    one = simulate(ResNet(alpha=0.5, **fields), replicas=20, seed=3)
    for scale in (1e-300, 1e-50, 1e50, 1e100):
        # the stream forgets so small a start, and hardly moves from so large a one
        sample = simulate(ResNet(alpha=0.5, input_scale=scale, **fields), replicas=20, seed=3)
        shift = math.log(scale)
        if norm == "post-rms":
            np.testing.assert_allclose(
                sample["log_hidden_ratio"], one["log_hidden_ratio"] - shift, rtol=1e-12
            )
        elif scale < 1.0:
            np.testing.assert_allclose(
                sample["log_hidden_ratio"], one["log_hidden_difference"] - shift, rtol=1e-12
            )
        else:
            assert np.all(np.abs(sample["log_hidden_ratio"]) < 1e-40)
        if norm != "post-rms":  # steps do not depend on the state
            moved = one["log_hidden_difference"] - shift
            np.testing.assert_allclose(sample["log_hidden_difference"], moved, rtol=1e-12)
    if norm != "post-rms":
        for alpha in (1e-300, 1e-150, 1e100):
            sample = simulate(ResNet(alpha=alpha, **fields), replicas=20, seed=3)
            moved = one["log_hidden_difference"] + math.log(alpha / 0.5)
            np.testing.assert_allclose(sample["log_hidden_difference"], moved, rtol=1e-12)


def test_post_norm_has_the_directions_of_the_plain_network():
    """N10 i: cos∠(h_0, h_L) of both, on the same draws."""
    fields = {"width": 7, "depth": 12, "beta": 0.3, "hidden_width": 9, "skip": 0.8}
    cosines = []
    for norm in ("none", "post-rms"):
        sample = simulate(ResNet(**fields, norm=norm), replicas=50, seed=4)
        ratio, difference = np.exp(sample["log_hidden_ratio"]), np.exp(sample["log_hidden_difference"])
        cosines.append((1.0 + ratio**2 - difference**2) / (2.0 * ratio))
    np.testing.assert_allclose(*cosines, atol=1e-12)


# --- laws; eleven comparisons share a false alarm of 1e-6, and each law has a wrong one beside it ---------

FALSE_ALARM = 1e-6 / 11
ROWS = 100_000


def lengths_of_starts(net, seed=5):
    """Return ‖h_0‖ of each row: a stream with a norm on it ends at length √d."""
    post = ResNet(width=net.width, depth=1, alpha=1.0, norm="post-rms")
    sample = simulate(post, replicas=ROWS, seed=seed)
    return math.sqrt(net.width) * np.exp(-sample["log_hidden_ratio"])


@pytest.mark.statistical
@pytest.mark.parametrize("norm", ["pre-rms", "pre-layer"])
def test_a_norm_before_the_branch_is_a_walk_of_independent_steps(norm):
    """N1, N1L: ‖h_L - h_0‖² = a² Γ χ²_d, ‖h_L‖² = a² Γ times a noncentral χ²_d(‖h_0‖²/(a² Γ)), MΓ ~ χ²_N."""
    d, M, L, a = 6, 5, 7, 0.4
    net = ResNet(width=d, hidden_width=M, depth=L, alpha=a, norm=norm)
    sample, start = simulate(net, replicas=ROWS, seed=5), lengths_of_starts(net)
    moved = (start * np.exp(sample["log_hidden_difference"])) ** 2
    ends = (start * np.exp(sample["log_hidden_ratio"])) ** 2
    rng = np.random.default_rng(1)
    gamma = 2.0 * rng.standard_gamma(rng.binomial(L * M, 0.5, ROWS) / 2.0) / M
    steps = a**2 * gamma * rng.chisquare(d, ROWS)
    lengths = a**2 * gamma * rng.noncentral_chisquare(d, start**2 / (a**2 * gamma))
    for found, exact in ((moved, steps), (ends, lengths)):
        assert not same_law(found, exact, false_alarm=FALSE_ALARM).refuted
    assert same_law(moved, 1.06 * steps, false_alarm=FALSE_ALARM).refuted
    assert same_law(ends, 1.06 * lengths, false_alarm=FALSE_ALARM).refuted
    # not the law of a fixed Γ
    assert same_law(moved, a**2 * L / 2.0 * rng.chisquare(d, ROWS), false_alarm=FALSE_ALARM).refuted


@pytest.mark.statistical
def test_a_norm_around_the_branch_makes_steps_of_one_length():
    """N9: steps of length a√d, uniform, unless no unit is active."""
    d, L, a = 5, 4, 0.4
    net = ResNet(width=d, hidden_width=3, depth=L, alpha=a, norm="peri-rms")
    moved = lengths_of_starts(net) * np.exp(simulate(net, replicas=ROWS, seed=5)["log_hidden_difference"])
    rng = np.random.default_rng(2)
    steps = rng.standard_normal((ROWS, L, d))
    steps *= a * math.sqrt(d) / np.linalg.norm(steps, axis=2, keepdims=True)
    on = rng.random((ROWS, L)) >= 2.0**-3
    exact, always = (
        np.linalg.norm((steps * w[:, :, None]).sum(axis=1), axis=1) for w in (on, np.ones_like(on))
    )
    # a single step has an atom: rounded together
    assert not same_law(np.round(moved, 6), np.round(exact, 6), false_alarm=FALSE_ALARM).refuted
    assert same_law(moved, always, false_alarm=FALSE_ALARM).refuted


@pytest.mark.statistical
def test_factors_of_a_layer_with_skip_schedule_and_hidden_width():
    """G1: ‖h_L‖²/‖h_0‖² = Π ((b + a_k √(G/d) Z)² + a_k² (G/d) χ²_{d-1}), MG ~ χ²_N, forward and backward."""
    d, M, L, b = 5, 8, 4, 0.7
    net = ResNet(width=d, hidden_width=M, depth=L, alpha=0.9, skip=b, schedule="power:0.5")
    sample = simulate(net, replicas=ROWS, seed=6, gradients="dual")
    rng = np.random.default_rng(3)

    def rows(units, skip=b):
        logs = np.zeros(ROWS)
        for a in 0.9 * np.arange(1.0, L + 1.0) ** -0.5:
            g = a**2 * 2.0 * rng.standard_gamma(rng.binomial(units, 0.5, ROWS) / 2.0) / (M * d)
            logs += np.log(
                (skip + np.sqrt(g) * rng.standard_normal(ROWS)) ** 2 + g * rng.chisquare(d - 1, ROWS)
            )
        return 0.5 * logs

    exact, wrong_units, wrong_skip = rows(M), rows(d), rows(M, 1.03 * b)
    for name in ("log_hidden_ratio", "log_gradient_ratio_dual"):
        assert not same_law(sample[name], exact, false_alarm=FALSE_ALARM).refuted
        assert same_law(sample[name], wrong_units, false_alarm=FALSE_ALARM).refuted
    assert same_law(sample["log_hidden_ratio"], wrong_skip, false_alarm=FALSE_ALARM).refuted


@pytest.mark.statistical
@pytest.mark.parametrize("width", [2, 5, 8])
def test_gradients_of_a_norm_on_the_stream(width):
    """N10 iii: ‖p_0‖/‖p_L‖ is √Beta((d-1)/2, 1/2) times the QR diagonals of two columns, layer by layer."""
    d, M, L, a = width, 6, 4, 0.8
    net = ResNet(width=d, hidden_width=M, depth=L, alpha=a, norm="post-rms")
    sample = simulate(net, replicas=ROWS, seed=7, gradients="dual")
    first = 0.5 * math.log(d) - np.log(lengths_of_starts(net, seed=7))
    rng = np.random.default_rng(5)
    logs = np.zeros(ROWS)
    for _ in range(L):
        z = rng.standard_normal((ROWS, M))
        on = z > 0.0
        s, slope = z * on, rng.standard_normal((ROWS, M)) * on
        v = rng.standard_normal((ROWS, d, M)) / math.sqrt(M)
        x, y = (a / math.sqrt(d) * np.einsum("nij,nj->ni", v, q) for q in (s, slope))
        x[:, 0] += 1.0
        y[:, 1] += 1.0
        r11 = np.linalg.norm(x, axis=1)
        r22 = np.linalg.norm(y - x * ((x * y).sum(axis=1) / r11**2)[:, None], axis=1)
        logs += np.log(r22 / r11)
    beta = 0.5 * np.log(rng.beta((d - 1) / 2.0, 0.5, ROWS))
    found = sample["log_gradient_ratio_dual"] - first
    assert not same_law(found, logs + beta, false_alarm=FALSE_ALARM).refuted
    assert same_law(found, logs, false_alarm=FALSE_ALARM).refuted


@pytest.mark.statistical
def test_lengths_of_starts():
    """‖h_0‖² = ‖x‖² χ²_d/n."""
    net = ResNet(width=3, depth=1, alpha=1.0)
    rng = np.random.default_rng(4)
    x = (rng.random((ROWS, 64)) ** 2).sum(axis=1)
    exact = np.sqrt(x * stats.chi2(3).rvs(ROWS, random_state=rng) / 64)
    assert not same_law(lengths_of_starts(net), exact, false_alarm=FALSE_ALARM).refuted
    assert same_law(lengths_of_starts(net), 1.03 * exact, false_alarm=FALSE_ALARM).refuted


@pytest.mark.parametrize("norm", ["pre-rms", "peri-rms", "post-rms"])
def test_gradients_of_networks_of_any_scale(norm):
    for fields in (
        {"alpha": 1e-20}, {"alpha": 0.5, "depth": 3000}, {"alpha": 0.5, "input_scale": 1e-250},
        {"alpha": 0.5, "input_scale": 1e100}, {"alpha": 1e100}, {"alpha": 0.5, "width": 1},
        {"alpha": 0.5, "width": 100_000, "hidden_width": 3},
    ):  # fmt: skip
        net = ResNet(**{"width": 6, "depth": 9, "norm": norm} | fields)
        sample = simulate(net, replicas=20, seed=3, gradients="dual")
        ratio, difference = sample["log_gradient_ratio_dual"], sample["log_gradient_difference_dual"]
        if net.width == 1:  # what is normalised is a sign
            still = (0.0, -np.inf) if norm != "post-rms" else (-np.inf, 0.0)
            assert np.all(ratio == still[0])
            np.testing.assert_allclose(difference, still[1], atol=1e-15)
            continue
        assert np.isfinite(ratio).all()
        assert np.isfinite(difference).all()
        if fields == {"alpha": 1e-20} and norm != "post-rms":
            moved = sample["log_hidden_difference"]
            assert np.all(np.abs(difference - moved) < 5.0)
