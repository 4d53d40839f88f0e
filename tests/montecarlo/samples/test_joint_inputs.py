"""Several inputs and tangents through one network: bitwise identities, laws against real matrices, S4, S5."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import integrate

from montecarlo import InvalidFieldError, ResNet, simulate, simulate_inputs
from montecarlo.estimates import mean, same_law
from montecarlo.networks._activations import BUILT_IN, Activation
from theory import arc_cosine_kernel, cosine_flow, mean_square_recursion

pytestmark = pytest.mark.usefixtures("warm_kernels")

TRIO = np.array([[3.0, 1.5, 0.3], [1.5, 2.0, -0.4], [0.3, -0.4, 1.0]])
NETWORKS = [
    {"block": "res-3"},
    {"block": "res-2", "activation": "tanh", "bias_std": 0.7},
    {"block": "res-2", "activation": "relu", "bias_std": 0.7},
    {"block": "res-2", "activation": "leaky-relu"},
    {"block": "res-1", "activation": "relu"},
    {"block": "res-1", "activation": "gelu"},
]
NAMES = [" ".join(str(x) for x in net.values()) for net in NETWORKS]
of_every_kind = pytest.mark.parametrize("fields", NETWORKS, ids=NAMES)


def network(fields, *, width=9, depth=12, alpha=0.4):
    return ResNet(width=width, depth=depth, alpha=alpha, **fields)


def same_bits(a, b):
    return np.array_equal(a.view(np.int64), b.view(np.int64))


# Identities: no tolerance, any seed


@of_every_kind
@pytest.mark.parametrize(("threads", "block_size"), [(1, 1), (2, 7), (3, 16), (2, None)])
def test_threads_and_blocks(fields, threads, block_size):
    net = network(fields)
    whole = simulate_inputs(net, TRIO, replicas=37, seed=3, tangents=[1], threads=1, block_size=37)
    parts = simulate_inputs(
        net, TRIO, replicas=30, seed=3, tangents=[1], first_replica=7, layers=[0, 5, 12], threads=threads,
        block_size=block_size,
    )  # fmt: skip
    assert same_bits(parts.log_norm, whole.log_norm[7:, [0, 5, 12]].copy())
    assert same_bits(parts.cosine, whole.cosine[7:, [0, 5, 12]].copy())
    assert list(parts.replica) == list(range(7, 37))
    assert whole.n_nonfinite == 0


@of_every_kind
def test_more_vectors_change_nothing(fields):
    net = network(fields)
    pair = simulate_inputs(net, TRIO[:2, :2], replicas=20, seed=4)
    trio = simulate_inputs(net, TRIO, replicas=20, seed=4)
    assert same_bits(pair.log_norm, trio.log_norm[..., :2].copy())
    assert same_bits(pair.cosine, trio.cosine[..., :2, :2].copy())


def test_start_has_the_given_gram_matrix():
    net = network({"block": "res-1", "activation": "tanh"}, width=3)
    start = simulate_inputs(net, TRIO, replicas=50, seed=5, layers=[0])
    norms = np.sqrt(np.diag(TRIO))
    np.testing.assert_allclose(start.log_norm[:, 0], np.broadcast_to(np.log(norms), (50, 3)), atol=1e-13)
    np.testing.assert_allclose(
        start.cosine[:, 0], np.broadcast_to(TRIO / np.outer(norms, norms), (50, 3, 3)), atol=1e-13
    )


@of_every_kind
def test_equal_inputs_stay_equal(fields):
    copies = TRIO[np.ix_([0, 1, 0, 1, 2], [0, 1, 0, 1, 2])]
    sample = simulate_inputs(network(fields, depth=60), copies, replicas=16, seed=6)
    for first, second in ((0, 2), (1, 3)):
        assert same_bits(sample.log_norm[..., first].copy(), sample.log_norm[..., second].copy())
        assert (sample.cosine[..., first, second] == 1.0).all()
        assert same_bits(sample.cosine[..., first, 4].copy(), sample.cosine[..., second, 4].copy())
    trio = simulate_inputs(network(fields, depth=60), copies[:2, :2], replicas=16, seed=6)
    assert same_bits(trio.log_norm, sample.log_norm[..., :2].copy())


@pytest.mark.parametrize("factor", [2.0, 3.0, 0.1])
@pytest.mark.parametrize("fields", [{"block": "res-3"}, {"block": "res-1", "activation": "relu"}])
def test_multiples_stay_multiples(fields, factor):
    net = network(fields, width=100, depth=500, alpha=0.1)
    gram = np.array([[1.0, factor, 0.5], [factor, factor**2, factor / 2], [0.5, factor / 2, 1.0]])
    sample = simulate_inputs(net, gram, replicas=16, seed=7)
    np.testing.assert_allclose(sample.cosine[..., 0, 1], 1.0, atol=1e-12)
    ratio = sample.log_norm[..., 1] - sample.log_norm[..., 0]
    np.testing.assert_allclose(ratio, math.log(factor), atol=1e-12)
    if factor == 2.0:
        assert same_bits(sample.cosine[..., 0, 2].copy(), sample.cosine[..., 1, 2].copy())
    # The third vector does not align: the dependence is not forced upon it.
    assert (sample.cosine[..., 2, 0] < 0.999).all()


def test_opposite_inputs_of_a_linear_network_stay_opposite():
    net = network({"block": "res-1", "activation": "identity"}, width=1)
    sample = simulate_inputs(net, [[1.0, -1.0], [-1.0, 1.0]], replicas=16, seed=8)
    assert (sample.cosine[..., 0, 1] == -1.0).all()


@pytest.mark.parametrize("block", ["res-1", "res-2"])
@pytest.mark.parametrize("angle", [1.0, 1e-3])
def test_sums_stay_sums_in_a_linear_network(block, angle):
    """A third vector in the plane of two others, which are nearly parallel at the smaller angle."""
    net = network({"block": block, "activation": "identity"}, width=200, depth=300, alpha=0.06)
    basis = np.array([[1.0, 0.0], [math.cos(angle), math.sin(angle)]])
    vectors = np.vstack([basis, basis[0] - 2.0 * basis[1]])
    sample = simulate_inputs(net, vectors @ vectors.T, replicas=16, seed=9)
    first, second, third = np.moveaxis(np.exp(sample.log_norm), -1, 0)
    expected = first**2 + 4.0 * second**2 - 4.0 * first * second * sample.cosine[..., 0, 1]
    np.testing.assert_allclose(third**2, expected, rtol=1e-9)


@pytest.mark.parametrize("fields", [NETWORKS[0], NETWORKS[3], NETWORKS[4]])
def test_input_as_its_own_tangent(fields):
    """Homogeneity: the derivative at h_0 in the direction h_0 is h_k."""
    sample = simulate_inputs(network(fields, depth=60), np.ones((2, 2)), replicas=16, seed=9, tangents=[0])
    assert same_bits(sample.log_norm[..., 0].copy(), sample.log_norm[..., 1].copy())
    assert (sample.cosine[..., 0, 1] == 1.0).all()


@pytest.mark.parametrize("block", ["res-1", "res-2"])
def test_tangents_of_a_linear_network_are_inputs(block):
    net = network({"block": block, "activation": "identity"})
    inputs = simulate_inputs(net, TRIO, replicas=16, seed=10)
    tangents = simulate_inputs(net, TRIO, replicas=16, seed=10, tangents=[0, 0])
    assert same_bits(inputs.log_norm, tangents.log_norm)
    assert same_bits(inputs.cosine, tangents.cosine)


@pytest.mark.parametrize(
    "fields",
    [
        {"block": "res-1", "activation": "tanh"},
        {"block": "res-2", "activation": "gelu"},
        {"block": "res-2", "activation": "softplus", "bias_std": 0.5},
    ],
)
def test_tangents_are_derivatives(fields):
    """Path by path, not in law: ``h(h_0 + ε t) - h(h_0)`` is ε t_k up to O(ε) relative (measured: 20 ε)."""
    epsilon = 1e-4
    basis = np.array([[2.0, 0.0], [0.3, 1.0]])  # h_0 and the tangent
    vectors = np.array([basis[0], basis[0] + epsilon * basis[1], basis[1]])
    sample = simulate_inputs(network(fields), vectors @ vectors.T, replicas=16, seed=11, tangents=[0])
    first, second, tangent = np.moveaxis(np.exp(sample.log_norm), -1, 0)
    chord = first**2 + second**2 - 2.0 * first * second * sample.cosine[..., 0, 1]
    np.testing.assert_allclose(np.sqrt(chord) / epsilon, tangent, rtol=100 * epsilon)
    along = second * sample.cosine[..., 0, 1] - first
    np.testing.assert_allclose(along / epsilon, tangent * sample.cosine[..., 0, 2], atol=100 * epsilon)


@pytest.mark.parametrize("fields", [NETWORKS[0], NETWORKS[4]])
@pytest.mark.parametrize("alpha", [1e-3, 30.0])
def test_any_size_of_numbers(fields, alpha):
    net = network(fields, width=40, depth=600, alpha=alpha)
    sizes = np.ldexp(1.0, [-250, 0, 250])
    small = simulate_inputs(net, TRIO, replicas=16, seed=12)
    large = simulate_inputs(net, TRIO * np.outer(sizes, sizes), replicas=16, seed=12)
    assert same_bits(small.cosine, large.cosine)
    np.testing.assert_allclose(large.log_norm - np.log(sizes), small.log_norm, rtol=1e-12, atol=1e-9)
    assert np.isfinite(small.log_norm).all()
    assert alpha < 1.0 or np.median(small.log_norm[:, -1]) > 1000.0


def test_vanishing_inputs_with_a_bias():
    """The bias lifts an input of norm 2**-90 at once to that of a zero input."""
    net = network({"block": "res-2", "activation": "relu", "bias_std": 1.0}, width=40)
    gram = np.diag([2.0**-180, 0.0, 1.0])
    sample = simulate_inputs(net, gram, replicas=16, seed=13)
    assert (sample.log_norm[:, 0, 1] == -np.inf).all()
    assert np.isnan(sample.cosine[:, 0, 1]).all()
    np.testing.assert_allclose(sample.log_norm[:, 1:, 0], sample.log_norm[:, 1:, 1], atol=1e-12)
    assert np.isfinite(sample.log_norm[:, 1:]).all()


def test_zero_input_stays_zero_and_changes_nothing():
    gram = np.diag([1.0, 0.0, 2.0])
    sample = simulate_inputs(network({"block": "res-3"}), gram, replicas=16, seed=14)
    assert (sample.log_norm[..., 1] == -np.inf).all()
    assert np.isnan(sample.cosine[..., 1, :]).all()
    assert np.isfinite(sample.cosine[..., 0, 2]).all()
    assert sample.n_nonfinite == 0


def test_networks_that_leave_the_finite_numbers_are_counted():
    exponential = Activation("exponential", lambda x: math.exp(2 * x), lambda x: 2 * math.exp(2 * x))
    net = ResNet(width=30, depth=40, alpha=3.0, block="res-1", activation=exponential)
    sample = simulate_inputs(net, np.eye(2), replicas=20, seed=15, tangents=[0])
    assert sample.n_nonfinite == 20
    assert np.isnan(sample.log_norm).all()
    assert np.isnan(sample.cosine).all()


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("weights", {"resnet": ResNet(width=4, depth=2, beta=0.5, weights="uniform")}),
        ("inputs", {"inputs": [[1.0, 2.0], [2.0, 1.0]]}),
        ("inputs", {"inputs": [[1.0, 0.5], [0.4, 1.0]]}),
        ("inputs", {"inputs": [[1.0, math.nan], [math.nan, 1.0]]}),
        ("inputs", {"inputs": [[-1.0]]}),
        ("inputs", {"inputs": [1.0, 2.0]}),
        ("inputs", {"inputs": np.empty((0, 0))}),
        ("inputs", {"inputs": "eye"}),
        ("inputs", {"inputs": np.eye(5)}),
        ("inputs", {"inputs": [[1e-90]], "resnet": ResNet(
            width=4, depth=2, beta=0.5, block="res-2", activation="tanh")}),
        ("tangents", {"tangents": [2]}),
        ("tangents", {"tangents": [0, 0]}),
        ("tangents", {"tangents": [-1]}),
        ("layers", {"layers": []}),
        ("layers", {"layers": [1, 1]}),
        ("layers", {"layers": [3]}),
        ("replicas", {"replicas": 0}),
        ("seed", {"seed": -1}),
        ("threads", {"threads": 0}),
        ("block_size", {"block_size": 0}),
    ],
)  # fmt: skip
def test_refusals(field, options):
    call = {"resnet": ResNet(width=4, depth=2, beta=0.5), "inputs": np.eye(2), "replicas": 2, "seed": 1}
    call |= options
    with pytest.raises(InvalidFieldError) as caught:
        simulate_inputs(call.pop("resnet"), call.pop("inputs"), **call)
    assert caught.value.field == field


PROGRAM = """
import json, sys
from montecarlo import ResNet, simulate_inputs
rows = []
for text in sys.argv[1:]:
    sample = simulate_inputs(ResNet(**json.loads(text)), [[1.0, 2.0, 0.1], [2.0, 4.0, 0.2], [0.1, 0.2, 1.0]],
                             tangents=[1], replicas=3, first_replica=15, seed=3, threads=1)
    rows.append([sample.log_norm.ravel().tolist(), sample.cosine.ravel().tolist()])
