"""Both words of a replica's number are in the counter of every stream: nothing repeats after 2**32 networks.

Kernels run as plain Python here, with a generator that notes the counters it is asked for.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from montecarlo import ResNet, simulate_depths, simulate_inputs, simulate_shared
from montecarlo.streams import _keys

HIGH = 5
FIRST = HIGH * 2**32 + 35

SMALL = {"width": 3, "depth": 3, "input_dim": 5, "beta": 1.0}
BIASED = SMALL | {"block": "res-2", "activation": "tanh", "bias_std": 0.5}
PATHS = SMALL | {"depth": 4, "weights": "fbm:0.7"}
DENSE = ("V", "W", "BIAS", "EMBEDDING", "INPUT", "READOUT")
IMAGES = ("IMAGE_W", "IMAGE_V", "IMAGE_BIAS", "IMAGE_START")
BACK = ("TRANSPOSE_V", "TRANSPOSE_W", "IMAGE_READOUT")
RADIAL = ("RADIAL_NORMALS", "RADIAL_WORDS")
CASES = {
    **{
        f"dense {law}": ("simulate", BIASED | {"weights": law}, {"engine": "dense"}, DENSE)
        for law in ("gaussian", "rademacher", "uniform", "uniform:24")
    },
    "gaussian": ("simulate", BIASED, {"engine": "gaussian"}, (*IMAGES, *BACK, "INPUT")),
    # Forty layers: some proposals of a chi-square are rejected, and drawn again.
    "radial res-3": (
        "simulate", SMALL | {"depth": 40}, {"engine": "radial", "gradients": "dual"}, RADIAL,
    ),
    "radial res-1": (
        "simulate", SMALL | {"width": 70, "block": "res-1", "activation": "identity"},
        {"engine": "radial", "gradients": "dual"}, RADIAL,
    ),
    "radial norm": (
        "simulate", SMALL | {"depth": 40, "norm": "pre-rms"}, {"engine": "radial", "gradients": "none"},
        (*RADIAL, "INPUT"),
    ),
    "correlated": ("simulate", BIASED | PATHS, {"engine": "correlated"}, DENSE),
    "shared": ("simulate_shared", BIASED | PATHS, {"inputs": 3}, DENSE),
    "coupled paths": (
        "simulate_depths", PATHS | {"weights_w": "rbf:0.1"}, {"depths": [2, 4]},
        ("V", "W", "INPUT", "IMAGE_START"),
    ),
    "coupled images": (
        "simulate_depths", SMALL | {"depth": 4, "block": "res-1"}, {"depths": [2, 4]},
        ("IMAGE_V", "INPUT", "IMAGE_START"),
    ),
    "joint": (
        "simulate_inputs", BIASED, {"inputs": [[3.0, 1.0], [1.0, 3.0]]},
        IMAGES,
    ),
    "joint chain": (
        "simulate_inputs", BIASED | {"width": 5}, {"inputs": [[3.0, 1.0], [1.0, 3.0]], "engine": "gram"},
        ("IMAGE_W", "IMAGE_V", "IMAGE_BIAS", "RADIAL_WORDS"),
    ),
    "dense signs": (
        "simulate", SMALL | {"block": "balanced"}, {"engine": "dense"},
        ("V", "EMBEDDING", "INPUT", "READOUT", "SIGNS"),
    ),
    "gaussian signs": (
        "simulate", SMALL | {"block": "balanced"}, {"engine": "gaussian"},
        ("IMAGE_V", "IMAGE_START", "TRANSPOSE_V", "IMAGE_READOUT", "INPUT", "SIGNS"),
    ),
    "replay": ("weights", BIASED, {}, DENSE),
    "replay of paths": ("weights", BIASED | PATHS, {}, DENSE),
    "states": ("final_states", BIASED, {}, DENSE),
}  # fmt: skip

PROGRAM = """
import json, sys
import montecarlo
from montecarlo.streams import _philox

asked, calls, true = set(), [0], _philox._round

def record(c0, c1, c2, c3, k0, k1):
    if calls[0] % _philox.ROUNDS == 0:
        asked.add((int(c1), int(c2), int(c3)))
    calls[0] += 1
    return true(c0, c1, c2, c3, k0, k1)

_philox._round = record
first, cases = json.load(sys.stdin)
found = {}
for name, (function, fields, options, _) in cases.items():
    asked.clear()
    place = {"replica": first} if function in ("weights", "final_states") else {
        "first_replica": first, "replicas": 1, "threads": 1
    }
    getattr(montecarlo, function)(montecarlo.ResNet(**fields), seed=3, **place, **options)
    found[name] = sorted(asked)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def counters():
    # numpy's scalars warn where 32-bit words wrap around on purpose
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-c", PROGRAM]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    asked = json.dumps((FIRST, CASES))
    result = subprocess.run(
        command, env=environment, input=asked, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("case", CASES)
def test_every_role_of_every_engine_has_both_words(counters, case):
    roles = {value: name for name, value in vars(_keys).items() if name.startswith("ROLE_")}
    batch = FIRST % 2**32 // 16 * 16  # some engines draw sixteen networks in lanes
    found = set()
    for layer_role, low, high in counters[case]:
        role = roles[layer_role >> 28].removeprefix("ROLE_")
        assert high == HIGH, (role, layer_role % 2**28)
        assert batch <= low < batch + 16, role
        found.add(role)
    assert found == set(CASES[case][3])


def test_all_roles_are_looked_at():
    assert {f"ROLE_{role}" for case in CASES.values() for role in case[3]} == {
        name for name in vars(_keys) if name.startswith("ROLE_")
    }


def test_compiled_rows_differ_beyond_32_bits(warm_kernels):
    net = ResNet(width=3, depth=4, beta=1.0, weights="fbm:0.7", weights_w="rbf:0.1")
    near, far = (
        simulate_shared(net, replicas=1, inputs=2, seed=3, first_replica=i)["log_hidden_ratio"]
        for i in (7, 7 + 2**32)
    )
    assert not (near == far).any()
    images = ResNet(width=3, depth=4, beta=0.5, block="res-1")
    for coupled in (net, images):
        one, other = (
            simulate_depths(coupled, [2, 4], replicas=1, seed=3, first_replica=i).log_hidden_ratio
            for i in (7, 7 + 2**32)
        )
        assert not (one == other).any()
    joint = ResNet(width=3, depth=4, beta=0.5)
    one, other = (
        simulate_inputs(joint, np.eye(2), replicas=1, seed=3, first_replica=i).log_norm[:, 1:]
        for i in (7, 7 + 2**32)
    )
    assert not (one == other).any()
