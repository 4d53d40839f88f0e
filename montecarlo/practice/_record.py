"""`record`: the residual stream of a real model on one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from montecarlo.common._errors import check_seed
from montecarlo.practice._frameworks import is_torch_module, refuse_framework
from montecarlo.practice._functions import record_function
from montecarlo.practice._stream import Stream


def record(
    model: Any,
    *inputs: Any,
    blocks: str | Sequence[str] | None = None,
    loss: Callable[[Any], Any] | None = None,
    seed: int = 0,
    parameters: bool = True,
) -> Stream:
    """Record the residual stream of a model: states, branch outputs, gradients, parameters a block.

    Right for any model whose blocks hand a state on to each other, at any time in training. Nothing of a
    PyTorch model changes: hooks are removed, modes, buffers, gradients and the generators' states are as
    they were. Its blocks are found by structure: the longest run of calls of one class, children of one
    module, that map a tensor to one of its shape.

    Parameters
    ----------
    model : PyTorch module, or function
        A function is called with the inputs, and returns h_0, ..., h_L as a list or stacked along a first
        axis, or a mapping with `hidden` and, where it knows them, `gradients`, `loss_gradients` and `names`.
        One of JAX that takes `offsets`, like the states, and adds one to each, is differentiated here.
    *inputs
        What the model is called with; one mapping stands for named arguments.
    blocks : str or sequence of str, optional
        The blocks of a PyTorch module, where structure does not tell: the name of the module that holds
        them, a regular expression, or all their names.
    loss : callable, optional
        From the model's output (for a function its states) to a number, for gradients of it beside those of
        the random read-out.
    seed : int, default 0
        Of the read-out's direction p, independent standard normal entries.
    parameters : bool, default True
        Whether to read the parameters of a PyTorch module, too, which takes longer than running it.

    Returns
    -------
    Stream

    Raises
    ------
    InvalidFieldError
        If no blocks are found, or the model is neither module nor function.

    Examples
    --------
    >>> def stream(x):
    ...     states = [x]
    ...     for k in range(4):
    ...         states.append(states[-1] * 2.0)
    ...     return states
    >>> found = record(stream, np.ones((3, 8)))
    >>> found.depth, found.log_hidden.round(2).tolist(), found.overlaps.tolist()
    (4, [0.0, 0.69, 1.39, 2.08, 2.77], [1.0, 1.0, 1.0, 1.0])
    """
    rng = np.random.default_rng(check_seed(seed))
    if is_torch_module(model):
        from montecarlo.practice._torch import record_torch

        return record_torch(model, inputs, blocks=blocks, loss=loss, rng=rng, parameters=parameters)
    if not callable(model):
        raise refuse_framework(model)
    return record_function(model, inputs, loss=loss, rng=rng)
