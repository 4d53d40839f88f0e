"""What the wide recursion of tokens knows of a transformer, in plain numbers (`TokenLayers`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from theory.common import _validate
from theory.common._activations import Activation
from theory.common._gaussian_moments import slope_function
from theory.common._layers import per_layer
from theory.common._validate import FloatArray
from theory.tokens._softmax import LARGEST_DEVIATION

Mask = Literal["full", "causal"]
Placement = Literal["none", "pre", "post", "peri"]
_GAIN = "give the mean square that an input of mean square 1 leaves"


@dataclass(frozen=True, kw_only=True)
class TokenAttention:
    """
    An attention branch of a wide transformer: its logits, and what it multiplies mean squares by.

    Parameters
    ----------
    logit_deviation : float
        Standard deviation of q_i · k_j times its scale for inputs of mean square 1, d_h large: with entries
        of W_Q and W_K of deviation s and the scale 1/√d_h it is d s². 0 is uniform attention.
    gain : float
        Mean square of the output where all values are one token of mean square 1: (d s_V²)(H d_h s_O²).
    mask : {"full", "causal"}, default "full"
        Which tokens a token sees: all, or itself and those before.
    rotary : tuple of float, optional
        Angles a position of rotary embeddings, one a pair of coordinates of a head; none by default.
    query_bias, value_bias, output_bias : float, optional
        Variances of biases over those of W x for inputs of mean square 1 (of queries and keys; of values),
        and of the output's coordinates; 0 by default.
    position_deviation : float, optional
        Deviation of biases of the logits that depend on i − j alone, 0 by default.
    logit_cap : float, optional
        c of c tanh(logit/c); none by default.
    normalised_queries : bool, optional
        Whether queries and keys are behind an RMS norm, so that logits do not see the size of the input; not
        by default.

    Raises
    ------
    ValueError
        If a number is out of range or a word unknown.
    """

    logit_deviation: float
    gain: float
    mask: Mask = "full"
    rotary: tuple[float, ...] = ()
    query_bias: float = 0.0
    value_bias: float = 0.0
    output_bias: float = 0.0
    position_deviation: float = 0.0
    logit_cap: float | None = None
    normalised_queries: bool = False

    def __post_init__(self) -> None:
        fix = "give the deviation of the logits, 0 for uniform attention"
        _validate.real(
            "logit_deviation", self.logit_deviation, above=0, below=LARGEST_DEVIATION,
            closed_above=True, closed_below=True,
            fix=fix,
        )  # fmt: skip
        _validate.real("gain", self.gain, above=0, closed_above=True, fix=_GAIN)
        _validate.choice("mask", self.mask, get_args(Mask), fix="choose one")
        fix = "give the deviation of relative biases, 0 for none"
        _validate.real("position_deviation", self.position_deviation, above=0, closed_above=True, fix=fix)
        for name in ("query_bias", "value_bias", "output_bias"):
            _bias(name, getattr(self, name))
        if self.logit_cap is not None:
            _validate.real("logit_cap", self.logit_cap, above=0, fix="give the cap, or leave it out")
        if self.rotary:
            _validate.real("rotary", self.rotary, fix="give the angle of each pair of coordinates")


@dataclass(frozen=True, kw_only=True)
class TokenMlp:
    """
    An MLP branch of a wide transformer.

    Parameters
    ----------
    input_variance : float
        Variance of W_1 x for an input of mean square 1: d s².
    gain : float
        Mean square of the output for hidden units of mean square 1: M s².
    activation : str or callable, default "relu"
        σ.
    derivative : callable, optional
        σ', needed beside a function.
    gate_variance : float, optional
        Of a gated MLP, σ(W_1 x) · W_3 x: d s² of W_3. Not gated by default.
    input_bias, output_bias : float, optional
        Variances of the biases beside W_1 x (and W_3 x) and of the output; 0 by default.

    Raises
    ------
    ValueError
        If a number is out of range, or a function has no derivative beside it.
    """

    input_variance: float
    gain: float
    activation: Activation = "relu"
    derivative: Activation | None = None
    gate_variance: float | None = None
    input_bias: float = 0.0
    output_bias: float = 0.0

    def __post_init__(self) -> None:
        fix = "give the width times the variance of a weight"
        _validate.real("input_variance", self.input_variance, above=0, closed_above=True, fix=fix)
        _validate.real("gain", self.gain, above=0, closed_above=True, fix=_GAIN)
        if self.gate_variance is not None:
            _validate.real("gate_variance", self.gate_variance, above=0, closed_above=True, fix=fix)
        _bias("input_bias", self.input_bias)
        _bias("output_bias", self.output_bias)
        slope_function(self.activation, self.derivative)


def _bias(field: str, value: float) -> None:
    _validate.real(field, value, above=0, closed_above=True, fix="give the variance of the biases")


@dataclass(frozen=True, kw_only=True)
class TokenLayers:
    """
    The layers of a wide transformer: attention, then an MLP, each added to the stream.

    Parameters
    ----------
    depth : int
        L >= 0.
    attention : TokenAttention, optional
        None for networks without.
    mlp : TokenMlp, optional
        None for networks without.
    norm : {"pre", "post", "peri", "none"}, default "pre"
        Where norms of gain 1 stand: on the input of each branch; on the stream after each addition; on the
        input and the output of each branch; nowhere.
    centred : bool, default False
        Whether they are layer norms, which take the mean coordinate of a token away: at d → ∞ it matters
        where the embedding has one, as sinusoids have.
    norm_eps : float, optional
        ε inside the norms; 0 by default.
    alpha : float or array_like (depth,), optional
        Factor of the branches, one for all layers or one each; 1 by default.
    skip : float or array_like (depth,), optional
        Factor of the stream before an addition; 1 by default.

    Raises
    ------
    ValueError
        If a number is out of range or a word unknown.

    Examples
    --------
    >>> branch = TokenAttention(logit_deviation=0.3, gain=0.1, mask="causal")
    >>> layers = TokenLayers(depth=12, attention=branch, mlp=TokenMlp(input_variance=0.3, gain=0.1))
    >>> layers.branch_factors.shape, layers.norm
    ((12,), 'pre')
    """

    depth: int
    attention: TokenAttention | None = None
    mlp: TokenMlp | None = None
    norm: Placement = "pre"
    centred: bool = False
    norm_eps: float = 0.0
    alpha: npt.ArrayLike = 1.0
    skip: npt.ArrayLike = 1.0

    def __post_init__(self) -> None:
        _validate.depth(self.depth)
        _validate.choice("norm", self.norm, get_args(Placement), fix="choose one")
        fix = "give the number inside the square root"
        _validate.real("norm_eps", self.norm_eps, above=0, closed_above=True, fix=fix)
        for _ in (self.branch_factors, self.stream_factors):
            pass

    @property
    def branch_factors(self) -> FloatArray:
        """Factors of the branches, (depth,)."""
        fix = "give the factors before the branches"
        return np.asarray(per_layer("alpha", self.alpha, int(self.depth), positive=True, fix=fix))

    @property
    def stream_factors(self) -> FloatArray:
        """Factors of the stream, (depth,)."""
        fix = "give the factors of the stream, 1 for none"
        return np.asarray(per_layer("skip", self.skip, int(self.depth), positive=False, fix=fix))
