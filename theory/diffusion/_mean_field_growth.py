"""
How far wide networks grow in mean square, forward and backward, as a function of depth-time (S4, *derived*).

Notation: `S = ‖h‖²/d`, `y = log S`, `ρ(s) = E σ(√s Z)²`, ρ₁ the same of σ', σ_b the deviation of biases,
`r = ρ(S + σ_b²)/S`. A layer multiplies S by `1 + α² r` and E‖p‖² by `1 + α² ρ₁(S + σ_b²)`. With α = c/√L and
L → ∞ both depend on c alone,

    dy/dt = r,   dz/dt = ρ₁,   t from 0 to c²,

z the logarithm of E‖p_0‖²/‖p_L‖². Time is tabulated as a function of y, ∫ dy/r, so that explosions and
standstills cost the same as anything else; at a given depth the layer k takes its place, ∫ dy/log(1 + α² r).
"""

import math

import numpy as np

from theory.common import _validate
from theory.common._activations import Activation
from theory.common._cached_property import cached_property
from theory.common._gaussian_moments import even_moments, slope_function
from theory.common._validate import FloatArray

# Of the table in y, finer where small growth is read off; beyond its reach growth goes on at the last rates.
_REACH = 60.0
_GRID = np.concatenate([[0.0], np.geomspace(0.004, 0.2, 10), np.arange(0.4, _REACH, 0.2)])
_HOMOGENEOUS = ("relu", "leaky-relu", "identity")  # of one rate at all sizes
_SMALL = 1e-6  # α below which log(1 + α² r) is α² r to all digits that count
_LATE = 20.0  # of y at the end of the table, over which ρ of a bounded activation has settled


class MeanFieldGrowth:
    """
    Logarithms of ‖h_L‖²/‖h_0‖² and E‖p_0‖²/‖p_L‖² of wide networks with independent layers.

    As d → ∞; to a relative error of about 1 %, for verdicts rather than tests (`wide_log_norm_laws` is
    sharper). For res-1 the gradient leaves out that active units stay active.

    Parameters
    ----------
    activation : str or callable
        A name of `ACTIVATIONS` or a vectorised function σ.
    derivative : callable, optional
        The vectorised σ', where σ is a function.
    initial_mean_square : float, optional
        ‖h_0‖²/d > 0, 1 by default.
    bias_std : float, optional
        Standard deviation of the biases; 0 by default.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    ReLU at α = c/√L grows by c²/2 in both directions, at every depth:

    >>> growth = MeanFieldGrowth("relu")
    >>> [round(g, 9) for g in growth.limit(0.5)]
    [0.125, 0.125]
    >>> round(growth.at(10, 1.0)[0] / math.log(1.5), 9)
    10.0
    """

    def __init__(
        self,
        activation: Activation,
        derivative: Activation | None = None,
        *,
        initial_mean_square: float = 1.0,
        bias_std: float = 0.0,
    ) -> None:
        self._sigma, self._slope = activation, slope_function(activation, derivative)
        fix = "give ‖h_0‖²/width"
        start = float(_validate.real("initial_mean_square", initial_mean_square, above=0, fix=fix))
        fix = "give 0 for no bias"
        self._bias = float(_validate.real("bias_std", bias_std, above=0, closed_above=True, fix=fix))
        self._start = math.log(start)

    @cached_property
    def _table(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Growth y − y_0 of the logarithm of S, and the rates r and ρ₁ there, as far as they are finite."""
        homogeneous = isinstance(self._sigma, str) and self._sigma in _HOMOGENEOUS and self._bias == 0
        grown = np.array([0.0, _REACH]) if homogeneous else _GRID
        S = np.exp(self._start + grown)
        with np.errstate(over="ignore", invalid="ignore"):
            forward = even_moments(self._sigma, S + self._bias**2)[0] / S
            backward = even_moments(self._slope, S + self._bias**2)[0]
        finite = np.isfinite(forward) & np.isfinite(backward)
        kept = len(grown) if finite.all() else int(np.argmin(finite))
        return grown[:kept], forward[:kept], backward[:kept]

    @property
    def sublinear(self) -> bool:
        """Whether σ grows more slowly than its argument, so that ‖h‖ is a power of depth at most."""
        grown, forward, _ = self._table
        late = grown > _REACH - _LATE
        if not late.any():
            return False
        return bool(forward[-1] < 0.5 * forward[late][0]) or bool(np.all(forward == 0))

    def limit(self, constant: float) -> tuple[float, float]:
        """
        Return log ‖h_L‖²/‖h_0‖² and log E‖p_0‖²/‖p_L‖² for α = c/√L as L → ∞.

        Parameters
        ----------
        constant : float
            c >= 0.

        Returns
        -------
        hidden, gradient : float
            NaN where the activation leaves the floats from the start.
        """
        fix = "give α√L"
        c = float(_validate.real("constant", constant, above=0, closed_above=True, fix=fix))
        with np.errstate(over="ignore"):
            return self._grow(float(np.square(c)), self._table[1], self._table[2])

    def at(self, depth: int, alpha: float) -> tuple[float, float]:
        """
        Return the same two logarithms at a depth, for any scaling.

        Parameters
        ----------
        depth : int
            L >= 1.
        alpha : float
            Layer scaling α > 0.

        Returns
        -------
        hidden, gradient : float
            As `limit`.
        """
        L = int(_validate.depth(depth, minimum=1))
        a = float(_validate.real("alpha", alpha, above=0, fix="give the factor before the residual branch"))
        if a < _SMALL:
            return self.limit(a * math.sqrt(L))
        with np.errstate(over="ignore"):
            square = np.square(np.float64(a))
            return self._grow(float(L), np.log1p(square * self._table[1]), np.log1p(square * self._table[2]))

    def _grow(self, time: float, forward: FloatArray, backward: FloatArray) -> tuple[float, float]:
        """Return y and z after a time, from their rates along the table."""
        grown = self._table[0]
        if not len(grown):
            return math.nan, math.nan
        if forward[0] == 0.0 or len(grown) == 1:  # h does not move, or its next rates are unknown
            return float(forward[0]) * time, float(backward[0]) * time
        if (forward == 0.0).any():  # it stops: so far and no further
            end = int(np.argmax(forward == 0.0))
            grown, forward, backward = grown[:end], forward[:end], backward[:end]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            pace = 1.0 / forward
            spent = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(grown) * (pace[1:] + pace[:-1]))])
            gain = backward * pace
            gained = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(grown) * (gain[1:] + gain[:-1]))])
        rest = max(0.0, time - float(spent[-1]))
        hidden = float(np.interp(time, spent, grown)) + float(forward[-1]) * rest
        return hidden, float(np.interp(time, spent, gained)) + float(backward[-1]) * rest
