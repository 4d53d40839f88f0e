"""
The law of Γ = Σ_k a_k² G_k, the sum of the layers' branch energies behind a norm (N1, N11).

`G_k = Σ_m σ(s_k z_m)²/M`, z_m independent standard normals, s_k the factor between norm and W. Given Γ
everything is Gaussian, so every law of the chapter is a mixture over the nodes found here.

* ReLU with a_k s_k the same at all layers: M Γ is (a s)² χ²_N with N ~ Bin(LM, 1/2), by the quadrature of the
  exact
  law of un-normalised networks (I6), for every LM.
* Otherwise the characteristic function `Π_k φ(a_k² t/M)^M` is inverted on a period: φ of one unit is in
  closed form
  for ReLU, (1 + (1 − 2it)^{-1/2})/2, and a quadrature over z for the others. The equidistant nodes are the
  rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from theory.common._activations import Activation, activation_function
from theory.common._gaussian_moments import Z_WEIGHTS, Z
from theory.common._validate import FloatArray
from theory.independent.exact_law._layer import active_norm

FEWEST_UNITS = 48
"""Units Σ_k M from which on the characteristic function falls fast enough to be inverted."""

_LAST_TERM = 1e-10
_MOST_TERMS = 1 << 15


@dataclass(frozen=True, kw_only=True, eq=False)
class EnergyLaw:
    """
    Law of Γ as nodes.

    Attributes
    ----------
    atom : float
        P(Γ = 0).
    nodes, weights : ndarray of float64 (nodes,)
        Γ > 0 and probabilities; they sum to 1 − atom.
    single : float
        Size of the energy of one unit, the scale on which the law is singular at 0.
    """

    atom: float
    nodes: FloatArray
    weights: FloatArray
    single: float


@lru_cache(maxsize=32)
def energy_law(
    activation: Activation, *, hidden_width: int, squares: tuple[float, ...], scales: tuple[float, ...]
) -> EnergyLaw:
    """
    Return the law of Γ.

    Parameters
    ----------
    activation : str or callable
        σ.
    hidden_width : int
        M.
    squares, scales : tuple of float (depth,)
        a_k² >= 0, not all 0, and s_k.

    Raises
    ------
    ValueError
        If there are fewer than 48 units and the law is not that of ReLU with one scaling.

    Examples
    --------
    >>> law = energy_law("tanh", hidden_width=8, squares=(0.1,) * 12, scales=(1.0,) * 12)
    >>> print(f"{law.weights.sum():.7f} {law.weights @ law.nodes:.7f}")  # Σ a² c
    1.0000000 0.4731534
    """
    if activation == "relu":
        sizes = np.array(squares) * np.square(scales)
        used = sizes[sizes > 0]
        if used.size and np.ptp(used) <= 1e-14 * used[0]:
            units = used.size * hidden_width
            y, weight = active_norm(units)
            single = float(used[0]) / hidden_width
            return EnergyLaw(atom=2.0 ** -float(units), nodes=single * y * y, weights=weight, single=single)
    return _inverted(activation, hidden_width, np.array(squares), np.array(scales))


def _inverted(activation: Activation, M: int, squares: FloatArray, scales: FloatArray) -> EnergyLaw:
    pairs, counts = np.unique(np.stack([squares, scales])[:, squares > 0], axis=1, return_counts=True)
    units = int(counts.sum()) * M
    if units < FEWEST_UNITS:
        raise ValueError(
            f"depth * hidden_width = {units}: must be >= {FEWEST_UNITS} for the exact law of this activation "
            "and schedule; give relu with one alpha, or more units"
        )
    f = activation_function(activation)
    values = [np.square(f(s * Z)) * (a / M) for a, s in pairs.T]
    means = np.array([Z_WEIGHTS @ x for x in values])
    spread = np.array([Z_WEIGHTS @ np.square(x) for x in values]) - means**2
    mean, deviation = M * float(counts @ means), float(np.sqrt(M * (counts @ spread)))
    # The right tail of a unit of linear growth is that of θχ²₁, below e^{-Γ/(2θ)}.
    largest = float(np.max(pairs[0] * np.square(pairs[1]))) / M
    low = max(0.0, mean - 9.0 * deviation)
    high = mean + 9.0 * deviation + 60.0 * largest
    period = high - low
    pieces: list[np.ndarray] = []
    done, size = 0, 128
    while True:
        t = 2 * np.pi / period * np.arange(done, done + size)
        log_phi = -1j * t * low
        for (a, s), x, n in zip(pairs.T, values, counts, strict=True):
            if activation == "relu":
                phi = 0.5 + 0.5 / np.sqrt(1 - 2j * t * (a * s * s / M))
            else:
                phi = np.exp(1j * np.outer(t, x)) @ Z_WEIGHTS
            with np.errstate(divide="ignore"):
                log_phi = log_phi + n * M * np.log(phi)
        pieces.append(np.exp(log_phi))
        done += size
        if float(np.max(np.abs(pieces[-1][-size // 4 :]))) < _LAST_TERM or done >= _MOST_TERMS:
            break
        size = done
    spectrum = np.conj(np.concatenate(pieces))
    # Twice the frequencies kept: what a mixture makes of the nodes is smooth on their distance.
    nodes = 2 * done
    padded = np.zeros(nodes // 2 + 1, np.complex128)
    padded[:done] = spectrum
    weights = np.maximum(np.fft.irfft(padded, nodes), 0.0)
    points = np.asarray(low + period / nodes * np.arange(nodes), np.float64)
    keep = (weights > 1e-18) & (points > 0)
    weights = weights[keep] / weights[keep].sum()
    return EnergyLaw(atom=0.0, nodes=points[keep], weights=weights, single=mean / units)
