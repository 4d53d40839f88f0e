"""Coupled depths: bitwise identities, the same recursion in numpy, refusals."""

import itertools
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from row_bits import same_bits

from montecarlo import Activation, InvalidFieldError, ResNet, simulate_depths
from montecarlo.processes import WeightProcess, find_process
from montecarlo.samples.depths._coupling import find_coupling
from montecarlo.samples.depths._fill import PathFiller, draw_start
from montecarlo.samples.depths._run import stream_key
from montecarlo.streams import ROLE_V, ROLE_W, normals
from montecarlo.streams._keys import ROLE_IMAGE_V

pytestmark = pytest.mark.usefixtures("warm_kernels")

DEPTHS = (3, 6, 24)
COLUMNS = ("log_strong_error", "log_end_error", "log_hidden_ratio", "cosine")
CASES = [
    {"block": "res-1", "activation": "relu", "beta": 0.5},
    {"block": "res-1", "activation": "tanh", "beta": 0.7},
    {"block": "res-1", "activation": "tanh", "beta": 0.7, "weights": "fbm:0.7"},
    {"block": "res-3", "beta": 1.0, "weights": "rbf-increments:0.1"},
    {"block": "res-3", "beta": 1.0, "weights": "gaussian", "weights_w": "rbf:0.1"},
    {
        "block": "res-2", "activation": "gelu", "beta": 0.8, "weights": "fbm:0.8",
        "weights_w": "matern:1.5:0.3",
    },
]  # fmt: skip
of_every_kind = pytest.mark.parametrize("fields", CASES, ids=lambda fields: str(list(fields.values())))


def network(fields, *, width=5, depth=DEPTHS[-1]):
    return ResNet(width=width, depth=depth, **fields)


@of_every_kind
@pytest.mark.parametrize(("threads", "block_size"), [(1, 1), (2, 7), (3, 16), (2, None)])
def test_threads_and_blocks(fields, threads, block_size):
    net = network(fields)
    whole = simulate_depths(net, DEPTHS, replicas=37, seed=3, threads=1, block_size=37)
    parts = simulate_depths(
        net, DEPTHS, replicas=30, seed=3, first_replica=7, threads=threads, block_size=block_size
    )
    for name in COLUMNS:
        column = getattr(parts, name)
        assert np.array_equal(column.view(np.int64), getattr(whole, name)[7:].copy().view(np.int64))
    assert list(parts.replica) == list(range(7, 37))
    assert whole.n_nonfinite == 0
    assert np.isfinite(whole.log_strong_error).all()
    assert (whole.log_end_error <= whole.log_strong_error).all()


@of_every_kind
def test_other_seeds_and_replicas_differ(fields):
    net = network(fields)
    first = simulate_depths(net, DEPTHS, replicas=8, seed=3)
    assert not same_bits(first, simulate_depths(net, DEPTHS, replicas=8, seed=4))
    assert len(np.unique(first.log_hidden_ratio)) == first.log_hidden_ratio.size


