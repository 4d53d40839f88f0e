"""The Gaussian engine: its conditioning against a readable reference, exact invariances, extremes.

The statistical tests share a false alarm of 1e-6, divided by the number of comparisons; a seed may be
changed once, with a reason.
"""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_bits import same_bits

import montecarlo
from montecarlo import Activation, ResNet
from montecarlo.engines import _segments
from montecarlo.estimates import same_law
from montecarlo.networks._activations import BUILT_IN
from montecarlo.networks._norms import NORMS
from theory import ExactNormLaw

simulate = functools.partial(montecarlo.simulate, engine="gaussian")

pytestmark = pytest.mark.usefixtures("warm_kernels")

SEEDS = st.integers(0, 2**128 - 1)
SEED = 20240811
FALSE_ALARM = 1e-6
WIDTHS = (1, 2, 3, 5, 15, 17, 64, 65)


# --- conditioning -----------------------------------------------------------------------------------------

SMALL = (3, 10, 12_000)  # d, L, networks
DEEP = (8, 60, 8_000)
STATISTICS = 5


def product(x, y):
    return np.sum(x * y, axis=1, keepdims=True)


def norm(x):
    return np.sqrt(product(x, x))


def transposed(x, image, p, fresh, mutant):
    """Return M^T p given ``M x = image``, for M of independent N(0, 1/d) entries; arrays (networks, d)."""
    square = product(x, x)
    active = square > 0.0  # nothing to condition on, else
    known = x * np.divide(product(image, p), square, out=np.zeros_like(square), where=active)
    along = x * np.divide(product(x, fresh), square, out=np.zeros_like(square), where=active)
    size = norm(p) / math.sqrt(x.shape[1])
    if mutant == "fresh everywhere, nothing known":
        return fresh * size
    if mutant == "known part dropped":
        return (fresh - along) * size
    if mutant == "not projected":
        return known + fresh * size
    if mutant == "norm wrong by 3 %":
        return known + (fresh - along) * size * 1.03
    return known + (fresh - along) * size


def reference(width, depth, networks, mutant_v=None, mutant_w=None):
    """Sample res-3 at α = 1 as the engine does: images forward, conditioned transposed products backward."""
    rng = np.random.default_rng(SEED)

    def normal():
        return rng.standard_normal((networks, width))

    def image_of(x):
        return norm(x) / math.sqrt(width) * normal()

    h = h_0 = normal()
    layers = []
    for _ in range(depth):
        y = image_of(h)  # W h
        s = np.maximum(y, 0.0)
        u = image_of(s)  # V s
        layers.append((h, y, s, u))
        h = h + u
    p = p_L = normal()
    for h_k, y, s, u in reversed(layers):
        q = np.where(y > 0.0, transposed(s, u, p, normal(), mutant_v), 0.0)
        p = p + transposed(h_k, y, q, normal(), mutant_w)
    return statistics(*(np.log(norm(a) / norm(b))[:, 0] for a, b in ((h, h_0), (h - h_0, h_0), (p, p_L))))


def statistics(h, dh, g):
    return {"h": h, "g": g, "h - g": h - g, "h + g": h + g, "dh - g": dh - g}


@functools.cache
def engine_statistics(engine, width, depth, networks):
    net = ResNet(width=width, depth=depth, alpha=1.0)
    sample = montecarlo.simulate(net, replicas=networks, seed=SEED, engine=engine)
    return statistics(
        sample["log_hidden_ratio"], sample["log_hidden_difference"], sample["log_gradient_ratio"]
    )


def compare(engine, case, **mutants):
    ours, theirs = engine_statistics(engine, *case), reference(*case, **mutants)
    share = FALSE_ALARM / (5 * STATISTICS)  # 21 comparisons of right laws
    return {name: same_law(ours[name], theirs[name], false_alarm=share) for name in ours}


@pytest.mark.statistical
@pytest.mark.parametrize("case", [SMALL, DEEP])
@pytest.mark.parametrize("engine", ["dense", "gaussian"])
def test_backward_conditioning(engine, case):
    for name, test in compare(engine, case).items():
        assert not test.refuted, f"{name}: {test}"


@pytest.mark.statistical
@pytest.mark.parametrize("matrix", ["mutant_v", "mutant_w"])
@pytest.mark.parametrize(
    ("mutant", "case"),
    [
        ("known part dropped", SMALL),
        ("not projected", SMALL),
        ("fresh everywhere, nothing known", SMALL),
        ("norm wrong by 3 %", DEEP),
    ],
)
def test_wrong_conditioning_is_refuted(mutant, case, matrix):
    tests = compare("dense", case, **{matrix: mutant})
    assert not tests["h"].refuted
    assert tests["h - g"].refuted, str(tests["h - g"])


