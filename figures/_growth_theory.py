"""Norms along depth by theory, for the picture of a diagnosis: median and range at a few layers, or the root
mean square of wide networks where there is no law.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from montecarlo import ResNet
from montecarlo.diagnosis._predict import predict
from montecarlo.diagnosis._predict_blocks import layer_scalings, mean_square, predict_hidden
from montecarlo.networks._activations import find_activation
from montecarlo.networks._dictionary import PLAIN, missing_word
from montecarlo.networks.blocks._block import OUTER_ACTIVATION
from montecarlo.practice._activation_moments import activation_moments

Array = npt.NDArray[np.float64]

_KNOTS = 9  # layers between the first and the last at which a law is asked, for either spacing
_FEWER = 4  # of blocks whose laws take tenths of a second each
_LONGEST = 100_000  # layers of a recursion


@dataclass(frozen=True)
class GrowthTheory:
    """Natural logarithms of ‖h_k‖/‖h_0‖ by theory.

    Parameters
    ----------
    layers : ndarray of int
        k, from 0 to L.
    middle : ndarray of float64
        The median, or the root mean square of wide networks.
    low, high : ndarray of float64 or None
        Ends of the range that holds 95 % of networks; None for the root mean square.
    """

    layers: npt.NDArray[np.int64]
    middle: Array
    low: Array | None = None
    high: Array | None = None


def growth_theory(net: ResNet, *, law: bool) -> GrowthTheory | None:
    """Return theory along depth, or None where there is none.

    Parameters
    ----------
    net : ResNet
        The network.
    law : bool
        Whether its last layer has a law.
    """
    if law and net.processes is None:
        return _law_along_depth(net)
    return _wide_mean_square(net)


def _law_along_depth(net: ResNet) -> GrowthTheory:
    plain = missing_word(net, PLAIN) is None
    count = _KNOTS if plain else _FEWER
    spaced = [np.geomspace(1, net.depth, count), np.linspace(1, net.depth, count)]
    layers, rows = [0], [(0.0, 0.0, 0.0)]
    for k in np.unique(np.concatenate(spaced).round().astype(int)).tolist():
        schedule = net.schedule if isinstance(net.schedule, str) else net.schedule[:k]
        first = replace(net, depth=k, beta=None, alpha=net.scaling, schedule=schedule)
        found = predict(first)[0] if plain else predict_hidden(first)
        if found.law is not None:
            layers.append(k)
            rows.append((found.log_median, *found.log_range))
    middle, low, high = np.array(rows).T
    return GrowthTheory(np.array(layers), middle, low, high)


def _wide_mean_square(net: ResNet) -> GrowthTheory | None:
    """Return the recursion of ‖h_k‖²/d as d → ∞: ``S' = b² S + a_k² ρ(u)``, u the branch's mean square.

    Given h_k the mean of the square is so at every width (C3) with the mean over units for ρ; behind a norm u
    is 1 (N1), of DyT it is E tanh²(γ√S Z) (N12), and a norm of the branch's output makes ρ = 1 (N9).
    """
    place = net.norm.partition("-")[0]
    if net.processes is not None or OUTER_ACTIVATION in net.words or place == "post" or net.depth > _LONGEST:
        return None
    kind, gain, tanh = net.normalisation.kind, net.normalisation.gamma, find_activation("tanh")
    squares = np.broadcast_to(np.square(layer_scalings(net)), net.depth)
    S = np.empty(net.depth + 1)
    S[0] = mean_square(net)
    for k in range(net.depth):
        u = 1.0
        if kind == "none":
            u = float(S[k])
        elif kind == "tanh":
            u = activation_moments(tanh, gain**2 * float(S[k]))[0]
        energy = 1.0
        if place != "peri":
            energy = activation_moments(net.activation_function, u + net.bias_std**2)[0]
        S[k + 1] = net.skip**2 * S[k] + squares[k] * energy
        if not 0.0 < S[k + 1] < 1e300:
            return None
    return GrowthTheory(np.arange(net.depth + 1), 0.5 * np.log(S / S[0]))
