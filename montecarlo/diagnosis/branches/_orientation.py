"""Which of two matrices is V, and whether rows are outputs: all ways, and what rules some of them out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from montecarlo.common._errors import InvalidFieldError
from montecarlo.diagnosis.branches._kinds import split, words

_BACK = re.compile(r"v|down|out|outer|output|proj|back|o|wo|second|project|contract|post|last")
_FORTH = re.compile(r"w|up|in|inner|input|intermediate|wi|fc|first|expand|hidden|pre")
_WEIGHT = re.compile(r"weight|kernel|w|v|matrix")
_BIAS = re.compile(r"bias|b|beta")


@dataclass(frozen=True)
class Matrix:
    """A candidate for V or W: its name, its shape, and the length of its own bias (0 without one)."""

    name: str
    shape: tuple[int, ...]
    bias: int = 0


@dataclass(frozen=True)
class Way:
    """One way to make a branch: the number of V, whether rows are outputs, and the width that follows."""

    v: int
    rows_out: bool
    width: int


def orient(
    matrices: list[Matrix], *, beside: set[int], outside: frozenset[int], width: int | None
) -> tuple[Way, list[str]]:
    """Return how one or two matrices, in the order of the model, make a branch, and what was guessed.

    `beside` and `outside` are lengths of norms and scales in the block, and of any arrays outside: where one
    side of the matrices is among them, it is the width. `width` is what the user says.
    """
    first, last = matrices[0], matrices[-1]
    sides = set(first.shape)
    if first.shape != last.shape[::-1]:
        shapes = " and ".join(f"{m.name} {m.shape}" for m in matrices)
        rule = "must have square matrices, or two a block that map a state to units and back"
        raise InvalidFieldError("model", shapes, rule, "choose them with pattern=")
    if width is not None and width not in sides:
        rule = f"must be a side of {first.name}, {first.shape[0]} or {first.shape[1]}"
        raise InvalidFieldError("width", width, rule, f"give width={min(sides)}, say")
    kernel = any("kernel" in words(m.name) for m in matrices)  # Flax's, whose rows are inputs
    weight = any("weight" in words(m.name) for m in matrices)  # PyTorch's, whose rows are outputs
    later = _later(first.name, last.name) if len(matrices) == 2 else None
    ways = [
        Way(v, out, m.shape[0 if out else 1]) for out in (True, False) for v, m in enumerate(matrices)
    ]  # fmt: skip
    remarks = []

    def keep(fits: list[Way]) -> None:
        ways[:] = [way for way in ways if way in fits] or ways

    keep([way for way in ways if width in (None, way.width)])
    keep([way for way in ways if all(m.bias in (0, m.shape[0 if way.rows_out else 1]) for m in matrices)])
    keep([way for way in ways if not (kernel and way.rows_out)])
    for lengths in (beside, outside):
        if len(sides & lengths) == 1:
            keep([way for way in ways if way.width in lengths])
    if len({way.width for way in ways}) > 1:
        keep([way for way in ways if later in (None, way.v)])
        keep([way for way in ways if way.rows_out or not weight])
        keep([way for way in ways if way.width == min(sides)])  # branches are wider than streams, mostly
        remarks.append(
            f"only names and order say which side of {first.name} is the stream: took {ways[0].width}; "
            "width= says it"
        )
    keep([way for way in ways if later in (None, way.v)])
    keep([way for way in ways if way.rows_out or not weight])
    if len({way.v for way in ways}) > 1:
        keep([way for way in ways if way.v == 1])
        remarks.append(f"nothing says which matrix maps back: took {last.name}, the later one")
    return ways[0], remarks


def _later(first: str, last: str) -> int | None:
    """Return which of two names says that it maps back; None if neither does."""
    one, two = words(first), words(last)
    numbers = [(a, b) for a, b in zip(one, two, strict=False) if a != b]
    if len(one) == len(two) and len(numbers) == 1 and all(word.isdigit() for word in numbers[0]):
        return int(int(numbers[0][1]) > int(numbers[0][0]))
    own = (set(one) - set(two), set(two) - set(one))
    back, back_2 = (sum(bool(_BACK.fullmatch(w)) - bool(_FORTH.fullmatch(w)) for w in each) for each in own)
    return None if back == back_2 else int(back_2 > back)


def own_bias(matrix: str, matrices: list[str], biases: list[str]) -> str | None:
    """Return the bias beside a matrix: alone with it, or of its name but for weight and bias."""
    module, leaf = split(matrix)
    if below := [name for name in biases if split(name)[0] == matrix]:  # fc and fc.bias
        return below[0]
    beside = [name for name in biases if split(name)[0] == module]
    if len(beside) == 1 and sum(split(name)[0] == module for name in matrices) == 1:
        return beside[0]
    stem = [word for word in words(leaf) if not _WEIGHT.fullmatch(word)]
    for name in beside:
        if [word for word in words(split(name)[1]) if not _BIAS.fullmatch(word)] == stem:
            return name
    return None
