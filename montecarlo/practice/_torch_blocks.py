"""Which modules are the residual blocks: the longest run of like children that map a tensor to its shape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from montecarlo.common._errors import InvalidFieldError

_NOT_BLOCKS = re.compile(r"^(Dropout\w*|Identity|\w*ReLU\w*|GELU\w*|SiLU|Tanh|Sigmoid|Softmax)$")


@dataclass(frozen=True)
class Call:
    """One call of a module in a forward pass.

    Parameters
    ----------
    module : module
        What was called.
    parent, name : str
        Names of the module that holds it, and its own within the model.
    entered, left : object or None
        The stream's tensor going in and coming out; None for the latter if no output has the shape of an
        input, and for both without floating tensors.
    """

    module: Any
    parent: str
    name: str
    entered: Any
    left: Any


def tensors_in(value: Any) -> list[Any]:
    """Return the floating tensors in an argument or result: a tensor, or tuples, lists and mappings of
    them.
    """
    if hasattr(value, "is_floating_point") and hasattr(value, "detach"):
        return [value] if value.is_floating_point() else []
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors_in(item)]
    return []


def through(entered: Any, left: Any) -> tuple[Any, Any]:
    """Return the first tensor that went in and the first of its shape that came out; None where none is."""
    for before in tensors_in(entered):
        for after in tensors_in(left):
            if tuple(after.shape) == tuple(before.shape) and len(before.shape) > 0:
                return before, after
    first = tensors_in(entered)
    return (first[0] if first else None), None


def names_of(model: Any) -> dict[int, tuple[str, str]]:
    """Return for the id of each module its parent's name and its own, by the first place it stands at."""
    found: dict[int, tuple[str, str]] = {id(model): ("", "")}
    todo = [("", model)]
    while todo:
        prefix, module = todo.pop(0)
        for name, child in module._modules.items():
            if child is None or id(child) in found:
                continue
            path = f"{prefix}.{name}" if prefix else name
            found[id(child)] = (prefix, path)
            todo.append((path, child))
    return found


def find_blocks(calls: Sequence[Call]) -> list[Call]:
    """Return the calls of the residual blocks, in order.

    Calls of one parent's children, all of one class and of one shape of stream, as many as possible in one
    call of the parent; of runs of one length those that hand the stream on to each other, and then those
    further out.

    Raises
    ------
    InvalidFieldError
        If no two such calls are there.
    """
    runs: dict[tuple[str, type, tuple[int, ...]], list[Call]] = {}
    for call in calls:
        if call.left is None or _NOT_BLOCKS.match(type(call.module).__name__) or not call.name:
            continue
        shape = tuple(int(n) for n in call.left.shape)
        runs.setdefault((call.parent, type(call.module), shape), []).append(call)
    found = [run for run in runs.values() if len(run) > 1 and _parameters(run[0].module)]
    found = found or _first_layers(calls)
    if not found:
        raise InvalidFieldError(
            "model", f"{len(calls)} calls of modules",
            "must have two blocks or more of one class that map a tensor to one of its shape",
            "name them with blocks='layers', say, or return the states from a function",
        )  # fmt: skip
    times = Counter(call.name for call in calls)

    def length(run: Sequence[Call]) -> float:
        # Parts of a block that is called again and again are called as often as it: they are no longer run.
        return len(run) / max(1, times[run[0].parent])

    return max(found, key=lambda run: (length(run), hands_on(run), -run[0].name.count(".")))


def _first_layers(calls: Sequence[Call]) -> list[list[Call]]:
    """Return the first list of layers that are called one after another on tensors of one shape.

    In `for W, V in zip(...): h = h + V(relu(W(h)))` there is no module a block, but what enters W is the
    stream.
    """
    runs: dict[tuple[str, type], list[Call]] = {}
    for call in calls:
        if call.entered is not None and call.parent and _parameters(call.module):
            runs.setdefault((call.parent, type(call.module)), []).append(call)
    for run in runs.values():
        if len(run) > 1 and len({tuple(call.entered.shape) for call in run}) == 1:
            return [run]
    return []


def named_blocks(calls: Sequence[Call], blocks: str | Sequence[str]) -> list[Call]:
    """Return the calls of blocks that a user names: one list of modules, a regular expression, or each.

    Raises
    ------
    InvalidFieldError
        If no call has such a name, or one of them hands no tensor of its shape on.
    """
    if isinstance(blocks, str):
        found = [call for call in calls if call.parent == blocks] or [
            call for call in calls if re.fullmatch(blocks, call.name)
        ]
    else:
        found = [call for call in calls if call.name in set(blocks)]
    if not found:
        near = sorted({call.parent for call in calls if call.parent})[:6]
        raise InvalidFieldError(
            "blocks", blocks, "must name modules that are called", f"the model has {', '.join(near)}, say"
        )
    for call in found:
        if call.left is None:
            raise InvalidFieldError(
                "blocks", call.name, "must map a tensor to one of its shape", "name modules that do"
            )
    return found


def hands_on(run: Sequence[Call]) -> bool:
    """Return whether each call takes the very tensor that the one before returned, or one of its values."""
    return all(_same(a.left, b.entered) for a, b in pairwise(run))


def _same(left: Any, entered: Any) -> bool:
    if left is entered:
        return True
    if left is None:
        return False
    if tuple(left.shape) != tuple(entered.shape):
        return False
    unequal = (left != entered) & ((left == left) | (entered == entered))  # noqa: PLR0124 (NaN is handed on, too)
    return not bool(unequal.any())


def _parameters(module: Any) -> bool:
    return next(iter(module.parameters()), None) is not None
