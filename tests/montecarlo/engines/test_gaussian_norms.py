"""Norms, hidden widths, skip factors and schedules of the Gaussian engine: pathwise identities, exact laws,
and its conditioning against a readable reference.

The statistical tests share a false alarm of 1e-6: fewer than forty comparisons of right laws. A seed may be
changed once, with a reason.
"""

import functools
import math

import numpy as np
import pytest

import montecarlo
from montecarlo import InvalidFieldError, ResNet
from montecarlo.engines._registry import ENGINES
from montecarlo.engines._request import Request
from montecarlo.engines.gaussian._engine import misplaced
from montecarlo.estimates import same_law
from montecarlo.networks.blocks import BLOCKS, Block

simulate = functools.partial(montecarlo.simulate, engine="gaussian")

pytestmark = pytest.mark.usefixtures("warm_kernels")

SEED = 20241003
FALSE_ALARM = 1e-6 / 40
BEFORE = ["pre-rms", "pre-layer", "peri-rms", "peri-layer"]
AFTER = ["post-rms", "post-layer"]


# --- pathwise ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", BEFORE)
@pytest.mark.parametrize("scale", [1e-250, 2.0**-300, 2.0**-50, 2.0**300])
def test_increments_behind_a_norm_do_not_see_the_start(norm, scale):
    """N1: the branch meets a vector of length √d, whatever the stream is; and no image knows more of it."""
    fields = {"width": 6, "depth": 4, "beta": 0.2, "norm": norm, "input_dim": 9, "hidden_width": 10}
    plain, scaled = (simulate(ResNet(**fields, input_scale=s), replicas=20, seed=2) for s in (1.0, scale))
    np.testing.assert_allclose(
        scaled["log_hidden_difference"] + math.log(scale), plain["log_hidden_difference"], rtol=0.0, atol=1e-9
    )
    for column in scaled.columns.values():
        assert np.isfinite(column).all()
    if scale < 1.0:
        assert np.all(scaled["log_hidden_ratio"] > 20.0)


@pytest.mark.parametrize("norm", AFTER)
@pytest.mark.parametrize("scale", [1e-250, 1.0, 2.0**300])
def test_a_normalised_stream_has_one_length(norm, scale):
    net = ResNet(width=6, depth=5, beta=0.2, norm=norm, input_scale=scale)
    sample = simulate(net, replicas=20, seed=2, trajectories=True)
    after = sample["log_hidden_path"][:, 1:]
    np.testing.assert_allclose(after, after[:, :1] * np.ones(5), rtol=1e-13)


def test_a_normalised_stream_of_a_homogeneous_block_is_the_plain_one_normalised():
    """N10: pathwise, and so the angle from the start is the same."""
    post, plain = (
        simulate(ResNet(width=6, depth=5, beta=0.2, norm=norm), replicas=20, seed=2)
        for norm in ("post-rms", "none")
    )
    r, x = np.exp(plain["log_hidden_ratio"]), np.exp(plain["log_hidden_difference"])
    cosine = (r * r + 1.0 - x * x) / (2.0 * r)
    s = np.exp(post["log_hidden_ratio"])  # √d over ‖h_0‖
    exact = 1.0 + s * s - 2.0 * s * cosine
    np.testing.assert_allclose(np.exp(2.0 * post["log_hidden_difference"]), exact, rtol=1e-9)


def test_a_branch_that_sees_no_radius_passes_no_gradient_at_width_1():
    sample = simulate(ResNet(width=1, depth=7, beta=0.2, norm="pre-rms", hidden_width=9), replicas=20, seed=2)
    assert np.all(np.abs(sample["log_gradient_ratio"]) < 1e-4)
    assert np.all(np.abs(sample["log_hidden_ratio"]) > 1e-3)
    lost = simulate(ResNet(width=1, depth=3, beta=0.2, norm="post-rms"), replicas=20, seed=2)
    assert np.array_equal(lost["log_gradient_ratio"], np.full(20, -np.inf))


def test_the_norm_of_nothing_is_nothing():
    sample = simulate(ResNet(width=1, depth=5, beta=0.5, norm="pre-layer"), replicas=3, seed=1)
    assert not sample["log_hidden_ratio"].any()
    assert not sample["log_gradient_ratio"].any()


def test_a_layer_that_is_switched_off_moves_nothing():
    net = ResNet(width=6, depth=4, alpha=0.5, schedule=(1.0, 0.0, 0.0, 2.0), hidden_width=9)
    sample = simulate(net, replicas=20, seed=2, trajectories=True, weight_gradients=True)
    for name, start in (("log_hidden_path", 1), ("log_gradient_path", 1)):
        steps = np.diff(sample[name], axis=1)
        assert not steps[:, start : start + 2].any()
        assert np.all(steps[:, [0, 3]] != 0.0)
    assert np.array_equal(sample["log_weight_gradient_w"][:, 1:3], np.full((20, 2), -np.inf))