print(json.dumps(rows))
"""


def test_same_rows_without_the_compiler():
    fields = [{"width": 3, "depth": 3, "beta": 0.5} | net for net in NETWORKS]
    # numpy's scalars warn where words wrap around on purpose
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-c", PROGRAM, *map(json.dumps, fields)]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    gram = [[1.0, 2.0, 0.1], [2.0, 4.0, 0.2], [0.1, 0.2, 1.0]]
    for net, (log_norm, cosine) in zip(fields, json.loads(result.stdout), strict=True):
        sample = simulate_inputs(ResNet(**net), gram, tangents=[1], replicas=3, first_replica=15, seed=3)
        np.testing.assert_allclose(sample.log_norm.ravel(), log_norm, atol=1e-13)
        np.testing.assert_allclose(sample.cosine.ravel(), cosine, atol=1e-13)


# Laws: fixed seeds, a false alarm of 1e-6 for each test


@pytest.mark.statistical
@pytest.mark.parametrize(
    "fields",
    [
        {"block": "res-3"},
        {"block": "res-1", "activation": "relu"},
        {"block": "res-2", "activation": "leaky-relu"},
    ],
)
def test_one_input_has_the_law_of_simulate(fields):
    net = network(fields)
    ours = simulate_inputs(net, [[5.0]], replicas=2000, seed=21, layers=[0, 12]).log_norm[..., 0]
    theirs = simulate(net, replicas=2000, seed=22, engine="gaussian", gradients="none")
    assert not same_law(ours[:, 1] - ours[:, 0], theirs["log_hidden_ratio"], false_alarm=1e-6).refuted


def explicit(net, gram, *, tangents, replicas, seed, shared_matrices=True, shared_bias=True):
    """Return log-norms and cosines at the end, by networks with real matrices."""
    rng = np.random.default_rng(seed)
    d, m = net.width, len(gram)
    sigma, slope = BUILT_IN[net.activation_function.name].value, net.activation_function.derivative
    sigma, slope = np.vectorize(sigma, otypes=[float]), np.vectorize(slope, otypes=[float])
    frame = np.linalg.qr(rng.standard_normal((replicas, d, m)))[0]
    frame *= rng.choice([-1.0, 1.0], (replicas, 1, m))  # numpy fixes the signs
    h = frame @ np.linalg.cholesky(gram).T
    n_inputs = m - len(tangents)
    owner = [*range(n_inputs), *tangents]

    def matrices():
        one = rng.standard_normal((replicas, d, d)) / math.sqrt(d)
        other = one if shared_matrices else rng.standard_normal((replicas, d, d)) / math.sqrt(d)
        return lambda x: np.concatenate([one @ x[..., :1], other @ x[..., 1:]], axis=-1)

    for _ in range(net.depth):
        W, V = matrices(), matrices()
        image = h if net.block == "res-1" else W(h)
        bias = net.bias_std * rng.standard_normal((replicas, d, 1 if shared_bias else n_inputs))
        z = image[..., :n_inputs] + bias
        bent = np.concatenate([sigma(z), slope(z)[..., owner[n_inputs:]] * image[..., n_inputs:]], axis=-1)
        h = h + net.scaling * V(bent)
    products = np.swapaxes(h, 1, 2) @ h
    norms = np.sqrt(np.diagonal(products, axis1=1, axis2=2))
    return np.log(norms), products / (norms[:, :, None] * norms[:, None, :])


@pytest.mark.statistical
@pytest.mark.parametrize("fields", [*NETWORKS, {"block": "res-1", "activation": "tanh"}])
def test_law_of_two_inputs_and_a_tangent(fields):
    """Three norms and three cosines against real matrices, 1e-6 for the six together."""
    net = network(fields, width=4, depth=3, alpha=0.9)
    sample = simulate_inputs(net, TRIO, tangents=[1], replicas=2000, seed=23, layers=[3])
    log_norm, cosine = explicit(net, TRIO, tangents=[1], replicas=2000, seed=24)
    pairs = [(sample.log_norm[:, 0, v], log_norm[:, v]) for v in range(3)]
    pairs += [(sample.cosine[:, 0, v, w], cosine[:, v, w]) for v, w in ((0, 1), (0, 2), (1, 2))]
    for ours, theirs in pairs:
        assert not same_law(ours, theirs, false_alarm=1e-6 / 6).refuted


@pytest.mark.statistical
@pytest.mark.parametrize("wrong", ["shared_matrices", "shared_bias"])
def test_unshared_weights_are_refuted(wrong):
    net = ResNet(width=4, depth=3, alpha=0.9, block="res-2", activation="tanh", bias_std=2.0)
    gram = np.array([[1.0, 0.9], [0.9, 1.0]])
    sample = simulate_inputs(net, gram, replicas=2000, seed=25, layers=[3])
    cosine = explicit(net, gram, tangents=[], replicas=2000, seed=26, **{wrong: False})[1]
    assert same_law(sample.cosine[:, 0, 0, 1], cosine[:, 0, 1]).refuted


@pytest.mark.statistical
def test_cosine_follows_its_equation():
    """S5 at d = 1000, L = 250: the mean over six pairs of orthogonal inputs, normal interval of confidence
    1 - 1e-6 beside an allowance of ``0.5/d + 0.1/L`` (measured: 0.3/d at d = 20 to 100; Euler's error is
    0.05/L). A kernel that is 3 % off is refuted.
    """
    net = ResNet(width=1000, depth=250, beta=0.5)
    sample = simulate_inputs(net, np.eye(4), replicas=800, seed=27, layers=[250])
    pairs = np.triu_indices(4, 1)
    estimate = mean(sample.cosine[:, 0][:, *pairs].mean(axis=1), confidence=1 - 1e-6)
    allowance = 0.5 / 1000 + 0.1 / 250

    def refuted(cosine):
        return not estimate.lower - allowance <= cosine <= estimate.upper + allowance

    def wrong(factor):
        def slope(t, c):
            return factor * np.asarray(arc_cosine_kernel(c)) - c / 2

        return integrate.solve_ivp(slope, (0.0, 1.0), [0.0], rtol=1e-9).y[0, -1]

    assert wrong(1.0) == pytest.approx(float(cosine_flow(cosine=0.0)), abs=1e-7)
    assert not refuted(float(cosine_flow(cosine=0.0)))
    assert refuted(wrong(1.03))
    assert refuted(wrong(0.97))


@pytest.mark.statistical
def test_mean_square_follows_its_recursion():
    """S4' at d = 1000 with biases: log mean squares of two inputs within ``5/d`` of the recursion (the
    variance of log S is at most 4t/d, and half of it is the bias of a log); 3 % in α² is refuted.
    """
    d, depth = 1000, 20
    fields = {"block": "res-2", "activation": "tanh", "bias_std": 0.5}
    net = ResNet(width=d, depth=depth, alpha=0.3, **fields)
    gram = d * np.array([[1.0, 0.2], [0.2, 0.5]])
    sample = simulate_inputs(net, gram, replicas=400, seed=28, layers=[depth])

    def expected(start, alpha):
        squares = mean_square_recursion(
            activation="tanh", initial_mean_square=start, depth=depth, alpha=alpha, bias_std=0.5
        )
        return math.log(squares[-1])

    for v, start in enumerate((1.0, 0.5)):
        estimate = mean(2.0 * sample.log_norm[:, 0, v] - math.log(d), confidence=1 - 5e-7)
        lower, upper = estimate.lower - 5.0 / d, estimate.upper + 5.0 / d
        assert lower <= expected(start, 0.3) <= upper
        assert not lower <= expected(start, 0.3 * math.sqrt(1.03)) <= upper
