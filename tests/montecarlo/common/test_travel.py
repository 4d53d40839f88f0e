"""Specifications travel to other processes by pickle, and stay what they are."""

import pickle
import subprocess
import sys
from pathlib import Path

import cloudpickle
import pytest

from montecarlo import Activation, ResNet
from montecarlo.networks._activations import BUILT_IN
from montecarlo.processes import WeightProcess, find_process

OWN = Activation("cubic", lambda x: x * x * x, lambda x: 3.0 * x * x)
AR1 = WeightProcess.from_lags("ar1", lambda m, depth: 0.9**m)
NETWORKS = [
    ResNet(width=4, depth=3, beta=0.5),
    ResNet(width=4, depth=3, beta=0.5, block="res-1", activation="gelu", weights="uniform", input_dim=2),
    ResNet(width=4, depth=3, beta=0.5, weights="fbm:0.3", weights_w="fbm:0.7"),
    ResNet(width=4, depth=3, alpha=0.1, block="res-1", activation=OWN, weights=AR1),
]


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_activations_arrive_as_themselves(name):
    assert pickle.loads(pickle.dumps(BUILT_IN[name])) is BUILT_IN[name]


def test_named_processes_arrive_equal():
    process = find_process("fbm:0.3")
    assert pickle.loads(pickle.dumps(process)).fingerprint == process.fingerprint


@pytest.mark.parametrize("net", NETWORKS, ids=repr)
def test_a_specification_arrives_equal(net):
    there = cloudpickle.loads(cloudpickle.dumps(net))
    assert there == net
    assert there.canonical() == net.canonical()
    assert there.stream_key(7) == net.stream_key(7)


def test_in_another_process_what_a_user_wrote_arrives_once(tmp_path):
    # Its code is compiled once a process, then, however many blocks bring it.
    for number in range(2):
        (tmp_path / str(number)).write_bytes(cloudpickle.dumps((NETWORKS[3], number)))
    (tmp_path / "expected").write_text(repr(NETWORKS[3].canonical()))
    script = """
import pickle, sys
from pathlib import Path
folder = Path(sys.argv[1])
(first, _), (second, _) = [pickle.loads((folder / name).read_bytes()) for name in "01"]
assert first.activation is second.activation
assert first.weights is second.weights
assert first == second
assert repr(first.canonical()) == (folder / "expected").read_text()
"""
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, cwd=root)
