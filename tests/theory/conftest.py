"""Every network with Rademacher weights, enumerated: expectations become finite sums."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class Enumeration:
    """All equally likely networks of one size; axes (network, layer, ...)."""

    h: np.ndarray
    p: np.ndarray
    gradient_v: np.ndarray
    gradient_w: np.ndarray
    least_preactivation: float


def _enumerate(*, h0, p_last, depth, alpha, bias_std=0.0, activation="relu"):
    d = len(h0)
    per_layer = 2 * d * d + (d if bias_std else 0)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=per_layer * depth)))
    layers = signs.reshape(len(signs), depth, per_layer)
    V = layers[:, :, : d * d].reshape(-1, depth, d, d) / np.sqrt(d)
    W = layers[:, :, d * d : 2 * d * d].reshape(-1, depth, d, d) / np.sqrt(d)
    b = bias_std * layers[:, :, 2 * d * d :] if bias_std else np.zeros((1, depth, d))
    h = [np.tile(np.asarray(h0, float), (len(signs), 1))]
    masks, branches, least = [], [], np.inf
    for k in range(depth):
        u = np.einsum("nij,nj->ni", W[:, k], h[-1]) + b[:, k]
        least = min(least, np.abs(u).min())
        mask = (u > 0).astype(float) if activation == "relu" else np.ones_like(u)
        g = mask * u
        h.append(h[-1] + alpha * np.einsum("nij,nj->ni", V[:, k], g))
        masks.append(mask)
        branches.append(g)
    p = [np.tile(np.asarray(p_last, float), (len(signs), 1))]
    gradient_v, gradient_w = [], []
    for k in reversed(range(depth)):
        back = masks[k] * np.einsum("nji,nj->ni", V[:, k], p[0])
        gradient_v.insert(0, alpha**2 * (p[0] ** 2).sum(1) * (branches[k] ** 2).sum(1))
        gradient_w.insert(0, alpha**2 * (back**2).sum(1) * (h[k] ** 2).sum(1))
        p.insert(0, p[0] + alpha * np.einsum("nji,nj->ni", W[:, k], back))
    return Enumeration(
        h=np.stack(h, axis=1),
        p=np.stack(p, axis=1),
        gradient_v=np.stack(gradient_v, axis=1),
        gradient_w=np.stack(gradient_w, axis=1),
        least_preactivation=float(least),
    )


@pytest.fixture(scope="session")
def rademacher_networks():
    return _enumerate


def _fractional_paths(rng, shape, depth, hurst):
    """Fractional noise by circulant embedding, axes (layer, *shape); the covariance as in its definition."""
    m = np.arange(depth + 1.0)
    gamma = 0.5 * (np.abs(m - 1) ** (2 * hurst) - 2 * m ** (2 * hurst) + (m + 1) ** (2 * hurst))
    spectrum = np.maximum(np.fft.fft(np.concatenate([gamma, gamma[-2:0:-1]])).real, 0)
    n = len(spectrum)
    count = -(-int(np.prod(shape)) // 2)
    noise = rng.standard_normal((count, n)) + 1j * rng.standard_normal((count, n))
    paths = np.fft.fft(noise * np.sqrt(spectrum / n), axis=1)[:, :depth]
    flat = np.concatenate([paths.real, paths.imag])[: int(np.prod(shape))]
    return np.ascontiguousarray(flat.T).reshape(depth, *shape)


@pytest.fixture(scope="session")
def fractional_paths():
    return _fractional_paths
