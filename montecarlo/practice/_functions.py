"""The residual stream of anything else: a function that returns it, of numpy, JAX or any other arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.practice._frameworks import framework, is_jax_array
from montecarlo.practice._stream import Array, Stream
from montecarlo.practice._users import name_of, users

_KEYS = ("hidden", "gradients", "loss_gradients", "names")


def record_function(
    function: Callable[..., Any],
    inputs: tuple[Any, ...],
    *,
    loss: Callable[[Any], Any] | None,
    rng: np.random.Generator,
) -> Stream:
    """Return the stream that a function returns; arguments as in `record`.

    The function returns h_0, ..., h_L as a list or stacked along a first axis, or a mapping with `hidden`
    and, where it knows them, `gradients`, `loss_gradients` and `names`. One of JAX that adds its argument
    `offsets` to the states, one of them to each, is differentiated here.
    """
    what = f"model {name_of(function)}"
    with users(what, f"define it with {len(inputs)} arguments, the inputs" if inputs else ""):
        result = function(*inputs)
    given: dict[str, Any] = dict(result) if isinstance(result, Mapping) else {"hidden": result}
    if "hidden" not in given or not set(given) <= set(_KEYS):
        raise InvalidFieldError(
            "model", sorted(given), f"must return states, or a mapping of {', '.join(_KEYS)}",
            "return {'hidden': [h_0, ..., h_L]}",
        )  # fmt: skip
    try:
        states, first = _listed(given["hidden"]), given["hidden"][0]
    except (TypeError, ValueError, IndexError, KeyError):
        raise InvalidFieldError(
            "model", type(given["hidden"]).__name__, "must return states, arrays of numbers",
            "return [h_0, ..., h_L]",
        ) from None  # fmt: skip
    jax = is_jax_array(first)
    gradients, lost = given.get("gradients"), given.get("loss_gradients")
    notes: tuple[str, ...] = ()
    if gradients is None and jax and _takes_offsets(function):
        gradients, lost = _differentiate(function, inputs, given["hidden"], loss, rng)
    elif gradients is None:
        notes = ("no gradients: the function returns none, and takes no offsets to differentiate by",)
    names = tuple(given.get("names") or (f"block {k}" for k in range(1, len(states))))
    dtype = str(getattr(first, "dtype", "float64")).removeprefix("torch.")
    return Stream(
        tuple(states), names,
        None if gradients is None else tuple(_listed(gradients)),
        None if lost is None else tuple(_listed(lost)),
        dtype=dtype, source="jax" if jax else "function", notes=notes,
    )  # fmt: skip


def _listed(states: Any) -> list[Array]:
    return [_array(state) for state in states]


def _array(state: Any) -> Array:
    if hasattr(state, "detach"):  # PyTorch's way to numpy, which has no bfloat16
        state = state.detach().double().cpu().numpy()
    wide = np.asarray(state, dtype=np.float64)
    return wide if "64" in str(getattr(state, "dtype", "float64")) else wide.astype(np.float32)


def _takes_offsets(function: Callable[..., Any]) -> bool:
    try:
        return "offsets" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def _differentiate(
    function: Callable[..., Any],
    inputs: tuple[Any, ...],
    states: Any,
    loss: Callable[[Any], Any] | None,
    rng: np.random.Generator,
) -> tuple[Any, Any]:
    """Return the gradients of ⟨p, h_L⟩, and of the loss, with respect to zeros that are added to the
    states.
    """
    jax = framework("jax")
    zeros = jax.tree.map(lambda h: h * 0, states)

    def hidden(offsets: Any) -> Any:
        with users(f"model {name_of(function)}"):
            result = function(*inputs, offsets=offsets)
        return result["hidden"] if isinstance(result, Mapping) else result

    _, pull = jax.vjp(hidden, zeros)
    last = states[-1]
    p = jax.numpy.asarray(rng.standard_normal(np.shape(last)), dtype=last.dtype)
    if isinstance(states, list | tuple):
        weights: Any = type(states)([*zeros[:-1], p])
    else:  # stacked along the first axis
        weights = zeros.at[-1].set(p)
    (gradients,) = pull(weights)
    lost = None if loss is None else jax.grad(lambda offsets: loss(hidden(offsets)))(zeros)
    return gradients, lost
