"""J4b: the tangent kernel of two inputs, by explicit matrices: no engine has gradients of two inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

import theory
from montecarlo import ResNet
from montecarlo.verification._mutant import Mutant
from montecarlo.verification.experiments._row_sources import Array, NumberOfRows
from montecarlo.verification.experiments._rows import bounded, clipped_to

_COSINE = 0.95
_MOST = 2.5
_BLOCK = 16  # networks drawn from one generator: rows do not depend on how they are cut


@dataclass(frozen=True)
class _Pairs:
    """K(x, x')/(‖p_L‖²‖h_0‖²) of networks of res-3, as a source of rows; cut at 0 and `most`.

    Parameters
    ----------
    resnet : ResNet
        The networks.
    most : float
        Upper end of the rows.
    one_mask : bool, default False
        Whether the second input sees the active units of the first one, a fault.
    """

    resnet: ResNet
    most: float
    one_mask: bool = False

    def __call__(self, seed: int, first: int, count: int, threads: int | None) -> Array:
        del threads
        blocks = range(first // _BLOCK, (first + count - 1) // _BLOCK + 1)
        rows = np.concatenate([self._block(np.random.default_rng([seed, block])) for block in blocks])
        start = first - blocks[0] * _BLOCK
        return np.clip(rows[start : start + count], 0.0, self.most)

    def _block(self, rng: np.random.Generator) -> Array:
        d, M, a = self.resnet.width, self.resnet.inner_width, self.resnet.scaling
        h = np.zeros((_BLOCK, d, 2))  # two inputs of length one
        h[:, 0, :] = 1.0, _COSINE
        h[:, 1, 1] = math.sqrt(1.0 - _COSINE**2)
        layers = []
        for _ in range(self.resnet.depth):
            w = rng.standard_normal((_BLOCK, M, d), np.float32) / np.float32(math.sqrt(d))
            v = rng.standard_normal((_BLOCK, d, M), np.float32) / np.float32(math.sqrt(M))
            z = w @ h
            mask = (z > 0.0).astype(np.float64)
            if self.one_mask:
                mask[:, :, 1] = mask[:, :, 0]
            layers.append((h, mask, mask * z, v, w))
            h = h + a * (v @ (mask * z))
        p = rng.standard_normal((_BLOCK, d, 1))
        p = np.repeat(p / np.linalg.norm(p, axis=1, keepdims=True), 2, axis=2)
        kernel = np.zeros(_BLOCK)
        for h, mask, g, v, w in reversed(layers):
            q = mask * (np.swapaxes(v, 1, 2) @ p)
            kernel += a * a * (_product(p) * _product(g) + _product(q) * _product(h))
            p = p + a * (np.swapaxes(w, 1, 2) @ q)
        return kernel


def _product(x: Array) -> Array:
    return np.einsum("ni,ni->n", x[:, :, 0], x[:, :, 1])


def _experiment(name: str, resnet: ResNet, allowance: float, resolution: float) -> NumberOfRows:
    found = theory.wide_tangent_kernel(
        cosine=_COSINE, depth=resnet.depth, alpha=resnet.scaling,
        units_per_width=resnet.inner_width / resnet.width,
    )  # fmt: skip
    predicted = math.exp(found.log_kernel)
    # The limit does not vary: it is that of rows cut at five halves of it, nine standard deviations
    # above it, and at 0, six below.
    most = _MOST * predicted
    return NumberOfRows(
        theorem="J4b", name=name,
        quantity=f"E K(x, x')/(‖p_L‖² ‖h_0‖²) at cosine {_COSINE} {clipped_to(0.0, most)}",
        predicted=predicted, resolution=resolution * predicted, relative_to=predicted, first_rows=400,
        resnet=resnet, source=_Pairs(resnet, most), sequence=bounded(0.0, most),
        allowance=allowance * predicted,
    )  # fmt: skip


_SQUARE = ResNet(width=64, depth=6, alpha=0.35)
_UNITS = ResNet(width=64, depth=6, alpha=0.35, hidden_width=128)


def experiments() -> list[NumberOfRows]:
    """Return the experiments."""
    # Relative distances at these sizes, of 16,000 networks: 0.1 % each, with deviations of 0.1 %.
    return [
        _experiment("d = M = 64", _SQUARE, 0.004, 0.04),
        _experiment("d = 64, M = 128", _UNITS, 0.004, 0.1),  # for the factor M/d
    ]


def mutants() -> list[Mutant]:
    """Return wrong variants."""
    square, units = experiments()
    own = math.exp(theory.wide_tangent_kernel(cosine=1.0, depth=6, alpha=0.35).log_kernel)
    other = math.exp(theory.wide_tangent_kernel(cosine=_COSINE, depth=6, alpha=0.35).log_kernel)
    return [
        Mutant("the kernel of one input times the cosine", "theory",
               replace(square, predicted=_COSINE * own)),
        Mutant("the kernel of one input", "theory", replace(square, predicted=own)),
        Mutant("M = d for M = 2d", "theory", replace(units, predicted=other)),
        Mutant("one input's active units for both", "simulator",
               replace(square, source=_Pairs(_SQUARE, _MOST * square.predicted, one_mask=True))),
    ]  # fmt: skip
