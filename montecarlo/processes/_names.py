"""The named processes and how they are found."""

from __future__ import annotations

from montecarlo.processes import _fbm, _known, _matern, _rbf, _rbf_increments
from montecarlo.processes._family import Family
from montecarlo.processes._process import WeightProcess

_FAMILIES: dict[str, Family] = {
    module.FAMILY.name: module.FAMILY for module in (_fbm, _matern, _rbf, _rbf_increments)
}

_known.PARSERS.update({name: family.parse for name, family in _FAMILIES.items()})

PROCESSES: dict[str, str] = {
    family.spelling: f"{family.meaning}; {family.rule}" for family in _FAMILIES.values()
}
"""How the named processes are written, and what they mean."""


def find_process(weights: str | WeightProcess, *, field: str = "weights") -> WeightProcess | None:
    """Return the process of a spelling, or None where the text does not name a process.

    Parameters
    ----------
    weights : str or WeightProcess
        ``"fbm:H"``, ``"rbf:VARIANCE"``, ``"rbf-increments:VARIANCE"``, ``"matern:NU:SCALE"``; a process is
        returned as it is.
    field : str, default "weights"
        What an error calls it.

    Raises
    ------
    InvalidFieldError
        If the name is one of a process and its parameters are not valid.

    Examples
    --------
    >>> find_process("fbm:0.30")
    WeightProcess('fbm:0.3')
    >>> find_process("gaussian") is None
    True
    """
    if isinstance(weights, WeightProcess):
        return weights
    family = _FAMILIES.get(str(weights).split(":", maxsplit=1)[0])
    return None if family is None else family.parse(str(weights), field=field)