def test_a_skip_factor_alone_is_a_power():
    net = ResNet(width=5, depth=9, alpha=1e-30, skip=-0.5, norm="peri-rms")
    sample = simulate(net, replicas=20, seed=2)
    np.testing.assert_allclose(sample["log_hidden_ratio"], -9 * math.log(2.0), rtol=1e-12)
    np.testing.assert_allclose(sample["log_gradient_ratio"], -9 * math.log(2.0), rtol=1e-12)
    np.testing.assert_allclose(sample["log_hidden_difference"], math.log(1.0 + 2.0**-9), rtol=1e-12)
    with_zero = ResNet(width=5, depth=9, alpha=0.5, skip=0.0)
    assert np.isfinite(simulate(with_zero, replicas=20, seed=2)["log_hidden_ratio"]).any()


# --- exact laws -------------------------------------------------------------------------------------------

REPLICAS = 20_000


def squared_start(net, rng):
    """Return ‖h_0‖² for h_0 = A x."""
    x = rng.uniform(size=(REPLICAS, net.input_dim))
    return np.mean(x * x, axis=1) * rng.chisquare(net.width, REPLICAS)


def gram(rng, net, layers):
    """Return ‖ReLU(z)‖²/M of M normals, summed over layers: MΓ is χ² with Bin(LM, 1/2) degrees."""
    M = net.inner_width
    return 2.0 * rng.standard_gamma(rng.binomial(layers * M, 0.5, REPLICAS) / 2.0) / M


def walk_behind_a_norm(net, rng):
    """N1: ‖h_L - h_0‖² = a² Γ χ²_d, independent of h_0."""
    square = net.scaling**2 * gram(rng, net, net.depth) * rng.chisquare(net.width, REPLICAS)
    return 0.5 * np.log(square / squared_start(net, rng))


def product_of_steps(net, rng):
    """G1: log ‖h_L‖/‖h_0‖ of res-3 with skip factor and schedule; that of ‖p_0‖/‖p_L‖ has the same law."""
    total = np.zeros(REPLICAS)
    for k in range(net.depth):
        g = net.scaling * net.factors[k] * np.sqrt(gram(rng, net, 1) / net.width)
        along = net.skip + g * rng.standard_normal(REPLICAS)
        total += 0.5 * np.log(along**2 + g * g * rng.chisquare(net.width - 1, REPLICAS))
    return total


STEPS = ResNet(width=40, depth=5, alpha=0.9, skip=0.8, schedule="power:0.5", hidden_width=14)


@pytest.mark.statistical
@pytest.mark.parametrize("norm", ["pre-rms", "pre-layer"])
def test_the_walk_behind_a_norm(norm):
    net = ResNet(width=40, depth=3, alpha=0.6, norm=norm, hidden_width=60)
    exact = walk_behind_a_norm(net, np.random.default_rng(SEED))
    ours = simulate(net, replicas=REPLICAS, seed=SEED, gradients="none")["log_hidden_difference"]
    test = same_law(ours, exact, false_alarm=FALSE_ALARM)
    assert not test.refuted, str(test)
    assert same_law(ours + math.log(1.03), exact, false_alarm=FALSE_ALARM).refuted
    narrow = ResNet(width=40, depth=3, alpha=0.6, norm=norm, hidden_width=8)
    wrong = walk_behind_a_norm(narrow, np.random.default_rng(SEED))
    assert same_law(ours, wrong, false_alarm=FALSE_ALARM).refuted


@pytest.mark.statistical
@pytest.mark.parametrize("column", ["log_hidden_ratio", "log_gradient_ratio"])
def test_steps_with_skip_factor_schedule_and_hidden_width(column):
    exact = product_of_steps(STEPS, np.random.default_rng(SEED))
    ours = simulate(STEPS, replicas=REPLICAS, seed=SEED)[column]
    test = same_law(ours, exact, false_alarm=FALSE_ALARM)
    assert not test.refuted, str(test)
    wrong = ResNet(**(STEPS.canonical() | {"skip": 0.8 * 1.03}))
    assert same_law(
        ours, product_of_steps(wrong, np.random.default_rng(SEED)), false_alarm=FALSE_ALARM
    ).refuted


# --- the way back -----------------------------------------------------------------------------------------

WIDTH, HIDDEN, DEPTH, ALPHA, NETWORKS = 4, 6, 12, 0.8, 12_000


def product(x, y):
    return np.sum(x * y, axis=1, keepdims=True)


def length(x):
    return np.sqrt(product(x, x))


