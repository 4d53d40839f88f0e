"""
Gaussian dual activations by quadrature, for any activation.

One input: `E σ(√s Z)²` is integrated in `x = √s z`, so that the kinks of σ sit at the same x for every s
and the adaptive rule needs to find them only once.

Two inputs: in polar coordinates of the two independent normals, `u = √s₁ r cos φ` and `v = √s₂ r cos(φ − θ)`
with `cos θ` the correlation. A kink of σ at 0 is then at the four known angles where u or v vanishes, which
become panel ends, and nothing degenerates as the correlation tends to ±1.

Panels grow by factors of two from the scale on which an activation varies, x ~ 1, to the tail.
"""

from collections.abc import Callable

import numpy as np
from scipy import integrate

from theory.common._validate import FloatArray

TAIL = 16.0
"""Standard deviations kept: beyond, a normal density is below 1e-55."""

RELATIVE_ERROR = 1e-10
"""Error that the rules aim at, relative to the dual (one input) or to √(ρ(s₁) ρ(s₂)) (two inputs)."""

_TINY = 1e-300


def _dyadic_edges(smallest: float, largest: float) -> FloatArray:
    """Return 0 and largest·2^-j, down to the first edge that is at most `smallest`."""
    halvings = max(1, int(np.ceil(np.log2(largest / smallest))))
    return np.concatenate(([0.0], largest * 2.0 ** np.arange(-halvings, 1)))


def _panel_rule(edges: FloatArray, points: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of the composite Gauss-Legendre rule on the panels between edges."""
    x, w = np.polynomial.legendre.leggauss(points)
    half = 0.5 * np.diff(edges)[:, None]
    return (edges[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()


def second_moment_quadrature(function: Callable[[FloatArray], FloatArray], s: FloatArray) -> FloatArray:
    """Return E σ(√s Z)² for a one-dimensional array of s > 0."""
    root = np.sqrt(s)
    # Below an eighth of every scale, σ's and the Gaussians', integrands are smooth on one panel.
    edges = _dyadic_edges(min(float(root.min()), 1.0) / 8, TAIL * float(root.max()))
    nodes, weights = _panel_rule(edges, 12)
    values = function(nodes) ** 2 + function(-nodes) ** 2
    rough = np.exp(-0.5 * (nodes / root[:, None]) ** 2) @ (weights * values) / root
    scale = np.where(rough > 0, rough, 1.0) * root

    def integrand(x: float) -> FloatArray:
        # Normalised by the rough value so that the error control is relative for every s.
        both = float(function(np.array([x]))[0]) ** 2 + float(function(np.array([-x]))[0]) ** 2
        return both * np.exp(-0.5 * (x / root) ** 2) / scale

    total, error = integrate.quad_vec(
        integrand, 0.0, edges[-1], points=edges[1:-1], epsabs=_TINY, epsrel=1e-12, norm="max", limit=10000
    )[:2]
    if not error <= RELATIVE_ERROR * max(1.0, float(np.abs(total).max())):
        raise ArithmeticError(f"activation: the integral of σ(√s z)² has error {error:.1e}; smoothen σ")
    return total * scale / (root * np.sqrt(2 * np.pi))


def dual_quadrature(
    function: Callable[[FloatArray], FloatArray],
    *,
    first: float,
    second: float,
    correlation: float,
    relative_error: float = RELATIVE_ERROR,
) -> float:
    """Return E σ(u)σ(v) for centred Gaussian (u, v) of the given variances and correlation."""
    theta = float(np.arccos(correlation))
    roots = np.sqrt(first), np.sqrt(second)
    edges = _dyadic_edges(1 / (8 * max(1.0, *roots)), TAIL)
    previous = np.nan
    # The last rules are for σ that oscillates; past them only a kink away from 0 is left to chase.
    for points in (16, 32, 64, 128):
        r, w = _panel_rule(edges, points)
        w = w * r * np.exp(-0.5 * r * r) / (2 * np.pi)
        value, size, error = _angular_integral(
            function, r=r, w=w, roots=roots, theta=theta, goal=relative_error
        )
        if abs(value - previous) + error <= relative_error * size:
            return value
        previous = value
    raise ArithmeticError(
        f"activation: E σ(u)σ(v) did not settle within {relative_error:g}; give a larger relative_error"
    )


def _angular_integral(
    function: Callable[[FloatArray], FloatArray],
    *,
    r: FloatArray,
    w: FloatArray,
    roots: tuple[float, float],
    theta: float,
    goal: float,
) -> tuple[float, float, float]:
    """Return E σ(u)σ(v), the scale (E σ(u)² + E σ(v)²)/2 and the error over the angle."""

    def integrand(phi: float) -> FloatArray:
        su = function(roots[0] * np.cos(phi) * r)
        sv = function(roots[1] * np.cos(phi - theta) * r)
        return np.array([w @ (su * sv), 0.5 * (w @ (su * su) + w @ (sv * sv))])

    kinks = np.array([np.pi / 2, 3 * np.pi / 2, theta + np.pi / 2, theta - np.pi / 2])
    # From π/2, where u vanishes, once round: the ends are kinks too.
    points = np.unique((kinks - np.pi / 2) % (2 * np.pi)) + np.pi / 2
    total, error = integrate.quad_vec(
        integrand,
        np.pi / 2,
        5 * np.pi / 2,
        points=points,
        epsabs=_TINY,
        epsrel=goal,
        norm="max",
        limit=1000,
    )[:2]
    return float(total[0]), float(total[1]), float(error)
