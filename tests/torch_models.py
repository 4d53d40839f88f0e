"""Residual networks as an engineer writes them, in the words of `fake_torch`."""

from __future__ import annotations

from typing import Any

import fake_torch
import numpy as np
from fake_torch import Module, Tensor

WIDTH, UNITS, BATCH = 32, 64, 12


class Linear(Module):
    """A matrix of deviation 1/√(columns)."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self._own["weight"] = (fake_torch.randn(rows, columns) * columns**-0.5).detach().requires_grad_()

    def forward(self, x: Tensor) -> Tensor:
        return x.matmul(self._own["weight"])


class Block(Module):
    """h + a V relu(W h), and what may be wrong with it."""

    def __init__(self, scale: float, norm: str = "none", skip: float = 1.0, tupled: bool = False) -> None:
        super().__init__()
        self._modules = {"up": Linear(UNITS, WIDTH), "down": Linear(WIDTH, UNITS)}
        self._buffers = {"calls": Tensor(np.zeros(1, np.float32))}
        self.scale, self.norm, self.skip, self.tupled, self.in_place = scale, norm, skip, tupled, False
        self.shift = 0.0

    def forward(self, h: Tensor, **options: Any) -> Any:
        self._buffers["calls"].value += 1
        up, down = self._modules.values()
        branch = down(fake_torch.relu(up(fake_torch.rms(h) if self.norm == "before" else h))) * self.scale
        if self.shift:
            branch = branch + Tensor(np.full(WIDTH, self.shift, np.float32))
        if self.in_place:
            h += branch
            return h
        new = h * self.skip + branch
        new = fake_torch.rms(new) if self.norm == "after" else new
        return (new, None) if self.tupled else new


class Layers(Module):
    """A list of blocks, called by its owner."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__()
        self._modules = {str(k): block for k, block in enumerate(blocks)}


class Net(Module):
    """Embedding, blocks, head."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__()
        self._modules = {"embed": Linear(WIDTH, 8), "layers": Layers(blocks), "head": Linear(1, WIDTH)}

    def forward(self, x: Tensor) -> Tensor:
        embed, layers, head = self._modules.values()
        h = embed(x)
        for block in layers._modules.values():
            out = block(h)
            h = out[0] if isinstance(out, tuple) else out
        return head(h)


class Lists(Module):
    """Two lists of matrices, and no module a block."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self._modules = {
            "W": Layers([Linear(UNITS, WIDTH) for _ in range(depth)]),  # type: ignore[misc]
            "V": Layers([Linear(WIDTH, UNITS) for _ in range(depth)]),
        }  # type: ignore[misc]

    def forward(self, h: Tensor) -> Tensor:
        first, second = (part._modules.values() for part in self._modules.values())
        for W, V in zip(first, second, strict=True):
            h = h + V(fake_torch.relu(W(h)))
        return h


def inputs() -> Tensor:
    """Return the same batch at every call."""
    return Tensor(np.random.default_rng(5).normal(size=(BATCH, 8)).astype(np.float32))


def factory(depth: int, seed: int, **options: Any) -> tuple[Net, Tensor]:
    """Return a network with branches divided by √(2L), with its inputs."""
    scale = options.pop("scale", (2 * depth) ** -0.5)
    return Net([Block(scale, **options) for _ in range(depth)]), inputs()
