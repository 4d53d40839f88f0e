"""The law of the norm ratio put together.

It is `p^L δ_0 + p^{L−1} Σ (one layer, continuous part) + (the rest)`, p = 2^{-M}. The first two terms come
from the density of one layer (`_layer`), the rest from Fourier inversion (`_fourier`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.independent.exact_law._fourier import GridLaw, invert
from theory.independent.exact_law._layer_sum import LayerSum

Array = NDArray[np.float64]

_BISECTIONS = 62


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """The three terms of the law of log(‖h_L‖/‖h_0‖).

    Attributes
    ----------
    atom : float
        Mass 2^{-ML} at 0.
    layers : LayerSum
        Laws of the layers.
    grid : GridLaw or None
        Centred law of the rest; None at depth 1, where nothing is left.
    shift : float
        What `grid` is centred at, the sum of the means.
    """

    atom: float
    layers: LayerSum
    grid: GridLaw | None
    shift: float

    @classmethod
    def build(cls, layers: LayerSum, stretch: float = 1.0) -> Mixture:
        """Compute the law of the sum, with a period longer by `stretch`."""
        return cls(
            atom=2.0 ** -(float(layers.hidden_width) * layers.depth),
            layers=layers,
            grid=None if layers.depth == 1 else invert(layers, stretch=stretch),
            shift=layers.mean,
        )

    @property
    def truncation(self) -> float:
        """Estimated error of the cdf from ending the trigonometric series."""
        return 0.0 if self.grid is None else self.grid.truncation

    @property
    def ends(self) -> tuple[float, float]:
        """Interval that holds all the mass, as far as it is computed."""
        low = min(float(law.edges[0]) for law in self.layers.laws)
        high = max(float(law.edges[-1]) for law in self.layers.laws)
        if self.grid is not None:
            low = min(low, self.grid.start + self.shift)
            high = max(high, self.grid.start + self.grid.step * len(self.grid.cdf) + self.shift)
        return low, high

    def cdf(self, x: Array) -> Array:
        """Distribution function (any shape)."""
        value = np.where(x >= 0.0, self.atom, 0.0)
        if self.layers.single:
            for law, count in zip(self.layers.laws, self.layers.counts, strict=True):
                value += self.layers.single * count * law.continuous_cdf(x)
        if self.grid is not None:
            value += self.grid.cdf_at(x - self.shift)
        return np.clip(value, 0.0, 1.0)

    def pdf(self, x: Array) -> Array:
        """Density of the continuous part (any shape)."""
        value = np.zeros(x.shape)
        if self.layers.single:
            for law, count in zip(self.layers.laws, self.layers.counts, strict=True):
                value += self.layers.single * count * law.continuous_pdf(x)
        if self.grid is not None:
            value += self.grid.pdf_at(x - self.shift)
        return value

    def ppf(self, probability: Array) -> Array:
        """Quantiles (any shape): exactly 0 where the jump covers the probability, infinite at 0 and 1."""
        flat = probability.reshape(-1)
        low, high = (np.full(flat.shape, end) for end in self.ends)
        below, at = (float(self.cdf(np.array(x))) for x in (-5e-324, 0.0))
        negative, positive = flat <= below, flat > at
        high[negative], low[positive] = np.minimum(high[negative], 0.0), np.maximum(low[positive], 0.0)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            up = self.cdf(middle) < flat
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        out = np.where(negative | positive, high, 0.0)
        out = np.where(flat == 0.0, -np.inf, np.where(flat == 1.0, np.inf, out))
        return out.reshape(probability.shape)
