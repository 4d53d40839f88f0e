"""
The wide limit of random transformers: Gram matrices of tokens and of tangents (T4, T4b; *derived*).

d, the heads' width d_h and number, and the hidden width → ∞, n tokens stay. Σ_ij = x_i·x_j/d and T_ij =
τ_i·τ_j/d (τ a tangent of all tokens that is isotropic at layer 0: T = I, and x_i·τ_j/d stays 0) then follow
a recursion. Each branch begins and ends with fresh matrices, so it adds its own Gram matrix to the
stream's.

- norm: Σ_ij/(r_i r_j), T_ij/(r_i r_j), r² = Σ_ii + ε: its rank-one projections are worth O(1/d). A layer norm
  takes the mean coordinates away first, which only the embedding has: branches end with centred matrices.
- MLP: u = W_1 x is normal of covariance v Σ + b²; it adds g E σ(u_i)σ(u_j) to Σ, and g v E σ'(u_i)σ'(u_j)
  T_ij to T; a gate multiplies as a product rule says.
- attention: queries and keys are independent given nothing, logits normal with covariance s² Σ_ii' Σ_jj' (for
  rotary embeddings times the mean cosine of the angle i − i' − (j − j')). It adds g E (A Σ Aᵀ) to Σ and
  g E (A T Aᵀ + dA Σ dAᵀ) to T, where the logits change by normals of covariance s²(T_ii' Σ_jj' + Σ_ii'
  T_jj').

The means over softmax take the tokens that a row sees for exchangeable: of their logits only the variance of
differences counts and, for two rows, its correlation; both are the layer's averages. Then only the overlap E
Σ_j A_j A'_j is left to compute (`_softmax`), rows sum to 1 and row sums of dA to 0. This is exact for uniform
attention and any Σ, and for softmax where all norms are one and all cosines one; between them it errs by the
spread of the cosines times the square of the logits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import integrate

from theory.common import _validate
from theory.common._validate import FloatArray
from theory.tokens._attention import checked_gram
from theory.tokens._kernels import TokenKernel
from theory.tokens._layers import TokenAttention, TokenLayers, TokenMlp
from theory.tokens._softmax import RowMoments, SoftmaxRows


@dataclass(frozen=True)
class WideTokens:
    """
    Gram matrices of the tokens of a wide transformer along depth.

    Attributes
    ----------
    gram : ndarray of float64 (depth + 1, tokens, tokens)
        x_i · x_j/d of the stream.
    tangent : ndarray of float64 (depth + 1, tokens, tokens)
        τ_i · τ_j/d of a tangent that is isotropic at layer 0, where it is the identity.
    entropy : ndarray of float64 (depth, tokens)
        Mean entropy of the attention weights of each token, natural log.
    added : ndarray of float64 (depth,)
        Natural log of the factor by which a layer's branches multiply the mean square of the stream, before
        post-norms divide; with pre-norms and skip 1 the sum is log S_L/S_0.
    """

    gram: FloatArray
    tangent: FloatArray
    entropy: FloatArray
    added: FloatArray

    @property
    def log_rms(self) -> FloatArray:
        """Natural log of the root mean square of the stream over tokens and coordinates, (depth + 1,)."""
        return 0.5 * np.log(np.trace(self.gram, axis1=1, axis2=2) / self.gram.shape[1])

    @property
    def cosine(self) -> FloatArray:
        """Mean cosine over the pairs of tokens, (depth + 1,); NaN for one token."""
        rms = np.sqrt(np.diagonal(self.gram, axis1=1, axis2=2))
        cosines = self.gram / (rms[:, :, None] * rms[:, None, :])
        pairs = np.triu_indices(self.gram.shape[1], 1)
        if not pairs[0].size:
            return np.full(len(self.gram), np.nan)
        return cosines[:, pairs[0], pairs[1]].mean(1)

    @property
    def log_tangent(self) -> FloatArray:
        """Natural log of the root of E‖J t‖²/‖t‖², t an isotropic tangent of all tokens, (depth + 1,)."""
        return 0.5 * np.log(np.trace(self.tangent, axis1=1, axis2=2) / self.tangent.shape[1])


def wide_tokens(
    gram: npt.ArrayLike, *, layers: TokenLayers, means: npt.ArrayLike | None = None
) -> WideTokens:
    """
    Return the wide limit of a random transformer's tokens and tangents at layers 0 to L (T4b; *derived*).

    Networks of width d are off by O(1/d) in mean. By J0 the growth of tangents is that of gradients, for an
    isotropic read-out of all tokens.

    Parameters
    ----------
    gram : array_like (tokens, tokens)
        x_i · x_j/d at the input: the identity for independent embeddings of variance 1.
    layers : TokenLayers
        The network.
    means : array_like (tokens,), optional
        Mean coordinate of each token at the input, which `gram` includes; 0 by default. Layer norms see it.

    Returns
    -------
    WideTokens

    Raises
    ------
    ValueError
        If `gram` is no Gram matrix, `means` do not fit to it, a token is 0 in front of a norm without ε, or
        the logits of a layer have a deviation beyond 30.

    Examples
    --------
    >>> block = {"attention": TokenAttention(logit_deviation=1.0, gain=1.0), "mlp": TokenMlp(
    ...     input_variance=2.0, gain=1.0)}
    >>> path = wide_tokens(np.eye(8), layers=TokenLayers(depth=24, norm="pre", **block))
    >>> print(f"{path.log_rms[-1]:.3f} {path.cosine[-1]:.3f} {path.log_tangent[-1]:.3f}")
    1.869 0.817 1.811
    """
    S = checked_gram(gram)
    if layers.norm != "none" and layers.norm_eps == 0 and np.any(np.diag(S) <= 0):
        raise ValueError("gram: must have a positive diagonal in front of a norm; give norm_eps > 0")
    stream = _Stream(S, np.eye(len(S)), _means(means, S), layers)
    branches = _branches(layers)
    grams, tangents = [stream.gram], [stream.tangent]
    entropy = np.full((int(layers.depth), len(S)), np.nan)
    added = np.zeros(int(layers.depth))
    for k, (a, b) in enumerate(zip(layers.branch_factors, layers.stream_factors, strict=True)):
        for branch in branches:
            N, TN = stream.normalised() if layers.norm in ("pre", "peri") else (stream.gram, stream.tangent)
            B, TB, found = branch(N, TN)
            if layers.norm == "peri":
                B, TB = _divided(B, TB, layers.norm_eps)
            added[k] += stream.add(a, b, B, TB)
            if found is not None:
                entropy[k] = found
        grams.append(stream.gram)
        tangents.append(stream.tangent)
    return WideTokens(np.stack(grams), np.stack(tangents), entropy, added)


Step = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray, FloatArray | None]]
"""Gram matrices of a branch's input and its tangents to those it adds, and the entropies of its weights."""


