r"""F1 to F4: weights that are stationary along the layers, fractional Gaussian noise above all.

Notation: γ_V and γ_W lag covariances, H_V and H_W Hurst indices, H the index of V, κ the arc-cosine kernel.
"""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._facts import Facts
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem


def _antipersistent(facts: Facts) -> bool:
    return facts.v.hurst is not None and facts.v.hurst < 0.5


def _short_memory(facts: Facts) -> bool:
    v, w = facts.v.index, facts.laws[-1].index
    return v is not None and w is not None and v <= 0.5 and w < 1


def _contracts(facts: Facts) -> bool:
    return facts.beta is not None and facts.v.hurst is not None and 0 < facts.beta < 1 - facts.v.hurst - 1e-12


_FRACTIONAL = Hypothesis(
    "V and W are fractional Gaussian noise of one index H, 1/2 (independent layers) included",
    lambda f: (
        f.v.index is not None
        and not f.v.smooth
        and f.v.gaussian
        and all(w.index == f.v.index for w in f.laws)
    ),
)
_LEADING = Resolution(0.03, "relative")
_SLOPE = Resolution(0.05, "absolute")

STATEMENTS = (
    Theorem(
        id="F1",
        name="phase-boundary",
        title="critical exponent max(H, 1/2)",
        statement=(
            "For ReLU behind W and fractional weights, networks explode for β < max(H, 1/2) and tend "
            "to the identity for β > max(H, 1/2); at width 1 and 2 typical networks need not explode."
        ),
        latex=r"\beta_c(H) = \max\left(H, \frac{1}{2}\right)",
        source="MFBV, experiments",
        proof=(
            "MFBV prove H = 1/2 and smooth weights and observe the rest in experiments; the identity "
            "side is derived for every H (F2)."
        ),
        hypotheses=(
            given.RELU_OF_W,
            _FRACTIONAL,
            Hypothesis("d >= 3", lambda f: f.width >= 3),
            given.DEPTH_GROWS,
            Hypothesis(
                "β is not max(H, 1/2) itself",
                lambda f: (
                    f.beta is not None
                    and f.critical_beta is not None
                    and abs(f.beta - f.critical_beta) > 1e-12
                ),
            ),
        ),
        regime="large depth",
        kind="rate",
        quantity="sign of the slope of log(‖h_L − h_0‖/‖h_0‖) against log L",
        predicted=("critical_scaling", "regime", "fractional_growth"),
        resolution=_SLOPE,
    ),
    Theorem(
        id="F2",
        name="first-order-law",
        title="first-order law of the difference",
        statement=(
            "Near the identity the mean square of ‖h_L − h_0‖/‖h_0‖ is a² Σ γ_V(j−k) κ(γ_W(j−k)) up "
            "to a factor 1 + o(1), at every width; for fractional noise it grows like L^{max(2H, 1) − "
            "2β}."
        ),
        latex=(
            r"\mathbb{E}\,\frac{\Vert h_L - h_0\Vert^2}{\Vert h_0\Vert^2} = "
            r"a^2 \sum_{j,k<L} \gamma_V(j-k)\,\kappa(\gamma_W(j-k))\,(1 + o(1))"
        ),
        source="derived",
        proof=(
            "To first order h_L − h_0 = a Σ V_k g(h_0, θ_k), with independent centred entries of V. "
            "For res-1 with H < 1/2 the square of the second order, (La²/2d)², exceeds it up to β = 1 "
            "− H."
        ),
        hypotheses=(
            given.STATIONARY,
            given.W_GAUSSIAN,
            given.LIPSCHITZ,
            given.DEPTH_GROWS,
            given.BETA_ABOVE_SECOND_ORDER,
        ),
        regime="large depth",
        kind="limit",
        quantity="E‖h_L − h_0‖²/‖h_0‖² over the first order, which tends to 1",
        predicted=("first_order_difference", "fractional_first_order", "fractional_growth"),
        resolution=_LEADING,
    ),
    Theorem(
        id="F2b",
        name="gradient-first-order",
        title="first-order law of gradients",
        statement=(
            "Near the identity the mean square of ‖p_0 − p_L‖/‖p_L‖ has F2's form with another "
            "overlap of two layers; for fractional noise wide networks' gradients have the exponent "
            "max(1/2, 2H − 1), not max(1/2, H)."
        ),
        latex=(
            r"\mathbb{E}\,\frac{\Vert p_0 - p_L\Vert^2}{\Vert p_L\Vert^2} \approx a^2 \sum_{j,k<L} "
            r"\gamma_V \left[\left(1 - \frac{1}{d}\right)\gamma_W\left(\frac{1}{4} + "
            r"\frac{\arcsin\gamma_W}{2\pi}\right) + \frac{\kappa(\gamma_W)}{d}\right]"
        ),
        source="derived",
        proof=(
            "To first order p_0 − p_L = a Σ W_kᵀ D_k V_kᵀ p_L; only coordinates along h_0 know who is active."
        ),
        hypotheses=(
            given.RELU_OF_W,
            given.STATIONARY,
            given.GAUSSIAN,
            given.FREE_READ_OUT,
            given.DEPTH_GROWS,
            given.BETA_ABOVE_CRITICAL,
        ),
        regime="large depth",
        kind="limit",
        quantity="E‖p_0 − p_L‖²/‖p_L‖² over the first order, which tends to 1",
        predicted=("first_order_gradient_difference",),
        resolution=_LEADING,
        extends="F2",
    ),
    Theorem(
        id="F2c",
        name="correlated-log-mean",
        title="mean log-norm to second order",
        statement=(
            "Near the identity the mean of log(‖h_L‖/‖h_0‖) is ((d − 1) m − c L a²)/(2d), m the "
            "first-order mean square of F2: correlation decides whether a typical network grows."
        ),
        latex=(
            r"\mathbb{E}\log\frac{\Vert h_L\Vert}{\Vert h_0\Vert} = \frac{(d-1)\,m - c L a^2}{2d} + "
            r"O(m^2 + L^2 a^4)"
        ),
        source="derived",
        proof=(
            "Second-order expansion; Stein's and Euler's identities give the mean of the second order from m."
        ),
        hypotheses=(
            given.RELU_OF_W_OR_LINEAR,
            given.STATIONARY,
            given.GAUSSIAN,
            given.DEPTH_GROWS,
            given.BETA_ABOVE_CRITICAL,
        ),
        regime="large depth",
        kind="limit",
        quantity="E log(‖h_L‖/‖h_0‖) a unit of m + c L a²",
        predicted=("correlated_log_mean",),
        resolution=Resolution(0.02, "absolute"),
        extends="F2",
    ),
    Theorem(
        id="F2d",
        name="correlated-mean-field",
        title="wide networks with correlated layers",
        statement=(
            "As d → ∞ the overlaps E⟨h_j, h_k⟩ of all layers solve a closed recursion, at every "
            "depth, scaling and correlation; its first order is F2 and its case of independent layers "
            "S4."
        ),
        latex=(
            r"C_{jk} = 1 + a^2 \sum_{i<j,\,l<k} \gamma_V(i-l)\,\sqrt{C_{ii} C_{ll}}\;"
            r"\kappa\left(\frac{\gamma_W(i-l)\,C_{il}}{\sqrt{C_{ii} C_{ll}}}\right)"
        ),
        source="derived",
        proof=(
            "Pre-activations are jointly Gaussian in the limit (tensor programs, Yang, 2019); "
            "transposes are never used again, so no reaction term appears."
        ),
        hypotheses=(
            Hypothesis(
                "the branch is V ReLU(W h), or σ is the identity, without biases",
                lambda f: f.relu_of_w or (f.linear and f.bias_std == 0),
            ),
            given.STATIONARY,
            given.GAUSSIAN,
            given.WIDTH_GROWS,
        ),
        regime="large width",
        kind="limit",
        quantity="E‖h_k − h_0‖²/‖h_0‖² at every layer",
        predicted=("correlated_mean_square",),
        resolution=_LEADING,
        extends="F2",
    ),
    Theorem(
        id="F3",
        name="antipersistent-contraction",
        title="rough weights contract linear res-1",
        statement=(
            "Linear res-1 with fractional noise of H < 1/2 contracts for 0 < β < 1 − H: L^{2β−1} "
            "log(‖h_L‖/‖h_0‖) tends to −1/(2d) in probability."
        ),
        latex=r"L^{2\beta-1}\log\frac{\Vert h_L\Vert}{\Vert h_0\Vert} \to -\frac{1}{2d}",
        source="derived",
        proof=(
            "Second-order expansion with Σ_{j<k} γ(k−j) = (L^{2H} − L)/2, a proof for β > H; for β <= "
            "H a scaling argument: the Lyapunov exponents sum to −a²/2 a layer and spread by o(a²)."
        ),
        hypotheses=(
            given.LINEAR_RES_1,
            Hypothesis("V is fractional Gaussian noise with H < 1/2", _antipersistent),
            given.DEPTH_GROWS,
            Hypothesis("0 < β < 1 − H (beyond, noise exceeds the contraction)", _contracts),
        ),
        regime="large depth",
        kind="limit",
        quantity="L^{2β−1} log(‖h_L‖/‖h_0‖)",
        predicted=("antipersistent_contraction",),
        resolution=_LEADING,
    ),
    Theorem(
        id="F3b",
        name="antipersistent-diffusion",
        title="limit law of res-3 with rough weights",
        statement=(
            "For ReLU behind W with H_V <= 1/2 at β = 1/2, log(‖h_L‖/‖h_0‖) tends to a normal law of mean "
            "((d − 1)S − 1/2)/(2d) and variance S/d, S the sum of γ_V κ(γ_W): I8 with S for 1/2."
        ),
        latex=(
            r"\log\frac{\Vert h_L\Vert}{\Vert h_0\Vert} \to "
            r"\mathcal{N}\left(\frac{(d-1)S - 1/2}{2d}, \frac{S}{d}\right),\quad "
            r"S = \sum_{m=-\infty}^{\infty} \gamma_V(m)\,\kappa(\gamma_W(m))"
        ),
        source="derived",
        proof=(
            "By averaging, not proved in full: that the memory of the weights ends where the state "
            "begins to move is an argument."
        ),
        hypotheses=(
            given.RELU_OF_W,
            given.GAUSSIAN,
            given.STATIONARY,
            Hypothesis("V and W have Hurst indices with H_V <= 1/2 and H_W < 1", _short_memory),
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit law",
        quantity="law of log(‖h_L‖/‖h_0‖)",
        predicted=("antipersistent_log_norm_law", "fractional_growth"),
        resolution=Resolution(0.03, "distribution"),
        extends="F3",
    ),
    Theorem(
        id="F4",
        name="young-regime",
        title="order of convergence for H > 1/2",
        statement=(
            "Res-1 with fractional noise of H > 1/2 at β = H converges on one path to Young's "
            "equation with strong order at least 2H − 1 in 1/L."
        ),
        latex=r"\Vert H_{k/L} - h_k\Vert = O\left(L^{-(2H-1)}\right)",
        source="Neuenkirch 2007",
        proof=(
            "Known for equations driven by fractional Brownian motion (Neuenkirch and Nourdin, 2007), "
            "with bounded derivatives; attained by linear res-1 (F4b)."
        ),
        hypotheses=(
            given.RES_1,
            given.SMOOTH_ACTIVATION,
            given.PERSISTENT,
            given.DEPTH_GROWS,
            given.BETA_IS_HURST,
        ),
        regime="large depth",
        kind="rate",
        quantity="minus the slope of log ‖h_L − h_2L‖ against log L on one path; at least 2H − 1",
        predicted=("convergence_order",),
        resolution=_SLOPE,
    ),
    Theorem(
        id="F4b",
        name="young-error",
        title="leading error of linear res-1, H > 1/2",
        statement=(
            "Linear res-1 at β = H > 1/2 lags behind Young's equation by −L^{1−2H}/(2d) in "
            "log(‖h_L‖/‖h_0‖), to leading order the same on every path: F4's order is attained."
        ),
        latex=(r"\log\Vert h_L\Vert - \log\Vert H_1\Vert \approx -\frac{L^{1-2H}}{2d}"),
        source="derived",
        proof="−(a²/2) Σ E V_k² = −(L a²/(2d)) I is what I + aV_k lacks of exp(aV_k).",
        hypotheses=(
            given.LINEAR_RES_1,
            given.PERSISTENT,
            given.DEPTH_GROWS,
            given.BETA_IS_HURST,
        ),
        regime="large depth",
        kind="limit",
        quantity="coupled difference of the logarithms over −L^{1−2H}/(2d), which tends to 1",
        predicted=("young_log_error",),
        resolution=Resolution(0.05, "relative"),
        extends="F4",
    ),
)
