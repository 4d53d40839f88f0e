"""PyTorch batched over networks, plain: weights drawn a layer at a time, ``torch.bmm``, autograd for the
gradients.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.peers.common import INPUT_DIM, Workload, emit, measure, parse


def draw(work: Workload, shape: tuple[int, ...], fan_in: int) -> torch.Tensor:
    """Draw weights of variance 1 / fan_in."""
    if work.weights == "uniform":
        return (2 * torch.rand(shape) - 1) * math.sqrt(3 / fan_in)
    return torch.randn(shape) / math.sqrt(fan_in)


def sample(work: Workload, batch: int) -> np.ndarray:
    """The log ratios of one batch, one row a network."""
    d = work.width
    first = torch.bmm(draw(work, (batch, d, INPUT_DIM), INPUT_DIM), torch.rand(batch, INPUT_DIM, 1))
    first.requires_grad_(not work.forward_only)
    h = first
    for _ in range(work.depth):
        hidden = torch.relu(torch.bmm(draw(work, (batch, d, d), d), h))
        h = h + work.alpha * torch.bmm(draw(work, (batch, d, d), d), hidden)
    columns = _ratios(first.detach(), h.detach())
    if not work.forward_only:
        readout = draw(work, (batch, d, 1), d)
        (gradient,) = torch.autograd.grad((readout * h).sum(), first)
        columns += _ratios(readout, gradient)
    return torch.stack(columns, dim=1).numpy()


def _ratios(first: torch.Tensor, last: torch.Tensor) -> list[torch.Tensor]:
    first, last = first[..., 0].double(), last[..., 0].double()
    scale = first.norm(dim=1)
    return [(last.norm(dim=1) / scale).log(), ((last - first).norm(dim=1) / scale).log()]


def run(work: Workload) -> dict:
    """Time the workload; the report of ``common.measure``."""
    torch.set_num_threads(work.threads)
    batch = work.batch or (64 if work.width <= 64 else 8)

    def sampler(networks: int, seed: int) -> np.ndarray:
        torch.manual_seed(seed)
        return np.concatenate([sample(work, batch) for _ in range(-(-networks // batch))])

    return measure("torch-bmm", work, sampler, batch, {"torch": torch.__version__}, batch=batch)


if __name__ == "__main__":
    workload, out = parse(__doc__, batch=True)
    emit(run(workload), out)
