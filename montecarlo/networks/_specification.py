"""`ResNet`: the specification of a random residual network at initialisation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, check_real, check_whole, unknown_name
from montecarlo.laws import LAWS, WeightLaw, find_law
from montecarlo.networks._activations import BUILT_IN, Activation, find_activation
from montecarlo.networks._norms import Norm, find_norm
from montecarlo.networks._schedules import Schedule, find_schedule
from montecarlo.networks.blocks import Block, find_block
from montecarlo.networks.blocks._block import HIDDEN_WIDTH, LINEAR_W, SCHEDULE, SKIP, STREAM_NORM
from montecarlo.processes import PROCESSES, WeightProcess, find_process
from montecarlo.streams import LAYER_LIMIT, derive_key

_LATER = {
    "weights_w": None, "norm": "none", "norm_eps": 0.0, "hidden_width": None, "skip": 1.0,
    "schedule": "constant",
}  # fmt: skip
_WIDTH_LIMIT = 100_000  # a matrix of this size and shape needs 2.5e9 counters, of the 2**32 there are


@dataclass(frozen=True, kw_only=True, repr=False)
class ResNet:
    """A random residual network: ``h_0 = A x``, ``h_{k+1} = h_k + α V_{k+1} g(h_k)``, read-out ``B h_L``.

    The entries of √d V, √d W, √n A and √d B are independent with the weight law's symmetric, unit-variance
    law (n the input dimension, d the width), and x is uniform on [0, input_scale]^n. All of them are drawn
    afresh for each replica. Where the weight law is a process, the entries of √d V_k and √d W_k are Gaussian
    paths along the layers k instead, independent of each other, and A, B and the biases are Gaussian.

    Parameters
    ----------
    width : int
        d, between 1 and 100,000.
    depth : int
        L, the number of layers, between 1 and 2**28 - 1.
    beta : float, optional
        Scaling exponent, α = L**-beta. Exactly one of `beta` and `alpha` is given.
    alpha : float, optional
        The scaling α itself, > 0.
    block : {"res-3", "res-1", "res-2", "post-activation", "balanced", "vanilla"}, default "res-3"
        ``g(h)``: σ(h) for res-1, σ(W h + b) for res-2, ReLU(W h) for res-3; the branch of post-activation is
        σ(V h) in place of V g(h); vanilla is V ReLU(h), res-1 with ReLU by another name and bit for bit,
        balanced V ReLU(s h) with fresh random signs s: for α z + λ √(2/n) W φ(z) take ``skip=α`` and
        ``alpha=λ √2``.
    activation : str or Activation, default "relu"
        σ by name (gelu, identity, leaky-relu, relu, sin, softplus, tanh) or a user's own.
    bias_std : float, default 0
        Standard deviation of the entries of b, for res-2; they follow the weight law.
    weights : str or WeightProcess, default "gaussian"
        The weight law of independent layers, gaussian, rademacher, uniform (on 2**16 levels) or uniform:24
        (on 2**24), or a process along depth: fbm:H, rbf:VARIANCE, rbf-increments:VARIANCE, matern:NU:SCALE
        or a user's own (`montecarlo.processes`).
    weights_w : str or WeightProcess, optional
        A process for W where it is not that of V; gaussian stands for independent layers.
    input_dim : int, default 64
        n, the dimension of x.
    input_scale : float, default 1
        Upper end of the entries of x.
    norm : str, default "none"
        Where a normalisation of gain 1 stands: pre-rms, pre-layer (the branch's input), post-rms, post-layer
        (the stream after each addition), peri-rms, peri-layer (the branch's input and its output) or
        pre-tanh:GAMMA.
    norm_eps : float, default 0
        ε inside the norm's square root.
    hidden_width : int, optional
        M, units inside a branch with a matrix W; default: the width. W is M × d and V is d × M, and the
        entries of √d W and √M V have unit variance.
    skip : float, default 1
        b of ``h_{k+1} = b h_k + a_k V g(h_k)``.
    schedule : str or sequence of float, default "constant"
        power:P for a_k = α (k+1)^-P, k = 0..L-1, or L factors of α.

    Notes
    -----
    An engine performs the words of a network, `words`, that it knows, and refuses the others by name.

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.

    Examples
    --------
    >>> ResNet(width=40, depth=1000, beta=0.5, weights="uniform")
    ResNet(width=40, depth=1000, beta=0.5, weights='uniform')
    >>> ResNet(width=40, depth=100, beta=0.5).scaling
    0.1
    """

    width: int
    depth: int
    beta: float | None = None
    alpha: float | None = None
    block: str = "res-3"
    activation: str | Activation = "relu"
    bias_std: float = 0.0
    weights: str | WeightProcess = "gaussian"
    weights_w: str | WeightProcess | None = None
    input_dim: int = 64
    input_scale: float = 1.0
    norm: str = "none"
    norm_eps: float = 0.0
    hidden_width: int | None = None
    skip: float = 1.0
    schedule: Schedule = "constant"
    _block: Block = field(init=False, compare=False)
    _norm: Norm = field(init=False, compare=False)
    _law: WeightLaw = field(init=False, compare=False)
    _activation: Activation = field(init=False, compare=False)
    _processes: tuple[WeightProcess, WeightProcess] | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("width", check_whole("width", self.width, 1, _WIDTH_LIMIT, 40))
        put("depth", check_whole("depth", self.depth, 1, LAYER_LIMIT - 1, 1000))
        if self.beta is None and self.alpha is None:
            raise InvalidFieldError("beta", None, "one of beta and alpha must be given", "give beta=0.5, say")
        if self.beta is not None and self.alpha is not None:
            raise InvalidFieldError(
                "alpha", self.alpha, "must not be given together with beta", "drop one of the two"
            )
        if self.beta is not None:
            put("beta", check_real("beta", self.beta, -10.0, 30.0, 0.5))
        else:
            put("alpha", check_real("alpha", self.alpha, 0.0, 1e100, 0.1, open_low=True))
        put("_block", find_block(self.block))
        put("_activation", find_activation(self.activation))
        allowed = self._block.activations
        if allowed and self._activation.fingerprint not in allowed:
            rule = f"must be {' or '.join(allowed)} for {self.block}"
            raise InvalidFieldError("activation", self.activation, rule, "take block='res-2' for others")
        if isinstance(self.activation, Activation) and self.activation.fingerprint in BUILT_IN:
            put("activation", self.activation.name)  # one spelling of a built-in: equal and hashed alike
        put("bias_std", check_real("bias_std", self.bias_std, 0.0, 1e30, 0.1))
        if self.bias_std > 0.0 and not self._block.takes_bias:
            raise InvalidFieldError(
                "bias_std", self.bias_std, f"must be 0 for {self.block}", "take block='res-2' for biases"
            )
        self._find_weights(put)
        put("input_dim", check_whole("input_dim", self.input_dim, 1, _WIDTH_LIMIT, 64))
        put("input_scale", check_real("input_scale", self.input_scale, 0.0, 1e100, 1.0, open_low=True))
        self._find_layer(put)

    def _find_layer(self, put: Callable[[str, object], None]) -> None:
        """Check what surrounds the branch, and spell it in one way."""
        put("_norm", find_norm(self.norm))
        put("norm", self._norm.name)
        put("norm_eps", check_real("norm_eps", self.norm_eps, 0.0, 1e30, 1e-5))
        if self.norm_eps > 0.0 and self._norm.kind not in ("rms", "layer"):
            raise InvalidFieldError(
                "norm_eps", self.norm_eps, f"must be 0 for norm={self.norm!r}", "take norm='pre-rms', say"
            )
        if self.hidden_width is not None:
            put("hidden_width", check_whole("hidden_width", self.hidden_width, 1, _WIDTH_LIMIT, 160))
            if self.hidden_width == self.width:
                put("hidden_width", None)
            elif not self._block.inner:
                rule = f"must be left out for {self.block}, which has no matrix W"
                raise InvalidFieldError("hidden_width", self.hidden_width, rule, "take block='res-3', say")
        put("skip", check_real("skip", self.skip, -1e30, 1e30, 1.0))
        put("schedule", find_schedule(self.schedule, self.depth)[0])

    def _find_weights(self, put: Callable[[str, object], None]) -> None:
        """Look up the laws of V and W, and spell them in one way."""
        v = find_process(self.weights)
        w = v if self.weights_w is None else find_process(self.weights_w, field="weights_w")
        put("_processes", None)
        if v is None and w is None:
            if str(self.weights) not in LAWS:
                raise unknown_name("weights", self.weights, [*LAWS, *PROCESSES], "gaussian")
            put("_law", find_law(str(self.weights)))
            if self.weights_w is not None:
                rule = "must be a process, or left out, where V has independent layers"
                raise InvalidFieldError("weights_w", self.weights_w, rule, "give weights_w='fbm:0.8', say")
            return
        if self.weights_w is not None and not self._block.inner:
            rule = f"must be left out for {self.block}"
            raise InvalidFieldError("weights_w", self.weights_w, rule, "it has no W")
        found = []
        for name, process in (("weights", v), ("weights_w", w)):
            given = getattr(self, name)
            if process is None and str(given) != "gaussian":
                rule = "must be a Gaussian law where the other matrix is a process along depth"
                raise InvalidFieldError(name, given, rule, f"give {name}='gaussian' or a process")
            if process is not None and isinstance(given, str):
                put(name, process.name)  # one spelling of a process: equal and hashed alike
            found.append(process or find_process("fbm:0.5"))
        if self.weights_w == self.weights:
            put("weights_w", None)  # one spelling of one law
        put("_processes", tuple(found))
        put("_law", find_law("gaussian"))

    @property
    def words(self) -> tuple[str, ...]:
        """What is performed in a layer, word by word; see `montecarlo.networks.blocks`.

        Examples
        --------
        >>> ResNet(width=8, depth=4, beta=0.5, norm="peri-rms").words
        ('norm', 'linear W', 'activation', 'linear V', 'branch-norm')
        """
        around = self._norm.words
        return (
            *(word for word in around[:1] if word != STREAM_NORM),
            *self._block.branch,
            *around[1:],
            *[HIDDEN_WIDTH] * (self.hidden_width is not None),
            *[SKIP] * (self.skip != 1.0),
            *[SCHEDULE] * (self.schedule != "constant"),
            *(word for word in around[:1] if word == STREAM_NORM),
        )

    @property
    def has_w(self) -> bool:
        """Whether a matrix W stands inside the activation."""
        return LINEAR_W in self._block.branch

    @property
    def normalisation(self) -> Norm:
        """The normalisation: its words, kind and gain."""
        return self._norm

    @property
    def processes(self) -> tuple[WeightProcess, WeightProcess] | None:
        """The processes of √d V and √d W along depth; None where layers are independent."""
        return self._processes

    @property
    def scaling(self) -> float:
        """α, the factor in front of every residual branch."""
        return float(self.depth) ** -self.beta if self.beta is not None else float(self.alpha or 0.0)

    @property
    def factors(self) -> npt.NDArray[np.float64] | None:
        """The schedule: a_k/α layer by layer, shape (L,); None where all are 1.

        Examples
        --------
        >>> ResNet(width=8, depth=4, beta=0.5, schedule="power:1").factors.round(3).tolist()
        [1.0, 0.5, 0.333, 0.25]
        """
        return find_schedule(self.schedule, self.depth)[1]

    @property
    def inner_width(self) -> int:
        """M, the units of a branch between its matrices; the width unless `hidden_width` is given."""
        return self.width if self.hidden_width is None else self.hidden_width

    @property
    def law(self) -> WeightLaw:
        """The weight law of independent layers, and of A, B and biases."""
        return self._law

    @property
    def activation_function(self) -> Activation:
        """σ with its derivative."""
        return self._activation

    def canonical(self) -> dict[str, Any]:
        """Return every field that changes the law of a network, as JSON-serialisable values."""
        record = {f.name: getattr(self, f.name) for f in fields(self) if not f.name.startswith("_")}
        record["activation"] = self._activation.fingerprint
        for name in ("weights", "weights_w"):
            if isinstance(record[name], WeightProcess):
                record[name] = record[name].fingerprint
        for name, default in _LATER.items():  # as if the field did not exist: digests outlive it
            if record[name] == default:
                del record[name]
        return record

    def brief(self) -> dict[str, Any]:
        """Return `canonical` without the fields at their defaults, for people to read.

        Examples
        --------
        >>> ResNet(width=8, depth=6, alpha=0.3, block="res-1").brief()
        {'width': 8, 'depth': 6, 'alpha': 0.3, 'block': 'res-1', 'weights': 'gaussian'}
        """
        default = _LATER | ResNet(width=1, depth=1, beta=1.0).canonical()
        keep = ("width", "depth", "beta", "alpha", "weights")
        return {
            name: value
            for name, value in self.canonical().items()
            if value is not None and (name in keep or value != default[name])
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of the specification, hexadecimal."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def stream_key(self, seed: int) -> tuple[int, int]:
        """Return the key of the random streams; equal for networks that share their weights.

        Only width, input dimension and weight laws enter: networks that differ in depth, scaling, block or
        activation use common random numbers (`montecarlo.streams`), and those that differ in hidden width do
        for the units that both have.
        """
        return _stream_key(self, seed)

    def __reduce__(self) -> tuple[object, ...]:
        # Rebuilt from what it was given: built-in activations and processes are known by identity.
        given = {f.name: getattr(self, f.name) for f in fields(self) if not f.name.startswith("_")}
        return _rebuild, (given,)

    def __repr__(self) -> str:
        shown = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if not f.name.startswith("_") and getattr(self, f.name) != f.default
        ]
        return f"ResNet({', '.join(shown)})"


@lru_cache(maxsize=256)  # those who rebuild networks ask for each
def _stream_key(resnet: ResNet, seed: int) -> tuple[int, int]:
    record = resnet.canonical()
    names = ["width", "input_dim", "weights", *(["weights_w"] if resnet.weights_w is not None else [])]
    return derive_key(seed, {name: record[name] for name in names})


def _rebuild(given: dict[str, Any]) -> ResNet:
    return ResNet(**given)
