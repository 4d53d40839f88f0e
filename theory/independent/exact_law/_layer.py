"""The law of `x = ½ log R` for one layer, R of statement I6: an atom at 0 and a density on graded panels.

Notation: d width, M hidden width (d in I6), a = α. With Y = χ_N (N ~ Bin(M, 1/2)) and w = aY/√(dM), I6 and
G1 read `R = |e + w ξ|²` for a unit vector e and ξ ~ N(0, I_d), so given Y the density of x is, with ν = d/2 −
1 and τ = w²,

    f(x | τ) = τ^{-1} exp((ν+2)x − (e^x − 1)²/(2τ)) · e^{-z} I_ν(z),    z = e^x/τ,

and f = Σ_n Bin(n) ∫ f(x | a²y²/(dM)) chi_n(y) dy. Two facts shape the quadratures:

* the integrand is doubly exponential in v = log y on both sides, so the trapezoidal rule in v converges
  geometrically, for every x at once, the tiny ones included;
* y^{n−1} at y → 0 makes f behave like |x|^{n−1} (times log|x| for odd n) at x = 0 with weight 2^{-M} C(M,
  n): the panels are bisected until their Legendre series have converged, which grades them dyadically
  towards 0 where the weight matters and costs nothing where it does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from theory.common._cached_property import cached_property
from theory.independent.exact_law._bessel import log_ive
from theory.independent.exact_law._panels import ORDER, PanelLaw, build_panels

Array = NDArray[np.float64]

# −log of the probability that a quadrature may leave out: 1.5e-18 a layer, so 1.5e-12 at a million layers.
_LOG_CUT = 41.0
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerLaw(PanelLaw):
    """Law of x = ½ log R, in natural-log units; the atom is 2^{-M}, no unit being active.

    Attributes
    ----------
    width, alpha : int, float
        d and a.
    hidden_width : int
        M, rows of W.
    """

    width: int
    alpha: float
    hidden_width: int

    @cached_property
    def moment_defect(self) -> float:
        """|E(R − 1) by quadrature − a²/2| in standard deviations of R: an independent check (I7)."""
        d, a, hidden = self.width, self.alpha, self.hidden_width
        # The square root of I7's and G1's variance, by hypot: a⁴ would overflow.
        quartic = ((d + 2.0) * (hidden + 5.0) - float(d) * hidden) / (4.0 * hidden)
        deviation = a / math.sqrt(d) * math.hypot(math.sqrt(2.0), a * math.sqrt(quartic))
        return abs(float(np.sum(self.weights * np.expm1(2.0 * self.nodes))) - 0.5 * a * a) / deviation


@lru_cache(maxsize=128)
def layer_law(
    width: int, alpha: float, *, hidden_width: int | None = None, order: int = ORDER, refine: float = 1.0
) -> LayerLaw:
    """Law of ½ log R of one layer.

    Parameters
    ----------
    width, alpha : int, float
        d and a, both positive; not checked here.
    hidden_width : int, optional
        M, the width by default.
    order : int, default 16
        Gauss nodes a panel.
    refine : float, default 1
        Divides the step of the quadrature over Y; with another `order` it gives the second answer that an
        a-posteriori error needs.

    Returns
    -------
    LayerLaw

    Examples
    --------
    >>> law = layer_law(2, 0.1)
    >>> print(f"{law.atom} {2 * law.mean / 0.1**2:.4f} {law.defect < 1e-12}")
    0.25 0.0000 True
    """
    hidden = width if hidden_width is None else hidden_width
    y, weight = active_norm(hidden, refine)
    one = alpha / math.sqrt(float(width) * hidden)  # w for Y = 1, the size of a single unit
    tau = (one * y) ** 2
    edges = radial_edges(
        width,
        largest=one * float(y[-1]),
        scale=min(alpha, 2.0) / math.sqrt(2.0 * width),
        centre=0.5 * math.log1p(0.5 * alpha**2),
        single=one,
    )
    # Rounding of the exponents (of size d log a above a = 1, of size log a below) makes noise that no
    # bisection removes. It differs from node to node, so it averages out: the moments of the law are far
    # more exact.
    size = abs(math.log(alpha))
    noise = 1e-15 * (4.0 + 3.0 * size + width * (1.0 + (size if alpha > 1.0 else 0.0)))
    atom = 2.0**-hidden
    panels = build_panels(
        lambda x: noncentral_density(x, width, tau, weight), edges, atom=atom, order=order, noise=noise
    )
    return LayerLaw(
        width=width,
        alpha=alpha,
        hidden_width=hidden,
        atom=atom,
        edges=panels.edges,
        coefficients=panels.coefficients,
        defect=panels.defect,
    )


def active_norm(units: int, refine: float = 1.0) -> tuple[Array, Array]:
    """Nodes and probabilities of Y = χ_N, N ~ Bin(units, 1/2), on {N ≥ 1}: the trapezoidal rule in log Y.

    Examples
    --------
    >>> y, weight = active_norm(3)
    >>> print(f"{weight.sum():.12f} {weight @ y**2:.12f}")  # 1 − 2^{-3} and 3/2
    0.875000000000 1.500000000000
    """
    lowest, highest = (1, units)
    if units > 64:  # below that even N = 1 may weigh more than the cut
        lowest, highest = (int(stats.binom.ppf(q, units, 0.5)) for q in (1e-19, 1.0 - 1e-15))
        highest = 2 * (units // 2) - lowest + 1  # symmetric: ppf near 1 is blind below 1e-16
    n = np.arange(lowest, highest + 1, dtype=np.float64)
    share = stats.binom.pmf(n, units, 0.5)
    # On the line Im v = θ the integral of |chi_n(e^v)| grows by (cos 2θ)^{-n/2}: the trapezoidal error is
    # the least of e^{-2πθ/step} (cos 2θ)^{-n/2} over θ, below 1e-15 for this step and n = half the units.
    step = min(0.1, 0.5 / math.sqrt(units)) / refine
    first = max(-38.0, 0.5 * math.log(float(stats.chi2.ppf(1e-19, lowest))))
    last = 0.5 * math.log(float(stats.chi2.isf(1e-19, highest)))
    v = np.arange(first, last + step, step)
    log_chi = (
        v[:, None] * n
        - 0.5 * np.exp(2.0 * v)[:, None]
        + (1.0 - 0.5 * n) * math.log(2.0)
        - special.gammaln(0.5 * n)
    )
    weight = step * (np.exp(log_chi) @ share)
    weight *= -math.expm1(-units * math.log(2.0)) / float(np.sum(weight))
    keep = np.flatnonzero(weight > 1e-22)
    chosen = slice(keep[0], keep[-1] + 1)
    return np.exp(v[chosen]), weight[chosen]


def radial_edges(width: int, *, largest: float, scale: float, centre: float, single: float) -> Array:
    """First panels of log|e + wξ|: graded around the mean and the singular point 0, so that no peak hides.

    Parameters
    ----------
    width : int
        d.
    largest : float
        Largest w; beyond the ends of the panels x has probability below e^{-41}.
    scale : float
        Size of the spread of x around `centre`.
    centre : float
        About the mean of x.
    single : float
        w of the smallest branch that counts, that of one active unit.

    Returns
    -------
    ndarray (panels + 1,)

    Examples
    --------
    >>> edges = radial_edges(4, largest=1.0, scale=0.3, centre=0.1, single=0.1)
    >>> bool(0.0 in edges), bool(edges[0] < -10), bool(edges[-1] > 2)
    (True, True, True)
    """
    w = largest
    z = 9.0  # P(|Z| > 9) = 2e-19
    # P(|e + wξ| ≤ ρ) ≤ (ρ/(1−ρ))^d whatever w is: the supremum over w of the density at distance 1 − ρ.
    lowest = -float(np.logaddexp(0.0, _LOG_CUT / width))
    if z * w < 1.0:
        lowest = max(lowest, math.log1p(-z * w))
    rest = float(stats.chi2.isf(1e-19, width - 1)) if width > 1 else 0.0
    highest = 0.5 * math.log1p(2.0 * z * w + (z * z + rest) * w * w)
    reach = max(highest, -lowest) * 2.0
    edges = [lowest, highest, 0.0]
    for middle, unit in ((centre, scale), (0.0, min(single, scale))):
        if middle > highest:
            continue
        edges.append(middle)
        for k in range(-1, max(0, math.ceil(math.log2(reach / unit))) + 1):
            edges += [middle - unit * 2.0**k, middle + unit * 2.0**k]
    inside = np.unique([e for e in edges if lowest <= e <= highest])
    # Two families of points may nearly meet; a sliver of a panel is harmless but useless.
    apart = np.concatenate([[True], np.diff(inside) > 1e-3 * min(scale, single)])
    apart |= (inside == 0.0) | (inside == highest)
    return inside[apart]


def noncentral_density(x: Array, width: int, tau: Array, weight: Array) -> Array:
    """Density of log|e + √τ ξ| at `x` (any shape), by the sum over nodes and probabilities of τ.

    Examples
    --------
    >>> noncentral_density(np.array([0.0]), 3, np.array([1.0]), np.array([1.0])).round(9)
    array([0.34495131])
    """
    flat = x.reshape(-1)
    out = np.empty_like(flat)
    block = max(1, _CHUNK // len(tau))
    order = 0.5 * width - 1.0
    log_weight = np.log(weight) - np.log(tau)
    for start in range(0, len(flat), block):
        part = flat[start : start + block]
        distance = np.expm1(part) ** 2
        exponent = log_weight - distance[:, None] / (2.0 * tau) + (0.5 * width + 1.0) * part[:, None]
        # e^{-120} is nothing, and e^{-z} I_ν(z) ≤ 1/√z for ν ≥ −1/2: this saves most of the Bessel functions.
        needed = exponent - 0.5 * (part[:, None] - np.log(tau)) > -120.0
        value = np.zeros(exponent.shape)
        z = np.broadcast_to(np.exp(part)[:, None] / tau, exponent.shape)[needed]
        value[needed] = np.exp(exponent[needed] + log_ive(order, z))
        out[start : start + block] = value.sum(axis=1)
    return out.reshape(x.shape)
