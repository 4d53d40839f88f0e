"""Activations σ with their derivatives: the built-in ones and users' own.

The derivative is what the backward pass multiplies with; at a kink it is the value from below (0 for ReLU at
0), as in PyTorch and JAX.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from montecarlo.common._errors import InvalidFieldError, unknown_name
from montecarlo.common._jit import JIT_OFF, compile_callback
from montecarlo.common._travel import departure

ScalarFunction = Callable[[float], float]


@dataclass(frozen=True)
class Activation:
    """An activation that the engines can run.

    Parameters
    ----------
    name : str
        How tables and messages call it.
    value, derivative : callable
        Functions of one float returning a float, in the subset of Python that numba compiles.
    negative_slope : float or None, default None
        Set for piecewise linear activations ``max(x, 0) + negative_slope * min(x, 0)``: they are homogeneous,
        which the engines exploit (units with zero value and slope are skipped, norms of any size are exact).

    Notes
    -----
    Outside ±2**100 the engines use ``σ(c x) ≈ c σ(x)``: right for activations that are bounded or
    asymptotically linear, and not reached by the others before they overflow.

    Examples
    --------
    A user's own activation, x² with its derivative:

    >>> square = Activation("square", lambda x: x * x, lambda x: 2.0 * x)
    >>> square
    Activation('square')
    """

    name: str
    value: ScalarFunction
    derivative: ScalarFunction
    negative_slope: float | None = None

    def __post_init__(self) -> None:
        for field in ("value", "derivative"):
            if not callable(getattr(self, field)):
                raise InvalidFieldError(
                    field, getattr(self, field), "must be a function of one float", "pass a plain function"
                )

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"

    def __reduce__(self) -> tuple[object, ...]:
        if BUILT_IN.get(self.name) is self:
            return find_activation, (self.name,)
        return departure(self, Activation, self.name, self.value, self.derivative, self.negative_slope)

    @property
    def fingerprint(self) -> str:
        """Name of a built-in activation; name and hash of the code of any other."""
        if BUILT_IN.get(self.name) is self:
            return self.name
        record = (self.negative_slope, describe_code(self.value), describe_code(self.derivative))
        return f"{self.name}#{hashlib.sha256(repr(record).encode()).hexdigest()[:16]}"

    def compiled(self) -> tuple[Any, Any]:
        """Return value and derivative as compiled functions of one float64.

        Raises
        ------
        InvalidFieldError
            If numba cannot compile one of them.
        """
        built_in = BUILT_IN.get(self.name) is self
        return (
            _compile("activation", self.value, built_in),
            _compile("activation", self.derivative, built_in),
        )


def describe_code(thing: Any, depth: int = 0) -> Any:
    """Return what a function computes as plain values, the same in every process; other things as they are.

    Follows closures, defaults, globals, partial arguments, attributes of callable objects and arrays; modules
    and builtins go by their name.
    """
    python = getattr(thing, "py_func", thing)
    if depth > 8 or isinstance(python, (int, float, complex, str, bytes, bool, type(None))):
        return python if depth <= 8 else type(python).__name__

    def each(values: Any) -> list[Any]:
        return [describe_code(value, depth + 1) for value in values]

    if isinstance(python, np.generic):
        return str(python.dtype), repr(python)
    if isinstance(python, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(python).tobytes()).hexdigest()
        return "array", str(python.dtype), python.shape, content
    if isinstance(python, functools.partial):
        keywords = sorted(python.keywords.items())
        return (
            "partial",
            each([python.func, *python.args, *(value for _, value in keywords)]),
            [name for name, _ in keywords],
        )
    if isinstance(python, (list, tuple, set, frozenset)):
        return type(python).__name__, each(
            sorted(python, key=repr) if isinstance(python, (set, frozenset)) else python
        )
    if isinstance(python, dict):
        return "dict", [(repr(key), describe_code(value, depth + 1)) for key, value in python.items()]
    code = getattr(python, "__code__", None)
    if code is None:
        name = getattr(python, "__qualname__", getattr(python, "__name__", type(python).__qualname__))
        call = inspect.getattr_static(type(python), "__call__", None)
        if not hasattr(call, "__code__"):
            return name
        return name, describe_code(call, depth + 1), describe_code(vars(python), depth + 1)
    cells = each(cell.cell_contents for cell in python.__closure__ or ())
    defaults = each([python.__defaults__ or (), python.__kwdefaults__ or {}])
    bound = getattr(python, "__self__", None)
    if bound is not None and not isinstance(bound, type):
        cells.append(describe_code(vars(bound) if hasattr(bound, "__dict__") else repr(bound), depth + 1))
    instructions, constants, used, names, inside = _describe_body(code, python.__globals__, depth)
    described = (instructions, constants, used, cells, names, defaults)
    return (*described, inside) if inside else described


def _describe_body(code: CodeType, scope: dict[str, Any], depth: int) -> tuple[Any, ...]:
    """Return instructions, constants, names, globals, and the same of lambdas and comprehensions inside."""
    constants = [constant for constant in code.co_consts if not isinstance(constant, CodeType)]
    names = [(name, describe_code(scope[name], depth + 1)) for name in code.co_names if name in scope]
    inside = [_describe_body(part, scope, depth) for part in code.co_consts if isinstance(part, CodeType)]
    return code.co_code.hex(), repr(constants), code.co_names, names, inside


@functools.lru_cache(maxsize=256)
def _compile(field: str, function: ScalarFunction, cache: bool) -> Any:
    python = getattr(function, "py_func", function)
    if JIT_OFF:  # numba's own library is plain Python then, too, and cannot be compiled against
        return python
    try:
        # Users' functions may come from a prompt or a lambda, for which numba has no cache file.
        return compile_callback(python, "float64(float64)", cache=cache)
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise InvalidFieldError(
            field, function, f"must be compilable by numba ({reason})", "use floats and the math module only"
        ) from error


def _linear(x: float) -> float:
    return x


def _one(x: float) -> float:
    return 1.0


def _relu(x: float) -> float:
    return max(x, 0.0)


def _step(x: float) -> float:
    return 1.0 if x > 0.0 else 0.0


def _leaky_relu(x: float) -> float:
    return x if x > 0.0 else 0.01 * x


def _leaky_step(x: float) -> float:
    return 1.0 if x > 0.0 else 0.01


def _tanh(x: float) -> float:
    return math.tanh(x)


def _tanh_derivative(x: float) -> float:
    t = math.tanh(x)
    return 1.0 - t * t


def _gelu(x: float) -> float:
    return 0.5 * x * math.erfc(-x / math.sqrt(2.0))


def _gelu_derivative(x: float) -> float:
    density = math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return 0.5 * math.erfc(-x / math.sqrt(2.0)) + x * density


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _sigmoid(x: float) -> float:
    e = math.exp(-abs(x))
    return 1.0 / (1.0 + e) if x > 0.0 else e / (1.0 + e)


def _sin(x: float) -> float:
    return math.sin(x)


def _cos(x: float) -> float:
    return math.cos(x)


BUILT_IN: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("gelu", _gelu, _gelu_derivative),
        Activation("identity", _linear, _one, negative_slope=1.0),
        Activation("leaky-relu", _leaky_relu, _leaky_step, negative_slope=0.01),
        Activation("relu", _relu, _step, negative_slope=0.0),
        Activation("sin", _sin, _cos),
        Activation("softplus", _softplus, _sigmoid),
        Activation("tanh", _tanh, _tanh_derivative),
    )
}
"""The activations known by name; gelu is the exact one, leaky-relu has slope 0.01."""


def find_activation(activation: str | Activation) -> Activation:
    """Return the activation of a name, or the activation itself.

    Raises
    ------
    InvalidFieldError
        For an unknown name; the message lists the known ones.

    Examples
    --------
    >>> find_activation("relu")
    Activation('relu')
    """
    if isinstance(activation, Activation):
        return activation
    found = BUILT_IN.get(str(activation))
    if found is None:
        raise unknown_name("activation", activation, BUILT_IN)
    return found
