"""Errors that name the field, the value, the rule and the fix in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

import numpy as np

_SYNONYMS = {
    "normal": "gaussian", "gauss": "gaussian", "sign": "rademacher", "bernoulli": "rademacher",
    "linear": "identity", "leakyrelu": "leaky-relu", "leaky_relu": "leaky-relu",
}  # fmt: skip


class InvalidFieldError(ValueError):
    """A field of a specification or of a call breaks a rule.

    Parameters
    ----------
    field : str
        Name of the field, as in Python (``"bias_std"``); the command line turns it into its option.
    value : object
        What was given.
    rule : str
        What must hold.
    fix : str
        What to do instead.

    Examples
    --------
    >>> print(InvalidFieldError("width", 0, "must be a whole number of at least 1", "give width=40, say"))
    width=0: must be a whole number of at least 1; give width=40, say
    """

    __module__ = "montecarlo"  # where users import it from, and what a traceback shows

    def __init__(self, field: str, value: object, rule: str, fix: str) -> None:
        super().__init__(field, value, rule, fix)
        self.field = field
        self.value = value
        self.rule = rule
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.field}={self.value!r}: {self.rule}; {self.fix}"


def unknown_name(
    field: str, value: object, known: Iterable[str], example: str | None = None
) -> InvalidFieldError:
    """Return the error for a name that is not among the known ones, with the nearest of them."""
    names = sorted(known)
    fix = near_name(str(value), names, 0.5) or f"give {(example or names[0])!r}, say"
    return InvalidFieldError(field, value, f"must be one of {', '.join(names)}", fix)


def near_name(value: str, known: Iterable[str], likeness: float) -> str:
    """Return a question for the known name that is meant, or nearest and at least so much alike; else ""."""
    names = sorted(known)
    meant = [name for name in names if name == _SYNONYMS.get(value.lower())]
    near = meant or difflib.get_close_matches(value, names, n=1, cutoff=likeness)
    return f"did you mean {near[0]!r}?" if near else ""


def check_whole(field: str, value: object, low: int, high: int, example: int) -> int:
    """Return `value` as an int if it is a whole number between `low` and `high`, else raise."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole and not isinstance(value, (bool, np.bool_, str, bytes)):
        try:
            # By Python's own comparison, which is exact: a float has 53 bits, integers of numpy have 64.
            whole = bool(int(value) == value)  # type: ignore[call-overload]
        except (TypeError, ValueError, OverflowError):
            whole = False
    if not whole or not low <= int(value) <= high:  # type: ignore[call-overload]
        rule = f"must be a whole number of at least {low}"
        power = high.bit_length()
        rule += (
            f" and at most {high:,}"
            if high < 2**53
            else f" and at most 2**{power} - 1" * (high + 1 == 2**power)
        )
        raise InvalidFieldError(field, value, rule, f"give {field}={example}, say")
    return int(value)  # type: ignore[call-overload]


def check_flag(field: str, value: object) -> bool:
    """Return `value` as a bool if it is True or False, else raise: any word would pass for True."""
    if not isinstance(value, (bool, np.bool_)):
        raise InvalidFieldError(field, value, "must be True or False", f"give {field}=True")
    return bool(value)


def check_seed(seed: object) -> int:
    """Return a seed as an int from 0 to 2**128 - 1, else raise.

    A `numpy.random.SeedSequence` is as good as its entropy; one that was spawned, or that has more entropy
    than fits, gives 128 bits of its own.

    Examples
    --------
    >>> root = np.random.SeedSequence(7)
    >>> check_seed(root), check_seed(np.uint64(2**63 + 1)) - 2**63
    (7, 1)
    >>> first, second = (check_seed(child) for child in root.spawn(2))
    >>> first == second
    False
    """
    if isinstance(seed, np.random.SeedSequence):
        entropy = seed.entropy
        if not seed.spawn_key and isinstance(entropy, (int, np.integer)) and entropy < 2**128:
            seed = entropy
        else:
            seed = int.from_bytes(seed.generate_state(4, np.uint32).astype("<u4").tobytes(), "little")
    return check_whole("seed", seed, 0, 2**128 - 1, 7)


def check_real(
    field: str, value: object, low: float, high: float, example: float, *, open_low: bool = False
) -> float:
    """Return `value` as a float if it is a finite number in the range, else raise."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = float("nan")
    inside = low < number <= high if open_low else low <= number <= high
    if isinstance(value, bool) or not inside:
        bound = "above" if open_low else "at least"
        rule = f"must be a finite number {bound} {low:g}"
        rule += f" and at most {high:g}" if high < 1e300 else ""
        raise InvalidFieldError(field, value, rule, f"give {field}={example:g}, say")
    return number + 0.0  # -0.0 and 0.0 are one value, hence one digest


def check_sequence(field: str, value: object, fix: str) -> list[Any]:
    """Return the items of a sequence; a single number or word is refused, with a fix.

    Examples
    --------
    >>> check_sequence("betas", (0.5, 1), "give betas=[0.5], say")
    [0.5, 1]
    """
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return list(value)  # type: ignore[call-overload]
    except TypeError:
        raise InvalidFieldError(field, value, "must be a list", fix) from None