@pytest.mark.statistical
def test_only_the_joint_law_sees_that_nothing_is_conditioned():
    # Fresh matrices backward give res-3 gradients of the right law (I4), independent of the hidden states.
    fresh = "fresh everywhere, nothing known"
    tests = compare("dense", SMALL, mutant_v=fresh, mutant_w=fresh)
    assert not tests["g"].refuted
    assert tests["h - g"].refuted
    assert tests["h + g"].refuted


# --- exact invariances ------------------------------------------------------------------------------------


@st.composite
def networks(draw, max_depth=20, **fixed):
    block = draw(st.sampled_from(["res-1", "res-2", "res-3"]))
    options = {
        "width": draw(st.integers(1, 30)),
        "depth": draw(st.integers(1, max_depth)),
        "block": block,
        "activation": "relu" if block == "res-3" else draw(st.sampled_from(sorted(BUILT_IN))),
        "bias_std": draw(st.sampled_from([0.0, 0.5])) if block == "res-2" else 0.0,
        "input_dim": draw(st.integers(1, 70)),
    }
    if draw(st.booleans()):
        options |= {
            "norm": draw(st.sampled_from(["none", *(n for n in NORMS if n != "pre-tanh"), "pre-tanh:0.7"])),
            "skip": draw(st.sampled_from([1.0, 0.5, -0.3])),
            "schedule": draw(st.sampled_from(["constant", "power:0.5"])),
            "hidden_width": draw(st.integers(1, 40)) if block != "res-1" else None,
        }
    if draw(st.booleans()):
        options["beta"] = draw(st.floats(-0.5, 3.0))
    else:
        options["alpha"] = draw(st.floats(1e-6, 10.0))
    return ResNet(**(options | fixed))


def everything(net, **options):
    return simulate(net, trajectories=True, weight_gradients=True, **options).columns


@settings(max_examples=25)
@given(net=networks(), seed=SEEDS, threads=st.integers(1, 3), block_size=st.integers(1, 40))
def test_threads_and_blocks(net, seed, threads, block_size):
    plain = everything(net, replicas=37, seed=seed, threads=1, block_size=37)
    assert same_bits(plain, everything(net, replicas=37, seed=seed, threads=threads, block_size=block_size))


@settings(max_examples=25)
@given(net=networks(), seed=SEEDS, first=st.integers(0, 2**62), skipped=st.integers(0, 36))
def test_first_replica(net, seed, first, skipped):
    whole = everything(net, replicas=37, seed=seed, first_replica=first)
    part = everything(net, replicas=37 - skipped, seed=seed, first_replica=first + skipped)
    assert same_bits({name: column[skipped:] for name, column in whole.items()}, part)


@pytest.mark.parametrize("first", [2**32 - 5, 2**32 - 16, 2**32, 2**40 + 3, 2**63 - 50])
def test_replicas_beyond_32_bits(first):
    net = ResNet(width=5, depth=4, beta=0.5)
    whole = everything(net, replicas=20, seed=1, first_replica=first)
    single = [everything(net, replicas=1, seed=1, first_replica=first + i) for i in (0, 7, 19)]
    for i, row in zip((0, 7, 19), single, strict=True):
        assert same_bits({name: column[i : i + 1] for name, column in whole.items()}, row)
    wrapped = everything(net, replicas=1, seed=1, first_replica=(first + 7) % 2**32)
    if first + 7 >= 2**32:
        assert wrapped["log_hidden_ratio"][0] != whole["log_hidden_ratio"][7]
    assert len(np.unique(whole["log_hidden_ratio"])) == 20


@settings(max_examples=25)
@given(net=networks(), seed=SEEDS, tape=st.sampled_from([0, 20_000, 60_000]))
def test_segments_of_the_tape(net, seed, tape):
    whole = everything(net, replicas=5, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_segments, "TAPE_BYTES", tape)
        assert same_bits(whole, everything(net, replicas=5, seed=seed))


@pytest.mark.parametrize(("block", "activation"), [("res-3", "relu"), ("res-1", "gelu"), ("res-2", "tanh")])
@pytest.mark.parametrize("depth", [1, 2, 49, 50, 51])
def test_segments_across_rescaled_states(block, activation, depth):
    # norms change by up to 10^9 a layer: checkpoints carry exponents
    net = ResNet(width=6, depth=depth, alpha=1e9, block=block, activation=activation)
    whole = everything(net, replicas=3, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_segments, "TAPE_BYTES", 0)
        assert same_bits(whole, everything(net, replicas=3, seed=1))


