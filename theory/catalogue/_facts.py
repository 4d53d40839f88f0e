"""`Facts`: what the hypotheses of a theorem may ask about a network, in plain numbers and words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from theory.common import _validate

Limit = Literal["depth", "width"]
BlockName = Literal["res-1", "res-2", "res-3", "post-activation", "balanced", "vanilla", "transformer"]
AttentionName = Literal["none", "uniform", "constant", "softmax"]
NormName = Literal[
    "none", "pre-rms", "pre-layer", "pre-tanh", "post-rms", "post-layer", "peri-rms", "peri-layer"
]
ScheduleKind = Literal["constant", "vanishing", "other"]


class Traits(NamedTuple):
    """What theorems ask of an activation σ.

    Attributes
    ----------
    homogeneous : bool
        σ(cx) = c σ(x) for c > 0: linear on either side of 0.
    below_identity : bool
        |σ(x)| <= |x| everywhere.
    lipschitz : bool
        Lipschitz, hence of linear growth.
    smooth : bool
        Bounded derivatives of every order.
    """

    homogeneous: bool
    below_identity: bool
    lipschitz: bool
    smooth: bool


TRAITS: dict[str, Traits] = {
    "erf": Traits(homogeneous=False, below_identity=False, lipschitz=True, smooth=True),
    "gelu": Traits(homogeneous=False, below_identity=True, lipschitz=True, smooth=True),
    "identity": Traits(homogeneous=True, below_identity=True, lipschitz=True, smooth=True),
    "leaky-relu": Traits(homogeneous=True, below_identity=True, lipschitz=True, smooth=False),
    "relu": Traits(homogeneous=True, below_identity=True, lipschitz=True, smooth=False),
    "sin": Traits(homogeneous=False, below_identity=True, lipschitz=True, smooth=True),
    "softplus": Traits(homogeneous=False, below_identity=False, lipschitz=True, smooth=True),
    "tanh": Traits(homogeneous=False, below_identity=True, lipschitz=True, smooth=True),
}
"""Traits of the activations known by name."""

UNKNOWN = Traits(homogeneous=False, below_identity=False, lipschitz=False, smooth=False)
"""Traits of an activation of which nothing is known: no theorem is taken to cover it by accident."""


@dataclass(frozen=True, kw_only=True)
class WeightFacts:
    """How the entries of √d V_k, or of √d W_k, are distributed over the layers k.

    Entries of one layer are independent, centred and of unit variance throughout.

    Parameters
    ----------
    independent : bool, default True
        Whether layers are independent.
    gaussian : bool, default True
        Whether all entries are jointly Gaussian.
    symmetric : bool, default True
        Whether an entry and its negative have one law.
    stationary : bool, default True
        Whether the law does not change along the layers.
    hurst : float, optional
        Hurst index H in (0, 1) of fractional Gaussian noise along the layers.
    smooth : bool, default False
        Whether layer k reads a differentiable path on [0, 1] at k/L.
    law : str, default ""
        Name of the law: tells whether V and W share it where the other facts do not.

    Raises
    ------
    ValueError
        If the facts contradict each other or `hurst` is not inside (0, 1).

    Examples
    --------
    >>> WeightFacts(independent=False, hurst=0.8).index
    0.8
    >>> WeightFacts(gaussian=False).index
    0.5
    """

    independent: bool = True
    gaussian: bool = True
    symmetric: bool = True
    stationary: bool = True
    hurst: float | None = None
    smooth: bool = False
    law: str = ""

    def __post_init__(self) -> None:
        if self.hurst is not None:
            fix = "give the index of fractional Gaussian noise, or leave it out"
            H = float(_validate.real("hurst", self.hurst, above=0, below=1, fix=fix))
            if not (self.gaussian and self.symmetric and self.stationary):
                raise ValueError(f"hurst={H:g}: must go with Gaussian, stationary weights; leave it out")
            if self.independent is not (H == 0.5):
                raise ValueError(
                    f"hurst={H:g}: must be 0.5 for independent layers and for them alone; "
                    f"give independent={H == 0.5}"
                )
        if self.smooth and (self.independent or self.hurst is not None):
            raise ValueError(
                "smooth=True: must not go with independent layers or a Hurst index; give independent=False"
            )

    @property
    def index(self) -> float | None:
        """Hurst index: 1/2 for independent layers, 1 for smooth paths, None where there is none."""
        if self.smooth:
            return 1.0
        return 0.5 if self.independent else self.hurst


@dataclass(frozen=True, kw_only=True)
class TokenFacts:
    """What a transformer has beside other networks: the tokens of one input, and attention.

    Parameters
    ----------
    attention : {"uniform", "constant", "softmax", "none"}
        Weights 1/n of all n tokens; one symmetric matrix in all layers; any other weights that sum to 1 and
        may depend on the tokens; no attention.
    mlp : bool, default True
        Whether layers have an MLP, with `Facts.activation` and `Facts.hidden_width`.
    equal_tokens : bool, default False
        Whether all tokens have one norm and all pairs one cosine at layer 0.
    near_collapse : bool, default False
        Whether the tokens are taken as nearly one.

    Examples
    --------
    >>> TokenFacts(attention="softmax").mlp
    True
    """

    attention: AttentionName
    mlp: bool = True
    equal_tokens: bool = False
    near_collapse: bool = False

    def __post_init__(self) -> None:
        _validate.choice("attention", self.attention, get_args(AttentionName), fix="choose one")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a network and of the experiment on it, for hypotheses to look at.

    Parameters
    ----------
    block : {"res-1", "res-2", "res-3", "post-activation", "balanced", "vanilla", "transformer"}
        Residual block; res-3 is always ReLU, post-activation is σ(V h), a transformer is attention, then an
        MLP.
    width, depth : int
        d and L.
    activation : str, default "relu"
        Name of σ.
    beta : float, optional
        Exponent of a scaling α = L^{-β} that is kept as the depth grows. Exactly one of `beta` and `alpha`.
    alpha : float, optional
        A scaling of this depth alone.
    v, w : WeightFacts, optional
        The laws of V and W; independent Gaussian layers by default. `w` is that of V where it is left out,
        and is not looked at for res-1.
    bias_std : float, default 0
        Standard deviation of the biases of res-2, which are symmetric.
    limits : tuple of {"depth", "width"}, default ()
        What the experiment takes to infinity, in this order; () speaks of this very network.
    tie_free : bool, default True
        Whether P((W h)_i = 0) = 0 along the way. False for Rademacher weights and states on a lattice.
    free_read_out : bool, default True
        Whether the direction of p_L is independent of the hidden layers (linear read-out, loss of B h_L).
    same_directions : bool, default False
        Whether h_0 and p_L have one law of direction; needs not hold for Gaussian weights.
    isotropic_read_out : bool, default True
        Whether that direction is uniform on the sphere, as with Gaussian B.
    expanding : bool, default False
        Whether smooth weights are assumed not to contract, as MFBV do for O4.
    norm : str, default "none"
        Where a normalisation of gain 1 stands, and which: pre-rms, pre-layer, pre-tanh (the branch's input),
        post-rms, post-layer (the stream), peri-rms, peri-layer (the branch's input and its output).
    norm_eps : float, default 0
        ε inside the norm's square root.
    hidden_width : int, optional
        M, the units between W and V; d where it is left out.
    skip : float, default 1
        b of ``h_{k+1} = b h_k + a_k V g(h_k)``.
    schedule : {"constant", "vanishing", "other"}, default "constant"
        Whether all a_k are α; other factors, with the largest a_k → 0 as the depth grows; any other.
    tokens : TokenFacts, optional
        Tokens and attention, of transformers and of them alone.
    traits : Traits, optional
        Traits of σ; left out, those of `TRAITS`, and for other names the ones of which nothing is known.

    Raises
    ------
    ValueError
        If a number is out of range, a word unknown or two facts contradict each other.

    Examples
    --------
    >>> facts = Facts(block="res-3", width=40, depth=100, beta=0.5)
    >>> facts.scaling, facts.linear, facts.gain_bounds
    (0.1, False, (0.5, 0.5))
    """

    block: BlockName
    width: int
    depth: int
    activation: str = "relu"
    beta: float | None = None
    alpha: float | None = None
    v: WeightFacts = WeightFacts()
    w: WeightFacts | None = None
    bias_std: float = 0.0
    limits: tuple[Limit, ...] = ()
    tie_free: bool = True
    free_read_out: bool = True
    same_directions: bool = False
    isotropic_read_out: bool = True
    expanding: bool = False
    traits: Traits | None = None
    norm: NormName = "none"
    norm_eps: float = 0.0
    hidden_width: int | None = None
    skip: float = 1.0
    schedule: ScheduleKind = "constant"
    tokens: TokenFacts | None = None

    def __post_init__(self) -> None:
        _validate.choice("block", self.block, get_args(BlockName), fix="choose one of the blocks")
        if self.block == "res-3" and self.activation != "relu":
            raise ValueError(
                f"activation={self.activation!r}: must be 'relu' for res-3; give block='res-2' for others"
            )
        _validate.width(self.width)
        _validate.depth(self.depth, minimum=1)
        if (self.beta is None) == (self.alpha is None):
            raise ValueError(
                f"beta={self.beta}, alpha={self.alpha}: must be one of the two; give beta=0.5, say"
            )
        if self.beta is not None:
            _validate.real("beta", self.beta, fix="give the exponent in alpha = depth**-beta")
        else:
            _validate.alpha(self.alpha)  # type: ignore[arg-type]
        fix = "give the deviation of the biases, 0 without"
        _validate.real("bias_std", self.bias_std, above=0, closed_above=True, fix=fix)
        if self.bias_std > 0 and self.block != "res-2":
            raise ValueError(f"bias_std={self.bias_std:g}: must be 0 for {self.block}; only res-2 has a bias")
        for limit in self.limits:
            _validate.choice("limits", limit, ("depth", "width"), fix="name what grows")
        if (self.tokens is None) != (self.block != "transformer"):
            raise ValueError(
                f"tokens={self.tokens}: must be given for transformers and for them alone; give "
                "block='transformer' and tokens=TokenFacts(attention='softmax'), say"
            )
        self._check_layer()

    def _check_layer(self) -> None:
        """Check what surrounds the branch."""
        _validate.choice("norm", self.norm, get_args(NormName), fix="choose one of the norms")
        fix = "give the number inside the square root, 0 for none"
        _validate.real("norm_eps", self.norm_eps, above=0, closed_above=True, fix=fix)
        if self.norm_eps > 0 and self.norm in ("none", "pre-tanh"):
            raise ValueError(
                f"norm_eps={self.norm_eps:g}: must be 0 for norm={self.norm!r}; give norm='pre-rms', say"
            )
        if self.hidden_width is not None:
            fix = "give the units between W and V"
            _validate.whole("hidden_width", self.hidden_width, minimum=1, fix=fix)
            if not self.has_w and self.tokens is None:
                raise ValueError(
                    f"hidden_width={self.hidden_width}: must be left out for {self.block}, which has no W; "
                    "give block='res-3', say"
                )
        _validate.real("skip", self.skip, fix="give the factor of the stream")
        _validate.choice("schedule", self.schedule, get_args(ScheduleKind), fix="choose one")

    @property
    def scaling(self) -> float:
        """α at this depth."""
        return float(self.depth) ** -self.beta if self.beta is not None else float(self.alpha or 0.0)

    @property
    def laws(self) -> tuple[WeightFacts, ...]:
        """The laws of the matrices that the block has: of V, and of W in res-2 and res-3."""
        return (self.v, self.v if self.w is None else self.w) if self.has_w else (self.v,)

    @property
    def has_w(self) -> bool:
        """Whether a matrix W stands inside the activation: res-2 and res-3."""
        return self.block in ("res-2", "res-3")

    @property
    def inner_width(self) -> int:
        """M, the units between W and V."""
        return self.width if self.hidden_width is None else self.hidden_width

    @property
    def plain(self) -> bool:
        """Whether a layer is h + α V g(h): no norm, M = d, no factor of the stream, one scaling."""
        return (
            self.block in ("res-1", "res-2", "res-3")
            and self.norm == "none"
            and self.inner_width == self.width
            and self.skip == 1
            and self.schedule == "constant"
        )

    @property
    def sigma(self) -> Traits:
        """The traits of σ."""
        return TRAITS.get(self.activation, UNKNOWN) if self.traits is None else self.traits

    @property
    def linear(self) -> bool:
        """Whether σ is the identity."""
        return self.activation == "identity"

    @property
    def relu_of_w(self) -> bool:
        """Whether the branch is V ReLU(W h): res-3, and res-2 with ReLU without bias."""
        return self.has_w and self.activation == "relu" and self.bias_std == 0

    @property
    def gain_bounds(self) -> tuple[float, float]:
        """Bounds of E‖g(h)‖²/‖h‖² over every state h, for independent symmetric layers; inf if unknown."""
        if self.linear:
            low, high = 1.0, 1.0
        elif not self.has_w or self.activation not in ("relu", "leaky-relu"):
            low, high = 0.0, 1.0 if self.sigma.below_identity else math.inf
        else:
            low, high = 0.5, 0.5 if self.activation == "relu" else 1.0
        return low, math.inf if self.bias_std > 0 else high

    @property
    def critical_beta(self) -> float | None:
        """Exponent max(H, 1/2) of V that F1 names; 1 for smooth weights, None where there is no index."""
        index = self.v.index
        return None if index is None else max(index, 0.5)
