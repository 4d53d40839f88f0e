"""What belongs together in the arguments of the token engine's kernel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from montecarlo.engines.tokens._powers import Powers

Array = npt.NDArray[np.float64]

CHUNK = 128
"""Units that are drawn at a time."""


class Sizes(NamedTuple):
    """Whole numbers of a specification, and rows and columns that are padded."""

    tokens: int
    rows: int
    """Rows of tokens, n in whole fours."""
    vectors: int
    """Rows of tokens and of their tangents, where there are any."""
    columns: int
    """`vectors` in whole eights: elements of a row of a matrix of vectors."""
    width: int
    stride: int
    """The width in whole eights."""
    depth: int
    heads: int
    kv_heads: int
    head_width: int
    factors: int
    """Columns of a head's factors: head_width, or `vectors` where Bartlett's decomposition is smaller."""
    factor_stride: int
    """Those in whole eights."""
    hidden: int
    patch_dim: int
    """0 for embeddings alone."""


class Words(NamedTuple):
    """Words of the sentence, by code."""

    norm: np.int64
    placement: np.int64
    embedding_norm: bool
    attention: np.int64
    position: np.int64
    activation: np.int64
    gated: bool
    has_output: bool
    qk_norm: bool
    bartlett: bool
    """Whether heads draw Gram factors in place of coordinates."""


class Scales(NamedTuple):
    """Real numbers of a specification."""

    eps: float
    skip: float
    logit_scale: float
    logit_cap: float
    """0 for none."""
    query: float
    key: float
    value: float
    output: float
    up: float
    gate: float
    down: float
    qkv_bias: float
    output_bias: float
    up_bias: float
    down_bias: float
    token: float
    position: float
    segment: float


class Tables(NamedTuple):
    """Arrays of a specification."""

    alphas: Array
    """a_k."""
    sinusoids: Array
    """Fixed positions, (rows, stride) flat; empty for none."""
    cosines: Array
    """Of the rotary angles, (rows, head_width / 2) flat; empty for none."""
    sines: Array
    buckets: npt.NDArray[np.int64]
    """Of relative positions, (tokens, tokens) flat; empty for none."""


class Observed(NamedTuple):
    """Columns of the rows; what nobody asked for has no rows."""

    log_rms: Array
    cosine: Array
    rank: Array
    tangent: Array
    entropy: Array
    deviation: Array
    token_log_rms: Array
    token_cosine: Array


class Stream(NamedTuple):
    """Vectors in `stride` coordinates, and a last block of four rows: ones, and nothing."""

    x: Array
    branch: Array
    gram: Array
    """Of `vectors` + 4 rows: the last but three holds the sums of coordinates."""
    sums: Array
    """What a Gram matrix is folded from."""
    input: Array
    """Gram matrix of a branch's input, (vectors, columns)."""
    factor: Array
    """Its Cholesky factor; so is `other`, of a second matrix."""
    other: Array
    coefficients: npt.NDArray[np.float32]
    gate_coefficients: npt.NDArray[np.float32]
    largest: Array
    """Coefficient of each row of the last that were loaded."""
    powers: Powers
    """That all of these are held over."""


class Work(NamedTuple):
    """Room to work in."""

    counters: npt.NDArray[np.float32]
    normals: npt.NDArray[np.float32]
    images: npt.NDArray[np.float32]
    gates: npt.NDArray[np.float32]
    slopes: npt.NDArray[np.float32]
    hidden: Array
    queries: Array
    keys: Array
    values: Array
    drawn: Array
    transposed: Array
    logits: Array
    mixing: Array
    mask: Array
    relative: Array
    chis: Array
    concatenated: Array


_INT, _FLOAT, _BOOL = types.int64, types.float64, types.boolean
_DOUBLES = types.float64[::1]
SIZES = types.NamedUniTuple(_INT, 14, Sizes)
WORDS = types.NamedTuple([_INT, _INT, _BOOL, _INT, _INT, _INT, _BOOL, _BOOL, _BOOL, _BOOL], Words)
SCALES = types.NamedUniTuple(_FLOAT, 18, Scales)
TABLES = types.NamedTuple([_DOUBLES] * 4 + [types.int64[::1]], Tables)
OBSERVED = types.NamedTuple([types.float64[:, ::1]] * 4 + [types.float64[:, :, ::1]] * 4, Observed)


class Network(NamedTuple):
    """A specification, as the kernel has it."""

    sizes: Any
    words: Any
    scales: Any
    tables: Any