def _branches(layers: TokenLayers) -> list[Step]:
    found: list[Step] = []
    if layers.attention is not None:
        found.append(_AttentionStep(layers.attention))
    if layers.mlp is not None:
        found.append(_MlpStep(layers.mlp))
    return found


def _means(means: npt.ArrayLike | None, gram: FloatArray) -> FloatArray:
    """Return the mean coordinates, or refuse those that no tokens of this Gram matrix have."""
    fix = "give the mean coordinate of each token, or leave them out"
    mu = np.zeros(len(gram)) if means is None else _validate.real("means", means, fix=fix)
    if mu.shape != (len(gram),):
        raise ValueError(f"means of shape {mu.shape}: must be ({len(gram)},), one a token; {fix}")
    if np.any(mu**2 > np.diag(gram) * (1 + 1e-9)):
        raise ValueError(f"means: must be at most the root mean square of a token in size; {fix}")
    return mu


def _divided(S: FloatArray, T: FloatArray, eps: float) -> tuple[FloatArray, FloatArray]:
    r = np.sqrt(np.diag(S) + eps)
    size = np.outer(r, r)
    return S / size, T / size


@dataclass
class _Stream:
    """Gram matrices of the stream and of tangents, and its mean coordinates: branches have none."""

    gram: FloatArray
    tangent: FloatArray
    means: FloatArray
    layers: TokenLayers

    def normalised(self) -> tuple[FloatArray, FloatArray]:
        centre = np.outer(self.means, self.means) if self.layers.centred else 0.0
        return _divided(self.gram - centre, self.tangent, self.layers.norm_eps)

    def add(self, a: float, b: float, branch: FloatArray, tangent: FloatArray) -> float:
        """Add a branch, and return the log of what it multiplies the mean square by."""
        kept = b * b * float(np.trace(self.gram))
        self.gram = b * b * self.gram + a * a * branch
        grown = float(np.trace(self.gram))
        self.tangent = b * b * self.tangent + a * a * tangent
        self.means = b * self.means
        if self.layers.norm == "post":
            r = np.sqrt(np.diag(self.gram) + self.layers.norm_eps)
            self.gram, self.tangent = self.normalised()
            self.means = np.zeros_like(r) if self.layers.centred else self.means / r
        return math.log(grown / kept) if kept > 0.0 and grown > 0.0 else math.inf


