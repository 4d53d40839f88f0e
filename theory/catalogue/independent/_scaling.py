r"""I8 to I11: independent layers, the three scalings of large depth.

Notation: c = E‖g(h)‖²/‖h‖² the mean-square gain of the branch (1/2 for ReLU of W h, 1 for the identity).
"""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._facts import Facts
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem


def _planar_symmetry(facts: Facts) -> bool:
    return facts.width != 2 or facts.v.gaussian or (facts.beta is not None and facts.beta > 1 / 6)


_CONSTANT = Resolution(0.01, "relative")
_LAW = Resolution(0.01, "distribution")
_EXCESS = Resolution(0.01, "probability")

STATEMENTS = (
    Theorem(
        id="I8",
        name="critical",
        title="limit law at the critical scaling",
        statement=(
            "At β = 1/2 log ‖h_L‖²/‖h_0‖² tends to N(1/2 − 1/d, 2/d), at distance O(1/L), and the "
            "mean square of ‖h_L − h_0‖/‖h_0‖ to e^{1/2} − 1 (in general: N(c(1 − 2/d), 4c/d) and e^c "
            "− 1)."
        ),
        latex=(
            r"\log\frac{\Vert h_L\Vert^2}{\Vert h_0\Vert^2} \to \mathcal{N}\left(\frac{1}{2} - "
            r"\frac{1}{d}, \frac{2}{d}\right),\quad \mathbb{E}\,\frac{\Vert h_L - h_0\Vert^2}{\Vert "
            r"h_0\Vert^2} \to e^{1/2} - 1"
        ),
        source="derived",
        proof="Itô's formula for the log-norm of the diffusion S2; the mean square is the limit of I2.",
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.CLOSED_GAIN,
            given.NO_BIAS,
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit law",
        quantity=(
            "law of log(‖h_L‖/‖h_0‖), its distance to the limit, and the mean square of the difference"
        ),
        predicted=(
            "critical_log_norm_law",
            "critical_difference_second_moment",
            "convergence_in_law",
            "distances_to_limit",
        ),
        resolution=_LAW,
    ),
    Theorem(
        id="I9",
        name="critical-bounds",
        title="bounds at the critical scaling",
        statement=(
            "At β = 1/2 and d >= 64, L large enough (how large depends on d, δ and the law of V), ‖h_L − "
            "h_0‖²/‖h_0‖² lies between exp(3/8 − √(22/(dδ))) − 1 and exp(1 + √(10/(dδ))) + 1 with "
            "probability at least 1 − δ; the lower bound is negative unless dδ > 156.4."
        ),
        latex=(
            r"\exp\left(\frac{3}{8} - \sqrt{\frac{22}{d\delta}}\right) - 1 < \frac{\Vert h_L - "
            r"h_0\Vert^2}{\Vert h_0\Vert^2} < \exp\left(1 + \sqrt{\frac{10}{d\delta}}\right) + 1"
        ),
        source="MFBV",
        proof="Taken over as given there; for res-3 with Gaussian weights the quantiles of I6 are sharper.",
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.GAIN_FROM_HALF_TO_ONE,
            Hypothesis("d >= 64", lambda f: f.width >= 64),
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="inequality",
        kind="inequality",
        quantity="probability that ‖h_L − h_0‖²/‖h_0‖² leaves the bounds, at most δ",
        predicted=("critical_difference_bounds",),
        resolution=_EXCESS,
    ),
    Theorem(
        id="I9b",
        name="critical-gradient-bounds",
        title="gradients at the critical scaling",
        statement=(
            "At β = 1/2 the mean square of ‖p_0 − p_L‖/‖p_L‖ ends between e^{1/2} − 1, attained by "
            "res-3, and e − 1, attained by linear res-1."
        ),
        latex=(
            r"e^{1/2} - 1 \leq \lim_{L \to \infty} \mathbb{E}\,\frac{\Vert p_0 - p_L\Vert^2}{\Vert "
            r"p_L\Vert^2} \leq e - 1"
        ),
        source="MFBV",
        proof="The limits of (1 + c/L)^L − 1 at c = 1/2 and 1, by I3.",
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.CLOSED_GAIN,
            given.GAIN_FROM_HALF_TO_ONE,
            given.NO_TIES,
            given.FREE_READ_OUT,
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="inequality",
        quantity="limit of E‖p_0 − p_L‖²/‖p_L‖²",
        predicted=("critical_gradient_bounds",),
        resolution=_CONSTANT,
        extends="I9",
    ),
    Theorem(
        id="I10",
        name="identity",
        title="identity above the critical exponent",
        statement=(
            "If Lα² <= 1, then ‖h_L − h_0‖²/‖h_0‖² <= 2Lα²/δ with probability at least 1 − δ, for all "
            "layers at once; so it tends to 0 in probability if Lα² does."
        ),
        latex=(
            r"\mathbb{P}\left(\frac{\Vert h_L - h_0\Vert^2}{\Vert h_0\Vert^2} > "
            r"\frac{2L\alpha_L^2}{\delta}\right) \leq \delta"
        ),
        source="MFBV",
        proof="I2 bounds the mean square by (e − 1)Lα², then Markov; all layers at once by Doob (derived).",
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.GAIN_AT_MOST_ONE,
            Hypothesis("Lα² <= 1", lambda f: f.depth * f.scaling**2 <= 1 + 1e-12),
        ),
        regime="inequality",
        kind="inequality",
        quantity="probability that ‖h_L − h_0‖²/‖h_0‖² exceeds the bound, at most δ",
        predicted=("identity_bound", "difference_markov_bound"),
        resolution=_EXCESS,
    ),
    Theorem(
        id="I10b",
        name="identity-law",
        title="limit law near the identity",
        statement=(
            "For β > 1/2, L^{2β−1} ‖h_L − h_0‖²/‖h_0‖² tends in law to c χ²/d with d degrees of "
            "freedom, c the gain at h_0 (1/2 for res-3)."
        ),
        latex=r"L^{2\beta-1}\,\frac{\Vert h_L - h_0\Vert^2}{\Vert h_0\Vert^2} \to \frac{\chi^2_d}{2d}",
        source="derived",
        proof=(
            "To first order the difference is a sum of independent centred vectors: central limit theorem."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.LIPSCHITZ,
            given.DEPTH_GROWS,
            given.BETA_ABOVE_HALF,
        ),
        regime="large depth",
        kind="limit law",
        quantity="law of L^{2β−1} ‖h_L − h_0‖²/‖h_0‖²",
        predicted=("identity_limit_law", "identity_quantile"),
        resolution=_LAW,
        extends="I10",
    ),
    Theorem(
        id="I11",
        name="explosion",
        title="explosion below the critical exponent",
        statement=(
            "For 0 < β < 1/2, L^{2β−1} log ‖h_L‖²/‖h_0‖² tends to c(1 − 2/d) in probability, 1/2 − "
            "1/d for res-3: networks explode from width 3 on, end above 1 half of the time at width 2 "
            "and collapse at width 1."
        ),
        latex=r"L^{2\beta-1} \log\frac{\Vert h_L\Vert^2}{\Vert h_0\Vert^2} \to \frac{1}{2} - \frac{1}{d}",
        source="MFBV, sharpened",
        proof=(
            "MFBV prove the explosion of wide networks. The rate is derived: E log R = c a²(1 − 2/d) "
            "+ o(a²) and the law of large numbers; at d = 2 log‖·‖² is harmonic, which needs Gaussian "
            "V for β <= 1/6."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.CLOSED_GAIN,
            given.NO_BIAS,
            given.DEPTH_GROWS,
            given.BETA_BELOW_HALF,
            Hypothesis("at d = 2: V is Gaussian, or β > 1/6", _planar_symmetry),
        ),
        regime="large depth",
        kind="limit",
        quantity="log(‖h_L‖²/‖h_0‖²) a unit of Lα², and P(‖h_L‖ > ‖h_0‖)",
        predicted=(
            "explosion_rate",
            "explosion_log_mean",
            "explosion_log_variance",
            "explosion_probability",
            "explosion_limit_probability",
        ),
        resolution=Resolution(0.01, "absolute"),
    ),
)
