"""How texts say numbers that may be far outside float range, and probabilities."""

from __future__ import annotations

import math


def number(log: float) -> str:
    """Return exp of a natural logarithm to four digits, also outside the range of floats."""
    if math.isnan(log):
        return "—"
    if math.isinf(log):
        return "0" if log < 0 else "∞"
    if -9.0 < log < 9.0:
        return f"{math.exp(log):.4g}"
    exponent = math.floor(log / math.log(10))
    mantissa = f"{math.exp(log - exponent * math.log(10)):.2f}"
    return f"{'1.00' if mantissa == '10.00' else mantissa}e{exponent + (mantissa == '10.00')}"


def percent(probability: float) -> str:
    """Return a probability as a percentage; tiny ones as a bound."""
    if math.isnan(probability):
        return "—"
    if probability < 1e-9:
        return "0 %"
    if probability < 1e-4:
        return "< 0.01 %"
    if 1 - probability < 1e-4:
        return "> 99.99 %" if probability < 1 - 1e-9 else "100 %"
    return f"{100 * probability:.3g} %" if probability < 0.995 else f"{100 * probability:.2f} %"
