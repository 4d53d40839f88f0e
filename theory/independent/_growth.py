"""The logarithms of (1 + gain α²)^L and of (1 + gain α²)^L − 1, accurate from α = 1e-300 to 1e300."""

import numpy as np

from theory.common._validate import FloatArray

# below this an IEEE double is too close to the subnormal numbers to be a full-precision factor
_TINY = 1e-290
_HUGE = 1e290


def log_gain_term(alpha: FloatArray, gain: FloatArray) -> FloatArray:
    """
    Natural logarithm of gain·α²; −inf where either is 0.

    Examples
    --------
    >>> float(log_gain_term(np.float64(1e-200), np.float64(1.0)))  # doctest: +ELLIPSIS
    -921.03...
    """
    with np.errstate(divide="ignore"):
        return np.asarray(2 * np.log(alpha) + np.log(gain))


def log_growth(alpha: FloatArray, gain: FloatArray) -> FloatArray:
    """
    Natural logarithm of 1 + gain·α², growth of the mean square over one layer, to a few last digits.

    Examples
    --------
    >>> float(log_growth(np.float64(1e-18), np.float64(0.5)))  # doctest: +ELLIPSIS
    5.0000...e-37
    """
    with np.errstate(over="ignore", under="ignore"):
        term = gain * alpha * alpha
    return np.where(term < _HUGE, np.log1p(term), log_gain_term(alpha, gain))


def log_growth_minus_one(depth: FloatArray, alpha: FloatArray, gain: FloatArray) -> FloatArray:
    """
    Natural logarithm of (1 + gain·α²)^depth − 1; −inf only where depth, α or the gain is exactly 0.

    Examples
    --------
    >>> float(log_growth_minus_one(np.float64(2), np.float64(1.0), np.float64(0.5)))  # doctest: +ELLIPSIS
    0.2231...
    """
    total = depth * log_growth(alpha, gain)
    with np.errstate(divide="ignore", under="ignore"):
        # total + log(1 - e^-total) needs no case distinction between small and large totals
        usual = total + np.log(-np.expm1(-total))
        first_order = np.log(depth) + log_gain_term(alpha, gain)
    return np.where(total > _TINY, usual, first_order)


def exp(log_value: FloatArray) -> FloatArray:
    """
    Exponential that becomes inf or 0 outside float range without a warning.

    Examples
    --------
    >>> float(exp(np.float64(1e4)))
    inf
    """
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.exp(log_value))


def expm1(value: FloatArray) -> FloatArray:
    """
    ``exp(value) − 1`` that becomes inf above float range without a warning.

    Examples
    --------
    >>> float(expm1(np.float64(1e4)))
    inf
    """
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.expm1(value))
