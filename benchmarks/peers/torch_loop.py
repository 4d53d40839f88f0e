"""PyTorch as the paper's experiments use it: one network at a time, an ``nn.Module``, autograd.

Each network is built afresh out of ``nn.Linear(bias=False)`` layers, initialised with ``nn.init``, run on one
input and differentiated through the loss ``(B h_L - y)^2``. Parameters require gradients, as they do by
default, so the gradients of the weights are computed as well.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.peers.common import INPUT_DIM, Workload, emit, measure, parse


class ResNet(nn.Module):
    """A res-3 network at initialisation, with its input and output maps."""

    def __init__(self, width: int, depth: int, beta: float, weights: str) -> None:
        super().__init__()
        self.alpha = depth**-beta
        self.A = nn.Linear(INPUT_DIM, width, bias=False)
        self.W = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(depth))
        self.V = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(depth))
        self.B = nn.Linear(width, 1, bias=False)
        for parameter in self.parameters():
            deviation = 1 / math.sqrt(parameter.shape[1])
            if weights == "uniform":
                nn.init.uniform_(parameter, -math.sqrt(3) * deviation, math.sqrt(3) * deviation)
            else:
                nn.init.normal_(parameter, 0.0, deviation)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The first and last hidden state, and the output."""
        first = h = self.A(x)
        for W, V in zip(self.W, self.V, strict=True):
            h = h + self.alpha * V(torch.relu(W(h)))
        return first, h, self.B(h)


def ratios(first: torch.Tensor, last: torch.Tensor) -> list[float]:
    """Log |last| / |first| and log |last - first| / |first|, in float64."""
    first, last = first.detach().double(), last.detach().double()
    scale = first.norm()
    return [(last.norm() / scale).log().item(), ((last - first).norm() / scale).log().item()]


def sample(work: Workload, networks: int, seed: int) -> np.ndarray:
    """One row of log ratios a network."""
    torch.manual_seed(seed)
    rows = []
    for _ in range(networks):
        net = ResNet(work.width, work.depth, work.beta, work.weights)
        x, y = torch.rand(INPUT_DIM), torch.rand(1)
        if work.forward_only:
            with torch.no_grad():
                first, last, _ = net(x)
            rows.append(ratios(first, last))
            continue
        first, last, output = net(x)
        first.retain_grad()
        last.retain_grad()
        loss = ((output - y) ** 2).sum()
        loss.backward()
        rows.append(ratios(first, last) + ratios(last.grad, first.grad))
    return np.array(rows)


def run(work: Workload) -> dict:
    """Time the workload; the report of ``common.measure``."""
    torch.set_num_threads(work.threads)

    def sampler(networks: int, seed: int) -> np.ndarray:
        return sample(work, networks, seed)

    return measure("torch-loop", work, sampler, min(2, work.networks), {"torch": torch.__version__})


if __name__ == "__main__":
    workload, out = parse(__doc__)
    emit(run(workload), out)
