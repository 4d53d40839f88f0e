"""`Transformer`: the specification of a random transformer at initialisation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, check_flag, check_real, check_whole, unknown_name
from montecarlo.networks._schedules import Schedule, find_schedule
from montecarlo.networks._transformer_presets import PRESETS
from montecarlo.networks._transformer_words import (
    ATTENTIONS,
    NORMS,
    PLACEMENTS,
    POSITIONS,
    SCALES,
    TOKEN_ACTIVATIONS,
)

TOKEN_LIMIT = 1024
HEAD_LIMIT = 4096
UNIT_LIMIT = (1 << 20) - 1
_DEPTH_LIMIT = (1 << 20) - 1
_LARGEST_STD = 1e12

_STDS = (
    "query_std", "key_std", "value_std", "output_std", "up_std", "gate_std", "down_std", "qkv_bias_std",
    "output_bias_std", "up_bias_std", "down_bias_std", "token_std", "position_std", "segment_std",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, repr=False)
class Transformer:
    """A random transformer at initialisation, with independent Gaussian weights, up to its final norm.

    The stream X has a row of d coordinates for each of n tokens. A layer has two branches, attention and an
    MLP, and each of them changes the stream to

    * pre: ``b X + a_k f(n(X))``,
    * post: ``n(b X + a_k f(X))``,
    * peri: ``b X + a_k n(f(n(X)))``,

    where n normalises every token. Head h of the attention is ``A_h N W_V``, with the rows of A_h the softmax
    of ``scale · (N W_Q)(N W_K)ᵀ``; the heads side by side meet the matrix W_O. The MLP is
    ``σ(N W_up) W_down``, or ``(σ(N W_gate) ∘ N W_up) W_down``. The entries of each matrix are independent
    N(0, std²), those of a bias N(0, bias_std²).

    `preset` makes the specifications of known models.

    Parameters
    ----------
    width : int
        d, between 2 and 2**20 - 1.
    depth : int
        L, layers of two branches each.
    heads : int
        H, heads of queries.
    tokens : int
        n, at most 1024. Layer 0 has distinct tokens: independent rows of an embedding.
    head_width : int, optional
        Coordinates of a head; default: width / heads.
    kv_heads : int, optional
        Heads of keys and values, a divisor of `heads`; default: as many as of queries.
    hidden_width : int, optional
        M, units of the MLP; 0 leaves it out. Default: 4 width.
    norm : {"layer", "rms", "none"}
        LayerNorm, RMSNorm, or none; gain 1.
    placement : {"pre", "post", "peri"}
        Where it stands.
    norm_eps : float, default 0
        ε, added to the mean square inside its root.
    embedding_norm : bool, default False
        Whether layer 0 is normalised (BERT).
    attention : {"causal", "full", "uniform", "none"}
        The tokens that a token attends to: those up to itself; all; all with equal weights 1/n whatever the
        logits; or no attention branch.
    attention_scale : {"sqrt", "linear"} or float, default "sqrt"
        Factor of the logits: head_width**-0.5, 1/head_width (μP), or a number of at least 0.
    logit_cap : float, optional
        c of ``c tanh(logit/c)``.
    qk_norm : bool, default False
        RMSNorm of every query and key over its head's coordinates, with `norm_eps`.
    position : {"learned", "sinusoidal", "rotary", "relative", "none"}
        Learned vectors and sinusoids are added to layer 0; rotary turns queries and keys; relative adds
        biases of distance buckets to the logits, drawn once for all layers (T5).
    rotary_base : float, default 10000
        Base of the angles of rotary positions.
    activation : str
        σ of the MLP: gelu (exact), gelu-tanh, identity, leaky-relu, relu, silu, tanh.
    gated : bool, default False
        Whether the MLP has a gate.
    query_std, key_std, value_std, output_std, up_std, gate_std, down_std : float
        Standard deviations of the entries of the matrices. ``output_std=None`` leaves W_O out: one head as
        wide as the stream, ``A X W_V`` (T1). The gate's is that of W_up by default.
    qkv_bias_std, output_bias_std, up_bias_std, down_bias_std : float, default 0
        Standard deviations of the biases (up: of the gate, too).
    token_std : float
        Of the entries of the token embeddings; of the patch projection with `patch_dim`.
    position_std : float, default 0
        Of learned positions, or of relative biases.
    segment_std : float, default 0
        Of a vector that all tokens share (BERT's token type).
    patch_dim : int, optional
        The tokens but the first are one Gaussian matrix times independent standard normal vectors of so many
        coordinates (the patches of a picture); the first is an embedding (ViT's class token).
    alpha : float, optional
        α, the factor of both branches; default 1.
    beta : float, optional
        Instead of it, α = L**-beta.
    schedule : str or sequence of float, default "constant"
        a_k/α layer by layer, as in `montecarlo.ResNet`.
    skip : float, default 1
        b.

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.

    Examples
    --------
    >>> net = Transformer.preset("gpt2", width=256, depth=24, heads=8)
    >>> net.hidden_width, net.attention, round(net.output_std / 0.02, 4)
    (1024, 'causal', 0.1443)
    >>> Transformer.preset("gpt2", depth=24) == Transformer.preset("gpt2", depth=24, attention="causal")
    True
    """

    width: int
    depth: int
    heads: int
    tokens: int
    head_width: int | None = None
    kv_heads: int | None = None
    hidden_width: int | None = None
    norm: str
    placement: str
    norm_eps: float = 0.0
    embedding_norm: bool = False
    attention: str
    attention_scale: str | float = "sqrt"
    logit_cap: float | None = None
    qk_norm: bool = False
    position: str
    rotary_base: float = 10_000.0
    activation: str
    gated: bool = False
    query_std: float
    key_std: float
    value_std: float
    output_std: float | None
    up_std: float
    gate_std: float | None = None
    down_std: float
    qkv_bias_std: float = 0.0
    output_bias_std: float = 0.0
    up_bias_std: float = 0.0
    down_bias_std: float = 0.0
    token_std: float
    position_std: float = 0.0
    segment_std: float = 0.0
    patch_dim: int | None = None
    alpha: float | None = None
    beta: float | None = None
    schedule: Schedule = "constant"
    skip: float = 1.0

    @classmethod
    def preset(cls, name: str, **fields_: Any) -> Transformer:
        """Return a known model's specification, with the initialisation of its reference implementation.

        Parameters
        ----------
        name : str
            gpt2, llama, bert, vit, t5 (encoder), post-ln (the transformer of 2017, encoder), pre-ln (the same
            with the norm before the branches), deepnet or mup; their sizes are those of the smallest
            published model, with 16 tokens. Matrices that the reference draws from a uniform or truncated law
            have its deviation.
        **fields_
            Any field, in place of the preset's. Deviations that the preset derives from width, depth, heads
            or hidden width follow those.

        Raises
        ------
        InvalidFieldError
            For an unknown preset or a bad field.

        Examples
        --------
        >>> Transformer.preset("llama", width=256, depth=16, heads=8).hidden_width
        768
        """
        if name not in PRESETS:
            raise unknown_name("preset", name, PRESETS, "gpt2")
        known = {f.name for f in fields(cls)}
        for field in fields_:
            if field not in known:
                raise unknown_name("field", field, known, "width")
        sizes = {
            field: check_whole(field, fields_[field], low, UNIT_LIMIT, 4)
            for field, low in (
                ("width", 2),
                ("depth", 1),
                ("heads", 1),
                ("head_width", 1),
                ("hidden_width", 0),
            )
            if fields_.get(field) is not None
        }
        preset = PRESETS[name](sizes)
        if fields_.get("position", "learned") not in ("learned", "relative"):
            preset.pop("position_std", None)  # what takes the place of learned positions has no weights
        if fields_.get("attention", "full") not in ("full", "causal"):
            preset.pop("attention_scale", None)
        if sizes.get("hidden_width") == 0:
            preset.pop("gated", None)
        return cls(**{**preset, **fields_})

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        for name, known, example in (
            ("norm", NORMS, "layer"), ("placement", PLACEMENTS, "pre"), ("attention", ATTENTIONS, "causal"),
            ("position", POSITIONS, "learned"), ("activation", TOKEN_ACTIVATIONS, "gelu"),
        ):  # fmt: skip
            if getattr(self, name) not in known:
                raise unknown_name(name, getattr(self, name), known, example)
        for name in ("embedding_norm", "qk_norm", "gated"):
            put(name, check_flag(name, getattr(self, name)))
        self._find_sizes(put)
        self._find_deviations(put)
        self._find_attention(put)
        self._find_scaling(put)

    def _find_sizes(self, put: Callable[[str, object], None]) -> None:
        put("width", check_whole("width", self.width, 2, UNIT_LIMIT, 768))
        put("depth", check_whole("depth", self.depth, 1, _DEPTH_LIMIT, 12))
        put("heads", check_whole("heads", self.heads, 1, HEAD_LIMIT, 12))
        put("tokens", check_whole("tokens", self.tokens, 1, TOKEN_LIMIT, 16))
        if self.head_width is None and self.width % self.heads:
            raise InvalidFieldError(
                "heads", self.heads, f"must divide width={self.width} where head_width is not given",
                f"give heads={np.gcd(self.heads, self.width)}, or a head_width",
            )  # fmt: skip
        given = self.width // self.heads if self.head_width is None else self.head_width
        put("head_width", check_whole("head_width", given, 1, UNIT_LIMIT, 64))
        if self.heads * self.head_dim > UNIT_LIMIT:
            rule = f"must give at most {UNIT_LIMIT:,} coordinates with heads={self.heads}"
            raise InvalidFieldError("head_width", self.head_width, rule, "give head_width=64, say")
        given = self.heads if self.kv_heads is None else self.kv_heads
        put("kv_heads", check_whole("kv_heads", given, 1, self.heads, self.heads))
        if self.heads % self.kv_heads_given:
            raise InvalidFieldError(
                "kv_heads", self.kv_heads, f"must divide heads={self.heads}", "give kv_heads=1, say"
            )
        given = 4 * self.width if self.hidden_width is None else self.hidden_width
        put("hidden_width", check_whole("hidden_width", given, 0, UNIT_LIMIT, 3072))
        if self.patch_dim is not None:
            put("patch_dim", check_whole("patch_dim", self.patch_dim, 1, UNIT_LIMIT, 768))

    def _find_deviations(self, put: Callable[[str, object], None]) -> None:
        if self.gate_std is None:
            put("gate_std", self.up_std if self.gated else 0.0)
        for name in _STDS:
            if name == "output_std" and self.output_std is None:
                continue
            put(name, check_real(name, getattr(self, name), 0.0, _LARGEST_STD, 0.02))
        put("norm_eps", check_real("norm_eps", self.norm_eps, 0.0, 1e30, 1e-5))
        if self.output_std is None and (self.heads != 1 or self.head_width != self.width):
            raise InvalidFieldError(
                "output_std", None, "must be given unless one head is as wide as the stream",
                "give output_std=0.02, say",
            )  # fmt: skip
        if self.gated and self.units == 0:
            rule = "must be False with hidden_width=0, which leaves the MLP out"
            raise InvalidFieldError("gated", True, rule, "give hidden_width=3072, say")
        if not self.gated and self.gate_deviation > 0.0:
            raise InvalidFieldError(
                "gate_std", self.gate_std, "must be 0 for an MLP without gate", "give gated=True"
            )
        if self.position not in ("learned", "relative") and self.position_std > 0.0:
            rule = f"must be 0 for position={self.position!r}, which has no weights"
            raise InvalidFieldError("position_std", self.position_std, rule, "give position='learned', say")

    def _find_attention(self, put: Callable[[str, object], None]) -> None:
        if self.attention_scale not in SCALES:
            try:
                put("attention_scale", check_real("attention_scale", self.attention_scale, 0.0, 1e12, 0.125))
            except InvalidFieldError:
                rule, fix = (
                    f"must be {', '.join(SCALES)} or a number of at least 0",
                    "give attention_scale='sqrt', say",
                )
                raise InvalidFieldError("attention_scale", self.attention_scale, rule, fix) from None
        if self.logit_cap is not None:
            put("logit_cap", check_real("logit_cap", self.logit_cap, 0.0, 1e12, 50.0, open_low=True))
        put("rotary_base", check_real("rotary_base", self.rotary_base, 1.0, 1e12, 10_000.0))
        if self.rotary_base != 10_000.0 and self.position != "rotary":
            rule = f"acts on rotary positions, and position={self.position!r} has none"
            raise InvalidFieldError("rotary_base", self.rotary_base, rule, "give position='rotary', say")
        softmax = self.attention in ("causal", "full")
        if self.position == "rotary" and self.head_dim % 2:
            raise InvalidFieldError(
                "head_width", self.head_width, "must be even for position='rotary', which turns pairs",
                f"give head_width={self.head_dim + 1}",
            )  # fmt: skip
        for name, given in (
            ("position", self.position in ("rotary", "relative")), ("logit_cap", self.logit_cap is not None),
            ("qk_norm", self.qk_norm), ("attention_scale", self.attention_scale != "sqrt"),
        ):  # fmt: skip
            if given and not softmax:
                rule = f"acts on logits, and attention={self.attention!r} has none"
                raise InvalidFieldError(name, getattr(self, name), rule, "give attention='causal', say")

    def _find_scaling(self, put: Callable[[str, object], None]) -> None:
        if self.alpha is not None and self.beta is not None:
            raise InvalidFieldError(
                "alpha", self.alpha, "must not be given together with beta", "drop one of the two"
            )
        if self.beta is not None:
            put("beta", check_real("beta", self.beta, -10.0, 30.0, 0.5))
        else:
            put("alpha", check_real("alpha", 1.0 if self.alpha is None else self.alpha, 0.0, 1e30, 1.0))
        put("skip", check_real("skip", self.skip, -1e30, 1e30, 1.0))
        put("schedule", find_schedule(self.schedule, self.depth)[0])

    @property
    def head_dim(self) -> int:
        """`head_width` as a number."""
        assert self.head_width is not None
        return self.head_width

    @property
    def kv_heads_given(self) -> int:
        """`kv_heads` as a number."""
        assert self.kv_heads is not None
        return self.kv_heads

    @property
    def units(self) -> int:
        """`hidden_width` as a number."""
        assert self.hidden_width is not None
        return self.hidden_width

    @property
    def gate_deviation(self) -> float:
        """`gate_std` as a number."""
        assert self.gate_std is not None
        return self.gate_std

    @property
    def logit_scale(self) -> float:
        """The factor of the logits.

        Examples
        --------
        >>> Transformer.preset("gpt2").logit_scale, Transformer.preset("mup").logit_scale
        (0.125, 0.015625)
        """
        if self.attention_scale == "sqrt":
            return self.head_dim**-0.5
        return 1.0 / self.head_dim if self.attention_scale == "linear" else float(self.attention_scale)

    @property
    def alphas(self) -> npt.NDArray[np.float64]:
        """a_k, the factors of the branches layer by layer, shape (L,)."""
        alpha = float(self.depth) ** -self.beta if self.beta is not None else float(self.alpha or 0.0)
        factors = find_schedule(self.schedule, self.depth)[1]
        return np.full(self.depth, alpha) if factors is None else alpha * factors

    def canonical(self) -> dict[str, Any]:
        """Return every field, as JSON-serialisable values."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of the specification, hexadecimal."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def brief(self) -> dict[str, Any]:
        """Return what is not at its default, as JSON-serialisable values, with the block's name."""
        defaults = {f.name: f.default for f in fields(self)}
        derived = {"head_width": self.width // self.heads, "kv_heads": self.heads, "alpha": 1.0}
        derived |= {"hidden_width": 4 * self.width, "gate_std": self.up_std if self.gated else 0.0}
        known = {name: derived.get(name, default) for name, default in defaults.items()}
        shown = {name: value for name, value in self.canonical().items() if value != known[name]}
        return {"block": "transformer", **shown}

    def __repr__(self) -> str:
        shown = [f"{name}={value!r}" for name, value in self.brief().items() if name != "block"]
        return f"Transformer({', '.join(shown)})"