@settings(max_examples=25)
@given(net=networks(), seed=SEEDS)
def test_observables_do_not_touch_the_forward_pass(net, seed):
    full = everything(net, replicas=3, seed=seed)
    bare = simulate(net, replicas=3, seed=seed, gradients="none").columns
    plain = simulate(net, replicas=3, seed=seed).columns
    assert same_bits({name: full[name] for name in bare}, bare)
    assert same_bits({name: full[name] for name in plain}, plain)
    path = full["log_hidden_path"], full["log_gradient_path"]
    assert np.array_equal(path[0][:, -1], full["log_hidden_ratio"], equal_nan=True)
    assert np.array_equal(path[1][:, 0], full["log_gradient_ratio"], equal_nan=True)


@settings(max_examples=25)
@given(net=networks(beta=None, alpha=0.3), seed=SEEDS, more=st.integers(1, 20))
def test_a_deeper_network_begins_with_the_shallower_one(net, seed, more):
    deeper = ResNet(**{**net.canonical(), "depth": net.depth + more})
    short, long = (
        simulate(n, replicas=3, seed=seed, trajectories=True)["log_hidden_path"] for n in (net, deeper)
    )
    assert np.array_equal(short, long[:, : net.depth + 1], equal_nan=True)


@settings(max_examples=20)
@given(
    net=networks(activation="relu", bias_std=0.0, norm="none"), power=st.integers(-90, 90), seed=SEEDS
)  # fmt: skip
def test_scaling_the_input_by_a_power_of_two(net, power, seed):
    scaled = ResNet(**{**net.canonical(), "input_scale": 2.0**power})
    one, other = (everything(n, replicas=3, seed=seed) for n in (net, scaled))
    for name, column in one.items():
        # the power of two may be carried by the exponent or by the mantissa: gradients see float32 states
        np.testing.assert_allclose(other[name], column, rtol=1e-13, atol=1e-12, err_msg=name)


# --- extremes ---------------------------------------------------------------------------------------------


def is_finite(sample):
    return all(np.isfinite(column).all() for column in sample.columns.values())


@pytest.mark.statistical
def test_explosion_by_ten_thousands_of_decades():
    # 32 log ratios, each within seven standard deviations of L times the Lyapunov exponent (I6, I4). Sums of
    # 10^5 terms: false alarm below 32 · 3e-12 = 1e-10.
    net = ResNet(width=8, depth=100_000, beta=0.0)
    sample = simulate(net, replicas=16, seed=SEED)
    assert is_finite(sample)
    law = ExactNormLaw(width=8, depth=net.depth, alpha=1.0)
    assert law.mean() == pytest.approx(net.depth * law.lyapunov)
    for name in ("log_hidden_ratio", "log_gradient_ratio"):
        assert np.all(np.abs(sample[name] - law.mean()) < 7.0 * law.std())
        assert sample[name].min() > 10_000.0
        difference = sample[name.replace("ratio", "difference")]
        np.testing.assert_array_equal(difference, sample[name])


@pytest.mark.parametrize("block", ["res-1", "res-2", "res-3"])
def test_differences_of_nearly_the_identity(block):
    sample = simulate(ResNet(width=8, depth=10_000, beta=3.0, block=block), replicas=16, seed=1)
    assert is_finite(sample)
    typical = 0.5 * math.log(10_000 * 1e-24 / 2.0)
    for name in ("log_hidden_difference", "log_gradient_difference"):
        # res-1 has the share of the active units at h_0 in place of 1/2, and that may be small
        assert np.all(np.abs(sample[name] - typical) < (5.0 if block == "res-1" else 2.5))
    assert np.all(np.abs(sample["log_hidden_ratio"]) < np.exp(sample["log_hidden_difference"]) + 1e-15)


def test_differences_scale_with_alpha_down_to_the_smallest():
    rows = [simulate(ResNet(width=8, depth=50, alpha=a), replicas=20, seed=1) for a in (1e-20, 1e-200)]
    for name in ("log_hidden_difference", "log_gradient_difference"):
        np.testing.assert_allclose(rows[0][name] - rows[1][name], 180.0 * math.log(10.0), atol=1e-6)


