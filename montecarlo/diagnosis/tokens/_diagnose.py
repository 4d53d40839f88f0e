"""`diagnose_tokens`: theory's word on one random transformer, checked by a short simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
from montecarlo.samples.tokens._sample import TokenSample, simulate_tokens

if TYPE_CHECKING:
    from theory import WideTokens

_MOST, _LEAST = 400, 8
_WIDTH = 3.5
_HEADS = 0.02


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

    Where theory does not reach (`predict_tokens`) the simulation stands alone. Else the two agree if the
    interval of the simulated mean holds the prediction, but for what theory itself may be off at width d
    (`prediction_error`).

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
    net = transformer
    path, no_theory = _theory(net)
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
    rows = _rows(net, path, sample, false_alarm)
    ranges = tuple(
        _range(net, form, direction, path.log_rms, path.log_tangent, gradient_norm)
        for form in chosen
        for direction in ("forward", "backward")
        if path is not None
    )
    return TokenDiagnosis(
        net, find_token_regime(net), rows, ranges, replicas, seed, false_alarm, sample, no_theory, seconds > 0
    )


def _theory(net: Transformer) -> tuple[WideTokens | None, str]:
    """Return what the wide recursion says, or None and why it says nothing."""
    try:
        return predict_tokens(net), ""
    except ValueError as error:  # out of its range
        return None, str(error).partition("; ")[0]  # its fix is for callers of `theory`


def _rows(
    net: Transformer, path: WideTokens | None, sample: TokenSample | None, false_alarm: float
) -> tuple[TokenRow, ...]:
    """Return the quantities that theory or the simulation knows, at layer 0 and at the last one."""
    rows: list[TokenRow] = []

    def add(quantity: str, log: bool, values: Any, found: Any) -> None:
        if values is not None and np.isfinite(values[-1]):
            rows.append(_row(quantity, log, values[0], values[-1], found, net, false_alarm))
        elif values is None and found is not None:
            rows.append(TokenRow(quantity, log, math.nan, math.nan, estimates.mean(found), None))

    for quantity, log, column, of_theory in (
        ("rms of the stream", True, "log_rms_path", "log_rms"),
        ("cosine of two tokens", False, "cosine_path", "cosine"),
        ("growth of gradients", True, "log_tangent_path", "log_tangent"),
    ):
        values = None if path is None else getattr(path, of_theory)
        add(quantity, log, values, None if sample is None else sample[column][:, -1])
    if net.attention != "none":
        most = _equal_weights(net)
        found = None if sample is None else sample["attention_entropy"][:, -1].mean(1) / most
        add("entropy of attention", False, None if path is None else path.entropy.mean(1) / most, found)
    return tuple(rows)


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
    off = prediction_error(net.width)
    above = float(np.var(found)) if log else 0.0
    agrees = bool(wide.lower - off <= predicted <= wide.upper + off + above)
    return TokenRow(quantity, log, float(start), float(predicted), estimates.mean(found), agrees)


def prediction_error(width: int) -> float:
    """Return what a prediction of the wide recursion (T4b) may be off, in logs and cosines.

    The term in 1/width is the largest that T4b's table has, 2.94 ± 0.21, and nearly three of its standard
    errors. The constant is twice what heads that are few or unlike were measured to be worth at every width.

    Logs may be lower than predicted by their variance over networks, too, which is no error of theory's: it
    predicts mean squares, and the mean of a log is less than the log of a mean (by the variance for
    log-normal norms).

    Examples
    --------
    >>> prediction_error(64), round(prediction_error(768), 4)
    (0.0746875, 0.0246)
    """
    return _HEADS + _WIDTH / width


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
