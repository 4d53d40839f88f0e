"""The exponent of a scaling, from networks of several depths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.diagnosis._find_regime import regularity
from montecarlo.networks._dictionary import PLAIN, require_words
from montecarlo.networks._specification import ResNet

_MISFIT = 0.02  # relative distance of a scaling from the power law, up to which it is one
_EXACT = 0.01  # relative change over the depths, beside L^-β_c, up to which the exponent is β_c


@dataclass(frozen=True)
class Family:
    """The rule α = c·L^-β that networks of several depths follow.

    Parameters
    ----------
    name : {"explosion", "critical", "identity", "unknown"}
        What the rule leads to as L grows; unknown where the scalings are no power of depth, and where no
        critical exponent is known.
    constant, beta : float
        c and β, by least squares on logarithms; β is β_c itself where the scalings do not tell them apart.
    critical_beta : float
        β_c of the weights; NaN where it is not known.
    misfit : float
        The largest relative distance of a scaling from the rule.
    words : str
        All this in a sentence.
    """

    name: str
    constant: float
    beta: float
    critical_beta: float
    misfit: float
    words: str


def find_family(resnets: Sequence[ResNet]) -> Family:
    """Return the exponent of a scaling, which one depth cannot have, from a family of depths.

    Parameters
    ----------
    resnets : sequence of ResNet
        Networks of two different depths at least, alike in all but depth and scaling.

    Returns
    -------
    Family

    Raises
    ------
    InvalidFieldError
        If the depths are all equal, or the networks differ in more than depth and scaling.

    Examples
    --------
    GPT-2 divides by √(2L):

    >>> family = find_family([ResNet(width=64, depth=L, alpha=(2 * L) ** -0.5) for L in (12, 24, 36, 48)])
    >>> print(family.words)
    α = 0.707·L^-0.5: critical as depth grows (β_c = 0.5 for independent layers (gaussian weights))
    """
    import theory

    found = list(resnets)
    for net in found:
        require_words(net, PLAIN, "find_family")
    depths = {net.depth for net in found}
    if len(depths) < 2:
        raise InvalidFieldError(
            "resnets",
            sorted(depths),
            "must have two different depths at least",
            "add networks of other depths",
        )
    if len({replace(net, depth=2, beta=None, alpha=1.0) for net in found}) > 1:
        raise InvalidFieldError(
            "resnets", len(found), "must be alike in all but depth and scaling", "give one family at a time"
        )
    log_depth = np.log([net.depth for net in found])
    log_alpha = np.log([net.scaling for net in found])
    slope, start = np.polyfit(log_depth, log_alpha, 1)
    constant, beta = math.exp(start), 0.0 - float(slope)
    misfit = float(np.max(np.expm1(np.abs(log_alpha - start - slope * log_depth))))
    hurst, weights = regularity(found[0])
    critical = float(theory.critical_scaling(hurst)) if math.isfinite(hurst) else math.nan
    rule = f"α = {constant:.3g}·L^{slope:.3g}"
    if misfit > _MISFIT:
        words = f"no power of depth: the nearest, {rule}, is off by up to {100 * misfit:.2g} %"
        return Family("unknown", constant, beta, critical, misfit, words)
    if math.isnan(critical):
        return Family("unknown", constant, beta, critical, misfit, f"{rule}; {weights}: no β_c is known")
    slack = _EXACT / float(np.ptp(log_depth))
    name = theory.regime(beta, hurst=hurst, tolerance=slack)
    if name == "critical":  # the digits that α was typed with do not tell β from β_c: c with β_c is sharper
        constant, beta = math.exp(float(np.mean(log_alpha + critical * log_depth))), critical
        rule = f"α = {constant:.3g}·L^-{critical:g}"
    words = f"{rule}: {name} as depth grows (β_c = {critical:g} for {weights})"
    return Family(name, constant, beta, critical, misfit, words)
