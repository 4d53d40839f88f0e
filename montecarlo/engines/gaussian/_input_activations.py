"""Activations of several inputs and their slopes at the tangents, sixteen networks in lanes."""

from __future__ import annotations

import math

import numpy as np

from montecarlo.common._jit import helper
from montecarlo.kernels._lanes import NETWORKS
from montecarlo.kernels._state import EVALUATION_LIMIT

_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)


@helper
def bend_free(network, image):
    """Replace images by σ of inputs and σ' times tangents, for a piecewise linear σ without bias."""
    size, owners, negative_slope = network.inner.size, network.vectors.owners, network.sigma.negative_slope
    n = network.inner.rows * _SIXTEEN
    # Tangents first: they need the images of the inputs that they are attached to.
    for v in range(_ZERO, network.shape.count):
        if owners[v] >= 0:
            start = v * size
            other = np.uint64(owners[v]) * size
            for i in range(_ZERO, n):
                slope = 1.0 if image[other + i] > 0.0 else negative_slope
                image[start + i] = slope * image[start + i]
    for v in range(_ZERO, network.shape.count):
        if owners[v] < 0:
            start = v * size
            for i in range(_ZERO, n):
                x = image[start + i]
                image[start + i] = x if x > 0.0 else negative_slope * x


@helper
def bend(network, work, biased):
    """Replace images by σ(z) of inputs and σ'(z) times tangents, in each vector's frame."""
    image, up, down, owners, sigma = work.image, work.up, work.down, network.vectors.owners, network.sigma
    count, size, n = network.inner.count, network.inner.size, network.inner.rows * _SIXTEEN
    below, bias_std = sigma.negative_slope, network.constants.bias_std
    piecewise = not math.isnan(below)
    for i in range(_ZERO, count * _SIXTEEN):
        e = int(min(max(work.frames[i], -EVALUATION_LIMIT), EVALUATION_LIMIT))
        up[i] = math.ldexp(1.0, e)
        down[i] = math.ldexp(1.0, -e)
    for v in range(_ZERO, count):
        if owners[v] >= 0:
            start = v * size
            owner = np.uint64(owners[v])
            for i in range(_ZERO, n):
                lane = np.uint64(i & np.uint64(15))
                x = up[owner * _SIXTEEN + lane] * image[owner * size + i]
                if biased:
                    x += bias_std * np.float64(work.bias[i])
                if piecewise:
                    image[start + i] *= 1.0 if x > 0.0 else below
                else:
                    image[start + i] *= sigma.slope(x)
    for v in range(_ZERO, count):
        if owners[v] < 0:
            start = v * size
            for i in range(_ZERO, n):
                lane = np.uint64(i & np.uint64(15))
                x = up[v * _SIXTEEN + lane] * image[start + i]
                if biased:
                    x += bias_std * np.float64(work.bias[i])
                y = (x if x > 0.0 else below * x) if piecewise else sigma.value(x)
                image[start + i] = y * down[v * _SIXTEEN + lane]
