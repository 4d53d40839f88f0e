"""`simulate_jacobians`: against matrix products of `weights`, at any depth, both engines, and on disk.

Statistical comparisons: false alarm 1e-6 for the file, fixed seeds.
"""

import math

import mpmath
import numpy as np
import pytest

import montecarlo as mc
from montecarlo import (
    Activation,
    InvalidFieldError,
    ResNet,
    jacobians_to_file,
    simulate,
    simulate_jacobians,
    weights,
)
from montecarlo.estimates import same_law
from montecarlo.store import Store

pytestmark = pytest.mark.usefixtures("warm_kernels")

EXPLICIT = [
    ResNet(width=3, depth=7, beta=0.5, weights="uniform"),
    ResNet(
        width=5, depth=4, alpha=0.7, hidden_width=9, skip=-0.8, schedule="power:0.5", weights="rademacher"
    ),
    ResNet(width=4, depth=6, beta=0.3, block="res-1", activation="tanh"),
    ResNet(width=4, depth=6, beta=0.3, block="res-2", activation="gelu", bias_std=0.5, hidden_width=3),
    ResNet(
        width=3, depth=5, alpha=2.0, block="res-2", activation="leaky-relu", bias_std=1.0, input_scale=1e30
    ),
    ResNet(width=1, depth=3, alpha=1.0, block="res-1", activation="identity"),
    ResNet(width=6, depth=2, alpha=0.5, hidden_width=2, skip=0.0),  # singular: rank at most 2
]


def product(net, replica, seed):
    """J of one replica, by numpy."""
    w = weights(net, replica=replica, seed=seed)
    value, slope = net.activation_function.arrays()
    h, J = w.A @ w.x, np.eye(net.width)
    for k in range(net.depth):
        W = np.eye(net.width) if w.W is None else w.W[k]
        z = W @ h + (0.0 if w.b is None else w.b[k])
        J = w.skip * J + w.alphas[k] * w.V[k] @ (slope(z)[:, None] * (W @ J))
        h = w.skip * h + w.alphas[k] * w.V[k] @ value(z)
    return J


@pytest.mark.parametrize("net", EXPLICIT, ids=repr)
def test_the_dense_engine_multiplies_the_matrices_of_weights(net):
    sample = simulate_jacobians(net, replicas=4, seed=3, engine="dense")
    for replica in range(4):
        J = product(net, replica, 3)
        scale = np.linalg.norm(J)
        sign, log = np.linalg.slogdet(J)
        values = np.exp(sample["log_singular_value"][replica])
        if scale == 0.0:  # no active unit in a layer without a skip
            assert (sample["log_singular_value"][replica] == -np.inf).all()
            assert sample["sign_determinant"][replica] == 0.0
            assert sample["log_trace"][replica] == -np.inf
            continue
        np.testing.assert_allclose(values, np.linalg.svd(J, compute_uv=False), atol=1e-12 * scale)
        assert math.exp(sample["log_trace"][replica]) == pytest.approx(scale**2)
        square = np.linalg.norm(J.T @ J) ** 2
        assert math.exp(sample["log_square_trace"][replica]) == pytest.approx(square)
        if net.skip == 0.0:
            assert sample["log_abs_determinant"][replica] < math.log(scale) - 30
            continue
        assert sample["sign_determinant"][replica] == sign
        assert sample["log_abs_determinant"][replica] == pytest.approx(log, abs=1e-11)
        diagonal = np.log(np.abs(np.diag(np.linalg.qr(J)[1])))
        np.testing.assert_allclose(sample["log_qr_diagonal"][replica], diagonal, atol=1e-11)
        gram = J[:, :2].T @ J[:, :2]
        if net.width > 1:
            volume = 0.5 * math.log(np.linalg.det(gram))
            assert sample.log_volume[replica, 1] == pytest.approx(volume, abs=1e-10)


def test_small_singular_values_keep_their_digits():
    net = ResNet(width=3, depth=120, alpha=1.0, weights="uniform")
    sample = simulate_jacobians(net, replicas=1, seed=5)
    w = weights(net, replica=0, seed=5)
    with mpmath.workdps(400):
        h, J = w.A @ w.x, mpmath.eye(3)
        for k in range(net.depth):
            active = (w.W[k] @ h > 0).astype(float)
            factor = np.eye(3) + w.alpha * w.V[k] @ (active[:, None] * w.W[k])
            J = mpmath.matrix(factor.tolist()) * J
            h = factor @ h
            h /= np.linalg.norm(h)
        squares = mpmath.eigsy(J.T * J, eigvals_only=True)
        exact = sorted((float(mpmath.log(s) / 2) for s in squares), reverse=True)
    assert exact[0] - exact[-1] > 30  # beyond float64's digits
    np.testing.assert_allclose(sample["log_singular_value"][0], exact, atol=1e-10)