def test_huge_alpha():
    one, other = (
        simulate(ResNet(width=8, depth=30, alpha=alpha), replicas=20, seed=1, trajectories=True)
        for alpha in (1e60, 1e30)
    )
    assert is_finite(one)
    for name in ("log_hidden_ratio", "log_gradient_ratio"):
        # a layer multiplies by alpha, unless no unit is active (one layer in 256)
        layers = (one[name] - other[name]) / (30.0 * math.log(10.0))
        np.testing.assert_allclose(layers, np.rint(layers), atol=1e-6)
        assert np.all((layers > 25.5) & (layers < 30.5))


def test_collapse_at_width_1():
    # E log|1 + Z| < 0: the state vanishes, the difference stays of the size of the start
    net = ResNet(width=1, depth=20_000, alpha=1.0, block="res-1", activation="identity")
    sample = simulate(net, replicas=16, seed=3)
    assert np.isfinite(sample["log_hidden_ratio"]).all()
    assert np.all(sample["log_hidden_ratio"] < -1_000.0)
    assert np.all(np.abs(sample["log_hidden_difference"]) < 1e-4)
    # the float32 rounding of a gradient near zero
    np.testing.assert_allclose(sample["log_gradient_ratio"], sample["log_hidden_ratio"], rtol=1e-4)


def test_a_dead_relu_unit_of_width_1():
    net = ResNet(width=1, depth=60, alpha=1.0, block="res-1")
    sample = simulate(net, replicas=200, seed=3)
    dead = sample["log_hidden_difference"] == -np.inf
    assert 50 < dead.sum() < 150
    assert not sample["log_hidden_ratio"][dead].any()
    assert np.array_equal(sample["log_gradient_difference"] == -np.inf, dead)
    assert sample.n_nonfinite == 0


@pytest.mark.parametrize("width", [*WIDTHS, 10_000])
@pytest.mark.parametrize("block", ["res-1", "res-2", "res-3"])
def test_widths(block, width):
    sample = simulate(ResNet(width=width, depth=2, alpha=1.0, block=block), replicas=3, seed=1)
    assert sample.n_nonfinite == 0
    if width == 10_000:
        for name in ("log_hidden_ratio", "log_gradient_ratio"):
            # ‖h_2‖²/‖h_0‖² is (3/2)² to O(1/√d), or less by the correlation of res-1's layers
            np.testing.assert_allclose(sample[name], math.log(1.5), atol=0.1)


@pytest.mark.parametrize("block", ["res-1", "res-2"])
def test_softplus_far_from_zero_is_relu(block):
    # the same streams; units within 40 of zero, of 10^8, are the exception
    far, relu = (
        simulate(
            ResNet(width=8, depth=20, beta=0.5, block=block, activation=name, input_scale=1e8),
            replicas=50, seed=1,
        )
        for name in ("softplus", "relu")
    )  # fmt: skip
    for name in ("log_hidden_ratio", "log_hidden_difference"):
        np.testing.assert_allclose(far[name], relu[name], atol=1e-5)


@pytest.mark.parametrize("block", ["res-1", "res-2"])
def test_tanh_far_from_zero_is_a_sign(block):
    net = ResNet(width=8, depth=20, beta=0.5, block=block, activation="tanh", input_scale=1e8)
    sample = simulate(net, replicas=50, seed=1)
    # increments of size one beside a state of size 10^8; a flat activation passes no gradient
    assert np.all(np.abs(sample["log_hidden_difference"] + 8.0 * math.log(10.0)) < 4.0)
    assert np.array_equal(sample["log_gradient_difference"], np.full(50, -np.inf))
    assert not sample["log_gradient_ratio"].any()
    assert sample.n_nonfinite == 0


def test_networks_that_leave_the_finite_numbers_are_counted():
    cube = Activation("cube", lambda x: x**3, lambda x: 3.0 * x**2)
    net = ResNet(width=6, depth=12, alpha=1.0, block="res-1", activation=cube)
    sample = simulate(net, replicas=200, seed=1, trajectories=True, weight_gradients=True)
    lost = np.isnan(sample["log_hidden_ratio"])
    assert 10 < lost.sum() < 200
    assert sample.n_nonfinite >= lost.sum()
    for name in montecarlo.LOG_RATIOS:
        assert np.isnan(sample[name][lost]).all()
        assert not np.isinf(sample[name]).any()
    path = sample["log_hidden_path"]
    assert np.isnan(path[lost][:, -1]).all()
    assert np.isfinite(path[~lost]).all()
    # a lost network does not touch its neighbours in the lanes
    alone = simulate(net, replicas=200, seed=1, trajectories=True, weight_gradients=True, block_size=1)
    for name, column in sample.columns.items():
        assert np.array_equal(column, alone[name], equal_nan=True)
