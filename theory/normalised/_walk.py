"""
Networks with a norm before each branch are random walks (N1, N1L, N3, N11; *derived*).

Blocks `h_{k+1} = h_k + a_k V σ(s_k W n(h_k))`, n(h) = √d h/‖h‖ (RMS norm without gain vector, ε = 0) or the
layer norm √d Ch/‖Ch‖, C the centring; entries of W of variance 1/d, of V of variance 1/M. As ‖n(h)‖² = d
whatever h is, W n(h) is standard normal given the past; so the increments a_k ξ_k are independent of each
other and of the state, and given the energies G_k = ‖σ(s_k z)‖²/M normal of covariance a_k² G_k I. With Γ = Σ
a_k² G_k:

    ‖h_L − h_0‖² = Γ χ²_d,    ‖h_L‖² = Γ χ²_d(‖h_0‖²/Γ), noncentral,

for the layer norm too, whose centred part has d − 1 in place of d. Proofs: docs/theory/normalised.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from theory.common import _validate
from theory.common._activations import Activation, activation_function
from theory.common._cached_property import cached_property
from theory.common._gaussian_moments import even_moments
from theory.common._layers import per_layer, scalings
from theory.common._validate import FloatArray
from theory.independent.exact_law._layer import noncentral_density, radial_edges
from theory.independent.exact_law._panels import build_panels
from theory.normalised._energy_law import EnergyLaw, energy_law
from theory.normalised._panel_distribution import PanelDistribution

Part = Literal["whole", "centred"]


@dataclass(frozen=True, kw_only=True)
class NormalisedWalk:
    """
    Norm of hidden states behind pre-RMSNorm or pre-LayerNorm blocks, exact at every size (N1, N1L, N11;
    *derived*).

    Means hold for every centred law of V; variances for symmetric ones, with the kurtosis of V; laws for
    Gaussian V. W is Gaussian; no gain vector, ε = 0.

    Parameters
    ----------
    width : int
        d >= 1.
    depth : int
        L >= 1.
    alpha : float or array_like (depth,)
        a_k >= 0, one for all layers or one each; not all 0.
    hidden_width : int, optional
        M >= 1, the width by default.
    activation : str or callable, optional
        A name of `ACTIVATIONS` or a vectorised σ; "relu" by default.
    initial_square : float, optional
        ‖h_0‖² > 0; by default d, mean square 1.
    input_scale : float or array_like (depth,), optional
        s_k > 0, factors between the norm and W; 1 by default. LayerNorm scaling is k^{-1/2}.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> walk = NormalisedWalk(width=8, depth=15, alpha=0.5, hidden_width=12)
    >>> walk.second_moment(), walk.difference_second_moment()
    (23.0, 15.0)
    >>> print(f"{walk.log_norm_law().median():.4f}")
    0.4880
    """

    width: int
    depth: int
    alpha: npt.ArrayLike
    hidden_width: int | None = None
    activation: Activation = "relu"
    initial_square: float | None = None
    input_scale: npt.ArrayLike = 1.0

    def __post_init__(self) -> None:
        set_field = object.__setattr__
        set_field(self, "width", int(_validate.width(self.width)))
        set_field(self, "depth", int(_validate.depth(self.depth, minimum=1)))
        hidden = self.width if self.hidden_width is None else self.hidden_width
        fix = "give the number of rows of W"
        set_field(self, "hidden_width", int(_validate.whole("hidden_width", hidden, minimum=1, fix=fix)))
        a = scalings(self.alpha, self.depth)
        if not np.any(a > 0):
            raise ValueError("alpha=0: must be > 0 at some layer; give the factors before the branches")
        set_field(self, "alpha", tuple(a.tolist()))
        start = self.width if self.initial_square is None else self.initial_square
        fix = "give the squared norm of the embedded input"
        set_field(self, "initial_square", float(_validate.real("initial_square", start, above=0, fix=fix)))
        fix = "give the factors between norm and W, all > 0"
        s = per_layer("input_scale", self.input_scale, self.depth, positive=True, fix=fix)
        _validate.real("input_scale", s, above=0, fix=fix)
        set_field(self, "input_scale", tuple(s.tolist()))
        activation_function(self.activation)

    @cached_property
    def _energies(self) -> tuple[FloatArray, FloatArray]:
        """Mean c_k and fourth moment v_k + c_k² of σ(s_k Z), one a layer."""
        s, place = np.unique(np.asarray(self.input_scale), return_inverse=True)
        second, fourth = even_moments(self.activation, s * s)
        return second[place], fourth[place]

    @property
    def _squares(self) -> FloatArray:
        return np.square(np.asarray(self.alpha, np.float64))

    @cached_property
    def mean_energy(self) -> float:
        """E Γ = Σ a_k² c_k: the growth of the mean square of a coordinate."""
        return math.fsum(self._squares * self._energies[0])

    @cached_property
    def energy_variance(self) -> float:
        """Var Γ = Σ a_k⁴ v_k/M."""
        second, fourth = self._energies
        return math.fsum(self._squares**2 * (fourth - second**2)) / int(self.hidden_width or 1)

    def difference_second_moment(self, *, part: Part = "whole") -> float:
        """
        Return E‖h_L − h_0‖² = d Σ a_k² c_k, or that of the centred part, (d − 1) Σ a_k² c_k (N1, N1L, N11).

        Examples
        --------
        >>> NormalisedWalk(width=8, depth=4, alpha=0.5).difference_second_moment(part="centred")
        3.5
        """
        return self._dimension(part) * self.mean_energy

    def second_moment(self, *, part: Part = "whole", centred_square: float | None = None) -> float:
        """
        Return E‖h_L‖² = ‖h_0‖² + d Σ a_k² c_k, or E‖Ch_L‖² = ‖Ch_0‖² + (d − 1) Σ a_k² c_k (N1, N1L, N11).

        Parameters
        ----------
        part : {"whole", "centred"}, optional
            Whether to return the mean square of h_L (default) or of Ch_L.
        centred_square : float, optional
            ‖Ch_0‖², needed for the centred part.

        Examples
        --------
        >>> import numpy as np
        >>> scale = 1 / np.sqrt(np.arange(1.0, 13.0))  # LayerNorm scaling, tanh: not c/k
        >>> walk = NormalisedWalk(width=4, depth=12, alpha=1.0, activation="tanh", input_scale=scale)
        >>> print(f"{walk.difference_second_moment():.3f} {4 * 0.394294 * sum(scale**2):.3f}")
        7.476 4.894
        """
        difference = self.difference_second_moment(part=part)
        return self._start(part, centred_square) + difference

    def difference_variance(self, *, excess_kurtosis: float = 0.0) -> float:
        """
        Return Var‖h_L − h_0‖² = 2d(EΓ)² + d(d+2) Var Γ + κ₄ d Σ a_k⁴ (v_k + c_k²)/M (N1).

        Parameters
        ----------
        excess_kurtosis : float, optional
            κ₄ >= −2 of the entries of V; 0 (Gaussian) by default, −2 Rademacher, −6/5 uniform.

        Examples
        --------
        >>> walk = NormalisedWalk(width=8, depth=15, alpha=0.5, hidden_width=12)
        >>> print(f"{walk.difference_variance():.4f} {walk.difference_variance(excess_kurtosis=-2):.4f}")
        64.0625 62.1875
        """
        fix = "give that of the entries of V, 0 for Gaussian, -2 for Rademacher ones"
        kappa = float(
            _validate.real("excess_kurtosis", excess_kurtosis, above=-2, closed_above=True, fix=fix)
        )
        d, M = self.width, int(self.hidden_width or 1)
        gaussian = 2 * d * self.mean_energy**2 + d * (d + 2) * self.energy_variance
        return gaussian + kappa * d * math.fsum(self._squares**2 * self._energies[1]) / M

    def variance(self, *, excess_kurtosis: float = 0.0) -> float:
        """
        Return Var‖h_L‖² = Var‖h_L − h_0‖² + 4‖h_0‖² Σ a_k² c_k (N1), V of a symmetric law.

        Examples
        --------
        >>> print(f"{NormalisedWalk(width=8, depth=15, alpha=0.5, hidden_width=12).variance():.4f}")
        124.0625
        """
        cross = 4 * self._start("whole", None) * self.mean_energy
        return self.difference_variance(excess_kurtosis=excess_kurtosis) + cross

    def log_norm_law(self, *, part: Part = "whole", centred_square: float | None = None) -> PanelDistribution:
        """
        Return the exact law of log(‖h_L‖/‖h_0‖), natural logarithm, V Gaussian (N1, N1L, N11).

        Parameters
        ----------
        part : {"whole", "centred"}, optional
            "centred": the law of log(‖Ch_L‖/‖Ch_0‖) of layer-norm networks, width at least 2.
        centred_square : float, optional
            ‖Ch_0‖², needed for the centred part.

        Returns
        -------
        PanelDistribution
            A density and, with ReLU, an atom 2^{-LM} at 0, where no unit is active. Absolute error of the cdf
            about 1e-12 for ReLU with one scaling, 1e-9 otherwise.

        Raises
        ------
        ValueError
            If the law needs more units (`activation` other than ReLU, or a schedule, with L·M < 48).

        Examples
        --------
        >>> walk = NormalisedWalk(width=8, depth=15, alpha=0.5, hidden_width=12, activation="gelu")
        >>> law = walk.log_norm_law()
        >>> print(f"{law.mean():.5f} {law.std():.5f} {law.cdf(0.5):.5f}")
        0.41750 0.25310 0.60278
        """
        energy = self._energy
        start, d = self._start(part, centred_square), self._dimension(part)
        tau = energy.nodes / start
        mean = d * self.mean_energy / start
        # Spread of ½ log(1 + …): √τ along e where the walk is short, 1/√(2d) where it has forgotten h_0.
        scale = min(math.sqrt(mean / d), 1 / math.sqrt(2 * d))
        edges = radial_edges(
            d,
            largest=math.sqrt(float(tau[-1])),
            scale=scale,
            centre=0.5 * math.log1p(mean),
            single=math.sqrt(min(energy.single, float(tau[-1]) * start) / start),
        )
        noise = 1e-15 * (4.0 + d + 3.0 * abs(math.log(mean)))
        panels = build_panels(
            lambda x: noncentral_density(x, d, tau, energy.weights), edges, atom=energy.atom, noise=noise
        )
        return PanelDistribution(panels=panels)

    def log_difference_law(self, *, part: Part = "whole") -> PanelDistribution:
        """
        Return the exact law of log‖h_L − h_0‖, natural logarithm, V Gaussian (N1, N1L, N11).

        It does not know h_0: take log‖h_0‖ off for the ratio. "centred" is the law of log‖C(h_L − h_0)‖.

        Returns
        -------
        PanelDistribution
            With ReLU an atom 2^{-LM} at −∞, where no unit is active.

        Raises
        ------
        ValueError
            As `log_norm_law`.

        Examples
        --------
        >>> law = NormalisedWalk(width=8, depth=15, alpha=0.5, hidden_width=12).log_difference_law()
        >>> print(f"{law.mean():.5f} {law.std():.5f} {law.atom < 1e-50}")
        1.28193 0.27937 True
        """
        energy, d = self._energy, self._dimension(part)
        half_logs = 0.5 * np.log(energy.nodes)
        log_constant = (0.5 * d - 1) * math.log(2.0) + float(special.gammaln(0.5 * d))

        def density(x: FloatArray) -> FloatArray:
            u = x.reshape(-1, 1) - half_logs
            value = np.exp(d * u - 0.5 * np.exp(np.minimum(2 * u, 60.0)) - log_constant) @ energy.weights
            return value.reshape(x.shape)

        centre = 0.5 * math.log(d * self.mean_energy)
        # P(χ_d < ε√d) < (2ε)^d, and energies as small as one unit's are in the nodes.
        low = min(float(half_logs[0]), centre - 1.0) - 41.0 / d - 1.0
        high = float(half_logs[-1]) + 0.5 * math.log(d + 20.0 * math.sqrt(d) + 120.0)
        steps = 2.0 ** np.arange(-3.0, 8.0) / math.sqrt(2 * d)
        edges = np.concatenate([centre - steps[::-1], [centre], centre + steps, [low, high]])
        edges = np.unique(edges[(edges >= low) & (edges <= high)])
        panels = build_panels(density, edges, atom=energy.atom, noise=1e-15 * (4.0 + d))
        return PanelDistribution(panels=panels, atom_at=-math.inf)

    @property
    def _energy(self) -> EnergyLaw:
        return energy_law(
            self.activation,
            hidden_width=int(self.hidden_width or 1),
            squares=tuple(self._squares.tolist()),
            scales=tuple(np.asarray(self.input_scale).tolist()),
        )

    def _dimension(self, part: Part) -> int:
        _validate.choice("part", part, ("whole", "centred"), fix="choose one")
        if part == "centred":
            _validate.width(self.width, minimum=2)
        return self.width - (part == "centred")

    def _start(self, part: Part, centred_square: float | None) -> float:
        if part == "whole":
            return float(self.initial_square or self.width)
        if centred_square is None:
            raise ValueError("centred_square=None: must be given for the centred part; give ‖Ch_0‖²")
        fix = "give ‖Ch_0‖², the squared norm of the centred input"
        return float(_validate.real("centred_square", centred_square, above=0, fix=fix))
