"""Hold the token engine against the reference implementations of GPT-2, LLaMA and BERT, layer by layer.

    python -m benchmarks.check_transformers --peers ENVIRONMENT/bin/python [--networks 120] [--rows FOLDER]

The environment has torch and transformers, which build networks from configurations with their own
initialisation; no file is fetched. Log-rms, mean cosine and tangent growth (there by forward-mode automatic
differentiation) at every layer are compared by two-sample tests that share a false alarm of 1e-6; exits with
1 where one is refuted, or where no test refutes a wrong specification. The largest distance of two means in
standard errors is printed, too. `--rows` keeps the reference's rows, and takes those that are there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from montecarlo import Transformer, simulate_tokens
from montecarlo.estimates import same_law

_SCRIPT = Path(__file__).resolve().parent / "peers" / "transformers_streams.py"
_COLUMNS = ("log_rms_path", "cosine_path", "log_tangent_path")
_FALSE_ALARM = 1e-6
_OURS = 2000
CASES = {
    "bert, d = 256, L = 12": ("bert", {"width": 256, "depth": 12, "heads": 8, "hidden_width": 1024}),
    "llama, d = 256, L = 16": ("llama", {"width": 256, "depth": 16, "heads": 8, "hidden_width": 768}),
    "gpt2, d = 256, L = 24": ("gpt2", {"width": 256, "depth": 24, "heads": 8, "hidden_width": 1024}),
    "gpt2, d = 768, L = 12": ("gpt2", {"width": 768, "depth": 12, "heads": 12, "hidden_width": 3072}),
}
WRONG: dict[str, dict[str, dict[str, Any]]] = {
    "bert": {"no token type": {"segment_std": 0.0}, "W_V 0.03 for 0.02": {"value_std": 0.03}},
    "llama": {"unmasked": {"attention": "full"}, "ReLU for SiLU": {"activation": "relu"}},
    "gpt2": {
        "unmasked": {"attention": "full"},
        "no 1/√(2L)": {"down_std": 0.02},
        "ε = 1e-3": {"norm_eps": 1e-3},
    },
}
"""Specifications that the same tests are to refute."""


def reference(python: str, path: Path, model: str, sizes: Mapping[str, int], networks: int) -> dict[str, Any]:
    """Return the rows of the reference implementation, drawn unless the file is there."""
    if not path.exists():
        options = [f"--{name.split('_', maxsplit=1)[0]}={value}" for name, value in sizes.items()]
        command = [python, str(_SCRIPT), str(path), "--model", model, "--networks", str(networks), *options]
        subprocess.run(command, check=True)
    with np.load(path) as rows:
        return dict(rows)


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any], false_alarm: float) -> tuple[int, float]:
    """Return how many statistics are refuted, and the largest distance of means in standard errors."""
    refuted, largest = 0, 0.0
    for name in _COLUMNS:
        for k in range(ours[name].shape[1]):
            left, right = ours[name][:, k], theirs[name][:, k]
            # Behind a norm nothing varies but rounding, and float32's is not float64's.
            left, right = np.round(left, 4) + 0.0, np.round(right, 4) + 0.0
            refuted += same_law(left, right, false_alarm=false_alarm).refuted
            error = np.sqrt(left.var() / left.size + right.var() / right.size)
            largest = max(largest, abs(left.mean() - right.mean()) / error if error > 0.0 else 0.0)
    return refuted, largest


def main() -> int:
    """Print one line a model and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peers", default=sys.executable, help="interpreter with torch and transformers")
    parser.add_argument("--networks", type=int, default=120, help="networks of the reference, a model")
    parser.add_argument("--rows", type=Path, help="folder that keeps the reference's rows")
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.rows or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for title, (model, sizes) in CASES.items():
            path = folder / f"{model}-{sizes['width']}-{sizes['depth']}.npz"
            theirs = reference(options.peers, path, model, sizes, options.networks)
            net = Transformer.preset(model, **sizes)
            start = time.process_time()
            ours = simulate_tokens(net, replicas=_OURS, seed=7, tangent=True)
            seconds = (time.process_time() - start) / _OURS
            share = _FALSE_ALARM / (2 * len(CASES) * len(_COLUMNS) * (net.depth + 1))
            refuted, largest = compare(ours.columns, theirs, share)
            failures += refuted
            seen = {}
            for name, fields in WRONG[model].items():
                wrong = Transformer.preset(model, **{**sizes, **fields})
                other = simulate_tokens(wrong, replicas=_OURS, seed=8, tangent=True)
                seen[name], _ = compare(other.columns, theirs, share)
                failures += not seen[name]
            networks = len(theirs["log_rms_path"])
            reference_seconds = float(theirs["processor_seconds"]) / networks
            found = ", ".join(f"{name} {count}" for name, count in seen.items())
            print(
                f"{title:24s} {networks} networks: {refuted} of {len(_COLUMNS) * (net.depth + 1)} refuted, "
                f"largest distance {largest:.1f} s.e.; wrong ones refuted: {found}; {1e3 * seconds:.2f} ms a "
                f"network with its tangent, reference {1e3 * reference_seconds:.0f} ms of processor time"
            )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
