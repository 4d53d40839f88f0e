"""PyTorch, tuned: batches of networks through ``torch.bmm``, a hand-written backward pass, no autograd.

What made it fast:

- hidden states are rows and ``bmm(h, W)`` needs no transpose (the entries are i.i.d., so W and its transpose
  have one law): 6 to 8 times the speed of ``bmm(W, h)`` on columns;
- PyTorch draws random numbers on one thread, under a lock a generator: so each thread has its own generator,
  its own batch, its own buffer of weights reused from batch to batch, and one intra-op thread;
- ``--bits 16`` takes four 16-bit uniforms out of each 64-bit ``random_`` word, 3.5 times as many weights a
  second as ``uniform_``, and keeps those 16 bits for the backward pass.
"""

from __future__ import annotations

import math
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.peers.common import INPUT_DIM, Workload, emit, measure, parse


class Worker:
    """One thread's generator and buffers."""

    def __init__(self, work: Workload, batch: int) -> None:
        self.work, self.batch = work, batch
        self.generator = torch.Generator()
        shape = (batch, work.width, work.width)
        layers = 1 if work.forward_only else 2 * work.depth
        self.step = work.alpha
        if work.bits == 16:
            words = -(-math.prod(shape) // 4)
            self.words = torch.zeros(layers, words, dtype=torch.int64).unbind()
            self.halves = [w.view(torch.int16)[: math.prod(shape)].view(shape) for w in self.words]
            self.weights = torch.zeros(shape)
            # (integer + 1/2) sqrt(12) 2^-16 has unit variance; V and W both carry the factor
            self.step *= 12 * 2.0**-32 / work.width
        else:
            self.words = ()
            self.stored = torch.zeros(layers, *shape).unbind()
        self.kept = layers > 1
        # the positive parts of the hidden layers tell which units were active
        self.active = torch.zeros(work.depth if self.kept else 1, batch, 1, work.width).unbind()

    def fill(self, tensor: torch.Tensor, fan_in: int) -> torch.Tensor:
        """Draw the entries of the weight law, variance 1 / fan_in."""
        if self.work.weights == "uniform":
            bound = math.sqrt(3 / fan_in)
            return tensor.uniform_(-bound, bound, generator=self.generator)
        return tensor.normal_(0.0, 1 / math.sqrt(fan_in), generator=self.generator)

    def draw(self, layer: int) -> torch.Tensor:
        """Draw weight matrix ``layer`` (2k for W_k, 2k + 1 for V_k) of the whole batch."""
        layer = layer if self.kept else 0
        if self.words:
            self.words[layer].random_(-(2**63), None, generator=self.generator)
            return self.load(layer)
        return self.fill(self.stored[layer], self.work.width)

    def load(self, layer: int) -> torch.Tensor:
        """The weight matrix drawn before."""
        if self.words:
            return torch.add(self.halves[layer], 0.5, out=self.weights)
        return self.stored[layer]

    @torch.inference_mode()
    def sample(self, seed: int) -> np.ndarray:
        """The log ratios of one batch, one row a network."""
        work, batch = self.work, self.batch
        self.generator.manual_seed(seed)
        x = torch.rand(batch, 1, INPUT_DIM, generator=self.generator)
        first = torch.bmm(x, self.fill(torch.empty(batch, INPUT_DIM, work.width), INPUT_DIM))
        h = first.clone()
        hidden = torch.empty_like(h)
        for k in range(work.depth):
            active = self.active[k if self.kept else 0]
            torch.bmm(h, self.draw(2 * k), out=hidden)
            torch.clamp(hidden, min=0, out=active)
            torch.baddbmm(h, active, self.draw(2 * k + 1), alpha=self.step, out=h)
        columns = _ratios(first, h)
        if self.kept:
            last = self.fill(torch.empty(batch, 1, work.width), work.width)
            p = last.clone()
            for k in reversed(range(work.depth)):
                torch.bmm(p, self.load(2 * k + 1).mT, out=hidden)
                torch.ops.aten.threshold_backward.grad_input(hidden, self.active[k], 0, grad_input=hidden)
                torch.baddbmm(p, hidden, self.load(2 * k).mT, alpha=self.step, out=p)
            columns += _ratios(last, p)
        return torch.stack(columns, dim=1).numpy()


def _ratios(first: torch.Tensor, last: torch.Tensor) -> list[torch.Tensor]:
    first, last = first[:, 0].double(), last[:, 0].double()
    scale = first.norm(dim=1)
    return [(last.norm(dim=1) / scale).log(), ((last - first).norm(dim=1) / scale).log()]


def tuned_batch(work: Workload) -> int:
    """The batch that was fastest; a thousand layers take 0.4 GB (d = 40) or 0.6 GB (d = 100) a thread."""
    return 32 if work.width <= 64 else 8


def run(work: Workload) -> dict:
    """Time the workload; the report of ``common.measure``."""
    torch.set_num_threads(1)
    batch = work.batch_or(tuned_batch(work))
    workers = [Worker(work, batch) for _ in range(work.threads)]

    def sampler(networks: int, seed: int) -> np.ndarray:
        batches = -(-networks // batch)
        seeds = np.random.SeedSequence(seed).generate_state(batches, np.uint64) >> np.uint64(1)

        def share(i: int) -> list[np.ndarray]:
            return [workers[i].sample(int(s)) for s in seeds[i :: work.threads]]

        with ThreadPoolExecutor(work.threads) as pool:
            shares = list(pool.map(share, range(work.threads)))
        return np.concatenate([rows for part in shares for rows in part])

    versions = {"torch": torch.__version__}
    return measure(
        "torch-batched", work, sampler, batch * work.threads, versions, batch=batch, bits=work.bits
    )


if __name__ == "__main__":
    workload, out = parse(__doc__, batch=True)
    emit(run(workload), out)
