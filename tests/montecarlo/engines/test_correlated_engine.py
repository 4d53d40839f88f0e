"""The correlated engine: against plain networks, bit for bit against itself, and in law."""

import dataclasses
import functools
import itertools
import json
import os
import subprocess
import sys

import numpy as np
import plain_networks
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plain_networks import NETWORKS

import montecarlo
from montecarlo import (
    LOG_RATIOS,
    Activation,
    InvalidFieldError,
    ResNet,
    final_states,
    simulate,
    simulate_shared,
    weights,
)
from montecarlo.estimates import same_law
from montecarlo.processes import WeightProcess

assert_agrees = functools.partial(plain_networks.assert_agrees, engine="correlated")
PROCESSES = ("fbm:0.1", "fbm:0.5", "fbm:0.9", "rbf:0.01", "rbf-increments:0.01", "matern:1.5:0.1")
FALSE_ALARM = 1e-6 / 8

pytestmark = pytest.mark.usefixtures("warm_kernels")


def network(block="res-3", activation="relu", **fields):
    defaults = {"width": 9, "depth": 11, "beta": 0.6, "input_dim": 20, "weights": "fbm:0.7"}
    if block == "res-2":
        defaults["bias_std"] = 0.3
    return ResNet(block=block, activation=activation, **(defaults | fields))


@pytest.mark.parametrize("width", [1, 3, 8, 41])
@pytest.mark.parametrize(("block", "activation"), NETWORKS)
def test_agrees_with_the_plain_recursion(block, activation, width):
    replicas = 12 if width == 1 else 3
    net = network(block, activation, width=width)
    # A state of one unit can nearly cancel, and magnify its rounding.
    tolerance = 1e-4 if width == 1 else plain_networks.TOLERANCE
    assert assert_agrees(net, replicas=replicas, seed=6, tolerance=tolerance) >= 2


@pytest.mark.parametrize("process", PROCESSES)
def test_agrees_for_every_process(process):
    assert assert_agrees(network(weights=process, beta=1.0), replicas=3, seed=6) >= 2


@settings(max_examples=30)
@given(
    network_kind=st.sampled_from(NETWORKS),
    v=st.sampled_from(PROCESSES),
    w=st.sampled_from((*PROCESSES, "gaussian")),
    width=st.integers(2, 40),
    depth=st.integers(2, 30),
    beta=st.floats(0.3, 2.0),
    seed=st.integers(0, 2**64),
)
def test_agrees_for_any_specification(network_kind, v, w, width, depth, beta, seed):
    mixed = {} if network_kind[0] == "res-1" else {"weights_w": w}
    net = network(*network_kind, weights=v, width=width, depth=depth, beta=beta, **mixed)
    assume(assert_agrees(net, replicas=1, seed=seed, tolerance=1e-4) == 1)


def test_the_distance_keeps_its_digits_where_the_scaling_is_tiny():
    net = network(beta=None, alpha=1e-18)
    w = weights(net, replica=0, seed=3)
    h_0 = w.A @ w.x
    # to first order in alpha
    step = sum(V @ np.maximum(W @ h_0, 0.0) for V, W in zip(w.V, w.W, strict=True))
    expected = np.log(1e-18 * np.linalg.norm(step) / np.linalg.norm(h_0))
    sample = simulate(net, replicas=1, seed=3)
    assert abs(sample["log_hidden_difference"][0] - expected) < 1e-5
    assert abs(sample["log_hidden_ratio"][0]) < 1e-15


def test_final_states_are_those_of_the_plain_network():
    net = network("res-2", "tanh")
    states = final_states(net, replica=2, seed=6)
    expected = plain_networks.reference_of(net, 2, 6)
    np.testing.assert_allclose(states.hidden, expected.h[-1] / np.linalg.norm(expected.h[-1]), atol=1e-5)
    np.testing.assert_allclose(states.gradient, expected.p[0] / np.linalg.norm(expected.p[0]), atol=1e-5)


