"""Normalisations: where they stand in a layer and what they divide by."""

from __future__ import annotations

from dataclasses import dataclass

from montecarlo.common._errors import InvalidFieldError, check_real, unknown_name
from montecarlo.networks.blocks._block import BRANCH_NORM, NORM, STREAM_NORM

NORMS: dict[str, tuple[str, ...]] = {
    "none": (),
    "pre-rms": (NORM,),
    "pre-layer": (NORM,),
    "pre-tanh": (NORM,),
    "post-rms": (STREAM_NORM,),
    "post-layer": (STREAM_NORM,),
    "peri-rms": (NORM, BRANCH_NORM),
    "peri-layer": (NORM, BRANCH_NORM),
}
"""The words of each norm, by name; ``pre-tanh:GAMMA`` carries its gain."""


@dataclass(frozen=True)
class Norm:
    """A normalisation of ``ResNet(norm=...)``.

    Parameters
    ----------
    name : str
        In its one spelling.
    words : tuple of str
        The places at which it is performed.
    kind : {"none", "rms", "layer", "tanh"}
        ``√d x/‖x‖``; the same for x less its mean; ``tanh(γ x)``, unit by unit.
    gamma : float
        γ of tanh; 1 otherwise.
    """

    name: str
    words: tuple[str, ...]
    kind: str
    gamma: float = 1.0


def find_norm(name: str) -> Norm:
    """Return the normalisation of a name.

    Raises
    ------
    InvalidFieldError
        For an unknown one, or a gain that is not a positive number.

    Examples
    --------
    >>> find_norm("peri-rms").words
    ('norm', 'branch-norm')
    >>> find_norm("pre-tanh:0.5")
    Norm(name='pre-tanh:0.5', words=('norm',), kind='tanh', gamma=0.5)
    """
    stem, colon, gain = str(name).partition(":")
    if stem not in NORMS or (colon and stem != "pre-tanh"):
        raise unknown_name(
            "norm", name, [*(n for n in NORMS if n != "pre-tanh"), "pre-tanh:GAMMA"], "pre-rms"
        )
    if stem != "pre-tanh":
        return Norm(stem, NORMS[stem], stem.rpartition("-")[2])
    try:
        gamma = check_real("norm", float(gain), 0.0, 1e6, 1.0, open_low=True)
    except ValueError:
        rule = "must carry a gain between 0 and 1e6"
        raise InvalidFieldError("norm", name, rule, "give norm='pre-tanh:0.5', say") from None
    return Norm(
        f"pre-tanh:{gamma:g}" if float(f"{gamma:g}") == gamma else f"pre-tanh:{gamma!r}",
        NORMS[stem],
        "tanh",
        gamma,
    )
