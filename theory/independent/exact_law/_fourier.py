"""Fourier inversion of the convolution of L layers' laws.

Notation: x_k independent with laws of ½ log R (`LayerLaw`), p = 2^{-M} the atom of each at 0, μ and σ² mean
and variance of one, φ its characteristic function, ψ = φ − p that of its continuous part; φ^L stands for the
product over the layers.

* φ at each t is a sum over panels: Gauss nodes where t × half width ≤ 8; otherwise Filon's rule with `∫
  P_n(u) e^{iku} du = 2 iⁿ j_n(k)` over (−1, 1). At high t it comes from the singular point 0 alone, hence
  varies like a power of t without oscillating, and Chebyshev interpolation in log t gives a whole octave
  from 16 values.
* φ^L = exp(L log1p(φ_c − 1)) with φ_c of x − μ, and φ_c − 1 summed as −2 sin²(·/2) + i sin(·): relative
  accuracy as t → 0, without which a million layers would magnify the rounding of φ.
* Where few units are active in the whole net, φ^L decays slowly: p^L + L p^{L−1} ψ are taken out (their law
  is known without inversion), and what remains has at least two active units and falls like t^{-2}.
* Periodising on [lowest, lowest + P] costs at most the mass outside, which Chernoff's bound sets to 2e-13;
  the periodised distribution function is a trigonometric series.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy import special

from theory.independent.exact_law._layer import LayerLaw
from theory.independent.exact_law._layer_sum import LayerSum

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_LOG_OUTSIDE = 30.0  # −log of the mass left outside the period on each side
_GAUSS_PHASE = 8.0  # Gauss nodes serve up to this t × half width, Filon beyond
_OCTAVE = 16
_FIRST_TERMS = 256
_DIRECT_TERMS = 1024
_MOST_TERMS = 1 << 17
_CHUNK = 1 << 16
_LAST_TERM = 1e-13  # the series ends where |φ^L| is below it; its tail adds a sixth of that


@dataclass(frozen=True, kw_only=True, eq=False)
class GridLaw:
    """A (sub)probability law on an equidistant grid, with quintic Hermite interpolation of its cdf.

    Attributes
    ----------
    start, step : float
        First node and spacing.
    cdf, pdf, slope : ndarray (nodes,)
        Distribution function, density and its derivative at the nodes.
    truncation : float
        Estimated error of the cdf from ending the trigonometric series.
    """

    start: float
    step: float
    cdf: Array
    pdf: Array
    slope: Array
    truncation: float

    def cdf_at(self, x: Array) -> Array:
        """Distribution function at x (any shape)."""
        cell, u = self._locate(x)
        h = self.step
        low, high = self.cdf[cell], self.cdf[cell + 1]
        # Basis of the quintic with given value, slope and curvature at both ends.
        u3 = u * u * u
        to_high = u3 * (10.0 - 15.0 * u + 6.0 * u * u)
        first = u - u3 * (6.0 - 8.0 * u + 3.0 * u * u)
        second = 0.5 * u * u * (1.0 - u) ** 3
        last = -u3 * (4.0 - 7.0 * u + 3.0 * u * u)
        final = 0.5 * u3 * (1.0 - u) ** 2
        value = (
            low
            + (high - low) * to_high
            + h * (self.pdf[cell] * first + self.pdf[cell + 1] * last)
            + h * h * (self.slope[cell] * second + self.slope[cell + 1] * final)
        )
        return np.clip(value, low, high)  # rounding in the far tails must not break monotony

    def pdf_at(self, x: Array) -> Array:
        """Density at x (any shape): cubic Hermite interpolation; 0 outside the grid."""
        cell, u = self._locate(x)
        low, high = self.pdf[cell], self.pdf[cell + 1]
        v = 1.0 - u
        bend = self.step * u * v * (self.slope[cell] * v - self.slope[cell + 1] * u)
        value = low + (high - low) * u * u * (3.0 - 2.0 * u) + bend
        outside = (x < self.start) | (x > self.start + self.step * (len(self.cdf) - 1))
        return np.where(outside, 0.0, np.maximum(value, 0.0))

    def _locate(self, x: Array) -> tuple[NDArray[np.intp], Array]:
        place = np.clip((x - self.start) / self.step, 0.0, len(self.cdf) - 1.0)
        cell = np.minimum(place.astype(np.intp), len(self.cdf) - 2)
        return cell, place - cell


def continuous_cf(law: LayerLaw, t: Array) -> tuple[Complex, Complex]:
    """Characteristic function of the continuous part of one layer, two ways.

    Parameters
    ----------
    law : LayerLaw
        Law of ½ log R.
    t : ndarray (frequencies,)
        Non-negative frequencies, in radians per natural-log unit.

    Returns
    -------
    plain, reduced : ndarrays (frequencies,)
        ψ(t) = E[e^{itx}; continuous] and E[e^{it(x−μ)}; continuous] − (1 − atom), the second with relative
        accuracy as t → 0.

    Examples
    --------
    >>> import numpy as np
    >>> from theory.independent.exact_law._layer import layer_law
    >>> plain, _ = continuous_cf(layer_law(3, 0.5), np.array([0.0, 1.0, 30.0]))
    >>> np.round(plain, 6)
    array([0.875   +0.j      , 0.85639 +0.022853j, 0.088367+0.007046j])
    """
    widest_first = np.argsort(law.half)[::-1]
    half, middle = law.half[widest_first], law.middle[widest_first]
    nodes, weights = law.nodes[widest_first] - law.mean, law.weights[widest_first]
    series = law.coefficients[widest_first]
    mass = 2.0 * half * series[:, 0]
    plain = np.empty(len(t), dtype=np.complex128)
    reduced = np.empty(len(t), dtype=np.complex128)
    # Number of panels, the widest, that need Filon's rule at each t: those with equally many go together.
    wide = np.searchsorted(-half, -_GAUSS_PHASE / np.maximum(t, 1e-300), side="left")
    bounds = np.flatnonzero(np.diff(wide)) + 1
    for start, stop in itertools.pairwise([0, *bounds.tolist(), len(t)]):
        filon = int(wide[start])
        node, weight = nodes[filon:].reshape(-1), weights[filon:].reshape(-1)
        rows = max(1, _CHUNK // max(1, node.size))
        for first in range(start, stop, rows):
            part = slice(first, min(first + rows, stop))
            frequency = t[part]
            half_phase = np.multiply.outer(frequency, 0.5 * node)
            sine = np.sin(half_phase)
            value = (sine * np.cos(half_phase)) @ weight * 2j - (sine * sine) @ weight * 2.0
            # Not value + (1 − atom) in the end: at high t that cancels.
            inner = value + float(np.sum(weight))
            if filon:
                turn = np.exp(1j * np.multiply.outer(frequency, middle[:filon] - law.mean)) * half[:filon]
                wave = _filon(series[:filon], np.multiply.outer(frequency, half[:filon]))
                outer = np.sum(turn * wave, axis=1)
                value += outer - float(np.sum(mass[:filon]))
                inner += outer
            reduced[part] = value
            plain[part] = inner * np.exp(1j * frequency * law.mean)
    return plain, reduced


def _filon(series: Array, k: Array) -> Complex:
    """Σ_n c_n 2 iⁿ j_n(k), c in rows of Legendre coefficients (panels, order), for k > 8 (any, panels)."""
    # Upward recurrence: it loses at most two digits for n < 20 at k = 8, where c_n is tiny already.
    inverse = 1.0 / k
    before = np.sin(k) * inverse
    now = (before - np.cos(k)) * inverse
    parts = [series[:, 0] * before, series[:, 1] * now]  # i⁰ and i¹; signs of the higher powers
    for n in range(2, series.shape[1]):
        before, now = now, (2 * n - 1) * inverse * now - before
        parts[n % 2] += (series[:, n] if n % 4 < 2 else -series[:, n]) * now
    return 2.0 * (parts[0] + 1j * parts[1])


def invert(layers: LayerSum, *, stretch: float = 1.0) -> GridLaw:
    """Law of Σ (x_k − μ_k) by Fourier inversion, without the parts that need none.

    Parameters
    ----------
    layers : LayerSum
        Laws of the layers, at least one layer.
    stretch : float, default 1
        Widens the period; another value gives the second answer that an a-posteriori error needs.

    Returns
    -------
    GridLaw
        Whole law when `layers.single` is 0; otherwise the part where two layers or more have active
        units. The point Σ x_k = 0 is a node of the grid.

    Examples
    --------
    >>> from theory.independent.exact_law._layer import layer_law
    >>> law = invert(LayerSum(laws=(layer_law(40, 0.1),), counts=(100,)))
    >>> print(f"{law.cdf[0]:.3f} {law.cdf[-1]:.12f} {law.truncation < 1e-12}")
    0.000 1.000000000000 True
    """
    lowest, highest = (stretch * end for end in _bounds(layers))
    period = highest - lowest
    spectrum, truncation = _spectrum(layers, 2.0 * math.pi / period)
    terms = len(spectrum)  # t_k = 2πk/period, k = 0 .. terms − 1
    deviation = math.sqrt(layers.variance)
    # Quintic interpolation of the highest terms kept is worth 1e-8 of them at 8 nodes a term; very long
    # series are long because they fall slowly, and their last terms are tiny.
    finest = max((8.0 if terms <= 1 << 15 else 4.0) * terms, 64.0 * period / deviation)
    nodes = 1 << math.ceil(math.log2(finest))
    step = period / nodes
    # Put Σ x_k = 0 on a node: the law has its kink there.
    start = lowest + math.fmod(-layers.mean - lowest, step)
    t = 2.0 * math.pi / period * np.arange(terms)
    amplitude = np.conj(spectrum * np.exp(-1j * t * start))
    scale = nodes / period
    pdf = scale * np.fft.irfft(_padded(amplitude, nodes), nodes)
    slope = scale * np.fft.irfft(_padded(amplitude * 1j * t, nodes), nodes)
    integral = amplitude.copy()
    integral[0] = 0.0
    integral[1:] /= 1j * t[1:]
    wave = scale * np.fft.irfft(_padded(integral, nodes), nodes)
    mass = float(spectrum[0].real)
    cdf = wave - wave[0] + np.arange(nodes) * (step * mass / period)
    return GridLaw(
        start=start,
        step=step,
        cdf=np.maximum.accumulate(np.clip(cdf, 0.0, mass)),
        pdf=np.maximum(pdf, 0.0),
        slope=slope,
        truncation=truncation,
    )


def _padded(values: Complex, nodes: int) -> Complex:
    out = np.zeros(nodes // 2 + 1, dtype=np.complex128)
    out[: len(values)] = values
    return out


def _bounds(layers: LayerSum) -> tuple[float, float]:
    """Chernoff bounds (b₋, b₊): Σ (x_k − μ_k) is outside with probability at most 2e-13."""
    deviation = math.sqrt(layers.variance)
    ends = []
    for sign in (-1.0, 1.0):
        best = math.inf
        for theta in sign * math.sqrt(2.0 * _LOG_OUTSIDE) / deviation * 2.0 ** np.arange(-8.0, 4.5, 0.5):
            # Where it would overflow it cannot be the best: E e^{θx} is astronomical.
            best = min(best, (layers.log_moment(theta) + _LOG_OUTSIDE) / abs(theta))
        ends.append(sign * best)
    return ends[0], ends[1]


def _spectrum(layers: LayerSum, spacing: float) -> tuple[Complex, float]:
    """Characteristic function of what is inverted, at k·spacing (centred), and the truncation error."""
    pieces: list[Complex] = []
    done = 0
    size = _FIRST_TERMS
    while True:
        # Multiples, not an accumulated sum: the phases must be exact to rounding.
        k = np.arange(done, done + size, dtype=np.float64)
        t = spacing * k
        values = continuous_cf if done < _DIRECT_TERMS else _octave
        plain, reduced = zip(*(values(law, t) for law in layers.laws), strict=True)
        pieces.append(_power(layers, t, plain, reduced))
        done += size
        # Judged by p + |ψ|, not by |φ|: with a large a, φ^L revives periodically (the sum is nearly a
        # lattice variable).
        last = _largest(layers, [float(np.max(np.abs(psi[-(size // 8) :]))) for psi in plain])
        if last < _LAST_TERM or done >= _MOST_TERMS:
            break
        size = done
    spectrum = np.concatenate(pieces)
    # Beyond the end |φ^L| falls at least like 1/t², so Σ |φ^L|/(πk) ≤ last/(2π).
    if last < _LAST_TERM:
        return spectrum, last / (2.0 * math.pi)
    # A series cut short rings over the whole period; a smooth taper confines its error to the kink at 0,
    # for four times the bound there, since the terms suffer from half the length on.
    taper = np.ones(done)
    taper[done // 2 :] = _smooth_step((np.arange(done // 2, done) - done // 2) / (done - done // 2))
    return spectrum * taper, 4.0 * last / (2.0 * math.pi)


def _smooth_step(u: Array) -> Array:
    """Infinitely smooth descent from 1 at u = 0 to 0 at u = 1."""
    inside = np.clip(u, 1e-3, 1.0 - 1e-3)
    value = special.expit(1.0 / inside - 1.0 / (1.0 - inside))
    return np.where(u <= 0.0, 1.0, np.where(u >= 1.0, 0.0, value))


def _largest(layers: LayerSum, modulus: list[float]) -> float:
    """Largest modulus of what is inverted where |ψ| of each law is at most `modulus`."""
    if layers.single:
        return float(layers.at_least_two([np.array([size]) for size in modulus])[0].real)
    sizes = np.minimum(1.0, layers.atom + np.array(modulus))
    return math.exp(float(np.dot(layers.counts, np.log(np.maximum(sizes, 1e-300)))))


def _octave(law: LayerLaw, t: Array) -> tuple[Complex, Complex]:
    """ψ on [t_0, ~2 t_0] from its values at Chebyshev points of log t."""
    low, high = math.log(t[0]), math.log(t[-1])
    u = np.cos(math.pi * (np.arange(_OCTAVE) + 0.5) / _OCTAVE)
    points = np.exp(0.5 * (low + high) + 0.5 * (high - low) * u)
    values, _ = continuous_cf(law, points)
    # ψ·t is nearly constant: interpolating it instead of ψ gains three digits.
    fit = np.linalg.solve(chebyshev.chebvander(u, _OCTAVE - 1), values * points)
    plain = chebyshev.chebval((np.log(t) - 0.5 * (low + high)) / (0.5 * (high - low)), fit) / t
    checks = np.linspace(0, len(t) - 1, 7).astype(np.intp)
    mistake = float(np.max(np.abs(plain[checks] - continuous_cf(law, t[checks])[0])))
    if mistake > 1e-10 * float(np.max(np.abs(values))) + 1e-14:
        return continuous_cf(law, t)  # the bulk of the law still oscillates here: slow but sure
    turned = plain * np.exp(-1j * t * law.mean) - (1.0 - law.atom)
    return plain.astype(np.complex128), turned.astype(np.complex128)


def _power(layers: LayerSum, t: Array, plain: tuple[Complex, ...], reduced: tuple[Complex, ...]) -> Complex:
    """φ^L − p^L − p^{L−1} Σψ, centred; the last two only where `layers.single` says so."""
    if layers.single:
        # Here L is small (L M < 50), so plain products lose nothing.
        more = np.asarray(layers.at_least_two(list(plain)), np.complex128)
        return more * np.exp(-1j * t * layers.mean)
    exponent = np.zeros(len(t), np.complex128)
    for law, count, value in zip(layers.laws, layers.counts, reduced, strict=True):
        half_turn = 0.5 * t * law.mean
        total = value + law.atom * (-2.0 * np.sin(half_turn) ** 2 - 1j * np.sin(2.0 * half_turn))
        real, imaginary = total.real, total.imag
        # By hand: NumPy's complex log1p takes log|1 + z|, an absolute error of 1e-16 that L = 1e6 makes
        # 1e-10.
        excess = real * (2.0 + real) + imaginary * imaginary
        log_modulus = 0.5 * np.log1p(np.maximum(excess, 1e-15 - 1.0))
        exponent += count * (log_modulus + 1j * np.arctan2(imaginary, 1.0 + real))
    return np.exp(exponent)