@pytest.mark.parametrize("block", ["res-1", "res-2", "res-3"])
def test_rows_do_not_depend_on_threads_blocks_or_company(block):
    net = network(block, width=13)
    whole = simulate(net, replicas=12, seed=5, threads=2, block_size=5, trajectories=True)
    alone = simulate(net, replicas=12, seed=5, threads=1, block_size=1, trajectories=True)
    tail = simulate(net, replicas=3, seed=5, first_replica=9, trajectories=True)
    for name, column in whole.columns.items():
        assert np.array_equal(column, alone[name])
        assert np.array_equal(column[9:], tail[name])


@pytest.mark.parametrize(("block", "activation"), [("res-3", "relu"), ("res-1", "tanh")])
def test_shared_rows_are_the_rows_of_the_replica(block, activation):
    betas = [0.2, 0.6, 1.7]
    net = network(block, activation, width=30)
    shared = simulate_shared(net, replicas=2, inputs=70, betas=betas, seed=5, first_replica=3, threads=2)
    again = simulate_shared(net, replicas=1, inputs=7, betas=betas[1:], seed=5, first_replica=4, threads=1)
    for name in LOG_RATIOS:
        assert np.array_equal(shared[name][1:, 1:, :7], again[name])  # other chunks, other neighbours
    for i, beta in enumerate(betas):
        rows = simulate(dataclasses.replace(net, beta=beta), replicas=2, seed=5, first_replica=3)
        for name in LOG_RATIOS:
            assert np.array_equal(shared[name][:, i, 0], rows[name])
    assert shared.n_nonfinite == 0


def test_inputs_of_one_set_of_weights_differ():
    sample = simulate_shared(network(), replicas=1, inputs=5, seed=5)
    assert len(np.unique(sample["log_hidden_ratio"])) == 5


def test_the_table_says_who_shares_weights():
    sample = simulate_shared(network(), replicas=2, inputs=3, betas=[0.5, 1.0], seed=5, first_replica=7)
    table = sample.table()
    assert sorted(set(zip(table["replica"], table["beta"], table["input"], strict=True))) == list(
        itertools.product([7, 8], [0.5, 1.0], range(3))
    )
    row = np.flatnonzero((table["replica"] == 8) & (table["beta"] == 0.5) & (table["input"] == 2))[0]
    assert table["log_hidden_ratio"][row] == sample["log_hidden_ratio"][1, 0, 2]


def test_intervals_take_the_shared_weights_into_account():
    # Weights decide here and inputs hardly matter: many inputs must not narrow the interval.
    net = ResNet(width=3, depth=200, beta=0.8, weights="fbm:0.95")
    narrow = simulate_shared(net, replicas=60, inputs=1, seed=2).mean("log_hidden_ratio")[0]
    many = simulate_shared(net, replicas=60, inputs=30, seed=2).mean("log_hidden_ratio")[0]
    naive = montecarlo.estimates.mean(
        simulate_shared(net, replicas=60, inputs=30, seed=2)["log_hidden_ratio"].ravel()
    )
    assert many.upper - many.lower > 2.0 * (naive.upper - naive.lower)
    assert many.upper - many.lower > 0.3 * (narrow.upper - narrow.lower)


def columns_of(net, engine, replicas=3000):
    sample = simulate(net, replicas=replicas, seed=11, engine=engine)
    assert sample.n_nonfinite == 0
    return sample


@pytest.mark.parametrize(("block", "activation"), [("res-3", "relu"), ("res-1", "tanh")])
def test_half_a_hurst_index_is_independence(block, activation):
    """`fbm:0.5` and `gaussian` are one law; total false alarm 1e-6, four columns a case."""
    fields = {"width": 10, "depth": 40, "beta": 0.4}
    exact = columns_of(ResNet(block=block, activation=activation, **fields), "gaussian")
    paths = columns_of(ResNet(block=block, activation=activation, weights="fbm:0.5", **fields), "correlated")
    for name in LOG_RATIOS:
        assert not same_law(exact[name], paths[name], false_alarm=FALSE_ALARM).refuted, name


