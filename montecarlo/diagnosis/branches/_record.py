"""`Branches`: what was measured of a model's residual branches, and the specification it amounts to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from montecarlo.common._errors import InvalidFieldError, check_real
from montecarlo.diagnosis.branches._specify import behind_norm
from montecarlo.networks._specification import ResNet

_KURTOSIS = {"rademacher": 1.0, "uniform": 1.8, "gaussian": 3.0}
_ZERO = 1e-100  # stands for α = 0 in a specification: the identity to every digit


@dataclass(frozen=True)
class Branches:
    """What was measured of a model's residual branches.

    Parameters
    ----------
    width : int
        d, the number of coordinates of a hidden state.
    hidden_width : int
        Units inside a branch; the width for square matrices and for branches of one matrix.
    depth : int
        L, the number of blocks.
    names : tuple of str
        The parameters of V and W (V alone for one matrix a branch), `*` for the number of the block.
    scale_v, scale_w : float
        Deviation of the weights times √d for V, and √(units) for W: 1 is this project's assumption. NaN
        without W.
    bias_std : float
        Root mean square of the biases inside the branch.
    multiplier : float
        The factor in front of the branch that the model's code applies; it cannot be read off parameters.
    kurtosis : float
        Of the weights of V: 3 is Gaussian, 1.8 uniform. NaN where V is constant.
    correlation : float
        Mean correlation of V between neighbouring blocks, in its standard errors under independence.
    warnings : tuple of str
        Where the model is not what the theory is about, what was guessed, and what was not read.
    bias_v_std : float, default 0
        Root mean square of the biases of V, which are outside this theory.
    branch_scale : tuple of float, default ()
        Root mean square of the parameter in front of each branch (LayerScale, ReZero), 1 without one.
    schedule : tuple of float, default ()
        a_k, the scaling of each block: multiplier, branch scale and deviations of that block's V and W.
    mean_v, mean_w : float, default 0
        Means of the weights in their standard errors.
    log_mean_growth : float, default 0
        Natural logarithm of the growth that these means make of a typical state, where they are not 0: an
        estimate for an activation of slope 1, and a ReLU.
    roles : mapping of str to str, default {}
        What each parameter of a block was taken as: V, W, their biases, scale, norm, attention, gate,
        expert, embedding, convolution, or unread.
    norm_gain : float, default 1
        Root mean square of the gains of the norm before the branch, 1 without one.
    """

    width: int
    hidden_width: int
    depth: int
    names: tuple[str, ...]
    scale_v: float
    scale_w: float
    bias_std: float
    multiplier: float
    kurtosis: float
    correlation: float
    warnings: tuple[str, ...]
    bias_v_std: float = 0.0
    branch_scale: tuple[float, ...] = ()
    schedule: tuple[float, ...] = ()
    mean_v: float = 0.0
    mean_w: float = 0.0
    log_mean_growth: float = 0.0
    roles: Mapping[str, str] = field(default_factory=dict, hash=False)
    norm_gain: float = 1.0

    @property
    def alpha(self) -> float:
        """The scaling that the weights amount to once they are normalised to deviation 1/√d.

        For branches of `hidden_width` m the mean square of V g(W h) is that of a square branch. Where blocks
        differ it is the constant scaling of the same growth, Σ log(1 + a_k²/2): that of a ReLU behind W, and
        of every branch to first order in a_k².
        """
        if not self.schedule:
            return self.multiplier * self.scale_v * (1.0 if math.isnan(self.scale_w) else self.scale_w)
        a = np.array(self.schedule)
        largest = float(a.max())
        if largest == 0.0 or largest > 1e100 or largest < 1e-4:  # first order is exact to rounding
            return largest * math.sqrt(float(np.mean((a / largest) ** 2))) if largest else 0.0
        return math.sqrt(2 * math.expm1(float(np.mean(np.log1p(a * a / 2)))))

    @property
    def inner_scale(self) -> float:
        """Deviation of the pre-activations W h over that of the states h; 1 without W."""
        return 1.0 if math.isnan(self.scale_w) else self.scale_w * math.sqrt(self.width / self.hidden_width)

    @property
    def identity(self) -> bool:
        """Whether every branch is zero, so that the network is the identity at initialisation.

        Zero are branches with a scale of 0, with V = 0 and no bias on it, or with W = 0 and no bias at all
        (for an activation with σ(0) = 0).
        """
        scaled = bool(self.branch_scale) and not any(self.branch_scale)
        v = self.scale_v == 0.0 and self.mean_v == 0.0 and self.bias_v_std == 0.0
        w = self.scale_w == 0.0 and self.mean_w == 0.0 and self.bias_std == 0.0 and self.bias_v_std == 0.0
        return scaled or v or w

    @property
    def weights(self) -> str:
        """The weight law of nearest kurtosis."""
        if math.isnan(self.kurtosis):
            return "gaussian"
        return min(_KURTOSIS, key=lambda name: abs(_KURTOSIS[name] - self.kurtosis))

    def resnet(self, activation: str = "relu", **fields: Any) -> ResNet:
        """Return the specification to diagnose.

        Weights W = s W₀ of a deviation that is s times 1/√d are exact for every activation: s h obeys the
        recursion of W₀ with scaling s α and an input s times as large, biases as they are. Behind a norm,
        which has its own length, s goes into the scaling of piecewise linear activations and into σ(s x) of
        others. Hidden widths are those of the model for ReLU and behind a norm, else that of a square branch.

        Parameters
        ----------
        activation : str, default "relu"
            σ, which parameters do not tell.
        **fields
            Other fields of `ResNet`, or replacements of measured ones; `input_scale` is that of the model,
            and `norm` where its normalisation stands, which parameters do not tell.

        Raises
        ------
        InvalidFieldError
            If no specification is near: constant weights, biases of a branch that leave open where they
            stand, or a norm behind the branch whose gain is not 1.

        Notes
        -----
        Zero branches get α = 1e-100, the identity to every digit.

        Examples
        --------
        >>> from montecarlo.diagnosis import measure_branches
        >>> rng = np.random.default_rng(0)
        >>> layers = {f"Dense_{k}": {"kernel": rng.normal(0, 64**-0.5, (64, 64))} for k in range(12)}
        >>> measure_branches(layers, matrices_per_block=1).resnet("tanh", alpha=0.25)
        ResNet(width=64, depth=12, alpha=0.25, block='res-1', activation='tanh')
        >>> measure_branches(layers, matrices_per_block=1).resnet("tanh", alpha=0.25, norm="pre-rms")
        ResNet(width=64, depth=12, alpha=0.25, block='res-1', activation='tanh', norm='pre-rms')
        """
        single = math.isnan(self.scale_w)
        block = "res-1" if single else "res-2"
        if not single and activation == "relu" and self.bias_std == 0.0:
            block = "res-3"
        alpha = self.alpha
        if alpha == 0.0 and not self.identity:
            rule = "must not be 0 where weights or biases of V are not: the branch is no random one"
            raise InvalidFieldError("alpha", 0.0, rule, "give weights that vary about a mean of 0")
        if single and self.bias_v_std > 0.0 and "block" not in fields:
            rule = "stand inside σ or outside, which parameters do not tell, and are no part of res-1"
            raise InvalidFieldError("bias", self.bias_v_std, rule, "leave them out with block='res-1'")
        measured: dict[str, Any] = {
            "width": self.width, "depth": self.depth, "block": block, "activation": activation,
            "weights": self.weights,
        }  # fmt: skip
        norm = fields.get("norm", "none")
        known = fields.get("block", block) in ("res-2", "res-3") and (block == "res-3" or norm != "none")
        if not single and known and self.hidden_width != self.width:
            measured["hidden_width"] = self.hidden_width
        if block == "res-2":
            measured["bias_std"] = self.bias_std
        if norm != "none":
            measured = behind_norm(
                measured | {"alpha": alpha or _ZERO}, norm, deviation=self.inner_scale, gain=self.norm_gain
            )
        elif block == "res-2" and self.inner_scale > 0.0:
            given = check_real("input_scale", fields.pop("input_scale", 1.0), 0.0, 1e100, 1.0, open_low=True)
            measured["input_scale"] = self.inner_scale * given
        measured.setdefault("alpha", alpha or _ZERO)
        if "beta" in fields:
            del measured["alpha"]
        return ResNet(**(measured | fields))
