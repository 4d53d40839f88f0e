"""The residual stream of a PyTorch module, by hooks that are gone when it returns."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.practice._frameworks import framework
from montecarlo.practice._parameters import ParameterFacts, facts_of
from montecarlo.practice._stream import Array, Stream
from montecarlo.practice._torch_blocks import Call, find_blocks, hands_on, named_blocks, names_of, through
from montecarlo.practice._users import users

if TYPE_CHECKING:
    from montecarlo.diagnosis import Branches

_UNCHAINED = (
    "the blocks do not hand the stream on to each other: taken as h_0, h_1, ... is what enters them, and "
    "what leaves the last one is left out"
)


def record_torch(
    model: Any,
    inputs: tuple[Any, ...],
    *,
    blocks: str | Sequence[str] | None,
    loss: Callable[[Any], Any] | None,
    rng: np.random.Generator,
    parameters: bool = True,
) -> Stream:
    """Return the stream of a module; arguments as in `record`."""
    torch = framework("torch")
    arguments, keywords = _arguments(inputs)
    called = f"model {type(model).__name__}, called with {_shapes(arguments, keywords)}"
    with unchanged(torch, model):
        with _logged(model) as calls, torch.no_grad(), users(called):
            model(*arguments, **keywords)
        found = find_blocks(calls) if blocks is None else named_blocks(calls, blocks)
        chained, names = hands_on(found), [call.name for call in found]
        modules = [call.module for call in found]
        calls.clear()
    if len(modules) < 2 and not chained:
        raise InvalidFieldError("blocks", blocks, "must name two blocks or more", "name a list of modules")
    with unchanged(torch, model):
        with _captured(modules) as kept, torch.enable_grad(), users(called):
            output = model(*_watched(arguments), **_watched(keywords))
        entered, left = kept
        tensors = [*entered, left[-1]] if chained else entered
        notes = () if chained else (_UNCHAINED,)
        states = tuple(_array(tensor) for tensor in tensors)
        gradients = _readout_gradients(torch, tensors, states[-1], rng)
        lost = None if loss is None else _gradients(torch, loss(output), None, tensors)
    if gradients is None:
        notes = (*notes, "no gradients: nothing before the last block requires them")
    branches, facts = None, ()
    if parameters:
        branches, said = _branches(model)
        notes += said
        facts = tuple(_parameters(module) for module in modules)
    names = _numbered(names) if chained else _numbered(names)[:-1]
    return Stream(
        states, tuple(names), gradients, lost, facts[: len(names)], branches,
        str(tensors[0].dtype).removeprefix("torch."), "torch", notes,
    )  # fmt: skip


@contextmanager
def unchanged(torch: Any, model: Any) -> Iterator[None]:
    """Run a block that leaves the model's modes and buffers, and all generators, as they were."""
    modes = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, buffer, buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    with generators_restored(torch):
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            with torch.no_grad():
                for module, name, buffer, values in buffers:
                    buffer.copy_(values)
                    module._buffers[name] = buffer


@contextmanager
def generators_restored(torch: Any | None) -> Iterator[None]:
    """Run a block that leaves the generators of Python, numpy and PyTorch as they were."""
    python, legacy = random.getstate(), np.random.get_state()
    ours = None if torch is None else torch.get_rng_state()
    cuda = getattr(torch, "cuda", None)
    theirs = cuda.get_rng_state_all() if cuda is not None and cuda.is_available() else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        if torch is not None:
            torch.set_rng_state(ours)
        if cuda is not None and theirs is not None:
            cuda.set_rng_state_all(theirs)