class _MlpStep:
    """The Gram matrices that an MLP adds, from those of its input."""

    def __init__(self, mlp: TokenMlp) -> None:
        self._mlp, self._kernel = mlp, TokenKernel(mlp.activation, mlp.derivative)

    def __call__(self, N: FloatArray, T: FloatArray) -> tuple[FloatArray, FloatArray, None]:
        mlp = self._mlp
        values, slopes = self._kernel.products(mlp.input_variance * N + mlp.input_bias)
        tangent = mlp.input_variance * slopes * T
        if mlp.gate_variance is not None:
            gate = mlp.gate_variance * N + mlp.input_bias
            tangent = tangent * gate + values * mlp.gate_variance * T
            values = values * gate
        return mlp.gain * values + mlp.output_bias, mlp.gain * tangent, None


class _AttentionStep:
    """The Gram matrices that attention adds, from those of its input."""

    def __init__(self, attention: TokenAttention) -> None:
        self._of = attention

    def __call__(self, N: FloatArray, T: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        of, n = self._of, len(N)
        seen = np.arange(1, n + 1, dtype=np.int_) if of.mask == "causal" else np.full(n, n, dtype=np.int_)
        keys = N + of.query_bias
        size = float(np.mean(np.diag(keys))) if of.normalised_queries else 1.0
        keys, moved = keys / size, T / size
        own, across = _Contrast(keys, seen, of.rotary), _Contrast(moved, seen, of.rotary)
        deviation, factor = _capped(of.logit_deviation * math.sqrt(own.typical(keys)), of.logit_cap)
        total = math.hypot(deviation, of.position_deviation)
        share = (deviation / total) ** 2 if total > 0.0 else 0.0
        rows = SoftmaxRows(total, share * own.correlation(keys), n)
        values = N + of.value_bias
        out, answer = np.empty((n, n)), np.empty((n, n))
        shared, joint = _Shared(values), _Shared(T)
        ones = {int(m): rows.one(int(m)) for m in set(seen.tolist())}
        for i in range(n):
            for j in range(i, n):
                m, extra = int(seen[i]), int(seen[j] - seen[i])
                row = ones[m] if i == j else rows.two(m, extra)
                change = keys[i, j] * across.of(i - j, m) + moved[i, j] * own.of(i - j, m)
                change *= (of.logit_deviation * factor) ** 2
                out[i, j] = out[j, i] = shared.mixed(row, m, extra)
                answer[i, j] = answer[j, i] = joint.mixed(row, m, extra) + change * row.response * (
                    shared.contrast(m)
                )
        entropies = {int(m): rows.entropy(int(m)) for m in set(seen.tolist())}
        entropy = np.array([entropies[int(m)] for m in seen])
        return of.gain * out + of.output_bias, of.gain * answer, entropy


class _Shared:
    """Sums of a Gram matrix over the first tokens, and what attention makes of it."""

    def __init__(self, matrix: FloatArray) -> None:
        blocks = np.cumsum(np.cumsum(matrix, axis=0), axis=1)
        self._blocks, self._traces = blocks, np.cumsum(np.diag(matrix))

    def mixed(self, row: RowMoments, seen: int, extra: int) -> float:
        """Return E Σ_jj' A_j A'_j' M_jj'."""
        m, most = seen, seen + extra
        trace, block = self._traces[m - 1], self._blocks[m - 1, m - 1]
        same = row.overlap / m
        beside = self._blocks[m - 1, most - 1] - block
        alone = 1.0 / (m * most)
        # Σ_j' E A_j A'_j' = 1/m, as rows sum to 1.
        unequal = (1.0 / m - same - extra * alone) / (m - 1) if m > 1 else 0.0
        return float(same * trace + unequal * (block - trace) + alone * beside)

    def contrast(self, seen: int) -> float:
        """Return the mean of the diagonal minus that of the rest."""
        m = seen
        if m == 1:
            return 0.0
        trace, block = self._traces[m - 1], self._blocks[m - 1, m - 1]
        return float(trace / m - (block - trace) / (m * (m - 1)))


class _Contrast:
    """
    Covariances of differences of logits.

    With κ(l) the mean cosine of rotary angles over l positions (1 without), of(p, m) is the mean over j ≠ j'
    of the first m tokens of M_jj κ(p) − M_jj' κ(p − j + j').
    """

    def __init__(self, matrix: FloatArray, seen: npt.NDArray[np.int_], rotary: tuple[float, ...]) -> None:
        n = len(matrix)
        self._seen = seen
        lags = np.arange(-2 * n + 2, 2 * n - 1)
        kappa = np.cos(np.multiply.outer(lags, rotary)).mean(1) if rotary else np.ones(lags.size)
        self._kappa = kappa[np.abs(lags).argmin() :]  # from lag 0 on; cosines are even
        lag = np.arange(n)[:, None] - np.arange(n)
        traces = np.cumsum(np.diag(matrix))
        self._table = np.zeros((n, n + 1))
        for p in range(n if rotary else 1):
            weighted = matrix * self._kappa[np.abs(-p - lag)]
            blocks = np.cumsum(np.cumsum(weighted, axis=0), axis=1)
            own = np.cumsum(np.diag(weighted))
            for m in range(2, n + 1):
                beside = (blocks[m - 1, m - 1] - own[m - 1]) / (m * (m - 1))
                self._table[p, m] = self._kappa[p] * traces[m - 1] / m - beside
        if not rotary:
            self._table[:] = self._table[0]

    def of(self, lag: int, seen: int) -> float:
        return float(self._table[abs(lag), seen])

    def typical(self, rows: FloatArray) -> float:
        """Return the variance of a logit beside those of its row, averaged over rows that see two or more."""
        values = [rows[i, i] * self.of(0, int(m)) for i, m in enumerate(self._seen) if m > 1]
        return max(float(np.mean(values)), 0.0) if values else 0.0

    def correlation(self, rows: FloatArray) -> float:
        """Return the correlation of two rows' logits of one token, averaged over pairs of rows."""
        alone = self.typical(rows)
        pairs = [
            rows[i, j] * self.of(i - j, int(min(self._seen[i], self._seen[j])))
            for i in range(len(rows))
            for j in range(i + 1, len(rows))
            if min(self._seen[i], self._seen[j]) > 1
        ]
        if not pairs or alone <= 0.0:
            return 0.0
        return float(np.clip(np.mean(pairs) / alone, -1.0, 1.0))


def _capped(deviation: float, cap: float | None) -> tuple[float, float]:
    """Return the deviation of c tanh(ℓ/c) and its mean slope, ℓ normal."""
    deviation = float(deviation)
    if cap is None or deviation == 0.0:
        return deviation, 1.0
    density = 1.0 / math.sqrt(2.0 * math.pi)

    def mean(function: Callable[[float], float]) -> float:
        def weighted(z: float) -> float:
            return density * math.exp(-0.5 * z * z) * function(deviation * z / cap)

        return 2.0 * integrate.quad(weighted, 0.0, 9.0)[0]

    return math.sqrt(mean(lambda y: (cap * math.tanh(y)) ** 2)), mean(
        lambda y: math.cosh(min(y, 350.0)) ** -2
    )