def observed(states):
    """Return a row as the columns of `CoupledSample` define it, from h_0 ... h_L of each depth."""
    start = np.linalg.norm(states[0][0])
    gaps = [
        np.linalg.norm(shallow - deep[:: (len(deep) - 1) // (len(shallow) - 1)], axis=-1) / start
        for shallow, deep in itertools.pairwise(states)
    ]
    ends = [np.linalg.norm(s[-1]) for s in states]
    cosine = [s[-1] @ states[0][0] / (end * start) for s, end in zip(states, ends, strict=True)]
    return (
        np.log([gap.max() for gap in gaps]), np.log([gap[-1] for gap in gaps]), np.log(ends) - np.log(start),
        cosine,
    )  # fmt: skip


def assert_rows(sample, row, states):
    for name, values in zip(COLUMNS, observed(states), strict=True):
        np.testing.assert_allclose(getattr(sample, name)[row], values, rtol=0.0, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("beta", [0.5, 0.8])
def test_images_at_width_one_are_one_scalar_brownian_path(beta):
    """A matrix of one entry is known from its image: V = ± the normal of the first depth."""
    net = network({"block": "res-1", "activation": "tanh", "beta": beta}, width=1)
    sample = simulate_depths(net, DEPTHS, replicas=18, seed=5)
    key = stream_key(net, 5)
    for replica in (0, 15, 17):
        states = [[draw_start(net, key, replica)] for _ in DEPTHS]
        sums = np.zeros(len(DEPTHS))
        for k in range(net.depth):
            normal = float(normals(key, 1, high=(k | ROLE_IMAGE_V << 28, replica, 0))[0, 0])
            sums += normal * math.copysign(1.0, states[0][-1][0])
            for v, depth in enumerate(DEPTHS):
                ratio = net.depth // depth
                if (k + 1) % ratio == 0:
                    weight = sums[v] / math.sqrt(ratio)
                    states[v].append(states[v][-1] + depth**-beta * weight * np.tanh(states[v][-1]))
                    sums[v] = 0.0
        assert_rows(sample, replica, [np.array(s) for s in states])


def reference_states(fields, paths, start, coupled, depth):
    """Run one network of numpy matrices in float64."""
    d = len(start)
    sigma = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0.0)}[fields.get("activation", "relu")]
    # entry j d + i is [i, j]
    own = [coupled(path).reshape(depth, d, d).transpose(0, 2, 1) / math.sqrt(d) for path in paths]
    states = [start]
    for k in range(depth):
        h = states[-1]
        inner = h if fields["block"] == "res-1" else own[1][k] @ h
        states.append(h + depth ** -fields["beta"] * own[0][k] @ sigma(inner))
    return np.array(states)


@pytest.mark.parametrize(
    ("fields", "law", "coarse"),
    [
        (
            {"block": "res-1", "activation": "tanh", "beta": 0.7},
            "fbm:0.7",
            lambda path, depth: (
                path.reshape(depth, len(path) // depth, -1).sum(axis=1) / (len(path) // depth) ** 0.7
            ),
        ),
        ({"block": "res-3", "beta": 1.0}, "rbf:0.02", lambda path, depth: path[:: len(path) // depth]),
        ({"block": "res-1", "activation": "tanh", "beta": 1.0}, "rbf:0.02", lambda p, n: p[:: len(p) // n]),
    ],
    ids=["fbm", "rbf res-3", "rbf res-1"],
)
def test_rows_on_paths_are_those_of_numpy(fields, law, coarse):
    net = network(fields | {"weights": law})
    sample = simulate_depths(net, DEPTHS, replicas=3, seed=5)
    process = find_process(law)
    coupling = find_coupling(process, DEPTHS)
    sources = [(process, coupling, ROLE_V), (process, coupling, ROLE_W)][: 1 + net.has_w]
    key = stream_key(net, 5)
    filler = PathFiller(net, DEPTHS, sources, None)
    for replica in range(3):
        paths = [path.astype(np.float64) for path in filler.paths(key, replica)]
        start = draw_start(net, key, replica)
        states = [
            reference_states(fields, paths, start, lambda path, n=depth: coarse(path, n), depth)
            for depth in DEPTHS
        ]
        assert_rows(sample, replica, states)


def test_increments_and_values_are_told_apart():
    fractional = find_coupling(find_process("fbm:0.6"), (4, 8, 64))
    assert fractional.deviations is not None
    np.testing.assert_allclose(fractional.deviations, [16**0.6, 8**0.6, 1.0], rtol=1e-12)
    assert not fractional.smooth
    smooth = find_coupling(find_process("rbf-increments:0.05"), (4, 8, 64))
    assert smooth.deviations is not None
    k = [math.exp(-0.5 / 0.05 / depth**2) for depth in (4, 8, 64)]
    expected = [math.sqrt((1 - x) / (1 - k[-1])) for x in k]
    np.testing.assert_allclose(smooth.deviations, expected, rtol=1e-9)
    assert smooth.smooth
    for name in ("rbf:0.01", "matern:0.5:0.2"):
        assert find_coupling(find_process(name), (4, 8, 64)).deviations is None
    mine = WeightProcess.from_kernel("brownian-values", np.minimum)
    assert find_coupling(mine, (4, 8)).deviations is None


def test_homogeneous_networks_do_not_see_the_scale():
    plain, scaled = (
        simulate_depths(
            ResNet(width=5, depth=24, beta=0.5, block="res-1", input_scale=scale), DEPTHS, replicas=5, seed=1
        )
        for scale in (1.0, 2.0**-90)
    )
    assert same_bits(plain, scaled)


def test_networks_that_leave_the_finite_numbers_are_counted():
    explosive = Activation("explosive", lambda x: 1e150 * x * x, lambda x: 2e150 * x)
    for weights in ("gaussian", "rbf:0.1"):
        net = ResNet(width=3, depth=24, beta=1.0, block="res-1", activation=explosive, weights=weights)
        sample = simulate_depths(net, DEPTHS, replicas=5, seed=1)
        assert sample.n_nonfinite == 5
        assert all(np.isnan(getattr(sample, name)).all() for name in COLUMNS)


RES_1 = {"width": 4, "depth": 8, "beta": 0.5, "block": "res-1"}
SMOOTH = RES_1 | {"beta": 1.0}
RES_3 = SMOOTH | {"block": "res-3"}
AR1 = WeightProcess.from_lags("ar1", lambda m, depth: 0.9**m)


@pytest.mark.parametrize(
    ("fields", "given", "message"),
    [
        (RES_1, {"depths": [3, 8]}, "depths=.*proper divisor"),
        (RES_1, {"depths": [8]}, "depths=.*at least two"),
        (RES_1, {"depths": [2, 4]}, "depths=.*up to the network's 8"),
        (RES_1, {"depths": [4, 4, 8]}, "depths=.*proper divisor"),
        (RES_1, {"depths": [0, 8]}, "depths=0"),
        (RES_1, {"replicas": 0}, "replicas=0"),
        (RES_1, {"seed": -1}, "seed=-1"),
        ({"width": 4, "depth": 8, "alpha": 0.1, "block": "res-1"}, {}, "alpha=0.1.*give beta"),
        (RES_1 | {"block": "res-3"}, {}, "weights='gaussian'.*process for res-3.*res-1"),
        (RES_1 | {"beta": 0.4}, {}, "beta=0.4.*at least 0.5"),
        (RES_1 | {"weights": "uniform"}, {}, "weights='uniform'.*gaussian"),
        (RES_1 | {"input_scale": 1e40}, {}, "input_scale=1e[+]40"),
        (RES_1 | {"weights": "fbm:0.4"}, {}, "^weights='fbm:0.4'.*Brownian"),
        (RES_1 | {"weights": "fbm:0.7"}, {}, "beta=0.5.*at least 0.7"),
        (RES_1 | {"weights": "rbf:0.1"}, {}, "beta=0.5.*at least 1"),
        (RES_3 | {"weights": "fbm:0.7"}, {}, "^weights_w='fbm:0.7'.*layer by layer"),
        (RES_3 | {"weights": "rbf:0.1", "weights_w": "fbm:0.7"}, {}, "^weights_w='fbm:0.7'.*layer by layer"),
        (RES_3 | {"weights": "rbf:0.1", "weights_w": "gaussian"}, {}, "^weights_w='gaussian'.*layer by"),
        (RES_3 | {"weights": "rbf:0.1", "weights_w": AR1}, {}, "^weights_w='ar1'.*one path for all depths"),
        (SMOOTH | {"weights": AR1}, {}, "^weights='ar1'.*one path for all depths"),
        (
            RES_3 | {"block": "res-2", "bias_std": 0.5, "weights": "rbf:0.1"},
            {},
            "bias_std=0.5.*no common path",
        ),
        (SMOOTH | {"width": 40_000, "weights": "rbf:0.1"}, {}, "width=40000.*numbers"),
    ],
)
def test_refusals(fields, given, message):
    arguments = {"depths": [2, 4, 8], "replicas": 2, "seed": 1} | given
    with pytest.raises(InvalidFieldError, match=message) as caught:
        simulate_depths(ResNet(**fields), arguments.pop("depths"), **arguments)
    assert "\n" not in str(caught.value)


PROGRAM = """
import json, sys
from montecarlo import ResNet, simulate_depths
rows = []
for text in sys.argv[1:]:
    net = ResNet(width=3, depth=4, input_dim=4, **json.loads(text))
    s = simulate_depths(net, [2, 4], replicas=2, seed=3, threads=1)
    rows.append([s.log_strong_error.tolist(), s.log_hidden_ratio.tolist(), s.cosine.tolist()])
print(json.dumps(rows))
"""


def test_same_rows_without_the_compiler():
    cases = [CASES[0], CASES[2], CASES[3]]
    # numpy's scalars warn where 32-bit words wrap around on purpose
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-c", PROGRAM, *map(json.dumps, cases)]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    for fields, plain in zip(cases, json.loads(result.stdout), strict=True):
        net = ResNet(width=3, depth=4, input_dim=4, **fields)
        sample = simulate_depths(net, [2, 4], replicas=2, seed=3)
        for values, expected in zip(
            plain, (sample.log_strong_error, sample.log_hidden_ratio, sample.cosine), strict=True
        ):
            np.testing.assert_allclose(values, expected, rtol=0.0, atol=1e-5)
