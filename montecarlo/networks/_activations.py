"""Activations σ with their derivatives: the built-in ones and users' own.

The derivative is what the backward pass multiplies with; at a kink it is the value from below (0 for ReLU at
0), as in PyTorch and JAX.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from montecarlo.common._errors import InvalidFieldError, check_real, near_name
from montecarlo.common._jit import JIT_OFF, compile_callback, kernel
from montecarlo.common._travel import departure
from montecarlo.common._user_functions import first_reason, freeze, key_of_values, thaw
from montecarlo.networks._activation_values import arguments, check_slopes, evaluate, jumps

ScalarFunction = Callable[[float], float]
ArrayFunction = Callable[[npt.ArrayLike], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Activation:
    """An activation that the engines can run.

    Parameters
    ----------
    name : str
        How tables and messages call it; no built-in activation's.
    value, derivative : callable
        Functions of one float returning a float, in the subset of Python that numba compiles.
    negative_slope : float or None, default None
        Set for piecewise linear activations ``max(x, 0) + negative_slope * min(x, 0)``: they are homogeneous,
        which the engines exploit (units with zero value and slope are skipped, norms of any size are exact).

    Attributes
    ----------
    fingerprint : str
        What it computes: its name with a hash of the slope and of the bits of values and derivatives at the
        2,260 arguments of `montecarlo.networks._activation_values`, and of the places where the value jumps.
        Activations of one fingerprint are equal.

    Raises
    ------
    InvalidFieldError
        If numba cannot compile it, or value, derivative and negative_slope contradict each other.

    Notes
    -----
    The functions are copied and compiled here, with all they refer to: what happens to a global, a closure, a
    module or an array afterwards changes no rows of this activation. `value` and `derivative` are the copies.

    The bits are those of compiled code on this machine: another mathematical library may give another key.
    With NUMBA_DISABLE_JIT=1 the copies run as plain Python, and have the key of what that computes.

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
    value: ScalarFunction = field(compare=False)
    derivative: ScalarFunction = field(compare=False)
    negative_slope: float | None = None
    fingerprint: str = field(init=False)
    _packed: tuple[bytes, bytes] = field(init=False, repr=False, compare=False)
    _compiled: tuple[Any, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        put = functools.partial(object.__setattr__, self)
        if not isinstance(self.name, str) or not self.name.strip() or self.name in BUILT_IN:
            rule = f"must be a text other than the built-in {', '.join(BUILT_IN)}"
            raise InvalidFieldError("name", self.name, rule, "give its name alone, or rename yours")
        if not self.name.isprintable() or self.name != self.name.strip():
            rule = "must be one line without blanks at its ends, for tables and messages"
            raise InvalidFieldError("name", self.name, rule, "give 'swish', say")
        for of in ("value", "derivative"):
            given = getattr(self, of)
            if not callable(given):
                raise InvalidFieldError(of, given, "must be a function of one float", "pass a plain function")
            if not isinstance(getattr(given, "py_func", given), _COMPILABLE):
                rule = "must be a function that numba compiles: no object, method, numba.vectorize or partial"
                raise InvalidFieldError(of, given, rule, "wrap it: lambda x: f(2.0, x)")
        if self.negative_slope is not None:
            put("negative_slope", check_real("negative_slope", self.negative_slope, -1e100, 1e100, 0.01))
        self._freeze(put)

    def _freeze(self, put: Callable[[str, object], None]) -> None:
        """Copy and compile the functions, hold them against each other, and find the key."""
        slope = self.negative_slope
        made = [_compile(self.name, of, getattr(self, of)) for of in ("value", "derivative")]
        packed, python, compiled = zip(*made, strict=True)
        put("_packed", packed)
        put("value", python[0])
        put("derivative", python[1])
        put("_compiled", compiled)
        value, derivative = self.scalars()
        check_slopes(self.name, value, derivative, slope)
        values = evaluate(self.name, "value", value, arguments())
        slopes = evaluate(self.name, "derivative", derivative, arguments())
        places = jumps(self.name, value, derivative)
        more = [places] if places.size else []  # most have none
        put("fingerprint", key_of_values(self.name, values, slopes, [] if slope is None else [slope], *more))

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"

    def __reduce__(self) -> tuple[object, ...]:
        return departure(self, _arrived, self.name, self._packed, self.negative_slope, self.fingerprint)

    def compiled(self) -> tuple[Any, Any]:
        """Return value and derivative as compiled functions of one float64."""
        return self._compiled

    def scalars(self) -> tuple[ScalarFunction, ScalarFunction]:
        """Return value and derivative as the engines compute them, to be called from Python."""
        value, derivative = (getattr(function, "ctypes", function) for function in self.compiled())
        return value, derivative

    def arrays(self) -> tuple[ArrayFunction, ArrayFunction]:
        """Return value and derivative as the engines compute them, of float64 arrays of any shape."""
        value, derivative = (functools.partial(_of_array, function) for function in self.compiled())
        return value, derivative


class _BuiltIn(Activation):
    """What does not change, is compiled when it is used first, and is what its name says."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", self.name)

    def __reduce__(self) -> tuple[object, ...]:
        return find_activation, (self.name,)

    def compiled(self) -> tuple[Any, Any]:
        return _compile_built_in(self.value), _compile_built_in(self.derivative)


def _arrived(name: str, packed: tuple[bytes, bytes], slope: float | None, fingerprint: str) -> Activation:
    """Return the activation that left another process under a key."""
    value, derivative = map(thaw, packed)
    activation = Activation(name, value, derivative, slope)
    if activation.fingerprint != fingerprint:
        rule = "must compute in this process what it computed where it was made, bit by bit, and does not"
        raise InvalidFieldError("activation", name, rule, "use the same packages and processors everywhere")
    return activation


_SCALAR = "float64(float64)"
_NEEDS_PYTHON = "missing Environment"  # what compiled code raises, holding the lock, that has no interpreter
_COMPILABLE = (FunctionType, BuiltinFunctionType, np.ufunc)


def _compile(name: str, field: str, given: Any) -> tuple[bytes, Any, Any]:
    """Return a user's function as it is now: packed, in Python, and as the engines call it."""
    try:
        packed = freeze(given, compiled=True)
        frozen = thaw(packed)
    except Exception as error:
        rule = f"must be copyable, and its {field} is not ({first_reason(error)})"
        fix = "let it refer to numbers, arrays and functions only"
        raise InvalidFieldError("activation", name, rule, fix) from error
    python = getattr(frozen, "py_func", frozen)
    if JIT_OFF:  # numba's own library is plain Python then, too, and cannot be compiled against
        return packed, python, python
    try:
        # Indices are checked: the grid goes far out, and what lies beyond a table is not the user's.
        compiled = compile_callback(_of_one_float(python), _SCALAR, cache=False, boundscheck=True)
    except OSError:  # not the function's fault
        raise
    except Exception as error:
        rule = f"must be compilable by numba, and its {field} is not ({first_reason(error)})"
        fix = "use floats, arrays and the math module, and take numbers out of objects before: c = config.c"
        raise InvalidFieldError("activation", name, rule, fix) from error
    if _NEEDS_PYTHON in compiled.inspect_llvm():
        rule = f"must compute alone, and its {field} prints or goes back to Python, where threads would hang"
        raise InvalidFieldError("activation", name, rule, "leave print and numba.objmode out")
    return packed, python, compiled


@functools.cache
def _compile_built_in(function: ScalarFunction) -> Any:
    return function if JIT_OFF else compile_callback(function, _SCALAR, cache=True)


@kernel
def _go_along(function, x, out):
    for i in range(x.size):
        out[i] = function(x[i])


def _of_array(function: Any, x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return a compiled function of one float at every entry."""
    x = np.asarray(x, np.float64)
    out = np.empty(x.size)
    _go_along(function, x.reshape(-1), out)
    return out.reshape(x.shape)


def _of_one_float(function: Any) -> Any:
    """Return a function that numba makes a cfunc of: not of ufuncs, builtins and defaults."""
    if isinstance(function, FunctionType) and not function.__defaults__:
        return function
    if isinstance(function, FunctionType):
        function = njit(error_model="numpy", boundscheck=True)(function)

    def of_one_float(x: float) -> float:
        return function(x)

    return of_one_float


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
        _BuiltIn("gelu", _gelu, _gelu_derivative),
        _BuiltIn("identity", _linear, _one, negative_slope=1.0),
        _BuiltIn("leaky-relu", _leaky_relu, _leaky_step, negative_slope=0.01),
        _BuiltIn("relu", _relu, _step, negative_slope=0.0),
        _BuiltIn("sin", _sin, _cos),
        _BuiltIn("softplus", _softplus, _sigmoid),
        _BuiltIn("tanh", _tanh, _tanh_derivative),
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
        rule = f"must be one of {', '.join(BUILT_IN)}; no other σ has a name"
        own = "give one of your own in Python, as Activation('mine', value, derivative)"
        raise InvalidFieldError(
            "activation", activation, rule, near_name(str(activation), BUILT_IN, 0.7) or own
        )
    return found
