"""What the peers share: command line, timing, medians, the JSON report."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

COLUMNS = ("log_hidden_ratio", "log_hidden_difference", "log_gradient_ratio", "log_gradient_difference")
INPUT_DIM = 64

Sampler = Callable[[int, int], np.ndarray]
"""``sampler(networks, seed)``: one row a network, the columns ``COLUMNS`` (the first two if forward)."""


@dataclass(frozen=True)
class Workload:
    """What to sample, and how: the options of the command line."""

    width: int = 40
    depth: int = 1000
    networks: int = 20
    beta: float = 0.5
    weights: str = "uniform"
    forward_only: bool = False
    threads: int = 1
    seed: int = 1
    batch: int = 0
    bits: int = 32
    prng: str = "threefry2x32"

    @property
    def alpha(self) -> float:
        """The factor of a layer, L^-beta."""
        return float(self.depth) ** -self.beta

    def batch_or(self, networks: int) -> int:
        """The batch asked for, or else ``networks``; never more than one thread's share of the job."""
        return max(1, min(self.batch or networks, -(-self.networks // self.threads)))


def parse(doc: str | None, *, batch: bool = False, prng: bool = False) -> tuple[Workload, str]:
    """The workload of the command line, and where its JSON goes."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--width", type=int, default=40)
    parser.add_argument("--depth", type=int, default=1000)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--beta", type=float, default=0.5)
    parser.add_argument("--weights", choices=("uniform", "gaussian"), default="uniform")
    parser.add_argument("--forward-only", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    if batch:
        parser.add_argument("--batch", type=int, default=0, help="networks a batch; 0: the tuned size")
        parser.add_argument(
            "--bits",
            type=int,
            choices=(16, 32),
            default=32,
            help="random bits a uniform weight: 32 is the library's own uniform, 16 is faster",
        )
    if prng:
        parser.add_argument("--prng", choices=("threefry2x32", "rbg", "unsafe_rbg"), default="threefry2x32")
    parser.add_argument("--json", default="-", help="file for the report; - is stdout")
    options = vars(parser.parse_args())
    out = options.pop("json")
    for name in ("width", "depth", "networks", "threads"):
        if options[name] < 1:
            parser.error(f"--{name} {options[name]}: must be at least 1")
    if options.get("bits") == 16 and options["weights"] != "uniform":
        parser.error("--bits 16: only for uniform weights")
    return Workload(**options), out


def measure(
    peer: str, work: Workload, sampler: Sampler, warm_up: int, versions: dict[str, str], **tuned: object
) -> dict:
    """Time ``sampler`` on the workload after an untimed run of ``warm_up`` networks.

    ``networks`` in the report counts those sampled: whole batches, so it may exceed what was asked.
    """
    sampler(warm_up, work.seed + 1_000_003)
    start = time.perf_counter()
    rows = sampler(work.networks, work.seed)
    seconds = time.perf_counter() - start
    columns = COLUMNS[: rows.shape[1]]
    return {
        "peer": peer,
        "width": work.width,
        "depth": work.depth,
        "networks": len(rows),
        "seconds": seconds,
        "networks_per_second": len(rows) / seconds,
        "versions": {"python": platform.python_version(), "numpy": np.__version__, **versions},
        "threads": work.threads,
        "beta": work.beta,
        "weights": work.weights,
        "forward_only": work.forward_only,
        "seed": work.seed,
        "tuned": tuned,
        "median": dict(zip(columns, np.median(rows, axis=0).tolist(), strict=True)),
        "mean_square": dict(zip(columns, np.exp(2 * rows).mean(axis=0).tolist(), strict=True)),
    }


def emit(report: dict, out: str) -> None:
    """Write the report to ``out``, or to stdout for ``-``."""
    text = json.dumps(report) + "\n"
    if out == "-":
        sys.stdout.write(text)
    else:
        Path(out).write_text(text, encoding="utf-8")
