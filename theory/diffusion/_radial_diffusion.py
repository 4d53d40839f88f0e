"""
Law of the norm in the diffusion limit, for any activation (S3, *derived*).

Res-2 at α = 1/√L: `h_{k+1} = h_k + L^{-1/2} V σ(W h_k + b)`, entries of V and W Gaussian of variance 1/d,
those of b of variance σ_b². Given the past, the entries of W h + b are independent normal of variance `S +
σ_b²`, `S = ‖h‖²/d`, so an increment of h has mean 0 and mean square `ρ(S)/L` a coordinate, with `ρ(s) = E
σ(√(s + σ_b²) Z)²`. In the limit `dH = √ρ(S) dB` and by Itô

    dS = ρ(S) dt + 2 √(S ρ(S)/d) dB.
"""

import math

import numpy as np
from scipy import interpolate

from theory.common import _validate
from theory.common._activations import Activation
from theory.common._dual import activation_second_moment, has_closed_second_moment
from theory.common._tabulated_law import TabulatedLaw
from theory.common._validate import FloatArray
from theory.diffusion._fokker_planck import Coordinate, propagate, rates

# Mass that may be cut off at either end of the grid.
_CUT = 1e-14
# Step of the knots of log ρ for activations without closed form; the spline is then exact to 1e-11.
_KNOT = 0.02
# Cells and steps of the passes that look for the window.
_SEARCH_CELLS, _SEARCH_STEPS = 400, 24
# −log of the probability that the path may leave the window downwards.
_LOG_CUT = 33.0
# Rise of log S beyond which the diffusion is taken to explode.
_EXPLODED = 150.0
_FEWEST_STEPS = 32
_MOST_CELLS = 300_000


def log_norm_diffusion_law(
    *,
    activation: Activation,
    width: int,
    initial_mean_square: float,
    bias_std: float = 0.0,
    time: float = 1.0,
    tolerance: float = 1e-7,
) -> TabulatedLaw:
    """
    Return the limit law of log(‖h_L‖/‖h_0‖) of res-2 at α = 1/√L, for any activation (S3; *derived*).

    Solves the Fokker-Planck equation of S = ‖h‖²/d by finite volumes, extrapolated to order 6 in the cell
    length, and by implicit steps of order 9; mass is conserved to 1e-13. Cell length and steps are halved
    until the estimated error of the distribution function is below `tolerance`. At depth L networks are off
    by O(1/L).

    For ReLU without bias the measured error was below 1e-9 at widths 1 to 1e4. Takes 10 to 100 ms up to width
    1000, 0.5 s at 1e4, up to 3 s where ‖h_0‖²/d is tiny beside ρ(0). A closed form exists for homogeneous σ
    without bias (`critical_log_norm_law`).

    Parameters
    ----------
    activation : str or callable
        A name of `ACTIVATIONS` or a vectorised function σ of at most linear growth.
    width : int
        Width d >= 1.
    initial_mean_square : float
        ‖h_0‖²/d > 0.
    bias_std : float, optional
        Standard deviation σ_b of the biases; 0, no bias, by default.
    time : float, optional
        Depth-time t = k/L; 1, the last layer, by default.
    tolerance : float, optional
        Largest estimated error of the distribution function, 1e-7 by default; at least 1e-11.

    Returns
    -------
    TabulatedLaw
        Law of the natural logarithm of the ratio of norms, with pdf, cdf, ppf, mean, expect, rvs; its
        attribute `error` is the estimate.

    Raises
    ------
    ArithmeticError
        If S explodes within the time, or the tolerance needs more than 300,000 cells.

    Examples
    --------
    >>> law = log_norm_diffusion_law(activation="tanh", width=20, initial_mean_square=1.0)
    >>> round(law.mean(), 6)
    0.162229
    """
    d = int(_validate.width(width))
    S_0 = float(_validate.real("initial_mean_square", initial_mean_square, above=0, fix="give ‖h_0‖²/d"))
    bias = float(_validate.real("bias_std", bias_std, above=0, closed_above=True, fix="give 0 for no bias"))
    t = float(_validate.real("time", time, above=0, fix="give the depth-time, 1 for the whole network"))
    goal = float(
        _validate.real("tolerance", tolerance, above=1e-11, closed_above=True, below=1, fix="give 1e-7")
    )
    problem = _Problem(activation, width=d, start=math.log(S_0), variance=bias * bias, time=t)
    problem.find_window()
    return problem.solve(goal)


