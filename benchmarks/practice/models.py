"""Residual networks in plain PyTorch, as an engineer writes them, right and with one planted fault each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from montecarlo import ResNet

WIDTH, UNITS, INPUTS, BATCH = 128, 512, 32, 16


def rms(h: torch.Tensor) -> torch.Tensor:
    """Root mean square norm without gain and ε."""
    return h / h.pow(2).mean(-1, keepdim=True).sqrt()


class Block(nn.Module):
    """h + a V relu(W h), or with a norm before or after."""

    def __init__(self, scale: float, norm: str = "none", zero: bool = False, skip: float = 1.0) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(WIDTH, UNITS), nn.Linear(UNITS, WIDTH)
        for layer in (self.up, self.down):
            nn.init.normal_(layer.weight, 0.0, layer.in_features**-0.5)
            nn.init.zeros_(layer.bias)
        self.scale, self.norm, self.skip = 0.0 if zero else scale, norm, skip

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """Return the next state."""
        inside = rms(h) if self.norm == "before" else h
        new = self.skip * h + self.scale * self.down(torch.relu(self.up(inside)))
        return rms(new) if self.norm == "after" else new


class Net(nn.Module):
    """A residual MLP."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__()
        self.embed, self.blocks, self.head = (
            nn.Linear(INPUTS, WIDTH),
            nn.ModuleList(blocks),
            nn.Linear(WIDTH, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the output."""
        h = self.embed(x)
        for block in self.blocks:
            h = block(h)
        return self.head(h)


@dataclass(frozen=True)
class Plan:
    """How to build a model, and what it promises.

    Parameters
    ----------
    scale : callable
        The factor a of block k = 1..L in depth L.
    change : callable
        Plants the fault in a built model.
    promise : callable
        From depth to the promised `ResNet`.
    """

    scale: Callable[[int, int], float]
    promise: Callable[[int], ResNet]
    norm: str = "none"
    skip: float = 1.0
    change: Callable[[Net, int], Net] = lambda net, depth: net

    def __call__(self, depth: int, seed: int) -> tuple[nn.Module, tuple[torch.Tensor]]:
        """Return the model with its inputs."""
        net = Net([Block(self.scale(k, depth), self.norm, skip=self.skip) for k in range(1, depth + 1)])
        net = self.change(net, depth)
        dtype = next(net.parameters()).dtype
        return net, (torch.randn(BATCH, INPUTS, generator=torch.Generator().manual_seed(1)).to(dtype),)


def promised(norm: str = "none", schedule: str = "constant") -> Callable[[int], ResNet]:
    """Return the promise of a scaling 1/√(2L)."""
    return lambda depth: ResNet(
        width=WIDTH, hidden_width=UNITS, depth=depth, alpha=(2 * depth) ** -0.5, norm=norm, schedule=schedule,
        input_dim=INPUTS,
    )  # fmt: skip


def usual(k: int, depth: int) -> float:
    """Return GPT-2's 1/√(2L)."""
    return (2 * depth) ** -0.5


def factor(value: float) -> Callable[[Net, int], Net]:
    """Return a change: the weights V of the middle block times a factor."""

    def change(net: Net, depth: int) -> Net:
        with torch.no_grad():
            net.blocks[depth // 2].down.weight.mul_(value)
        return net

    return change


def fan_out(net: Net, depth: int) -> Net:
    """Draw W with the variance one over its outputs."""
    for block in net.blocks:
        nn.init.normal_(block.up.weight, 0.0, UNITS**-0.5)
    return net


def shared(net: Net, depth: int) -> Net:
    """Use one block everywhere, as a list multiplied by a number does."""
    net.blocks = nn.ModuleList([net.blocks[0]] * depth)
    return net


def zero(net: Net, depth: int) -> Net:
    """Switch the middle block off."""
    net.blocks[depth // 2].scale = 0.0
    return net


def biased(net: Net, depth: int) -> Net:
    """Give the middle block biases of mean 0.05."""
    with torch.no_grad():
        net.blocks[depth // 2].down.bias.normal_(0.05, 0.02)
    return net


def half(net: Net, depth: int) -> Net:
    """Take float16, and let the middle block overflow it."""
    with torch.no_grad():
        net.blocks[depth // 2].down.weight.mul_(1e5)
    return net.half()


RIGHT: dict[str, Plan] = {
    "no norm, 1/√(2L)": Plan(usual, promised()),
    "norm before, 1/√(2L)": Plan(usual, promised("pre-rms"), norm="before"),
    "no norm, 1/√(2L) schedule (k+1)^-1/2": Plan(
        lambda k, L: usual(k, L) * k**-0.5, promised(schedule="power:0.5")
    ),
}  # fmt: skip
FAULTS: dict[str, tuple[Plan, str]] = {
    "factor 1.1 in one block": (Plan(usual, promised(), change=factor(1.1)), "factor"),
    "factor 1.66 in one block": (Plan(usual, promised(), change=factor(1.66)), "factor"),
    "residual scale missing": (Plan(lambda k, L: 1.0, promised()), "factor"),
    "1/√L for 1/√(2L)": (Plan(lambda k, L: L**-0.5, promised()), "factor"),
    "fan-out for fan-in": (Plan(usual, promised(), change=fan_out), "factor"),
    "norm after instead of before": (Plan(usual, promised("pre-rms"), norm="after"), "norm"),
    "double skip": (Plan(usual, promised(), skip=2.0), "skip"),
    "shared blocks": (Plan(usual, promised(), change=shared), "copy"),
    "zero block": (Plan(usual, promised(), change=zero), "zero"),
    "bias with a mean": (Plan(usual, promised(), change=biased), "mean"),
    "float16 overflow at a block": (Plan(usual, promised(), change=half), "overflow"),
    "wrong schedule": (Plan(lambda k, L: usual(k, L) * math.sqrt(2.0 * k / L), promised()), "schedule"),
}
