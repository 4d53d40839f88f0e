"""PyTorch's plain training step: a module of ``nn.Linear`` layers, a loop over them, autograd, Adam.

    ENVIRONMENT/bin/python benchmarks/peers/torch_training.py --depth 1000 --threads 1

Prints the seconds of a step as JSON, for each way of running Adam that PyTorch has.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

import torch
from torch import nn

FEATURES, CLASSES = 64, 10
ADAM: dict[str, dict[str, Any]] = {"default": {}, "foreach": {"foreach": True}, "fused": {"fused": True}}


class ResNet(nn.Module):
    """A res-1 network with its input and output maps, as one writes it."""

    def __init__(self, width: int, depth: int, beta: float) -> None:
        super().__init__()
        self.alpha = depth**-beta
        self.A = nn.Linear(FEATURES, width, bias=False)
        self.V = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(depth))
        self.B = nn.Linear(width, CLASSES, bias=False)
        for parameter in self.parameters():
            nn.init.normal_(parameter, 0.0, parameter.shape[1] ** -0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The logits."""
        h = self.A(x)
        for V in self.V:
            h = h + self.alpha * V(torch.relu(h))
        return self.B(h)


def seconds_a_step(adam: dict[str, Any], *, width: int, depth: int, batch: int, steps: int) -> float:
    """Median seconds of a step, after two that are not timed."""
    torch.manual_seed(0)
    net = ResNet(width, depth, 0.5)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, **adam)
    x, y = torch.randn(batch, FEATURES), torch.randint(0, CLASSES, (batch,))
    times = []
    for step in range(steps + 2):
        start = time.perf_counter()
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimiser.step()
        if step >= 2:
            times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name, value in (("width", 30), ("depth", 1000), ("batch", 128), ("steps", 10), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = vars(parser.parse_args())
    torch.set_num_threads(options.pop("threads"))
    report: dict[str, Any] = {name: seconds_a_step(adam, **options) for name, adam in ADAM.items()}
    sys.stdout.write(json.dumps({"torch": torch.__version__, "seconds": report}) + "\n")
