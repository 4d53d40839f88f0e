"""The record that every estimate returns: a value, its interval, and what stands behind it."""

import math
from dataclasses import MISSING, dataclass, fields

from montecarlo.common import _html
from montecarlo.estimates._rows import join_warnings, warn_nonfinite


def _decimals(half_width: float) -> int:
    # two significant digits of the half-width, as in 0.2841 [0.2790, 0.2893]
    return max(0, 1 - math.floor(math.log10(half_width)))


def _format_confidence(confidence: float) -> str:
    miss = 1.0 - confidence
    if miss < 1e-6:
        return f"1 - {miss:.2g}"
    return f"{100.0 * confidence:.8g} %"


@dataclass(frozen=True, kw_only=True, repr=False)
class Estimate:
    """An estimated number with its interval.

    Right to use for one number from i.i.d. rows. The interval covers the true number with probability
    `confidence` in the sense of `method` (exact, finite-sample, or approximate: the function that made it
    says).

    Parameters
    ----------
    value
        The point estimate. Natural logs stay natural logs.
    lower, upper
        The closed interval; -inf or inf where the data give no bound on that side.
    confidence
        Nominal coverage, strictly between 0 and 1.
    n
        How many rows entered the value.
    n_nonfinite
        How many rows were left out as not finite (and counted here instead).
    method
        The method in a few words.
    warning
        Why the estimate should not be trusted as it stands; None if nothing was found.

    Examples
    --------
    >>> estimate = Estimate(value=0.28412, lower=0.279, upper=0.2893, confidence=0.99, n=1000, method="t")
    >>> print(estimate)
    0.2841 [0.2790, 0.2893] (99 %, n=1000)
    >>> estimate.contains(0.285), estimate.contains(0.3)
    (True, False)
    >>> round(estimate.relative_half_width, 4)
    0.0181
    """

    value: float
    lower: float
    upper: float
    confidence: float
    n: int
    n_nonfinite: int = 0
    method: str
    warning: str | None = None

    def contains(self, x: float) -> bool:
        """Whether `x` lies in the closed interval; NaN never does."""
        return self.lower <= x <= self.upper

    @property
    def half_width(self) -> float:
        """Half the length of the interval."""
        if self.lower == self.upper:  # also for two equal infinities
            return 0.0
        return (self.upper - self.lower) / 2.0

    @property
    def relative_half_width(self) -> float:
        """Half the length of the interval over ``|value|``; inf at a value of 0.

        For an estimate on a log scale `half_width` is already the relative precision of the ratio.
        """
        half = self.half_width
        if half == 0.0:
            return 0.0
        if self.value == 0.0 or not math.isfinite(self.value):
            return math.inf
        return half / abs(self.value)

    def __str__(self) -> str:
        # one-sided intervals take their digits from the finite side
        halves = [self.half_width, self.value - self.lower, self.upper - self.value]
        half = next((h for h in halves if math.isfinite(h) and h > 0.0), 0.0)
        style = ".6g"
        if half > 0.0 and _decimals(half) <= 12 and abs(self.value) < 1e9:
            style = f".{_decimals(half)}f"
        value, lower, upper = (format(number, style) for number in (self.value, self.lower, self.upper))
        counts = f"n={self.n}" + (f", {self.n_nonfinite} not finite" if self.n_nonfinite else "")
        text = f"{value} [{lower}, {upper}] ({_format_confidence(self.confidence)}, {counts})"
        return f"{text} warning: {self.warning}" if self.warning else text

    def _repr_html_(self) -> str:
        rows = [
            ("value", self.value), ("interval", _html.interval((self.lower, self.upper))),
            ("confidence", _format_confidence(self.confidence)), ("rows", self.n),
            ("not finite", self.n_nonfinite or None), ("method", self.method), ("warning", self.warning),
        ]  # fmt: skip
        return _html.record(type(self).__name__, rows)

    def __repr__(self) -> str:
        shown = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.default is MISSING or value != field.default:
                number = (
                    f'float("{value}")' if isinstance(value, float) and not math.isfinite(value) else None
                )
                shown.append(f"{field.name}={number or repr(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"


def estimated(
    value: float,
    ends: tuple[float, float],
    *,
    confidence: float,
    n: int,
    lost: int,
    method: str,
    note: str | None,
) -> Estimate:
    """Return the estimate of n rows; its warning is a note, and that `lost` others were not finite."""
    return Estimate(
        value=value, lower=ends[0], upper=ends[1], confidence=confidence, n=n, n_nonfinite=lost,
        method=method, warning=join_warnings(note, warn_nonfinite(lost, n + lost)),
    )  # fmt: skip
