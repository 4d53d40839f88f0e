"""The three numbers by which an activation enters the laws of normalised blocks: c, c' and v."""

import math
from dataclasses import dataclass

import numpy as np

from theory.common import _validate
from theory.common._activations import Activation
from theory.common._gaussian_moments import even_moments, slope_function


@dataclass(frozen=True)
class ActivationEnergy:
    """
    Mean squares of an activation and its slope at a standard normal Z (N1, N6, N10).

    Attributes
    ----------
    mean : float
        c = E σ(Z)².
    slope : float
        c' = E σ'(Z)².
    variance : float
        v = Var σ(Z)².
    """

    mean: float
    slope: float
    variance: float


def activation_energy(
    activation: Activation = "relu", *, derivative: Activation | None = None, deviation: float = 1.0
) -> ActivationEnergy:
    """
    Return c = E σ(u)², c' = E σ'(u)² and v = Var σ(u)² at a normal number u (N1, N6, N10; *derived*).

    Behind a norm every pre-activation is normal of variance 1 whatever the state is. A common gain γ of the
    norm and biases of deviation s make it γ² + s²: give their root as `deviation`.

    Parameters
    ----------
    activation : str or callable, optional
        A name of `ACTIVATIONS` or a vectorised function σ; "relu" by default.
    derivative : callable, optional
        The vectorised σ', needed beside a function.
    deviation : float, optional
        Standard deviation of the pre-activations, > 0; 1 by default. c' is E σ'(u)², without the γ² that
        gradients take from a gain.

    Returns
    -------
    ActivationEnergy
        Relative error below 1e-12 for named activations.

    Raises
    ------
    ValueError
        If the activation is unknown, a function has no derivative, or the deviation is not positive.

    Examples
    --------
    >>> energy = activation_energy("tanh")
    >>> print(f"{energy.mean:.6f} {energy.slope:.6f} {energy.variance:.6f}")
    0.394294 0.464403 0.097524
    """
    fix = "give the deviation of pre-activations, 1 behind a norm"
    scale = float(_validate.real("deviation", deviation, above=0, fix=fix))
    square = np.array([scale * scale])
    second, fourth = even_moments(activation, square)
    slope = even_moments(slope_function(activation, derivative), square)[0]
    mean = float(second[0])
    return ActivationEnergy(mean, float(slope[0]), max(0.0, math.fsum((float(fourth[0]), -mean * mean))))
