"""The normalisation that stands before a branch: which parameters are its gain and its bias."""

from __future__ import annotations

import re

from montecarlo.diagnosis.branches._blocks import Family, common_shape
from montecarlo.diagnosis.branches._kinds import attends, split, words

_BATCH = r"_(bn|running_mean|running_var|batch|batchnorm)_"


def find_norm(
    families: dict[str, Family], roles: dict[str, str], matrices: list[str], width: int
) -> tuple[str | None, str | None]:
    """Return gain and bias of the norm before the branch's matrices; None where there is none.

    Of several norms the last one before the first matrix: those of attention stand before it, and that of the
    branch's output behind it. Where norms are listed apart from matrices, the last of them.
    """
    place = {name: number for number, name in enumerate(families)}
    own = [
        name
        for name, role in roles.items()
        if role == "norm" and common_shape(families[name]) == (width,) and not attends(name)
    ]
    gains = [name for name in own if not _is_bias(name) and not re.search(_BATCH, _text(name))]
    first = min(place[name] for name in matrices)
    if not gains:
        return None, None
    before = [name for name in gains if place[name] < first]
    gain = max(before or gains, key=place.__getitem__)
    beside = [name for name in own if _is_bias(name) and split(name)[0] == split(gain)[0]]
    return gain, next(iter(beside), None)


def _text(name: str) -> str:
    return f"_{'_'.join(words(name))}_"


def _is_bias(name: str) -> bool:
    return bool({"bias", "b", "beta"} & set(words(split(name)[1])))
