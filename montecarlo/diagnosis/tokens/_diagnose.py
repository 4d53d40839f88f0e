"""`diagnose_tokens`: theory's word on one random transformer, checked by a short simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from montecarlo import estimates
from montecarlo.common._errors import InvalidFieldError, check_real, check_seed
from montecarlo.diagnosis._float_range import FORMATS, find_format
from montecarlo.diagnosis.tokens._critical import find_token_regime
from montecarlo.diagnosis.tokens._findings import TokenFindings, TokenRange, TokenRow
from montecarlo.diagnosis.tokens._text import text
from montecarlo.networks._transformer import Transformer
from montecarlo.networks._wide_transformer import predict_tokens
from montecarlo.samples.tokens._run import TokenRequest, TokenRun
from montecarlo.samples.tokens._sample import simulate_tokens

_MOST, _LEAST = 400, 8
_WIDTH = 5.0  # a prediction may be off by so much over d, and
_APPROXIMATION = 0.05  # by this, in logs and cosines: heads and tokens that are not alike


class TokenDiagnosis(TokenFindings):
    """What `diagnose_tokens` found; printed, it is a table. Its fields are those of `TokenFindings`."""

    def __repr__(self) -> str:
        return f"TokenDiagnosis({self.transformer!r}, regime={self.regime.name!r}, agrees={self.agrees})"

    def __str__(self) -> str:
        return text(self)


def diagnose_tokens(
    transformer: Transformer,
    *,
    seed: int = 0,
    seconds: float = 1.0,
    false_alarm: float = 1e-6,
    formats: Sequence[str] = tuple(FORMATS),
    gradient_norm: float = 1.0,
    threads: int | None = None,
) -> TokenDiagnosis:
    """Say what the initialisation of a transformer does: growth, rank collapse, floats, what to take.

    Parameters
    ----------
    transformer : Transformer
        The network, `Transformer.preset("gpt2", depth=96)`, say.
    seed : int, default 0
        Seed of the simulation.
    seconds : float, default 1
        How long the simulation should take on one core, roughly; 0 leaves it out.
    false_alarm : float, default 1e-6
        Probability, at most, that the simulation refutes right predictions.
    formats : sequence of str, default all
        float16, bfloat16, float32.
    gradient_norm : float, default 1
        Norm of the loss's gradient in the last stream, all tokens together.
    threads : int, optional
        Threads of the simulation; never changes a result.

    Returns
    -------
    TokenDiagnosis

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.

    Examples
    --------
    >>> found = diagnose_tokens(Transformer.preset("gpt2", depth=4, width=64, heads=4), seconds=0)
    >>> found.regime.name, found.agrees, len(found.rows)
    ('critical', None, 4)
    """
    if not isinstance(transformer, Transformer):
        raise InvalidFieldError(
            "transformer", transformer, "must be a Transformer", "give Transformer.preset('gpt2'), say"
        )
    seed = check_seed(seed)
    seconds = check_real("seconds", seconds, 0.0, 1e6, 1.0)
    false_alarm = check_real("false_alarm", false_alarm, 0.0, 0.5, 1e-6, open_low=True)
    gradient_norm = check_real("gradient_norm", gradient_norm, 0.0, 1e30, 1.0, open_low=True)
    if isinstance(formats, str):
        formats = (formats,)
    chosen = [find_format(name) for name in formats]
    net, path = transformer, predict_tokens(transformer)
    request = TokenRequest(tangent=True, attention=net.attention != "none")
    replicas = 0
    if seconds > 0:
        replicas = min(_MOST, int(seconds / max(TokenRun(net, seed, request).seconds, 1e-9)))
        replicas = replicas if replicas >= _LEAST else 0
    sample = None
    if replicas:
        sample = simulate_tokens(
            net, replicas=replicas, seed=seed, threads=threads, tangent=True, attention=request.attention
        )
    wanted = [
        ("rms of the stream", True, "log_rms_path", path.log_rms),
        ("cosine of two tokens", False, "cosine_path", path.cosine),
        ("growth of gradients", True, "log_tangent_path", path.log_tangent),
    ]
    rows = [
        _row(
            name,
            log,
            values[0],
            values[-1],
            None if sample is None else sample[column][:, -1],
            net,
            false_alarm,
        )
        for name, log, column, values in wanted
        if np.isfinite(values[-1])
    ]
    if request.attention:
        most = _equal_weights(net)
        found = None if sample is None else sample["attention_entropy"][:, -1].mean(1) / most
        entropies = path.entropy.mean(1) / most
        rows.append(_row("entropy of attention", False, entropies[0], entropies[-1], found, net, false_alarm))
    ranges = tuple(
        _range(net, form, direction, path.log_rms, path.log_tangent, gradient_norm)
        for form in chosen
        for direction in ("forward", "backward")
    )
    return TokenDiagnosis(
        net, find_token_regime(net), tuple(rows), ranges, replicas, seed, false_alarm, sample
    )


def _equal_weights(net: Transformer) -> float:
    """Return the mean entropy of equal weights, or 1 where it is 0."""
    seen = np.arange(1, net.tokens + 1) if net.attention == "causal" else np.full(net.tokens, net.tokens)
    return float(np.log(seen).mean()) or 1.0


def _row(
    quantity: str, log: bool, start: float, predicted: float, found: Any, net: Transformer, false_alarm: float
) -> TokenRow:  # fmt: skip
    if found is None:
        return TokenRow(quantity, log, float(start), float(predicted), None, None)
    wide = estimates.mean(found, confidence=1.0 - false_alarm / 4.0)
    slack = _APPROXIMATION + _WIDTH / net.width
    agrees = bool(wide.lower - slack <= predicted <= wide.upper + slack)
    return TokenRow(quantity, log, float(start), float(predicted), estimates.mean(found), agrees)


def _range(
    net: Transformer, form: Any, direction: str, log_rms: Any, log_tangent: Any, gradient_norm: float
) -> TokenRange:
    entries = net.tokens * net.width
    if direction == "forward":
        logs = log_rms
    else:
        # p_k has ‖p_L‖ times the growth from layer k to L, spread over all entries.
        logs = math.log(gradient_norm) - 0.5 * math.log(entries) + log_tangent[-1] - log_tangent
    peak = 0.5 * math.log(2.0 * math.log(max(entries, 2)))
    return TokenRange(
        form.name, direction, float(np.max(logs)) + peak - math.log(form.largest),
        float(np.min(logs)) - math.log(form.smallest),
    )  # fmt: skip
