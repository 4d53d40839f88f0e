"""DeepNorm's constants are in the identity regime (G6; *derived*)."""

from dataclasses import dataclass

from theory.common import _validate


@dataclass(frozen=True)
class DeepNorm:
    """
    DeepNorm's feed-forward blocks as a post-norm network (G6).

    Attributes
    ----------
    stream, weights : float
        α = (2N)^{1/4} and β = (8N)^{-1/4}.
    depth : int
        L = 2N residual blocks.
    alpha : float
        a = β²/α, the scaling of the equal post-norm network n(h + a V ReLU(W h)).
    total : float
        τ = a² L = 1/(4√(2N)).
    exponent : float
        3/4: a is proportional to L^{-3/4}.
    """

    stream: float
    weights: float
    depth: int
    alpha: float
    total: float
    exponent: float


def deepnorm(*, layers: int) -> DeepNorm:
    """
    Return DeepNorm's scaling for N decoder or encoder layers (G6; *derived*).

    norm(αx + β²V ReLU(Wx)) is norm(x + aV ReLU(Wx)) with a = β²/α, so that N10 gives its laws: a²L → 0, the
    identity regime, with the effective exponent 3/4.

    Parameters
    ----------
    layers : int
        N >= 1, each of two residual blocks.

    Returns
    -------
    DeepNorm

    Raises
    ------
    ValueError
        If `layers` is not a whole number >= 1.

    Examples
    --------
    >>> block = deepnorm(layers=8)
    >>> print(f"{block.stream} {block.depth} {block.alpha**2:.6f} {block.total:.4f}")
    2.0 16 0.003906 0.0625
    """
    N = int(_validate.whole("layers", layers, minimum=1, fix="give the number of transformer layers"))
    stream, weights, depth = (2 * N) ** 0.25, (8 * N) ** -0.25, 2 * N
    alpha = weights**2 / stream
    return DeepNorm(stream, weights, depth, alpha, alpha**2 * depth, 0.75)
