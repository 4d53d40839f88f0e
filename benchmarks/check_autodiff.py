"""Rebuild single replicas with automatic differentiation and compare them with the engines of `weights`.

    python -m benchmarks.check_autodiff --peers ENVIRONMENT/bin/python [--framework jax]

Every block and activation, every norm and placement, hidden widths, skips and schedules: the directions of
h_L and p_0, the four log-ratios, and the gradients of the weights and of the factors a_k layer by layer. Each
replica is rebuilt in float64; engines' products are float32.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from montecarlo import LOG_RATIOS, ResNet, final_states, simulate, weights
from montecarlo.networks._norms import NORMS

ACTIVATIONS = ("relu", "tanh", "gelu", "identity", "leaky-relu", "softplus", "sin")
_ARRAYS = ("V", "W", "b", "A", "x", "readout", "alphas")
_REPLICA, _SEED = 1, 3
_SCRIPT = Path(__file__).resolve().parent / "autodiff.py"


def specifications() -> list[ResNet]:
    """One network a block and activation, and one a weight law."""
    nets = [
        ResNet(block=block, activation=activation, width=40, depth=100, beta=0.5, weights="uniform")
        for block in ("res-1", "res-2")
        for activation in ACTIVATIONS
    ]
    nets.append(ResNet(block="res-2", activation="gelu", bias_std=0.3, width=40, depth=100, beta=0.5))
    laws = ("uniform", "uniform:24", "gaussian", "rademacher")
    nets += [ResNet(width=40, depth=1000, beta=0.5, weights=law) for law in laws]
    # Processes along depth, each at a scaling where its network neither explodes nor stays put.
    nets += [
        ResNet(width=40, depth=1000, beta=0.5, weights="fbm:0.2"),
        ResNet(width=40, depth=1000, beta=0.8, weights="fbm:0.8"),
        ResNet(width=40, depth=1000, beta=1.0, weights="rbf-increments:0.01"),
        ResNet(width=40, depth=300, beta=1.0, weights="matern:1.5:0.1", weights_w="gaussian"),
    ]
    nets += [
        ResNet(block=block, activation=activation, width=40, depth=100, beta=0.7, weights="fbm:0.7")
        for block in ("res-1", "res-2")
        for activation in ACTIVATIONS
    ]
    return nets + surrounded()


def surrounded() -> list[ResNet]:
    """Networks with norms at every place, hidden widths, skip factors and schedules."""
    size = {"width": 24, "depth": 60, "beta": 0.5}
    branches = [
        {"hidden_width": 50, "schedule": "power:0.3"},
        {"block": "res-1", "activation": "tanh", "skip": 0.98},
        {
            "block": "res-2",
            "activation": "gelu",
            "bias_std": 0.3,
            "hidden_width": 11,
            "schedule": "power:0.3",
        },
        {"block": "post-activation", "activation": "softplus"},
    ]
    norms = [name if name != "pre-tanh" else "pre-tanh:0.7" for name in NORMS]
    laws = ({"weights": "uniform"}, {"weights": "rbf:0.1"})
    return [
        ResNet(**size, **branch, **law, norm=norm) for law in laws for norm in norms for branch in branches
    ]


def rebuild(python: str, framework: str, nets: list[ResNet], replica: int, seed: int) -> list[dict]:
    """Return what automatic differentiation says of one replica of each network, all in one process."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"replica-{i}.npz") for i in range(len(nets))]
        for path, net in zip(paths, nets, strict=True):
            arrays = weights(net, replica=replica, seed=seed)
            named = {name: getattr(arrays, name) for name in _ARRAYS if getattr(arrays, name) is not None}
            fields = {
                "block": net.block, "activation": net.activation_function.name, "norm": net.norm,
                "norm_eps": net.norm_eps, "skip": net.skip,
            }  # fmt: skip
            np.savez(path, json=json.dumps(fields), **named)
        command = [python, str(_SCRIPT), *paths, "--framework", framework]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def largest_error(net: ResNet, report: dict, *, replica: int, seed: int) -> float:
    """Return the largest relative error of h_L, p_0, the four ratios, and of the gradients of layers.

    A factor's gradient is a product of two vectors, whose terms may cancel: its error is over the largest.
    """
    states = final_states(net, replica=replica, seed=seed)
    errors = []
    for key, ours in (("h_L", states.hidden), ("p_0", states.gradient)):
        theirs = np.array(report[key])
        errors.append(float(np.linalg.norm(theirs / np.linalg.norm(theirs) - ours)))
    engine = "dense" if net.processes is None else "correlated"
    sample = simulate(
        net, replicas=replica + 1, seed=seed, engine=engine, weight_gradients=True, gate_gradients=True
    )
    gates = [np.exp(column) for column in (sample["log_gate_gradient"][replica], report["log_gate_gradient"])]
    errors.append(float(np.abs(gates[0] - gates[1]).max() / gates[1].max()))
    names = LOG_RATIOS + ("log_weight_gradient_v", "log_weight_gradient_w")[: 1 + net.has_w]
    for name in names:
        errors.append(float(np.abs(np.expm1(sample[name][replica] - np.array(report[name]))).max()))
    return max(errors)


def main() -> None:
    """Print one line a specification; exit 1 if one is off by more than 1e-4."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers", required=True, help="interpreter of an environment with torch and jax")
    parser.add_argument("--framework", choices=("torch", "jax"), default="torch")
    options = parser.parse_args()
    worst = 0.0
    nets = specifications()
    reports = rebuild(options.peers, options.framework, nets, _REPLICA, _SEED)
    for net, report in zip(nets, reports, strict=True):
        error = largest_error(net, report, replica=_REPLICA, seed=_SEED)
        worst = max(worst, error)
        print(f"{error:.1e}  {net}")
    print(f"largest relative error {worst:.1e}")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