@contextmanager
def _logged(model: Any) -> Iterator[list[Call]]:
    """Yield a list that a forward pass fills with the calls of all modules, in order of entry."""
    names, calls, open_calls = names_of(model), [], []

    def enter(module: Any, args: Any, kwargs: Any) -> None:
        open_calls.append((module, len(calls)))
        calls.append(None)

    def leave(module: Any, args: Any, kwargs: Any, output: Any) -> None:
        _, place = open_calls.pop()
        parent, name = names.get(id(module), ("", ""))
        calls[place] = Call(module, parent, name, *through((args, kwargs), output))

    handles = []
    try:
        for module in {id(m): m for m in model.modules()}.values():
            handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
            handles.append(module.register_forward_hook(leave, with_kwargs=True))
        yield calls
        calls[:] = [call for call in calls if call is not None]
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _captured(modules: Sequence[Any]) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield two lists that a forward pass fills: what enters the blocks, and what leaves them.

    A block gets a copy of its input, so that one that works in place leaves the recorded state as it was.
    """
    entered: list[Any] = []
    left: list[Any] = []
    inside: list[tuple[Any, Any]] = []

    def enter(module: Any, args: Any, kwargs: Any) -> Any:
        tensors = _first_floating((args, kwargs))
        inside.append((args, kwargs))
        entered.append(tensors)
        return _replace_first(args, kwargs, tensors)

    def leave(module: Any, args: Any, kwargs: Any, output: Any) -> None:
        inside.pop()
        left.append(through((args, kwargs), output)[1])

    handles = []
    try:
        for module in {id(m): m for m in modules}.values():
            handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
            handles.append(module.register_forward_hook(leave, with_kwargs=True))
        yield entered, left
    finally:
        for handle in handles:
            handle.remove()


def _first_floating(value: Any) -> Any:
    from montecarlo.practice._torch_blocks import tensors_in

    return tensors_in(value)[0]


def _replace_first(args: tuple[Any, ...], kwargs: dict[str, Any], tensor: Any) -> Any:
    copy = tensor.clone()
    new = tuple(copy if item is tensor else item for item in args)
    named = {name: copy if item is tensor else item for name, item in kwargs.items()}
    return new, named


def _arguments(inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return positional and named arguments: one mapping stands for named ones, as tokenizers return them."""
    if len(inputs) == 1 and isinstance(inputs[0], Mapping):
        return (), dict(inputs[0])
    return inputs, {}


def _shapes(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> str:
    """Return what a model is called with in words: shapes of tensors, types of all else."""

    def shown(value: Any) -> str:
        return f"shape {tuple(value.shape)}" if hasattr(value, "shape") else type(value).__name__

    said = [shown(value) for value in arguments]
    said += [f"{name} of {shown(value)}" for name, value in keywords.items()]
    return ", ".join(said) or "nothing"


def _watched(values: Any) -> Any:
    """Return arguments whose floating tensors require gradients, so that all states of the stream do."""
    if isinstance(values, dict):
        return {name: _watched_one(value) for name, value in values.items()}
    return tuple(_watched_one(value) for value in values)


def _watched_one(value: Any) -> Any:
    floating = hasattr(value, "is_floating_point") and hasattr(value, "detach") and value.is_floating_point()
    return value.detach().requires_grad_() if floating else value


def _array(tensor: Any) -> Array:
    wide = tensor.detach().double().cpu().numpy()
    return np.array(wide, dtype=np.float64 if "64" in str(tensor.dtype) else np.float32)


def _readout_gradients(
    torch: Any, tensors: Sequence[Any], last: Array, rng: np.random.Generator
) -> tuple[Array, ...] | None:
    """Return the gradients of ⟨p, h_L⟩ for p of independent standard normal entries."""
    if not tensors[-1].requires_grad:
        return None
    p = torch.as_tensor(rng.standard_normal(last.shape)).to(tensors[-1].dtype)
    p = p.to(tensors[-1].device) if hasattr(tensors[-1], "device") else p
    return _gradients(torch, tensors[-1], p, tensors)


def _gradients(torch: Any, output: Any, weight: Any, tensors: Sequence[Any]) -> tuple[Array, ...] | None:
    wanted = [tensor for tensor in tensors if tensor.requires_grad]
    if len(wanted) < len(tensors):
        return None
    found = torch.autograd.grad(output, wanted, grad_outputs=weight, retain_graph=True, allow_unused=True)
    return tuple(
        np.zeros(tuple(tensor.shape)) if gradient is None else _array(gradient)
        for tensor, gradient in zip(wanted, found, strict=True)
    )


def _branches(model: Any) -> tuple[Branches | None, tuple[str, ...]]:
    """Return what `measure_branches` reads, or why it reads nothing."""
    from montecarlo.diagnosis import measure_branches

    try:
        return measure_branches(model), ()
    except InvalidFieldError as error:
        return None, (f"branches not read: {error.rule}",)


def _parameters(module: Any) -> dict[str, ParameterFacts]:
    return {
        name: facts_of(parameter.detach().double().cpu().numpy())
        for name, parameter in module.named_parameters()
        if parameter.is_floating_point()
    }


def _numbered(names: list[str]) -> list[str]:
    """Return names that differ: a module that is called again gets the number of the call."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} (call {seen[name]})")
    return found
