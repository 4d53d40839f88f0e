"""The few words of PyTorch that `record` speaks, on numpy with a tape: modules, hooks, autograd, generators.

Installed as `torch` for a test by `installed`, so that what hooks do can be tested where PyTorch is not.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

_GENERATOR = [np.random.default_rng(0)]
_RECORDING = [True]
_NUMBERS = itertools.count()


class Tensor:
    """An array that remembers what it was made of."""

    def __init__(self, value: Any, parents: tuple[Any, ...] = (), requires_grad: bool = False) -> None:
        self.value = np.asarray(value)
        self.parents = parents if _RECORDING[0] else ()
        self.requires_grad = requires_grad or any(p.requires_grad for p, _ in self.parents)

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: f"torch.{self.value.dtype}")
    device = "cpu"

    def is_floating_point(self) -> bool:
        return self.value.dtype.kind == "f"

    def detach(self) -> Tensor:
        return Tensor(self.value)

    def clone(self) -> Tensor:
        return Tensor(self.value.copy(), ((self, lambda g: g),))

    def requires_grad_(self) -> Tensor:
        self.requires_grad = True
        return self

    def double(self) -> Tensor:
        return Tensor(self.value.astype(np.float64))

    def float(self) -> Tensor:
        return Tensor(self.value.astype(np.float32))

    def to(self, kind: str) -> Tensor:
        return self if kind == "cpu" else Tensor(self.value.astype(kind.removeprefix("torch.")))

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> np.ndarray:
        return self.value

    def copy_(self, other: Tensor) -> None:
        self.value[...] = other.value

    def all(self) -> bool:
        return bool(self.value.all())

    def any(self) -> bool:
        return bool(self.value.any())

    def __eq__(self, other: object) -> Any:
        return Tensor(self.value == other.value)  # type: ignore[attr-defined]

    def __ne__(self, other: object) -> Any:
        return Tensor(self.value != other.value)  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return id(self)

    def __and__(self, other: Tensor) -> Tensor:
        return Tensor(self.value & other.value)

    def __or__(self, other: Tensor) -> Tensor:
        return Tensor(self.value | other.value)

    def __add__(self, other: Tensor) -> Tensor:
        return Tensor(self.value + other.value, ((self, lambda g: g), (other, lambda g: g)))

    def __iadd__(self, other: Tensor) -> Tensor:
        self.value = self.value + other.value  # in place: what was recorded before sees it, too
        self.parents = (*self.parents, (other, lambda g: g))
        return self

    def __mul__(self, factor: float) -> Tensor:
        return Tensor(self.value * np.asarray(factor, self.value.dtype), ((self, lambda g: g * factor),))

    def matmul(self, weight: Tensor) -> Tensor:
        return Tensor(self.value @ weight.value.T, ((self, lambda g: g @ weight.value),))


def relu(x: Tensor) -> Tensor:
    return Tensor(np.maximum(x.value, 0), ((x, lambda g: g * (x.value > 0)),))


def rms(x: Tensor) -> Tensor:
    size = np.sqrt(np.mean(x.value**2, axis=-1, keepdims=True))
    unit = x.value / size
    back: Callable[[Any], Any] = lambda g: (g - unit * np.mean(g * unit, axis=-1, keepdims=True)) / size  # noqa: E731
    return Tensor(unit, ((x, back),))


def grad(
    output: Tensor, inputs: list[Tensor], grad_outputs: Tensor | None = None, **options: Any
) -> list[Tensor | None]:
    order: list[Tensor] = []
    seen: set[int] = set()

    def visit(tensor: Tensor) -> None:
        if id(tensor) not in seen:
            seen.add(id(tensor))
            for parent, _ in tensor.parents:
                visit(parent)
            order.append(tensor)

    visit(output)
    found = {id(output): np.ones(output.shape) if grad_outputs is None else grad_outputs.value}
    for tensor in reversed(order):
        for parent, back in tensor.parents if id(tensor) in found else ():
            found[id(parent)] = found.get(id(parent), 0.0) + back(found[id(tensor)])
    return [Tensor(found[id(t)]) if id(t) in found else None for t in inputs]


class Module:
    """A module with hooks; named as PyTorch's, which is how `record` knows it."""

    training = True

    def __init__(self) -> None:
        self._modules: dict[str, Module] = {}
        self._own: dict[str, Tensor] = {}
        self._buffers: dict[str, Tensor] = {}
        self.before: dict[int, Any] = {}
        self.after: dict[int, Any] = {}

    def modules(self) -> Iterator[Module]:
        yield self
        for child in self._modules.values():
            yield from child.modules()

    def named_parameters(self, prefix: str = "", **options: Any) -> Iterator[tuple[str, Tensor]]:
        yield from ((prefix + name, p) for name, p in self._own.items())
        for name, child in self._modules.items():
            yield from child.named_parameters(f"{prefix}{name}.")

    def parameters(self) -> Iterator[Tensor]:
        return (p for _, p in self.named_parameters())

    def register_forward_pre_hook(self, hook: Any, with_kwargs: bool = False) -> Any:
        return self._handle(self.before, hook)

    def register_forward_hook(self, hook: Any, with_kwargs: bool = False) -> Any:
        return self._handle(self.after, hook)

    def _handle(self, hooks: dict[int, Any], hook: Any) -> Any:
        number = next(_NUMBERS)
        hooks[number] = hook
        return SimpleNamespace(remove=lambda: hooks.pop(number))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for hook in list(self.before.values()):
            args, kwargs = hook(self, args, kwargs) or (args, kwargs)
        output = self.forward(*args, **kwargs)
        for hook in list(self.after.values()):
            hook(self, args, kwargs, output)
        return output


Module.__module__ = "torch.nn.modules.module"


@contextmanager
def _switch(on: bool) -> Iterator[None]:
    before, _RECORDING[0] = _RECORDING[0], on
    try:
        yield
    finally:
        _RECORDING[0] = before


def _set_state(state: Any) -> None:
    _GENERATOR[0].bit_generator.state = state


def manual_seed(seed: int) -> None:
    _GENERATOR[0] = np.random.default_rng(seed)


def randn(*shape: int) -> Tensor:
    return Tensor(_GENERATOR[0].standard_normal(shape).astype(np.float32))


TORCH = SimpleNamespace(
    get_rng_state=lambda: _GENERATOR[0].bit_generator.state, set_rng_state=_set_state,
    manual_seed=manual_seed,
    no_grad=lambda: _switch(False), enable_grad=lambda: _switch(True), as_tensor=Tensor,
    autograd=SimpleNamespace(grad=grad), Tensor=Tensor, __spec__=None,
)  # fmt: skip


def install(monkeypatch: Any) -> None:
    """Let `import torch` find this for one test."""
    monkeypatch.setitem(sys.modules, "torch", TORCH)
