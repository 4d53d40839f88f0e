"""How far a transformer is from critical, and the deviation of its residual projections that would be.

The clock is Λ = Σ log(1 + what a branch adds/what it is added to), in mean squares: log S_L/S_0 behind
pre-norms, and what post-norms divide away. Collapse and the growth of tangents are functions of it (T4c): of
order one they stay where Λ is, and deviations like 1/√L of the projections that end the branches keep it
there at every depth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from montecarlo.common._json import finite
from montecarlo.networks._transformer import Transformer
from montecarlo.networks._wide_transformer import predict_tokens

LITTLE, MUCH = 0.3, 3.0
"""Clocks below the first are the identity, above the second growth or collapse."""
_WIDENINGS = 4
_PRECISION = 1e-3
_JUMP = 0.1
_FAR = (
    3.0  # log Λ that stands for one that theory does not reach: of order one, which the search is quick with
)


@dataclass(frozen=True)
class TokenRegime:
    """Where a transformer's initialisation is.

    Parameters
    ----------
    name : {"identity", "critical", "polynomial", "collapse", "unknown"}
        At this depth: branches add little to the stream; about as much as there is; much more, which grows
        with a power of depth (pre- and peri-norm) or collapses or explodes exponentially (post-norm, none).
        Unknown where theory does not reach (`predict_tokens`).
    clock : float
        Λ, natural log; NaN where it is unknown.
    factor : float
        What the present deviations of the residual projections are to be multiplied by for Λ = 1; NaN where
        no factor that theory reaches does it.
    output_std, down_std : float
        These deviations times the factor; NaN for a projection that is not there.
    """

    name: str
    clock: float
    factor: float
    output_std: float
    down_std: float

    def record(self) -> dict[str, Any]:
        """Return the regime as JSON-serialisable values."""
        return {key: finite(v) if isinstance(v, float) else v for key, v in vars(self).items()}


def find_token_regime(transformer: Transformer) -> TokenRegime:
    """Return the regime and the residual deviation of Λ = 1.

    Parameters
    ----------
    transformer : Transformer
        The network.

    Examples
    --------
    >>> regime = find_token_regime(Transformer.preset("gpt2", depth=96))
    >>> print(f"{regime.name} {regime.clock:.2f} {regime.factor:.2f}")
    polynomial 4.81 0.13
    """
    net = transformer
    try:
        clock = _clock(net, 1.0)
    except ValueError:  # out of the range of the recursion
        return TokenRegime("unknown", math.nan, math.nan, math.nan, math.nan)
    factor = _critical_factor(net, clock)
    output = net.value_std if net.output_std is None else net.output_std
    return TokenRegime(
        name=_name(net, clock),
        clock=clock,
        factor=factor,
        output_std=factor * output if net.attention != "none" else math.nan,
        down_std=factor * net.down_std if net.units else math.nan,
    )


def _name(net: Transformer, clock: float) -> str:
    if clock < LITTLE:
        return "identity"
    if clock <= MUCH:
        return "critical"
    return "polynomial" if net.norm != "none" and net.placement in ("pre", "peri") else "collapse"


def _scaled(net: Transformer, factor: float) -> Transformer:
    if net.placement == "peri" and net.norm != "none":
        # what a branch adds does not depend on the size of its weights
        return replace(net, alpha=None if net.beta is not None else factor * float(net.alpha or 0.0))
    if net.output_std is None:
        return replace(net, value_std=factor * net.value_std, down_std=factor * net.down_std)
    return replace(net, output_std=factor * net.output_std, down_std=factor * net.down_std)


def _clock(net: Transformer, factor: float) -> float:
    return float(predict_tokens(_scaled(net, factor)).added.sum())


def _critical_factor(net: Transformer, now: float) -> float:
    """Return the factor of Λ = 1, which Λ grows with, from Λ as it is now."""
    from scipy import optimize

    def distance(log: float) -> float:
        try:
            clock = _clock(net, math.exp(log))
        except ValueError:  # a stream that has grown until its logits leave the recursion's range
            return _FAR
        return math.log(min(max(clock, 1e-30), 1e30))

    # A good guess first: Λ is about proportional to the factor's square where it is small.
    if not 0.0 < now < math.inf:
        return math.nan
    low, high = sorted((-0.5 * math.log(now) * 0.5, -0.5 * math.log(now) * 2.0))
    low, high = low - 0.1, high + 0.1
    for _ in range(_WIDENINGS):
        if distance(low) < 0.0 < distance(high):
            root = float(optimize.brentq(distance, low, high, xtol=_PRECISION))  # type: ignore[arg-type]
            # Theory may end before Λ is 1, and what was found is its end.
            return math.exp(root) if abs(distance(root)) < _JUMP else math.nan
        low, high = low - 2.0, high + 2.0
    return math.nan
