"""The radial engine: invariances and extremes; its law is in `laws_of_samples/test_exact_law`."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_bits import same_bits

import montecarlo
from montecarlo import ResNet
from montecarlo.engines.radial import _network
from theory import ExactNormLaw

simulate = functools.partial(montecarlo.simulate, engine="radial", gradients="dual")

pytestmark = pytest.mark.usefixtures("warm_kernels")

SEEDS = st.integers(0, 2**128 - 1)
SEED = 20240821
WIDTHS = (1, 2, 3, 4, 5, 15, 17, 31, 32, 33, 63, 64, 65, 10_000, 100_000)


@st.composite
def networks(draw, max_depth=90, **fixed):
    linear = draw(st.booleans())
    options = {
        "width": draw(st.sampled_from(WIDTHS)),
        "depth": draw(st.integers(1, max_depth)),
        "block": "res-1" if linear else "res-3",
        "activation": "identity" if linear else "relu",
    }
    if draw(st.booleans()):
        options["beta"] = draw(st.floats(-0.5, 3.0))
    else:
        options["alpha"] = draw(st.floats(1e-6, 10.0))
    return ResNet(**(options | fixed))


def both(net, **options):
    """Return the rows with and without a path: they are computed in chunks of one layer and of many."""
    plain = simulate(net, **options).columns
    path = simulate(net, trajectories=True, **options).columns
    return plain | {f"{name} beside a path": column for name, column in path.items()}


@settings(max_examples=25)
@given(net=networks(), seed=SEEDS, threads=st.integers(1, 3), block_size=st.integers(1, 40))
def test_threads_and_blocks(net, seed, threads, block_size):
    plain = both(net, replicas=37, seed=seed, threads=1, block_size=37)
    assert same_bits(plain, both(net, replicas=37, seed=seed, threads=threads, block_size=block_size))


@settings(max_examples=25)
@given(net=networks(), seed=SEEDS, first=st.integers(0, 2**62), skipped=st.integers(0, 36))
def test_first_replica(net, seed, first, skipped):
    whole = both(net, replicas=37, seed=seed, first_replica=first)
    part = both(net, replicas=37 - skipped, seed=seed, first_replica=first + skipped)
    assert same_bits({name: column[skipped:] for name, column in whole.items()}, part)


@pytest.mark.parametrize("first", [2**32 - 5, 2**32 - 16, 2**32, 2**40 + 3, 2**63 - 50])
def test_replicas_beyond_32_bits(first):
    net = ResNet(width=100, depth=4, beta=0.5)
    whole = both(net, replicas=20, seed=1, first_replica=first)
    for i in (0, 7, 19):
        row = both(net, replicas=1, seed=1, first_replica=first + i)
        assert same_bits({name: column[i : i + 1] for name, column in whole.items()}, row)
    if first + 7 >= 2**32:
        wrapped = both(net, replicas=1, seed=1, first_replica=(first + 7) % 2**32)
        assert wrapped["log_hidden_ratio"][0] != whole["log_hidden_ratio"][7]
    assert len(np.unique(whole["log_hidden_ratio"])) == 20


def test_rejected_proposals_do_not_depend_on_blocks():
    # about one chi-square in forty is redone: hundreds here
    net = ResNet(width=4, depth=100, beta=0.5)
    whole = simulate(net, replicas=200, seed=1, threads=1, block_size=200)
    parts = simulate(net, replicas=200, seed=1, threads=2, block_size=7)
    assert same_bits(whole.columns, parts.columns)


@settings(max_examples=30)
@given(net=networks(), seed=SEEDS, chunk=st.integers(1, 100))
def test_chunks_of_layers(net, seed, chunk):
    whole = simulate(net, replicas=5, seed=seed).columns
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_network, "CHUNK_LAYERS", chunk)
        other = simulate(net, replicas=5, seed=seed).columns
    path = simulate(net, replicas=5, seed=seed, trajectories=True).columns
    # The state is rescaled by powers of two once a chunk: the same mantissas, logs that differ by a rounding
    # where it happens, and not a bit where the norm stays between 2^-60 and 2^60.
    logs = path["log_hidden_path"]
    if np.isfinite(logs).all() and np.abs(logs).max() < 40.0:
        calm = ("log_hidden_ratio", "log_hidden_difference")
        assert same_bits({name: whole[name] for name in calm}, {name: other[name] for name in calm})
        assert same_bits({name: whole[name] for name in calm}, {name: path[name] for name in calm})
    for name, column in whole.items():
        np.testing.assert_allclose(other[name], column, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(path[name], column, rtol=1e-10, atol=1e-10)


@settings(max_examples=25)
@given(net=networks(beta=None, alpha=0.3), seed=SEEDS, more=st.integers(1, 40))
def test_a_deeper_network_begins_with_the_shallower_one(net, seed, more):
    deeper = ResNet(**{**net.canonical(), "depth": net.depth + more})
    short, long = (
        simulate(n, replicas=3, seed=seed, trajectories=True)["log_hidden_path"] for n in (net, deeper)
    )
    assert np.array_equal(short, long[:, : net.depth + 1])


@settings(max_examples=25)
@given(net=networks(), seed=SEEDS)
def test_the_path_ends_at_the_ratio_and_dual_columns_do_not_touch_hidden_ones(net, seed):
    sample = simulate(net, replicas=5, seed=seed, trajectories=True)
    assert np.array_equal(sample["log_hidden_path"][:, -1], sample["log_hidden_ratio"])
    assert not sample["log_hidden_path"][:, 0].any()
    dual, bare = (simulate(net, replicas=5, seed=seed, gradients=g).columns for g in ("dual", "none"))
    assert same_bits({name: dual[name] for name in bare}, bare)


# --- extremes ---------------------------------------------------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize("width", [1, 3, 8, 1000])
def test_explosion_by_ten_thousands_of_decades(width):
    # 64 log ratios within seven standard deviations of L times the Lyapunov exponent (I6, I4): sums of 10^5
    # terms, false alarm below 4 · 64 · 3e-12 = 1e-9
    sample = simulate(ResNet(width=width, depth=100_000, beta=0.0), replicas=32, seed=SEED)
    law = ExactNormLaw(width=width, depth=100_000, alpha=1.0)
    assert law.mean() == pytest.approx(100_000 * law.lyapunov)
    for name in ("log_hidden_ratio", "log_gradient_ratio_dual"):
        assert np.all(np.abs(sample[name] - law.mean()) < 7.0 * law.std())
        difference = sample[name.replace("ratio", "difference")]
        if width > 1:
            np.testing.assert_allclose(difference, sample[name], rtol=1e-14)
        else:  # E log R < 0: h ends at 0, and its difference at h_0
            np.testing.assert_allclose(difference, 0.0, atol=1e-6)


@pytest.mark.parametrize("beta", [3.0, 30.0])
def test_differences_of_nearly_the_identity(beta):
    sample = simulate(ResNet(width=8, depth=1000, beta=beta), replicas=64, seed=1)
    typical = 0.5 * math.log(1000.0 / 2.0) - beta * math.log(1000.0)
    for name in ("log_hidden_difference", "log_gradient_difference_dual"):
        assert np.all(np.abs(sample[name] - typical) < 2.5)
    assert np.all(np.abs(sample["log_hidden_ratio"]) < np.exp(sample["log_hidden_difference"]) + 1e-15)


@pytest.mark.parametrize("alpha", [1e-100, 1e-150, 1e-170, 1e-200, 1e-300])
def test_differences_scale_with_alpha_down_to_the_smallest(alpha):
    # -inf is promised for exact zeros only; the other engines go down to 1e-300
    usual, small = (simulate(ResNet(width=8, depth=50, alpha=a), replicas=20, seed=1) for a in (1e-20, alpha))
    for name in ("log_hidden_difference", "log_gradient_difference_dual"):
        np.testing.assert_allclose(usual[name] - small[name], math.log(1e-20) - math.log(alpha), atol=1e-6)


@pytest.mark.parametrize("alpha", [1e60, 1e100])
def test_huge_alpha(alpha):
    one, other = (
        simulate(ResNet(width=8, depth=30, alpha=a), replicas=20, seed=1, trajectories=True)
        for a in (alpha, 1e30)
    )
    for name in ("log_hidden_ratio", "log_hidden_difference", "log_gradient_ratio_dual"):
        # a layer multiplies by alpha, unless no unit is active (one layer in 256)
        layers = (one[name] - other[name]) / (math.log(alpha) - math.log(1e30))
        np.testing.assert_allclose(layers, np.rint(layers), atol=1e-6)
        assert np.all((layers > 25.5) & (layers < 30.5))


def test_collapse_at_width_1():
    # E log|1 + Z| < 0: the state vanishes, the difference stays of the size of the start
    net = ResNet(width=1, depth=20_000, alpha=1.0, block="res-1", activation="identity")
    sample = simulate(net, replicas=32, seed=3)
    for name in ("log_hidden_ratio", "log_gradient_ratio_dual"):
        assert np.isfinite(sample[name]).all()
        assert np.all(sample[name] < -1_000.0)
        np.testing.assert_allclose(sample[name.replace("ratio", "difference")], 0.0, atol=1e-6)


def test_no_active_unit_in_the_whole_network():
    sample = simulate(ResNet(width=1, depth=2, beta=0.5), replicas=400, seed=1)
    identity = sample["log_hidden_difference"] == -np.inf
    assert 50 < identity.sum() < 150  # a quarter
    assert not sample["log_hidden_ratio"][identity].any()
    assert sample["log_hidden_ratio"][~identity].all()
    assert sample.n_nonfinite == 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("block", "activation"), [("res-3", "relu"), ("res-1", "identity")])
def test_widths(width, block, activation):
    sample = simulate(
        ResNet(width=width, depth=2, alpha=1.0, block=block, activation=activation), replicas=20, seed=1
    )
    assert sample.n_nonfinite == 0
    growth = math.log(1.5 if block == "res-3" else 2.0)
    if width >= 10_000:
        np.testing.assert_allclose(sample["log_hidden_ratio"], growth, atol=10.0 / math.sqrt(width))
        difference = 0.5 * math.log(math.exp(2.0 * growth) - 1.0)
        np.testing.assert_allclose(sample["log_hidden_difference"], difference, atol=10.0 / math.sqrt(width))