def transposed(x, image, p, fresh):
    """Return M^T p given ``M x = image``, for M of independent entries of variance one over those of x."""
    square = product(x, x)
    safe = np.where(square > 0.0, square, 1.0)
    return (x * product(image, p) - x * product(x, fresh) * length(p) / math.sqrt(x.shape[1])) / safe + (
        fresh * length(p) / math.sqrt(x.shape[1])
    )


def reference(mutant=None):
    """Sample res-3 with an RMS norm before the branch: images forward, conditioned products backward."""
    rng = np.random.default_rng(SEED)

    def normal(n):
        return rng.standard_normal((NETWORKS, n))

    x = rng.uniform(size=(NETWORKS, 64))
    h = h_0 = length(x) / 8.0 * normal(WIDTH)
    layers = []
    for _ in range(DEPTH):
        r = length(h) / math.sqrt(WIDTH)
        n = h / r
        y = normal(HIDDEN)  # W n
        s = np.maximum(y, 0.0)
        u = length(s) / math.sqrt(HIDDEN) * normal(WIDTH)  # V s
        layers.append((n, r, y, s, u))
        h = h + ALPHA * u
    p = p_L = normal(WIDTH)
    for n, r, y, s, u in reversed(layers):
        q = np.where(y > 0.0, transposed(s, u, p, normal(HIDDEN)), 0.0)
        q = transposed(n, y, q, normal(WIDTH))
        if mutant != "not projected":
            q = q - n * product(n, q) / WIDTH
        p = p + ALPHA * q / (r * 1.03 if mutant == "length 3 % off" else r)
    return statistics(*(np.log(length(a) / length(b))[:, 0] for a, b in ((h, h_0), (h - h_0, h_0), (p, p_L))))


def statistics(h, dh, g):
    return {"h": h, "g": g, "h - g": h - g, "h + g": h + g, "dh - g": dh - g}


@functools.cache
def engine_statistics():
    net = ResNet(width=WIDTH, hidden_width=HIDDEN, depth=DEPTH, alpha=ALPHA, norm="pre-rms")
    sample = simulate(net, replicas=NETWORKS, seed=SEED)
    return statistics(
        sample["log_hidden_ratio"], sample["log_hidden_difference"], sample["log_gradient_ratio"]
    )


def compare(mutant=None):
    theirs = reference(mutant)
    return {
        name: same_law(column, theirs[name], false_alarm=FALSE_ALARM)
        for name, column in engine_statistics().items()
    }


@pytest.mark.statistical
def test_the_projection_of_a_norm():
    for name, test in compare().items():
        assert not test.refuted, f"{name}: {test}"


@pytest.mark.statistical
def test_a_gradient_that_is_not_projected_is_refuted():
    tests = compare("not projected")
    assert not tests["h"].refuted
    assert tests["g"].refuted
    assert tests["h - g"].refuted


# --- estimates of time ------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["dense", "gaussian"])
@pytest.mark.parametrize(
    "fields", [{"norm": "pre-rms"}, {"norm": "pre-tanh:1"}, {"norm": "post-layer"}, {"hidden_width": 160}]
)
def test_what_costs_time_counts_in_its_estimate(engine, fields):
    plain, net = ResNet(width=40, depth=9, beta=0.5), ResNet(width=40, depth=9, beta=0.5, **fields)
    for gradients in (True, False):
        request = Request(gradients=gradients)
        times = [ENGINES[engine].seconds(n, request) for n in (plain, net)]
        assert times[0] < times[1] < 5.0 * times[0]


# --- order of words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("branch", "word"),
    [
        (["linear W", "activation", "linear V"], None),
        (["norm", "linear V", "outer activation"], None),
        (["bias", "activation", "linear V", "branch-norm"], None),
        (["linear V", "bias"], "bias"),
        (["linear W", "bias", "linear V"], "bias"),
        (["linear W", "norm", "linear V"], "norm"),
        (["branch-norm", "linear V"], "branch-norm"),
        (["linear V", "activation", "linear V"], "linear V"),
    ],
)
def test_what_cannot_be_performed_is_named(branch, word):
    assert misplaced(branch) == word


def test_a_block_of_another_order_is_refused_in_one_line(monkeypatch):
    block = Block("two-faced", ("linear V", "activation", "linear W", "linear V"), "V W σ(V h)")
    monkeypatch.setitem(BLOCKS, block.name, block)
    with pytest.raises(InvalidFieldError) as caught:
        simulate(ResNet(width=4, depth=2, beta=0.5, block="two-faced"), replicas=1, seed=1)
    assert str(caught.value) == (
        "engine='gaussian': cannot perform the word 'linear V' where it stands in block='two-faced'; "
        "take engine='auto'"
    )
