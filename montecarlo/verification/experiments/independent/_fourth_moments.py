"""Second moments of the rows of I1 to I5: what their sequences must know beforehand.

With h the state, e = h − h_0, R = ‖h‖²/‖h_0‖², D = ‖e‖²/‖h_0‖² and v = V g(h) a layer adds ``2a⟨h, v⟩ +
a²‖v‖²`` to R and ``2a⟨e, v⟩ + a²‖v‖²`` to D. Given g the entries of v are independent and symmetric, so
that products of three factors v vanish, ``E⟨x, v⟩⟨y, v⟩ = ⟨x, y⟩‖g‖²/d``, and for Gaussian V ``E‖v‖⁴ = (1
+ 2/d)‖g‖⁴``. With ``E‖g‖² = c‖h‖²``, ``E‖g‖⁴ = q‖h‖⁴`` and ``2⟨h, e⟩ = R + D − 1`` the numbers E R², E RD
and E D² of a layer are linear in those of the layer before: exact for Gaussian weights, and upper bounds
for laws whose kurtosis is at most 3 (uniform and Rademacher: 1.8 and 1), because kurtosis raises
``E‖v‖⁴`` and q and all coefficients of these are positive. Gaussian biases of deviation s put R + ds²/‖h_0‖²
in R's place wherever the branch sees the state. By I4's argument Jᵀ has the law of J where V
and W have one law: the same for gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Branch:
    """Moments of a branch: ``c = E‖g‖²/‖h‖²`` and ``q = E‖g‖⁴/‖h‖⁴``.

    Examples
    --------
    >>> Branch.behind_w(width=5)
    Branch(gain=0.5, fourth=0.5)
    """

    gain: float
    fourth: float

    @classmethod
    def behind_w(cls, *, width: int, slope: float = 0.0) -> Self:
        """Return the branch σ(W h), W Gaussian, of σ linear on either side of 0, with that slope below."""
        gain, fourth = (1.0 + slope**2) / 2.0, 3.0 * (1.0 + slope**4) / 2.0
        return cls(gain, (fourth + (width - 1.0) * gain**2) / width)

    @classmethod
    def linear_res_1(cls) -> Self:
        """Return the branch g(h) = h."""
        return cls(1.0, 1.0)


@dataclass(frozen=True)
class FourthMoments:
    """Moments of R = ‖h_L‖²/‖h_0‖² and D = ‖h_L − h_0‖²/‖h_0‖² that are exact for Gaussian weights.

    Examples
    --------
    >>> import math, theory
    >>> moments = FourthMoments.of(Branch.behind_w(width=6), width=6, depth=5, alpha=0.4)
    >>> log_moment = theory.log_norm_moment(order=2, width=6, depth=5, alpha=0.4)  # I7
    >>> math.isclose(moments.ratio, math.exp(log_moment), rel_tol=1e-12)
    True
    """

    ratio: float
    mixed: float
    difference: float
    mean: float

    @classmethod
    def of(cls, branch: Branch, *, width: int, depth: int, alpha: float, bias_ratio: float = 0.0) -> Self:
        """Return E R², E RD, E D² and E R; q = `bias_ratio` is that of I2, for Gaussian biases."""
        step = alpha**2 * branch.gain
        aligned, quartic = 4.0 * step / width, alpha**4 * branch.fourth * (1.0 + 2.0 / width)
        q = bias_ratio
        # of Y = R + q, which the branch sees
        square, mixed, difference, mean = (1.0 + q) ** 2, 0.0, 0.0, 1.0 + q
        for _ in range(depth):
            square, mixed, difference, mean = (
                (1.0 + 2.0 * step + aligned + quartic) * square - aligned * q * mean,
                (1.0 + step) * mixed
                + (step + quartic) * square
                + aligned * (square + mixed - (1.0 + q) * mean) / 2.0,
                difference + (2.0 * step + aligned) * mixed + quartic * square,
                (1.0 + step) * mean,
            )
        ratio = square - 2.0 * q * mean + q**2
        return cls(ratio, mixed - q * (mean - 1.0 - q), difference, mean - q)

    @property
    def sum(self) -> float:
        """E (‖h_L + h_0‖²/‖h_0‖²)², which is E (2R + 2 − D)²."""
        squares = 4.0 * self.ratio + 4.0 + self.difference + 8.0 * self.mean
        return squares - 4.0 * self.mixed - 4.0 * (self.mean - 1.0)
