"""The law of `x = ½ log R` for one layer, R of statement I6: an atom at 0 and a density on graded panels.

Notation: d width, a = α. With Y = χ_N (N ~ Bin(d, 1/2)) and w = aY/d, I6 reads `R = |e + w ξ|²` for a unit
vector e and ξ ~ N(0, I_d), so given Y the density of x is, with ν = d/2 − 1 and τ = w²,

    f(x | τ) = τ^{-1} exp((ν+2)x − (e^x − 1)²/(2τ)) · e^{-z} I_ν(z),    z = e^x/τ,

and f = Σ_n Bin(n) ∫ f(x | a²y²/d²) chi_n(y) dy. Two facts shape the quadratures:

* the integrand is doubly exponential in v = log y on both sides, so the trapezoidal rule in v converges
  geometrically, for every x at once, the tiny ones included;
* y^{n−1} at y → 0 makes f behave like |x|^{n−1} (times log|x| for odd n) at x = 0 with weight 2^{-d} C(d,
  n): the panels are bisected until their Legendre series have converged, which grades them dyadically
  towards 0 where the weight matters and costs nothing where it does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy import special, stats

from theory.independent.exact_law._bessel import log_ive

Array = NDArray[np.float64]

# −log of the probability that a quadrature may leave out: 1.5e-18 a layer, so 1.5e-12 at a million layers.
_LOG_CUT = 41.0
_ORDER = 16
_MAX_BISECTIONS = 60
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerLaw:
    """Law of x = ½ log R: mass `atom` at 0 and a density in piecewise Legendre series.

    Attributes
    ----------
    width, alpha : int, float
        d and a.
    atom : float
        2^{-d}, the probability that no unit is active.
    edges : ndarray (panels + 1,)
        Increasing ends of the panels, natural-log units.
    coefficients : ndarray (panels, order)
        Legendre coefficients of the density on each panel; its total mass is 1 − atom.
    defect : float
        |mass found − (1 − atom)| before it was normalised away: a check on the quadratures.
    """

    width: int
    alpha: float
    atom: float
    edges: Array
    coefficients: Array
    defect: float

    @cached_property
    def half(self) -> Array:
        """Half widths of the panels (panels,)."""
        return 0.5 * np.diff(self.edges)

    @cached_property
    def middle(self) -> Array:
        """Centres of the panels (panels,)."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @cached_property
    def nodes(self) -> Array:
        """Gauss nodes of all panels (panels, order)."""
        return self.middle[:, None] + self.half[:, None] * _gauss(self.coefficients.shape[1])[0]

    @cached_property
    def weights(self) -> Array:
        """Probability carried by each node (panels, order); they sum to 1 − atom."""
        order = self.coefficients.shape[1]
        points, gauss = _gauss(order)
        density = self.coefficients @ legendre.legvander(points, order - 1).T
        return density * gauss * self.half[:, None]

    @cached_property
    def mean(self) -> float:
        """E ½ log R."""
        return float(np.sum(self.weights * self.nodes))

    @cached_property
    def variance(self) -> float:
        """Var ½ log R."""
        centred = self.nodes - self.mean
        return float(np.sum(self.weights * centred**2)) + self.atom * self.mean**2

    @cached_property
    def moment_defect(self) -> float:
        """|E(R − 1) by quadrature − a²/2| in standard deviations of R: an independent check (I7)."""
        d, a = self.width, self.alpha
        # The square root of I7's variance, by hypot: a⁴ would overflow.
        deviation = a / math.sqrt(d) * math.hypot(math.sqrt(2.0), a * math.sqrt((7.0 * d + 10.0) / (4.0 * d)))
        return abs(float(np.sum(self.weights * np.expm1(2.0 * self.nodes))) - 0.5 * a * a) / deviation

    @cached_property
    def _integral(self) -> tuple[Array, Array]:
        """Legendre series of the integral from the left end of each panel, and the mass before each panel."""
        series = np.zeros((len(self.half), self.coefficients.shape[1] + 1))
        series[:, :] = legendre.legint(self.coefficients, lbnd=-1, axis=1) * self.half[:, None]
        mass = 2.0 * self.half * self.coefficients[:, 0]
        return series, np.concatenate([[0.0], np.cumsum(mass)])

    def continuous_cdf(self, x: Array) -> Array:
        """Mass of the continuous part below x, from 0 to 1 − atom (any shape)."""
        series, before = self._integral
        panel, u = self._locate(x)
        inside = before[panel] + _clenshaw(series, panel, u)
        return np.where(x < self.edges[0], 0.0, np.where(x > self.edges[-1], before[-1], inside))

    def continuous_pdf(self, x: Array) -> Array:
        """Density of the continuous part (any shape); very large, not infinite, where it is singular."""
        panel, u = self._locate(x)
        inside = (x >= self.edges[0]) & (x <= self.edges[-1])
        return np.where(inside, np.maximum(_clenshaw(self.coefficients, panel, u), 0.0), 0.0)

    def _locate(self, x: Array) -> tuple[NDArray[np.intp], Array]:
        panel = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self.half) - 1)
        return panel, np.clip((x - self.middle[panel]) / self.half[panel], -1.0, 1.0)


