"""
Tangents pushed forward and gradients pulled back have one law, in any network (J0; *derived*).

J = ∂h_L/∂h_0 is any random square matrix, v and p are uniform on the sphere and independent of it. With J =
UΣQᵀ, Qᵀv and Uᵀp are again uniform and independent of J: ‖Jv‖ and ‖Jᵀp‖ are both ‖Σ · uniform‖, given Σ. The
same for J − I. No law of the weights, activation, norm or dependence over layers enters.

If the layers are rotation invariant (Gaussian V and W), the law of J depends on the direction of h_0 by
rotation alone, and an isotropic h_0 makes the other directions isotropic relative to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from theory.common import _validate

Direction = Literal["isotropic", "fixed", "depends on the network"]
_DIRECTIONS = ("isotropic", "fixed", "depends on the network")

TANGENT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "log‖Jᵀp‖/‖p‖": "log‖Jv‖/‖v‖",
        "log‖Jᵀp − p‖/‖p‖": "log‖Jv − v‖/‖v‖",
    }
)
"""Number of a gradient -> number of a tangent with the same law, one by one and jointly (read-only)."""


def isotropic_duality(
    *,
    tangent: Direction,
    gradient: Direction,
    input_isotropic: bool = False,
    rotation_invariant: bool = False,
) -> bool:
    """
    Return whether ‖Jv‖ and ‖Jᵀp‖ are proved to have one law, and ‖Jv − v‖ and ‖Jᵀp − p‖ (J0; *derived*).

    Any architecture, activation, weight law, normalisation and dependence over layers. Not jointly with
    ‖h_L‖.

    Parameters
    ----------
    tangent, gradient : {"isotropic", "fixed", "depends on the network"}
        The directions of v and of p = ∂ℓ/∂h_L: uniform on the sphere and independent of the hidden layers (a
        Gaussian linear read-out), one given direction, or dependent on them: the loss behind a normalised
        read-out.
    input_isotropic : bool, optional
        Whether the direction of h_0 is uniform on the sphere and independent of the rest; not by default.
    rotation_invariant : bool, optional
        Whether all layers are (Gaussian V and W, any dependence over layers, RMS norms); not by default.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If a direction is another word.

    Examples
    --------
    >>> isotropic_duality(tangent="isotropic", gradient="isotropic")
    True
    >>> isotropic_duality(tangent="fixed", gradient="isotropic")
    False
    >>> rotations = {"input_isotropic": True, "rotation_invariant": True}
    >>> isotropic_duality(tangent="isotropic", gradient="fixed", **rotations)
    True
    """
    fix = "choose one"
    _validate.choice("tangent", tangent, _DIRECTIONS, fix=fix)
    _validate.choice("gradient", gradient, _DIRECTIONS, fix=fix)
    free = input_isotropic and rotation_invariant
    return all(word == "isotropic" or (word == "fixed" and free) for word in (tangent, gradient))