@pytest.mark.parametrize("engine", ["gaussian", "dense"])
@pytest.mark.parametrize("alpha", [1e-3, 3.0])
def test_ten_thousand_layers(engine, alpha):
    net = ResNet(width=3, depth=10_000, alpha=alpha)
    sample = simulate_jacobians(net, replicas=2, seed=1, engine=engine)
    values = sample["log_singular_value"]
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values.sum(1), sample["log_abs_determinant"], rtol=1e-9, atol=1e-9)
    assert set(sample["sign_determinant"]) <= {-1.0, 1.0}
    assert (np.diff(values) <= 0).all()
    assert sample.n_nonfinite == 0


def numbers(sample):
    """Statistics that see the dependence between the columns."""
    diagonal, values = sample["log_qr_diagonal"], sample["log_singular_value"]
    return {
        "first": diagonal[:, 0],
        "last": diagonal[:, -1],
        "apart": diagonal[:, 0] - diagonal[:, -1],
        "determinant": sample["log_abs_determinant"],
        "sign": sample["sign_determinant"] * np.abs(sample["log_abs_determinant"]),
        "largest": values[:, 0],
        "smallest": values[:, -1],
        "largest and first": values[:, 0] - diagonal[:, 0],
        "spread and determinant": sample["log_square_trace"] + 2.0 * sample["log_abs_determinant"],
    }


ENGINES = [
    ResNet(width=3, depth=3, alpha=0.9, hidden_width=5, skip=0.8),
    ResNet(
        width=2, depth=4, alpha=0.7, block="res-2", activation="leaky-relu", schedule=(1.0, 0.5, 2.0, 0.0)
    ),
    ResNet(width=4, depth=2, alpha=0.6, block="res-1", activation="identity"),
]
SHARE = 1e-6 / (len(ENGINES) * 9 + 3)


@pytest.mark.statistical
@pytest.mark.parametrize("net", ENGINES, ids=repr)
def test_engines_have_one_law(net):
    left, right = (
        numbers(simulate_jacobians(net, replicas=6000, seed=seed, engine=engine))
        for seed, engine in ((11, "gaussian"), (12, "dense"))
    )
    for name in left:
        assert not same_law(left[name], right[name], false_alarm=SHARE).refuted, name


@pytest.mark.statistical
def test_a_wrong_law_is_noticed():
    """Rademacher weights have other frames, a unit more another spread."""
    net = ENGINES[0]
    ours = numbers(simulate_jacobians(net, replicas=6000, seed=11))
    for wrong in (
        ResNet(width=3, depth=3, alpha=0.9, hidden_width=5, skip=0.8, weights="rademacher"),
        ResNet(width=3, depth=3, alpha=0.9, hidden_width=5, skip=0.75),
    ):
        theirs = numbers(simulate_jacobians(wrong, replicas=6000, seed=12, engine="dense"))
        assert any(same_law(ours[name], theirs[name], false_alarm=SHARE).refuted for name in ours)


@pytest.mark.parametrize("engine", ["gaussian", "dense"])
def test_rows_do_not_depend_on_threads_blocks_or_what_else_is_asked(engine, tmp_path):
    net = ResNet(width=3, depth=5, alpha=0.6, hidden_width=4)
    whole = simulate_jacobians(net, replicas=20, seed=2, engine=engine, threads=1)
    cut = simulate_jacobians(net, replicas=9, seed=2, engine=engine, first_replica=7, threads=2, block_size=2)
    short = simulate_jacobians(net, replicas=20, seed=2, engine=engine, singular_values=False)
    for name in whole.columns:
        np.testing.assert_array_equal(cut[name], whole[name][7:16])
    for name in short.columns:
        np.testing.assert_array_equal(short[name], whole[name])
    assert "log_trace" not in short.columns
    with mc.runs.running(store=Store.open(tmp_path)) as inside:
        simulate_jacobians(net, replicas=20, seed=2, engine=engine)
        again = simulate_jacobians(net, replicas=20, seed=2, engine=engine)
        assert inside.networks_found == 20
    np.testing.assert_array_equal(again["log_singular_value"], whole["log_singular_value"])


FROZEN = {
    "gaussian": [0.1195807643625, -0.0728660599703, -1.4394441512753],
    "dense": [-0.4235250503465, 0.7104924346702, 0.0809180982268],
}


@pytest.mark.parametrize("engine", FROZEN)
def test_rows_are_frozen(engine):
    """Other numbers are another stream format."""
    net = ResNet(width=3, depth=4, alpha=0.5, hidden_width=5)
    sample = simulate_jacobians(net, replicas=3, seed=7, engine=engine, first_replica=2**33)
    np.testing.assert_allclose(sample["log_abs_determinant"], FROZEN[engine], rtol=0.0, atol=1e-11)