def test_another_hurst_index_is_refuted():
    fields = {"width": 10, "depth": 40, "beta": 0.4}
    exact = columns_of(ResNet(**fields), "gaussian")
    paths = columns_of(ResNet(weights="fbm:0.7", **fields), "correlated")
    for name in LOG_RATIOS:
        assert same_law(exact[name], paths[name], false_alarm=FALSE_ALARM).refuted, name


def test_finite_logs_far_outside_float_range():
    for fields in ({"beta": 0.0, "depth": 1000}, {"beta": 0.0, "depth": 3000, "width": 1}):
        sample = simulate(network(weights="fbm:0.95", **fields), replicas=4, seed=1)
        for name in LOG_RATIOS:
            assert np.isfinite(sample[name]).all()
    assert np.abs(sample["log_hidden_ratio"]).max() > 200.0  # the norm itself is far outside float32


@pytest.mark.parametrize(
    ("width", "fields"),
    [
        (1, {"block": "res-1", "activation": "identity", "weights": "fbm:0.8", "beta": 0.0}),
        (1, {"block": "res-1", "activation": "identity", "weights": "fbm:0.8", "beta": 0.1}),
        (1, {"block": "res-3", "weights": "rbf:0.01", "beta": 0.3}),
        (2, {"block": "res-1", "activation": "identity", "weights": "fbm:0.8", "beta": 0.1}),
    ],
)
def test_differences_of_networks_that_grew_and_collapsed(width, fields):
    """A peak on the way leaves no trace in the difference of a state that has come back from it."""
    net = ResNet(width=width, depth=400, input_dim=4, **fields)
    replicas = 40
    sample = simulate(net, replicas=replicas, seed=1)
    identity = net.activation == "identity"
    compared = collapsed = 0
    for replica in range(replicas):
        w = weights(net, replica=replica, seed=1)
        h = [(w.A @ w.x).astype(np.longdouble)]
        slopes = []
        for k in range(net.depth):
            z = h[-1] if w.W is None else w.W[k] @ h[-1]
            slopes.append(np.ones(width) if identity else (z > 0).astype(np.longdouble))
            h.append(h[-1] + w.alpha * w.V[k] @ (slopes[-1] * z))
        p = [w.readout.astype(np.longdouble)]
        for k in reversed(range(net.depth)):
            q = slopes[k] * (w.V[k].T @ p[-1])
            p.append(p[-1] + w.alpha * (q if w.W is None else w.W[k].T @ q))
        for states, ratio, difference in (
            (h, "log_hidden_ratio", "log_hidden_difference"),
            (p, "log_gradient_ratio", "log_gradient_difference"),
        ):
            norms = [float(np.log(np.linalg.norm(state))) for state in states]
            exact = float(np.log(np.linalg.norm(states[-1] - states[0]))) - norms[0]
            collapsed += max(norms) - norms[-1] > 8.0
            # Where float32 products leave the ratio itself uncertain, the difference is, too.
            if abs(sample[ratio][replica] - (norms[-1] - norms[0])) < 1e-4 and exact > -6.0:
                compared += 1
                assert abs(sample[difference][replica] - exact) < 2e-2, (replica, difference)
    assert compared > replicas
    assert collapsed > 0


def test_networks_lost_on_the_way_forward_stay_lost():
    cube = Activation("cube", lambda x: x * x * x, lambda x: 3.0 * x * x)
    net = network("res-1", cube, weights="fbm:0.5", width=4, depth=3, beta=None, alpha=1000.0)
    joint, forward = (simulate(net, replicas=200, seed=1, gradients=kind) for kind in ("joint", "none"))
    assert forward.n_nonfinite > 0
    lost = np.isnan(forward["log_hidden_ratio"])
    assert np.array_equal(np.isnan(joint["log_hidden_ratio"]) & lost, lost)
    assert np.array_equal(joint["log_hidden_ratio"][~np.isnan(joint["log_hidden_ratio"])],
                          forward["log_hidden_ratio"][~np.isnan(joint["log_hidden_ratio"])])  # fmt: skip


