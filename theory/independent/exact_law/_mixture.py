"""The law of the norm ratio put together.

It is `p^L δ_0 + L p^{L−1} (one layer, continuous part) + (the rest)`, p = 2^{-d}. The first two terms come
from the density of one layer (`_exact_layer`), the rest from Fourier inversion (`_exact_fourier`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.independent.exact_law._fourier import GridLaw, invert, single_layer_share
from theory.independent.exact_law._layer import LayerLaw

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """The three terms of the law of log(‖h_L‖/‖h_0‖).

    Attributes
    ----------
    atom : float
        Mass 2^{-dL} at 0.
    share : float
        Factor L p^{L−1} of the continuous part of one layer's law; 0 where that is negligible.
    layer : LayerLaw
        Law of one layer.
    grid : GridLaw or None
        Centred law of the rest; None at depth 1, where nothing is left.
    shift : float
        What `grid` is centred at, L μ.
    """

    atom: float
    share: float
    layer: LayerLaw
    grid: GridLaw | None
    shift: float

    @classmethod
    def build(cls, layer: LayerLaw, depth: int, stretch: float = 1.0) -> Mixture:
        """Compute the law at `depth` layers, with a period longer by `stretch`."""
        return cls(
            atom=2.0 ** -(float(layer.width) * depth),
            share=single_layer_share(layer, depth),
            layer=layer,
            grid=None if depth == 1 else invert(layer, depth, stretch=stretch),
            shift=depth * layer.mean,
        )

    @property
    def truncation(self) -> float:
        """Estimated error of the cdf from ending the trigonometric series."""
        return 0.0 if self.grid is None else self.grid.truncation

    @property
    def ends(self) -> tuple[float, float]:
        """Interval that holds all the mass, as far as it is computed."""
        low, high = float(self.layer.edges[0]), float(self.layer.edges[-1])
        if self.grid is not None:
            low = min(low, self.grid.start + self.shift)
            high = max(high, self.grid.start + self.grid.step * len(self.grid.cdf) + self.shift)
        return low, high

    def cdf(self, x: Array) -> Array:
        """Distribution function (any shape)."""
        value = np.where(x >= 0.0, self.atom, 0.0)
        if self.share:
            value += self.share * self.layer.continuous_cdf(x)
        if self.grid is not None:
            value += self.grid.cdf_at(x - self.shift)
        return np.clip(value, 0.0, 1.0)

    def pdf(self, x: Array) -> Array:
        """Density of the continuous part (any shape)."""
        value = np.zeros(x.shape)
        if self.share:
            value += self.share * self.layer.continuous_pdf(x)
        if self.grid is not None:
            value += self.grid.pdf_at(x - self.shift)
        return value