def test_tables_repeat_the_numbers_of_a_network():
    sample = simulate_jacobians(ResNet(width=3, depth=2, alpha=0.5), replicas=4, seed=1, first_replica=6)
    table = sample.to_pandas()
    assert table["replica"].tolist() == [n for n in range(6, 10) for _ in range(3)]
    assert table["mode"].tolist() == [1, 2, 3] * 4
    assert (table.groupby("replica")["log_trace"].nunique() == 1).all()
    sums = table.groupby("replica")["log_qr_diagonal"].sum()
    np.testing.assert_allclose(sums, sample["log_abs_determinant"], atol=1e-12)
    last = table[table["mode"] == 3]["log_volume"]
    np.testing.assert_allclose(last, sample["log_abs_determinant"], atol=1e-12)
    assert "JacobianSample" in sample._repr_html_()


def test_files_are_read_again_and_others_refused(tmp_path):
    net, path = ResNet(width=2, depth=3, alpha=0.5), tmp_path / "j.parquet"
    told = []
    first = jacobians_to_file(net, path, replicas=5, seed=1)
    again = jacobians_to_file(net, path, replicas=5, seed=1, on_found=told.append)
    assert told == [5]
    for name in first.columns:
        np.testing.assert_array_equal(first[name], again[name])
    with pytest.raises(InvalidFieldError, match="holds something else"):
        jacobians_to_file(net, path, replicas=5, seed=2)
    other = jacobians_to_file(net, path, replicas=6, seed=2, overwrite=True)
    assert len(other) == 6
    simulate(net, replicas=2, seed=1).write(path)
    with pytest.raises(ValueError, match="not jacobian"):
        mc.read_jacobian_sample(path)


@pytest.mark.parametrize(
    ("fields", "options", "message"),
    [
        ({"norm": "pre-rms"}, {}, "norm='pre-rms': must be 'none' for simulate_jacobians; leave it out"),
        ({"weights": "fbm:0.7"}, {}, "weights='fbm:0.7': must be independent over layers"),
        ({"width": 2000}, {}, "width=2000: must be at most 1024"),
        ({"hidden_width": 2000}, {}, "hidden_width=2000: must be at most 1024"),
        ({"weights": "uniform"}, {"engine": "gaussian"}, "engine='gaussian': must be dense for weights"),
        ({"block": "res-1"}, {"engine": "gaussian"}, "engine='gaussian': must be dense unless"),
        ({}, {"engine": "radial"}, "engine='radial': must be one of auto, dense, gaussian"),
    ],
)
def test_refusals_name_field_value_rule_and_fix(fields, options, message):
    net = ResNet(**{"width": 3, "depth": 2, "alpha": 0.5} | fields)
    with pytest.raises(InvalidFieldError) as caught:
        simulate_jacobians(net, replicas=1, seed=1, **options)
    assert str(caught.value).startswith(message)


def test_networks_that_leave_the_finite_numbers_are_counted():
    power = Activation("power", lambda x: x**9, lambda x: 9.0 * x**8)
    net = ResNet(width=2, depth=40, alpha=10.0, block="res-2", activation=power)
    sample = simulate_jacobians(net, replicas=3, seed=1)
    assert sample.n_nonfinite == 3
    assert np.isnan(sample["log_singular_value"]).all()


@pytest.mark.parametrize("engine", ["gaussian", "dense"])
def test_the_tangent_kernel_is_the_sum_of_weight_gradients(engine):
    net = ResNet(width=5, depth=4, alpha=0.6, hidden_width=3)
    sample = simulate(net, replicas=6, seed=4, engine=engine, weight_gradients=True, tangent_kernel=True)
    squares = [np.exp(2 * sample[f"log_weight_gradient_{matrix}"]).sum(1) for matrix in "vw"]
    np.testing.assert_allclose(np.exp(sample["log_tangent_kernel"]), sum(squares), rtol=1e-12)
    alone = simulate(net, replicas=6, seed=4, engine=engine, tangent_kernel=True)
    np.testing.assert_array_equal(alone["log_tangent_kernel"], sample["log_tangent_kernel"])
    assert "log_weight_gradient_v" not in alone.columns
    with pytest.raises(InvalidFieldError, match="must be joint for the tangent kernel"):
        simulate(net, replicas=1, seed=1, gradients="none", tangent_kernel=True)


@pytest.mark.statistical
def test_engines_have_one_law_of_the_tangent_kernel():
    def rows(units, engine, seed):
        net = ResNet(width=4, depth=5, alpha=0.5, hidden_width=units)
        sample = simulate(net, replicas=6000, seed=seed, engine=engine, tangent_kernel=True)
        return sample["log_tangent_kernel"], sample["log_tangent_kernel"] - 2.0 * sample["log_hidden_ratio"]

    ours, theirs, others = rows(6, "gaussian", 21), rows(6, "dense", 22), rows(4, "dense", 22)
    for left, right in zip(ours, theirs, strict=True):
        assert not same_law(left, right, false_alarm=SHARE).refuted
    assert same_law(ours[0], others[0], false_alarm=SHARE).refuted