def test_user_processes_run():
    ar1 = WeightProcess.from_lags("ar1", lambda m, depth: 0.9**m)
    sample = simulate(network(weights=ar1), replicas=2, seed=1)
    assert sample.engine == "correlated"
    constant = network(weights=WeightProcess.from_kernel("constant", lambda s, t: 1.0 + 0.0 * s * t))
    w = weights(constant, replica=0, seed=1)
    np.testing.assert_allclose(w.V, np.broadcast_to(w.V[:1], w.V.shape), atol=1e-6)


def test_v_and_w_have_their_own_laws():
    w = weights(network(weights="rbf:0.5", weights_w="gaussian", depth=200), replica=0, seed=1)
    roughness = [np.mean(np.diff(m, axis=0) ** 2) / np.mean(m**2) for m in (w.V, w.W)]
    assert roughness[0] < 0.01
    assert 1.5 < roughness[1] < 2.5


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"weights": "fbm:1.5"}, "fbm:1.5"),
        ({"weights": "fbm"}, "fbm"),
        ({"weights": "matern:2:0.1"}, "matern:2:0.1"),
        ({"weights": "fbm:0.7", "weights_w": "uniform"}, "weights_w='uniform': must be a Gaussian law"),
        ({"weights": "uniform", "weights_w": "fbm:0.7"}, "weights='uniform': must be a Gaussian law"),
        ({"weights": "gaussian", "weights_w": "uniform"}, "weights_w='uniform': must be a process"),
        (
            {"weights": "fbm:0.7", "weights_w": "fbm:0.8", "block": "res-1"},
            "weights_w='fbm:0.8': must be left",
        ),
    ],
)
def test_bad_laws_are_refused_in_one_line(fields, message):
    with pytest.raises(InvalidFieldError) as error:
        ResNet(width=4, depth=4, beta=0.5, **fields)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("engine", ["dense", "gaussian", "radial"])
def test_engines_of_independent_layers_refuse_processes(engine):
    with pytest.raises(InvalidFieldError, match="must be correlated"):
        simulate(network(), replicas=1, seed=1, engine=engine, gradients="none")


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"weights": "gaussian"}, "independent layers"),
        ({"beta": None, "alpha": 1e9}, "scaling above"),
        ({"input_scale": 1e-20}, "input_scale"),
        ({"depth": 10**6, "width": 100}, "holds all the layers"),
    ],
)
def test_the_correlated_engine_says_what_it_cannot_do(fields, rule):
    with pytest.raises(InvalidFieldError, match=rule):
        simulate(network(**fields), replicas=1, seed=1, engine="correlated")
    if "weights" not in fields:  # no other engine can, and its reason is the one to give
        with pytest.raises(InvalidFieldError, match=rule) as error:
            simulate(network(**fields), replicas=1, seed=1)
        assert error.value.field == "weights"


def test_one_spelling_a_process():
    assert network(weights_w="fbm:0.70") == network(weights="fbm:.7")
    assert network(weights="fbm:0.70") == network(weights="fbm:.7")
    assert network(weights="fbm:0.70").digest == network(weights="fbm:.7").digest
    assert network().digest != network(weights_w="gaussian").digest


PROGRAM = """
import json, sys
from montecarlo import ResNet, simulate
columns = []
for text in sys.argv[1:]:
    sample = simulate(ResNet(**json.loads(text)), replicas=2, seed=3, threads=1, trajectories=True)
    columns.append({name: column.ravel().tolist() for name, column in sample.columns.items()})
print(json.dumps(columns))
"""


def test_same_rows_without_the_compiler():
    # Fused products are rounded twice in plain Python: equal to rounding, not bit for bit.
    cases = [
        {"width": 5, "depth": 4, "beta": 0.5, "input_dim": 4, "weights": "fbm:0.7"},
        {"width": 1, "depth": 4, "beta": 0.5, "input_dim": 4, "weights": "rbf:0.1", "block": "res-1"},
    ]
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-c", PROGRAM, *map(json.dumps, cases)]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    for fields, plain in zip(cases, json.loads(result.stdout), strict=True):
        sample = simulate(ResNet(**fields), replicas=2, seed=3, trajectories=True)
        for name, column in sample.columns.items():
            np.testing.assert_allclose(plain[name], column.ravel(), rtol=1e-9, atol=1e-5, err_msg=name)