class _Problem:
    """One Fokker-Planck problem: its coordinate, window and solutions on grids."""

    def __init__(
        self, activation: Activation, *, width: int, start: float, variance: float, time: float
    ) -> None:
        self.activation, self.width, self.variance, self.time = activation, width, variance, time
        # Below S ~ ρ(0) the noise is that of √S; see the top of `theory.diffusion._fokker_planck`.
        self.coordinate = Coordinate(float(activation_second_moment(activation, variance)))
        self.log_start = start
        self.start = float(self.coordinate.of_log(np.array(start)))
        self.spread = 1.0
        self._known = np.inf, -np.inf
        self._move_window(self.start - 4, self.start + 4)

    def _move_window(self, low: float, high: float) -> None:
        """Set the window in ζ, cut off at S = 0, and tabulate ρ on it."""
        self.low = max(0.0, low) if self.coordinate.scale > 0 else low
        self.high = high
        if self.low < 0.02 * (high - low) and self.coordinate.scale > 0:
            self.low = 0.0
        # The outermost cells may stick out of the window.
        ends = np.array([self.low - 0.5, high + 1])
        low, high = np.exp(self.coordinate.log_of(np.maximum(ends, 0) if self.coordinate.scale > 0 else ends))
        if has_closed_second_moment(self.activation) or (self._known[0] <= low and high <= self._known[1]):
            return
        # ρ is smooth in log S, and in S below ρ(0).
        ends = np.log(np.array([low, high]) + self.coordinate.scale)
        knots = np.linspace(ends[0], ends[1], 8 + int((ends[1] - ends[0]) / _KNOT))
        S = np.maximum(np.exp(knots) - self.coordinate.scale, 0.0)
        values = np.asarray(activation_second_moment(self.activation, S + self.variance))
        if not (values > 0).all():
            raise ValueError("activation: must not be 0 everywhere; give another function")
        self._known = float(low), float(high)
        self._log_rho = interpolate.make_interp_spline(knots, np.log(values), k=5)

    def rho(self, S: FloatArray) -> FloatArray:
        """Return ρ(S), bias included."""
        if has_closed_second_moment(self.activation):
            return np.asarray(activation_second_moment(self.activation, S + self.variance))
        return np.exp(self._log_rho(np.log(S + self.coordinate.scale)))

    def edges(self, cells: int, *, tolerance: float) -> tuple[FloatArray, int]:
        """Return about `cells` + 1 edges over the window and the index of the one that is the start."""
        h = (self.high - self.low) / cells
        below = max(1, math.ceil((self.start - self.low) / h - 1e-9))
        at_zero = self.coordinate.scale > 0 and self.low == 0
        # Starting at 0 instead shifts S_t by about S_0, the distribution function by S_0/(scale · spread).
        shift = math.sqrt(self.width) * math.exp(self.log_start) / max(self.coordinate.scale, 1e-300)
        if at_zero and self.start < h / 4 and shift < tolerance:
            below, offset = 0, 0.0
        else:
            offset = self.start
            h = self.start / below if at_zero else h
        edges = offset + h * np.arange(-below, max(2, math.ceil((self.high - offset) / h)) + 1)
        if at_zero:
            edges[0] = 0.0
        return edges.astype(np.float64), below

    def masses(self, edges: FloatArray, *, start: int, steps: int) -> FloatArray:
        """Return the masses of the cells after each step, from a point mass on the edge of index `start`."""
        up, down = rates(edges, coordinate=self.coordinate, rho=self.rho, width=self.width)
        mass = np.zeros(edges.size - 1)
        # Half on each side of the edge: an error of order h² like all the others.
        mass[max(0, start - 1)] += 0.5
        mass[start] += 0.5
        return propagate(mass, up=up, down=down, time=self.time, steps=steps)

    def deepest_fall(self) -> float:
        """Return the ζ below which wide networks never get."""
        # y is a time-changed Brownian motion with drift, whatever σ: it ever falls by a with probability
        # e^{−(d/2−1)a}. Early falls happen between the steps of the search; narrow networks fall late.
        rate = 0.5 * self.width - 1
        if rate < 9:
            return self.start
        return float(self.coordinate.of_log(np.array(self.log_start - _LOG_CUT / rate)))

    def find_window(self) -> None:
        """Widen the window until its ends hold no mass, then narrow it to where there is any."""
        # Coarse cells diffuse too much, so the window narrows from pass to pass and stays safe.
        narrowed = 0
        while narrowed < 3:
            edges, start = self.edges(_SEARCH_CELLS, tolerance=1.0)
            try:
                rows = np.abs(self.masses(edges, start=start, steps=_SEARCH_STEPS))
            except ArithmeticError as cause:
                # Rates out of float range: ρ grows too fast.
                raise ArithmeticError(f"time={self.time:g}: ‖h‖ explodes; give a shorter time") from cause
            from_left = np.cumsum(rows, axis=1).max(axis=0)
            from_right = np.cumsum(rows[:, ::-1], axis=1).max(axis=0)[::-1]
            low, high = self.low, self.high
            if from_left[1] > _CUT and not (self.low == 0 and self.coordinate.scale > 0):
                low = self.start - 2 * (self.start - self.low)
            if from_right[-2] > _CUT:
                high = self.start + 2 * (self.high - self.start)
            if (low, high) == (self.low, self.high):
                narrowed += 1
                kept = np.flatnonzero((from_left > _CUT) & (from_right > _CUT))
                h = edges[1] - edges[0]
                low = min(edges[kept[0]], self.start) - 4 * h
                high = max(edges[kept[-1] + 1], self.start) + 4 * h
                middle = 0.5 * (edges[1:] + edges[:-1])
                means = (rows @ middle)[:, None]
                spreads = np.sqrt((rows * (middle - means) ** 2).sum(axis=1))
                self.spread = float(spreads[-1])
                low = min(low, max(self.deepest_fall(), self.start - 12 * float(spreads.max())))
            elif self.coordinate.log_of(np.array(high)) - self.log_start > _EXPLODED:
                raise ArithmeticError(f"time={self.time:g}: ‖h‖ explodes; give a shorter time")
            self._move_window(float(low), float(high))

    def distribution(self, edges: FloatArray, *, start: int, steps: int) -> FloatArray:
        """Return the distribution function at the edges."""
        mass = self.masses(edges, start=start, steps=steps)[-1]
        return np.concatenate(([0.0], np.cumsum(mass)))

    def solve(self, tolerance: float) -> TabulatedLaw:
        """Return the law, extrapolated over three grids that are refined until the error is small enough."""
        h = min(self.spread / 12, 2 / max(2, self.width - 2))
        edges, start = self.edges(math.ceil((self.high - self.low) / h), tolerance=tolerance / 10)
        steps = _FEWEST_STEPS
        levels = [self.distribution(edges, start=start, steps=steps)]
        while True:
            # The order in time is high: when doubling the steps changes little, the doubled ones are exact.
            steps *= 2
            finer = self.distribution(edges, start=start, steps=steps)
            change = float(np.abs(finer - levels[0]).max())
            levels[0] = finer
            if change < tolerance / 10:
                break
        grids = [(edges, start)]
        while True:
            while len(levels) < 3:
                edges, start = grids[-1]
                if 2 * edges.size > _MOST_CELLS:
                    raise ArithmeticError(
                        f"tolerance={tolerance:g}: needs more than {_MOST_CELLS} cells; give a larger one"
                    )
                finer_edges = np.empty(2 * edges.size - 1)
                finer_edges[::2] = edges
                finer_edges[1::2] = 0.5 * (edges[1:] + edges[:-1])
                grids.append((finer_edges, 2 * start))
                levels.append(self.distribution(finer_edges, start=2 * start, steps=steps))
            second = (4 * levels[1][::2] - levels[0]) / 3
            fourth = (4 * levels[2][::2] - levels[1]) / 3
            sixth = (16 * fourth[::2] - second) / 15
            # The second term is the larger one where the error is no series in h², as close to S = 0.
            error = max(float(np.abs(sixth - fourth[::2]).max()), float(np.abs(sixth - second).max()) / 16)
            if error < tolerance:
                break
            del levels[0], grids[0]
        return self._law(grids[0][0], sixth, error)

    def _law(self, edges: FloatArray, cdf: FloatArray, error: float) -> TabulatedLaw:
        """Return the law of log(‖h_L‖/‖h_0‖) = (log S − log S_0)/2."""
        coordinate, log_start = self.coordinate, self.log_start
        return TabulatedLaw(
            edges,
            cdf,
            from_coordinate=lambda zeta: 0.5 * (coordinate.log_of(zeta) - log_start),
            to_coordinate=lambda x: coordinate.of_log(log_start + 2 * x),
            slope=lambda x: 2 * coordinate.slope(log_start + 2 * x),
            error=error,
        )
