"""Schedules: how the scaling changes along the layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, check_real

Schedule = str | Sequence[float]


def find_schedule(
    schedule: Schedule, depth: int
) -> tuple[str | tuple[float, ...], npt.NDArray[np.float64] | None]:
    """Return a schedule in its one spelling and its factors of α, layer by layer; None where all are 1.

    Parameters
    ----------
    schedule : str or sequence of float
        ``constant``, ``power:P`` for a_k = α (k+1)^-P, k = 0..L-1, or the L factors themselves.
    depth : int
        L.

    Raises
    ------
    InvalidFieldError
        For any other, for another number of factors than L, or factors that are not between 0 and 1e30.

    Examples
    --------
    >>> find_schedule("power:0.5", 4)[1].round(3).tolist()
    [1.0, 0.707, 0.577, 0.5]
    >>> find_schedule([1.0, 1.0], 2)
    ('constant', None)
    """
    example = "give schedule='power:0.5', say"
    if isinstance(schedule, str):
        stem, colon, power = schedule.partition(":")
        if schedule == "constant":
            return "constant", None
        if stem != "power" or not colon:
            raise InvalidFieldError(
                "schedule", schedule, "must be constant, power:P or L factors of α", example
            )
        try:
            exponent = check_real("schedule", float(power), -10.0, 10.0, 0.5)
        except ValueError:
            raise InvalidFieldError(
                "schedule", schedule, "must carry a power between -10 and 10", example
            ) from None
        if exponent == 0.0:
            return "constant", None
        return f"power:{exponent!r}", np.arange(1.0, depth + 1.0) ** -exponent
    try:
        factors = np.asarray(schedule, np.float64)
    except (TypeError, ValueError):
        raise InvalidFieldError(
            "schedule", schedule, "must be constant, power:P or L factors of α", example
        ) from None
    if factors.shape != (depth,):
        rule = f"must have one factor a layer, {depth:,} of them"
        raise InvalidFieldError("schedule", f"{factors.size} factors", rule, example)
    if not np.all((factors >= 0.0) & (factors <= 1e30)):
        raise InvalidFieldError("schedule", "the factors", "must be between 0 and 1e30", example)
    if np.all(factors == 1.0):
        return "constant", None
    return tuple(factors.tolist()), factors
