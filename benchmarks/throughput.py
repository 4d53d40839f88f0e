"""Networks a second, side by side in one run: largedepth and its peers, all four log-ratios.

    python -m benchmarks.throughput --peers ENVIRONMENT/bin/python --out throughput.json

Runs take turns (ours, peer, ours, peer ...), the median of several is reported, and a ratio is the median of
the ratios of neighbours. Without --peers only largedepth is timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_limits
from montecarlo import ResNet, simulate

_FOLDER = Path(__file__).resolve().parent / "peers"


@dataclass(frozen=True)
class Peer:
    """A peer, and how many networks it samples in one timing at width 40 and at width 100."""

    label: str
    script: str
    networks: tuple[int, int]
    options: tuple[str, ...] = ()


PEERS = (
    Peer("PyTorch, one network at a time", "torch_loop.py", (12, 8)),
    Peer("PyTorch, batched with bmm, plain", "torch_bmm.py", (128, 32)),
    Peer("JAX, vmap + scan, plain", "jax_vmap.py", (128, 32)),
    Peer("PyTorch, batched, tuned", "torch_batched.py", (256, 48)),
    Peer("JAX, vmap + scan, tuned", "jax_scan.py", (256, 64)),
    Peer("PyTorch, batched, tuned, 16-bit uniforms", "torch_batched.py", (512, 96), ("--bits", "16")),
    Peer("JAX, vmap + scan, tuned, 16-bit uniforms", "jax_scan.py", (512, 64), ("--bits", "16")),
)


def ours(network: ResNet, networks: int, threads: int, gradients: bool = True) -> float:
    """Networks a second of largedepth."""
    start = time.perf_counter()
    kind: Any = "joint" if gradients else "none"
    simulate(network, replicas=networks, seed=1, threads=threads, engine="dense", gradients=kind)
    return networks / (time.perf_counter() - start)


def theirs(python: str, peer: Peer, width: int, depth: int, threads: int) -> float:
    """Networks a second of a peer, timed by its own script in a process of its own."""
    networks = peer.networks[0 if width <= 64 else 1]
    command = [
        python, str(_FOLDER / peer.script), "--width", str(width), "--depth", str(depth), "--networks",
        str(networks), "--threads", str(threads), *peer.options, "--json", "-",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["networks_per_second"])


def compare(python: str | None, *, width: int, depth: int, threads: int, repeats: int) -> list[dict]:
    """One row a peer: their rate, ours beside it, and the ratio."""
    network = ResNet(width=width, depth=depth, beta=0.5, weights="uniform")
    networks = max(40, int(1.2e6 / width**2))
    ours(network, networks, threads)  # compile and warm up
    rows = []
    for peer in PEERS if python else ():
        pairs = []
        for _ in range(repeats):
            mine = ours(network, networks, threads)
            pairs.append((mine, theirs(str(python), peer, width, depth, threads)))
        rows.append(
            {
                "peer": peer.label,
                "width": width,
                "depth": depth,
                "theirs": statistics.median(b for _, b in pairs),
                "ours": statistics.median(a for a, _ in pairs),
                "ratio": statistics.median(a / b for a, b in pairs),
            }
        )
    for gradients in (True, False):
        rates = [ours(network, networks, threads, gradients) for _ in range(max(repeats, 3))]
        label = "largedepth, dense" + ("" if gradients else ", forward only")
        rows.append({"peer": label, "width": width, "depth": depth, "ours": statistics.median(rates)})
    return rows


def engine_rates(threads: int) -> list[dict]:
    """Networks a second of the engines for Gaussian weights, and the share of time that normals take."""
    normal_rate = machine_limits()["float32 normals/s"]
    rows = []
    for width in (40, 100):
        net = ResNet(width=width, depth=1000, beta=0.5)
        for gradients, images in (("joint", 4), ("none", 2)):
            networks = int(4e5 / width)
            rate = _median_rate(net, networks, threads, engine="gaussian", gradients=gradients)
            normals = images * width * net.depth * rate / threads
            rows.append(
                {"engine": "gaussian", "gradients": gradients, "width": width, "networks/s": rate,
                 "normals/s a core": normals, "share of normals": normals / normal_rate}
            )  # fmt: skip
    for width in (2, 40, 1000):
        net = ResNet(width=width, depth=100_000, beta=0.5)
        rate = _median_rate(net, 64 * threads, threads, engine="radial", gradients="none")
        rows.append(
            {"engine": "radial", "width": width, "networks/s": rate,
             "layers/s a core": rate * net.depth / threads}
        )  # fmt: skip
    return rows


def _median_rate(net: ResNet, networks: int, threads: int, repeats: int = 5, **options: Any) -> float:
    rates = []
    simulate(net, replicas=networks, seed=1, threads=threads, **options)
    for _ in range(repeats):
        start = time.perf_counter()
        simulate(net, replicas=networks, seed=1, threads=threads, **options)
        rates.append(networks / (time.perf_counter() - start))
    return statistics.median(rates)


def weight_times(threads: int = 1) -> list[dict]:
    """Nanoseconds a generated weight on one core, and the generator's share of it."""
    word_rate = machine_limits()["Philox4x32-10 words/s"]
    rows = []
    for law, per_word in (("uniform", 2), ("uniform:24", 1), ("gaussian", 1), ("rademacher", 32)):
        for width in (40, 100):
            network = ResNet(width=width, depth=1000, beta=0.5, weights=law)
            networks = max(10, int(2e5 / width**2))
            ours(network, networks, threads)
            rate = statistics.median(ours(network, networks, threads) for _ in range(3))
            weights = 2.5 * width**2 * network.depth  # all of W, then half of V, half of V and half of W
            nanoseconds = 1e9 / (rate * weights)
            share = 1e9 / (word_rate * per_word) / nanoseconds
            rows.append({"law": law, "width": width, "ns a weight": nanoseconds, "generator share": share})
    return rows


def main() -> None:
    """Print the tables; save them as JSON on request."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers", help="interpreter of an environment with torch and jax")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", help="JSON file")
    options = parser.parse_args()
    limits = machine_limits()
    for name, value in limits.items():
        print(f"{name:38s} {value / 1e9:8.3f}e9")
    rows = []
    for width in (40, 100):
        rows += compare(
            options.peers, width=width, depth=1000, threads=options.threads, repeats=options.repeats
        )
    for row in rows:
        theirs_text = f"{row['theirs']:8.1f}/s {row['ratio']:8.1f}x" if "ratio" in row else ""
        print(f"d={row['width']:4d} {row['peer']:45s} ours {row['ours']:8.1f}/s {theirs_text}")
    engines = engine_rates(options.threads)
    for row in engines:
        print("  ".join(f"{k} {v:,.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
    costs = weight_times()
    for row in costs:
        print(
            f"{row['law']:12s} d={row['width']:4d} {row['ns a weight']:.3f} ns a weight, "
            f"generator {row['generator share']:.0%}"
        )
    if options.out:
        report = {
            "limits": limits,
            "throughput": rows,
            "engines": engines,
            "weights": costs,
            "python": sys.version,
        }
        Path(options.out).write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
