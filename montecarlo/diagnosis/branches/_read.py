"""`measure_branches`: from a model's parameters to the record of its branches."""

from __future__ import annotations

import re
from typing import Any

from montecarlo.common._errors import InvalidFieldError, check_real, check_whole
from montecarlo.diagnosis.branches._blocks import find_blocks
from montecarlo.diagnosis.branches._measure import measure
from montecarlo.diagnosis.branches._record import Branches
from montecarlo.diagnosis.branches._roles import assign_roles
from montecarlo.diagnosis.branches._tree import read_parameters


def measure_branches(
    model: Any,
    *,
    multiplier: float = 1.0,
    pattern: str | None = None,
    matrices_per_block: int | None = None,
    width: int | None = None,
) -> Branches:
    """Read width, depth and weight scales of the residual branches from a model.

    Takes the blocks that hold most matrices: those whose names differ in one number alone, or arrays with
    the blocks along one axis. Of two matrices in a block, V is the one that maps back to the stream, by
    the lengths of biases, norms and scales beside them, and where these leave it open by names and order.
    Scales of a branch (LayerScale, ReZero) count into the scaling. What was guessed or not read is in
    `Branches.warnings`, what each parameter was taken as in `Branches.roles`. A normalisation inside the
    branch makes the diagnosis wrong: the theory is about plain branches.

    Parameters
    ----------
    model : object with named_parameters(), or nested mappings and lists of arrays
        A PyTorch module, Flax or Haiku parameters (with or without `nn.scan`), or any mapping of names to
        arrays. None of these libraries is needed here.
    multiplier : float, default 1
        The factor in front of the branch that the model's code applies.
    pattern : str, optional
        A regular expression that the names of V and W must contain, where the choice is not the right one.
        Norms, biases and scales beside them are read in any case.
    matrices_per_block : {1, 2}, optional
        For a flat list of square matrices, which does not say it: one (V), or W and V in turn.
    width : int, optional
        The width of the stream, where matrices are not square and nothing says which side it is.

    Returns
    -------
    Branches

    Raises
    ------
    InvalidFieldError
        If the model has no such matrices, or what they are cannot be known from parameters: gated branches,
        experts, three and more matrices a block, several stacks of blocks.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> weight = lambda rows, columns: rng.normal(0, columns**-0.5, (rows, columns))
    >>> model = {f"block.{k}.{name}.weight": weight(64, 64) for k in range(20) for name in ("fc1", "fc2")}
    >>> found = measure_branches(model, multiplier=0.1)
    >>> found.width, found.depth, found.names, found.weights, round(found.alpha, 3)
    (64, 20, ('block.*.fc2.weight', 'block.*.fc1.weight'), 'gaussian', 0.1)
    """
    multiplier = check_real("multiplier", multiplier, 0.0, 1e30, 1.0, open_low=True)
    if matrices_per_block is not None:
        matrices_per_block = check_whole("matrices_per_block", matrices_per_block, 1, 2, 2)
    if width is not None:
        width = check_whole("width", width, 1, 100_000, 64)
    try:
        rule = None if pattern is None else re.compile(pattern)
    except (re.error, TypeError) as error:
        raise InvalidFieldError(
            "pattern", pattern, f"must be a regular expression ({error})", r"give pattern='fc\d', say"
        ) from None
    parameters, left_out = read_parameters(model)
    if not parameters and left_out:
        raise InvalidFieldError(
            "model", ", ".join(left_out[:3]), "must have arrays of floats", "give a model's parameters"
        )
    blocks = find_blocks(parameters, rule)
    roles = assign_roles(blocks, pattern=rule, width=width, matrices_per_block=matrices_per_block)
    return measure(roles, multiplier)
