"""Matérn processes of half-integer smoothness by their exact Markov recursion.

In units where ``(D + 1)^{p+1} f = white noise``, the chain ``(D + 1) y_0 = w, (D + 1) y_i = y_{i-1}`` ends in
f = y_p, the Matérn process with ν = p + 1/2. Its impulse responses are ``s^i e^{-s} / i!``, so over a step a

    y_i(t + a) = e^{-a} Σ_{j<=i} a^{i-j} / (i-j)! y_j(t) + noise,
    Cov(noise)_{ij} = ∫_0^a s^{i+j} e^{-2s} ds / (i! j!),

and a → ∞ gives the stationary covariance. Every term is positive, hence nothing cancels, however small or
large the step is beside the scale. That is why this is preferred to circulant embedding, whose padding (some
10 scales) grows without bound for scales above the depth, and to a low rank, which these kernels do not have.
The cost is p + 1 normals a layer and no FFT.
"""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import kernel
from montecarlo.processes._factor import Fill, Float32, Float64, PathFactor

_ZERO = np.uint64(0)
_BLOCK = np.uint64(512)  # entries whose states stay in the first cache


@kernel
def _recur(transition, noise, order, scale, state, normals, layers, entries, out):
    """Advance the states by some layers of normals (layers * order, entries), and store f.

    `state` is (order, entries) in float64; `transition` and `noise` are (order, order), lower triangular.
    """
    for begin in range(_ZERO, entries, _BLOCK):
        first = np.uint64(begin)
        last = min(first + _BLOCK, entries)
        for k in range(_ZERO, layers):
            for step in range(_ZERO, order):
                i = order - np.uint64(1) - np.uint64(step)  # downwards: y_i needs the old y_j, j < i
                y = i * entries
                c = transition[i * order + i]
                for e in range(first, last):
                    state[y + np.uint64(e)] *= c
                for j in range(_ZERO, i):
                    c = transition[i * order + np.uint64(j)]
                    x = np.uint64(j) * entries
                    for e in range(first, last):
                        state[y + np.uint64(e)] += c * state[x + np.uint64(e)]
                for j in range(_ZERO, i + np.uint64(1)):
                    c = noise[i * order + np.uint64(j)]
                    z = (np.uint64(k) * order + np.uint64(j)) * entries
                    for e in range(first, last):
                        state[y + np.uint64(e)] += c * np.float64(normals[z + np.uint64(e)])
            y = (order - np.uint64(1)) * entries
            target = np.uint64(k) * entries
            for e in range(first, last):
                out[target + np.uint64(e)] = np.float32(scale * state[y + np.uint64(e)])


def _gamma_distribution(n: int, x: float) -> float:
    """Return P(Γ_n <= x) for whole n, to full relative accuracy."""
    if x > 2.0 * n:
        return 1.0 - sum(math.exp(k * math.log(x) - math.lgamma(k + 1) - x) for k in range(n))
    term = math.exp(-x) * x**n / math.factorial(n)
    total, k = 0.0, n
    while term > 1e-18 * total:
        total += term
        k += 1
        term *= x / k
    return total


def _noise_factor(order: int, step: float) -> Float64:
    """Return a lower triangular root of the noise's covariance over a step (math.inf: stationary)."""

    def covariance(i: int, j: int) -> float:
        n = i + j
        reached = 1.0 if step == math.inf else _gamma_distribution(n + 1, 2.0 * step)
        return math.comb(n, i) * reached / 2.0 ** (n + 1)

    root = [[0.0] * order for _ in range(order)]
    for i in range(order):
        for j in range(i + 1):
            left = covariance(i, j) - sum(root[i][k] * root[j][k] for k in range(j))
            root[i][j] = math.sqrt(left) if i == j else left / root[j][j]
    return np.array(root)


class MarkovFactor(PathFactor):
    """Paths of a Matérn process with ν = order - 1/2 by recursion over the layers, in float64.

    Parameters
    ----------
    depth : int
        L.
    order : int
        p + 1, the numbers that make the state.
    step : float
        √(2ν) times the distance of layers over the scale.
    """

    def __init__(self, depth: int, order: int, step: float) -> None:
        super().__init__(depth, depth * order)
        self._order = order
        decay = math.exp(-step)
        powers = [decay * step**i / math.factorial(i) if decay else 0.0 for i in range(order)]
        self._transition = np.array(
            [[powers[i - j] if i >= j else 0.0 for j in range(order)] for i in range(order)]
        )
        self._noise = _noise_factor(order, step)
        self._start = _noise_factor(order, math.inf)
        self._scale = 1.0 / math.sqrt(math.comb(2 * (order - 1), order - 1) / 2.0 ** (2 * order - 1))

    def paths(self, fill: Fill, entries: int) -> Float32:
        """Return paths; see `PathFactor.paths`."""
        order = self._order
        out = np.empty((self.depth, entries), np.float32)
        state = np.zeros(order * entries)
        noise = self._start
        chunks = [(0, 1), *((1 + a, 1 + b) for a, b in self._row_chunks(self.depth - 1, order * entries))]
        for first, last in chunks:
            normals = np.empty(((last - first) * order, entries), np.float32)
            fill(first * order, normals)
            _recur(
                self._transition.reshape(-1), noise.reshape(-1), np.uint64(order), self._scale, state,
                normals.reshape(-1), np.uint64(last - first), np.uint64(entries), out[first:last].reshape(-1),
            )  # fmt: skip
            noise = self._noise
        return out

    def matrix(self) -> Float64:
        """Return F."""
        order = self._order
        out = np.empty((self.depth, self.normals))
        state = np.zeros((order, self.normals))
        for k in range(self.depth):
            state = self._transition @ state
            state[:, k * order : (k + 1) * order] = self._noise if k else self._start
            out[k] = self._scale * state[-1]
        return out