@lru_cache(maxsize=16)
def layer_law(width: int, alpha: float, *, order: int = _ORDER, refine: float = 1.0) -> LayerLaw:
    """Law of ½ log R of one layer.

    Parameters
    ----------
    width, alpha : int, float
        d and a, both positive; not checked here.
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
    y, weight = _active_norm(width, refine)
    tau = (alpha * y / width) ** 2
    lowest, highest, scale = _range(width, alpha, float(y[-1]))
    edges = _first_edges(lowest, highest, scale, width, alpha)
    points, _ = _gauss(order)
    transform = _legendre_transform(order)
    left, right = edges[:-1], edges[1:]
    kept: list[tuple[Array, Array, Array]] = []
    # Rounding of the exponents (of size d log a above a = 1, of size log a below) makes noise that no
    # bisection removes. It differs from node to node, so it averages out: the moments of the law are far
    # more exact.
    size = abs(math.log(alpha))
    noise = 1e-15 * (4.0 + 3.0 * size + width * (1.0 + (size if alpha > 1.0 else 0.0)))
    for bisection in range(_MAX_BISECTIONS + 1):
        half = 0.5 * (right - left)
        nodes = 0.5 * (right + left)[:, None] + half[:, None] * points
        coefficients = _density(nodes, width, tau, weight) @ transform
        tail = (np.abs(coefficients[:, -1]) + np.abs(coefficients[:, -2])) * half
        done = tail <= np.maximum(1e-17, noise * np.abs(coefficients[:, 0]) * half)
        if bisection == _MAX_BISECTIONS:
            done[:] = True
        kept.append((left[done], right[done], coefficients[done]))
        left, right = left[~done], right[~done]
        if len(left) == 0:
            break
        centre = 0.5 * (left + right)
        left, right = np.concatenate([left, centre]), np.concatenate([centre, right])
    starts = np.concatenate([k[0] for k in kept])
    ends = np.concatenate([k[1] for k in kept])
    coefficients = np.concatenate([k[2] for k in kept])
    by_place = np.argsort(starts)
    coefficients = coefficients[by_place]
    edges = np.append(starts[by_place], ends[by_place][-1])
    atom = 2.0**-width
    mass = float(np.sum(coefficients[:, 0] * np.diff(edges)))
    return LayerLaw(
        width=width,
        alpha=alpha,
        atom=atom,
        edges=edges,
        coefficients=coefficients * ((1.0 - atom) / mass),
        defect=abs(mass - (1.0 - atom)),
    )


def _active_norm(width: int, refine: float) -> tuple[Array, Array]:
    """Nodes and probabilities of Y = χ_N on {N ≥ 1}: the trapezoidal rule in log Y."""
    lowest, highest = (1, width)
    if width > 64:  # below that even N = 1 may weigh more than the cut
        lowest, highest = (int(stats.binom.ppf(q, width, 0.5)) for q in (1e-19, 1.0 - 1e-15))
        highest = 2 * (width // 2) - lowest + 1  # symmetric: ppf near 1 is blind below 1e-16
    n = np.arange(lowest, highest + 1, dtype=np.float64)
    share = stats.binom.pmf(n, width, 0.5)
    # On the line Im v = θ the integral of |chi_n(e^v)| grows by (cos 2θ)^{-n/2}: the trapezoidal error is
    # the least of e^{-2πθ/step} (cos 2θ)^{-n/2} over θ, below 1e-15 for this step and n = d/2.
    step = min(0.1, 0.5 / math.sqrt(width)) / refine
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
    weight *= -math.expm1(-width * math.log(2.0)) / float(np.sum(weight))
    keep = np.flatnonzero(weight > 1e-22)
    chosen = slice(keep[0], keep[-1] + 1)
    return np.exp(v[chosen]), weight[chosen]


def _range(width: int, alpha: float, largest: float) -> tuple[float, float, float]:
    """Interval outside which x has probability below e^{-41}, and a scale of x inside it."""
    w = alpha * largest / width
    z = 9.0  # P(|Z| > 9) = 2e-19
    # P(|e + wξ| ≤ ρ) ≤ (ρ/(1−ρ))^d whatever w is: the supremum over w of the density at distance 1 − ρ.
    lowest = -float(np.logaddexp(0.0, _LOG_CUT / width))
    if z * w < 1.0:
        lowest = max(lowest, math.log1p(-z * w))
    rest = float(stats.chi2.isf(1e-19, width - 1)) if width > 1 else 0.0
    highest = 0.5 * math.log1p(2.0 * z * w + (z * z + rest) * w * w)
    return lowest, highest, min(alpha, 2.0) / math.sqrt(2.0 * width)


def _first_edges(lowest: float, highest: float, scale: float, width: int, alpha: float) -> Array:
    """Panels graded around the mean and around the singular point 0, so that no peak hides between nodes."""
    reach = max(highest, -lowest) * 2.0
    edges = [lowest, highest, 0.0]
    for centre, unit in ((0.5 * math.log1p(0.5 * alpha**2), scale), (0.0, min(alpha / width, scale))):
        if centre > highest:
            continue
        edges.append(centre)
        for k in range(-1, max(0, math.ceil(math.log2(reach / unit))) + 1):
            edges += [centre - unit * 2.0**k, centre + unit * 2.0**k]
    inside = np.unique([e for e in edges if lowest <= e <= highest])
    # Two families of points may nearly meet; a sliver of a panel is harmless but useless.
    apart = np.concatenate([[True], np.diff(inside) > 1e-3 * min(scale, alpha / width)])
    apart |= (inside == 0.0) | (inside == highest)
    return inside[apart]


def _density(x: Array, width: int, tau: Array, weight: Array) -> Array:
    """Density of the continuous part at `x` (any shape), by the sum over the nodes of τ."""
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


@lru_cache(maxsize=8)
def _gauss(order: int) -> tuple[Array, Array]:
    return legendre.leggauss(order)


@lru_cache(maxsize=8)
def _legendre_transform(order: int) -> Array:
    """Matrix (order nodes, order coefficients) from values at Gauss nodes to Legendre coefficients."""
    points, gauss = _gauss(order)
    return gauss[:, None] * legendre.legvander(points, order - 1) * (np.arange(order) + 0.5)


def _clenshaw(series: Array, row: NDArray[np.intp], u: Array) -> Array:
    """Value at u of the Legendre series in the given rows of `series`."""
    after = np.zeros_like(u)
    now = np.zeros_like(u)
    for n in range(series.shape[1] - 1, 0, -1):
        after, now = now, series[row, n] + (2 * n + 1) / (n + 1) * u * now - (n + 1) / (n + 2) * after
    return series[row, 0] + u * now - 0.5 * after
