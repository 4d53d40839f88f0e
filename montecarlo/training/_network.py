"""The network of `montecarlo.ResNet` as a differentiable JAX function of its trainable arrays.

States are columns: h has the shape (d, examples), so that no product transposes a matrix. The hidden states
of all layers are kept for the backward pass, or, where they would need too much memory, those of about √L
layers, and the others are computed again in between.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from montecarlo.engines._replay import readout_rows, weights
from montecarlo.networks._specification import ResNet

Tree = dict[str, Any]
"""Trainable arrays by name: A (d, n), B (classes, d), V (L, d, d), and W (L, d, d), b (L, d) where there
are any."""

Layer = Callable[[Any, Tree, Any], Any]

_STATES_BYTES = 2**28
"""Hidden states up to this size are kept."""

_SIGMA: dict[str, Callable[[Any], Any]] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "identity": lambda h: h,
    "leaky-relu": functools.partial(jax.nn.leaky_relu, negative_slope=0.01),
    "softplus": jax.nn.softplus,
    "sin": jnp.sin,
}


def initial_arrays(resnet: ResNet, *, replica: int, seed: int, classes: int) -> Tree:
    """Return the trainable arrays of a replica as float32: those of `montecarlo.weights`, untrained.

    The biases of res-2 are trained too, from zero where `bias_std` is zero.
    """
    drawn = weights(resnet, replica=replica, seed=seed)
    arrays = {"A": drawn.A, "V": drawn.V, "B": readout_rows(resnet, replica=replica, seed=seed, rows=classes)}
    if drawn.W is not None:
        arrays["W"] = drawn.W
    if resnet.block == "res-2":
        arrays["b"] = drawn.b if drawn.b is not None else np.zeros(drawn.V.shape[:2])
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}


def product(left: Any, right: Any) -> Any:
    """Return the product of matrices in full float32, on every device."""
    return jnp.matmul(left, right, precision=jax.lax.Precision.HIGHEST)


def layer_of(block: str, activation: str) -> Layer:
    """Return the map (h_k, arrays of layer k, α) to h_{k+1} of a block."""
    sigma = _SIGMA[activation]

    def layer(h: Any, theta: Tree, alpha: Any) -> Any:
        inner = h if block == "res-1" else product(theta["W"], h)
        if "b" in theta:
            inner = inner + theta["b"][:, None]
        return h + alpha * product(theta["V"], sigma(inner))

    return layer


def segments_of(depth: int, width: int, examples: int, networks: int = 1) -> int:
    """Return in how many segments the layers are run: one, or about √L.

    Examples
    --------
    >>> segments_of(1000, 30, 128), segments_of(10_000, 128, 128)
    (1, 100)
    """
    return 1 if 4 * depth * width * examples * networks <= _STATES_BYTES else math.isqrt(depth)


def run_layers(layer: Layer, h: Any, layers: Tree, alpha: Any, segments: int) -> Any:
    """Return h_L from h_0, shape (d, examples); differentiable in h_0 and the layers' arrays."""
    span = functools.partial(_span(layer), alpha=alpha)
    depth = layers["V"].shape[0]
    if segments == 1:
        return span(h, layers)
    each = depth // segments
    first = depth - each * segments
    if first:
        h = jax.checkpoint(span)(h, {name: array[:first] for name, array in layers.items()})
    rest = {name: array[first:].reshape(segments, each, *array.shape[1:]) for name, array in layers.items()}
    return jax.lax.scan(lambda h, theta: (jax.checkpoint(span)(h, theta), None), h, rest)[0]


@functools.cache
def _span(layer: Layer) -> Callable[..., Any]:
    """Return the run through some layers whose backward pass needs their hidden states alone.

    JAX's own derivative of a scan also keeps what is inside a layer, and takes a quarter longer.
    """

    @jax.custom_vjp
    def run(h: Any, layers: Tree, alpha: Any) -> Any:
        return jax.lax.scan(lambda h, theta: (layer(h, theta, alpha), None), h, layers)[0]

    def forward(h: Any, layers: Tree, alpha: Any) -> tuple[Any, Any]:
        last, states = jax.lax.scan(lambda h, theta: (layer(h, theta, alpha), h), h, layers)
        return last, (states, layers, alpha)

    def backward(kept: Any, gradient: Any) -> tuple[Any, Any, Any]:
        states, layers, alpha = kept

        def step(p: Any, state: tuple[Any, Tree]) -> tuple[Any, Tree]:
            _, pull = jax.vjp(lambda h, theta: layer(h, theta, alpha), *state)
            return pull(p)

        p, gradients = jax.lax.scan(step, gradient, (states, layers), reverse=True)
        return p, gradients, jnp.zeros_like(alpha)

    run.defvjp(forward, backward)
    return run


def split_arrays(arrays: Tree) -> tuple[Tree, Any, Any]:
    """Return the layers' arrays, A and B."""
    return {name: arrays[name] for name in ("V", "W", "b") if name in arrays}, arrays["A"], arrays["B"]


def logits(layer: Layer, arrays: Tree, x: Any, alpha: Any, segments: int) -> Any:
    """Return the outputs, shape (examples, classes), of inputs of shape (examples, features)."""
    layers, embedding, readout = split_arrays(arrays)
    last = run_layers(layer, product(embedding, x.T), layers, alpha, segments)
    return product(readout, last).T


def losses(outputs: Any, labels: Any) -> Any:
    """Return the cross-entropy of each example."""
    return -jnp.take_along_axis(jax.nn.log_softmax(outputs), labels[:, None], axis=1)[:, 0]


def compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Return the function compiled, on a processor for one thread of it: its bits depend on no other."""
    if jax.default_backend() == "cpu":
        options["compiler_options"] = {"xla_cpu_multi_thread_eigen": False}
    return jax.jit(function, **options)
