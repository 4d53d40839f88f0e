r"""G1 to G7: schedules, factors of the stream, hidden widths, gates and one-matrix blocks.

Notation: layers h_k = b_k h_{k−1} + a_k V_k ReLU(W_k h_{k−1}), M the units between W and V, f_k = b_k² +
a_k²/2.
"""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._facts import Facts
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem

_ROUNDING = 1e-9


def _near(x: float, y: float) -> bool:
    return abs(x - y) <= _ROUNDING * max(abs(x), abs(y))


def _sum_of_squares_converges(facts: Facts) -> bool:
    critical = facts.beta is not None and _near(facts.beta, 0.5)
    return "depth" in facts.limits and critical and facts.schedule != "other"


def _preserving(facts: Facts) -> bool:
    return facts.schedule == "constant" and _near(facts.skip**2 + facts.scaling**2 / 2, 1.0)


def _deepnorm(facts: Facts) -> bool:
    return _near(facts.skip, facts.depth**0.25) and _near(facts.scaling, (4 * facts.depth) ** -0.5)


_UNIT_SUM = Hypothesis("skip² + α²/2 = 1: α² + λ² = 1 for α = λ √2", _preserving)
_BRANCH_DEGREE = Hypothesis(
    "σ is linear on either side of 0, or a norm without ε stands before the branch",
    lambda f: f.norm_eps == 0 and (f.sigma.homogeneous or f.norm.startswith(("pre-", "peri-"))),
)
_NO_TOKENS = Hypothesis("there is no attention", lambda f: f.tokens is None)
_NO_TANH = Hypothesis("no tanh stands before the branch", lambda f: f.norm != "pre-tanh")
_CONSTANT = Resolution(0.01, "relative")
_LAW = Resolution(0.01, "distribution")
_FREE_GRADIENTS = (given.NO_TIES, given.FREE_READ_OUT)

STATEMENTS = (
    Theorem(
        id="G1",
        name="schedules",
        title="mean squares with schedules",
        statement=(
            "The mean square of ‖h_L‖/‖h_0‖, and of ‖p_0‖/‖p_L‖, is ∏ (b_k² + a_k²/2), at every width and "
            "hidden width; that of ‖h_L − (∏ b_k) h_0‖/‖h_0‖ is ∏ b_k² less."
        ),
        latex=(
            r"\mathbb{E}\Vert h_L\Vert^2 = \prod_{k=1}^{L}\left(b_k^2 + \frac{a_k^2}{2}\right)"
            r"\Vert h_0\Vert^2"
        ),
        source="derived",
        proof=(
            "I2's recursion with E‖W h‖² = (M/d)‖h‖² and E‖V g‖² = (d/M)‖g‖²; b² + a²/2 = 1 keeps the mean "
            "square."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.RELU_OF_W,
            given.NO_NORM,
            *_FREE_GRADIENTS,
        ),
        regime="exact",
        kind="equality",
        quantity="E‖h_L‖²/‖h_0‖², E‖h_L − (∏ b_k) h_0‖²/‖h_0‖² and E‖p_0‖²/‖p_L‖²",
        predicted=("schedule_second_moment", "schedule_difference_second_moment"),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="G1b",
        name="schedule-law",
        title="exact law with schedules",
        statement=(
            "With Gaussian weights ‖h_L‖²/‖h_0‖², and ‖p_0‖²/‖p_L‖², is a product of independent R_k, whose "
            "laws depend on d, M, a_k and b_k alone; every moment is the product of theirs."
        ),
        latex=(
            r"R_k = \left(b_k + a_k\sqrt{G/d}\,Z\right)^2 + \frac{a_k^2 G}{d}\,C,\quad \mathbb{E} R^2 = "
            r"b^4 + a^2 b^2\left(1 + \frac{2}{d}\right) + \frac{a^4 (d+2)(M+5)}{4dM}"
        ),
        source="derived",
        proof=(
            "I6's with M units: N ~ Bin(M, 1/2) of them are active, MG ~ χ² of N degrees, Z ~ N(0, 1), C "
            "~ χ² of d − 1 degrees. Gradients by I4."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.RELU_OF_W,
            given.NO_NORM,
            given.STREAM_NOT_LOST,
            given.FREE_READ_OUT,
        ),
        regime="exact",
        kind="law",
        quantity="law of log(‖h_L‖/‖h_0‖) and of log(‖p_0‖/‖p_L‖); E‖h_L‖⁴/‖h_0‖⁴",
        predicted=("ScheduleNormLaw", "log_schedule_fourth_moment"),
        resolution=_LAW,
        extends="G1",
    ),
    Theorem(
        id="G1c",
        name="schedule-limit",
        title="limit law with schedules",
        statement=(
            "If Σ a_k² tends to τ and the largest a_k to 0, log ‖h_L‖²/‖h_0‖² tends to N(τ(1/2 − 1/d), "
            "2τ/d), whatever the hidden width; to N(−τ/d, 2τ/d) with b_k² + a_k²/2 = 1."
        ),
        latex=(
            r"\log\frac{\Vert h_L\Vert^2}{\Vert h_0\Vert^2} \to \mathcal{N}\left(\tau\left(\frac{1}{2} - "
            r"\frac{1}{d}\right), \frac{2\tau}{d}\right)"
        ),
        source="derived",
        proof=(
            "Lindeberg: E log R = a²(1/2 − 1/d) and Var log R = 2a²/d, up to a⁴. Summable scalings that "
            "do not vanish together, 1/(√k log k) say, have another limit, an infinite convolution."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.RELU_OF_W,
            given.NO_NORM,
            Hypothesis("b = 1, or b² = 1 − a²/2", lambda f: f.skip == 1 or _preserving(f)),
            Hypothesis(
                "Σ a_k² converges and the largest a_k tends to 0 as L → ∞: β = 1/2, with factors that "
                "stay bounded",
                _sum_of_squares_converges,
            ),
        ),
        regime="large depth",
        kind="limit law",
        quantity="law of log(‖h_L‖/‖h_0‖)",
        predicted=("schedule_limit_law",),
        resolution=_LAW,
        extends="G1",
    ),
    Theorem(
        id="G2",
        name="value-scaling",
        title="V of variance 1/d",
        statement=(
            "V with entries of variance 1/d in the place of 1/M is the same network with a² M/d in the place "
            "of a²."
        ),
        latex=r"a\,\frac{V}{\sqrt{d}} = a\,\sqrt{\frac{M}{d}}\,\frac{V}{\sqrt{M}}",
        source="derived",
        proof="√(M/d) times an entry of variance 1/M has variance 1/d.",
        hypotheses=(
            given.BEHIND_W,
            Hypothesis(
                "the branch's output has no norm, which would undo scales",
                lambda f: not f.norm.startswith("peri-"),
            ),
        ),
        regime="exact",
        kind="law",
        quantity="law of log(‖h_L‖/‖h_0‖) with V of variance 1/d",
        predicted=("value_scaling",),
        resolution=Resolution(0.02, "distribution"),
    ),
    Theorem(
        id="G3",
        name="schedule-weight-gradients",
        title="weight gradients with schedules",
        statement=(
            "The mean square of the loss's gradient in V_k is (a_k² M/(2d)) ∏_{j≠k} f_j times ‖p_L‖² "
            "‖h_0‖², and in W_k it is (a_k²/2) ∏_{j≠k} f_j, equal (I5) at M = d alone."
        ),
        latex=(
            r"\mathbb{E}\,\Vert\partial\ell/\partial V_k\Vert^2 = "
            r"\frac{M}{d}\,\mathbb{E}\,\Vert\partial\ell/\partial W_k\Vert^2 = \frac{a_k^2 "
            r"M}{2d}\prod_{j \neq k} f_j\,\Vert p_L\Vert^2\,\Vert h_0\Vert^2"
        ),
        source="derived",
        proof=(
            "I5's: layers above and below k are independent, E‖ReLU(W h)‖² = (M/(2d))‖h‖² for V, and "
            "E‖D Vᵀp‖² = ‖p‖²/2 for W."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.RELU_OF_W,
            given.NO_NORM,
            *_FREE_GRADIENTS,
        ),
        regime="exact",
        kind="equality",
        quantity="E‖∂loss/∂V_k‖²/(‖p_L‖² ‖h_0‖²), Frobenius norm, and the same for W_k",
        predicted=("schedule_weight_gradients",),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="G4",
        name="gates",
        title="gradients of gates",
        statement=(
            "The mean square of the loss's derivative in a_k, a trained number before the branch, is "
            "∏_{j≠k} f_j /(2d) times ‖p_L‖² ‖h_0‖², whatever the hidden width, at a = 0 too."
        ),
        latex=(
            r"\mathbb{E}\left(\frac{\partial\ell}{\partial a_k}\right)^2 = \frac{\Vert p_L\Vert^2\,"
            r"\Vert h_0\Vert^2}{2d}\prod_{j \neq k} f_j"
        ),
        source="derived",
        proof="The derivative is p_k · V_k g, of mean square ‖p_k‖² E‖g‖²/M; otherwise as G3.",
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.RELU_OF_W,
            given.NO_NORM,
            *_FREE_GRADIENTS,
        ),
        regime="exact",
        kind="equality",
        quantity="E(∂loss/∂a_k)²/(‖p_L‖² ‖h_0‖²)",
        predicted=("gate_gradient_second_moment",),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="G5",
        name="euler-identity",
        title="Euler's identity along depth",
        statement=(
            "In every network of branches that are homogeneous of degree one, p_0 · h_0 = p_L · h_L, "
            "whatever its weights and factors b_k; behind a norm of the branch's input p_k · h_k = b_k "
            "p_{k+1} · h_k."
        ),
        latex=r"p_0 \cdot h_0 = p_L \cdot h_L",
        source="derived",
        proof=(
            "Euler's theorem: the Jacobian of a homogeneous map of degree one has J h = f(h), of degree "
            "zero J h = 0. A norm on the stream makes layers of degree zero."
        ),
        hypotheses=(_BRANCH_DEGREE, _NO_TANH, _NO_TOKENS, given.NO_BIAS),
        regime="exact",
        kind="equality",
        quantity="(p_0 · h_0)/(p_L · h_L), which is 1 in each network, and its like behind norms",
        predicted=("euler_overlap",),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="G6",
        name="deepnorm",
        title="DeepNorm is near the identity",
        statement=(
            "DeepNorm's feed-forward blocks norm(αx + β² V ReLU(W x)), N layers of two blocks, are post-norm "
            "networks of a = β²/α, a²L = 1/(4√(2N)): their directions move less and less as N grows."
        ),
        latex=r"a^2 L = \frac{1}{4\sqrt{2N}},\quad a = \frac{\beta^2}{\alpha} \propto L^{-3/4}",
        source="derived",
        proof="A norm does not see the factor α of the sum; the mean cosine is a power of one layer's (N10).",
        hypotheses=(
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.RELU_OF_W,
            Hypothesis(
                "the stream is normalised without ε", lambda f: f.norm == "post-rms" and f.norm_eps == 0
            ),
            Hypothesis("DeepNorm's constants, b = (2N)^{1/4} and a = (8N)^{-1/2} at L = 2N", _deepnorm),
        ),
        regime="exact",
        kind="equality",
        quantity="1 − E cos∠(h_0, h_L)",
        predicted=("deepnorm", "mean_cosine"),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="G7",
        name="balanced",
        title="balanced one-matrix blocks",
        statement=(
            "Blocks α z + λ √(2/n) W ReLU(s z) with fresh random signs s and α² + λ² = 1 keep E‖z‖² exactly, "
            "and E‖z‖⁴ with E Σ z_i⁴ obeys a recursion of two by two: the growth of a layer depends on the "
            "coordinates, so there is no law as a product of i.i.d. terms (I6)."
        ),
        latex=(
            r"m' = \left[\alpha^4 + \left(2 + \frac{4}{n}\right)\alpha^2\lambda^2 + "
            r"\left(1 + \frac{2}{n}\right)\lambda^4\right] m + \left(1 + \frac{2}{n}\right)\lambda^4 q"
        ),
        source="derived",
        proof="Given the active units W φ is normal; a pair of signs is that of two coins.",
        hypotheses=(
            Hypothesis("the block is balanced", lambda f: f.block == "balanced" and f.norm == "none"),
            given.INDEPENDENT,
            given.GAUSSIAN,
            _UNIT_SUM,
        ),
        regime="exact",
        kind="equality",
        quantity="E‖z_L‖² and E‖z_L‖⁴, over those of the start",
        predicted=("balanced_fourth_moment",),
        resolution=Resolution(0.01, "relative"),
    ),
    Theorem(
        id="G7b",
        name="log-gaussian",
        title="one-matrix blocks are log-Gaussian",
        statement=(
            "As n and L grow with L/n → ρ, log‖z_L‖²/‖z_0‖² of balanced blocks tends to N(−ρβ/2, ρβ), β = "
            "5λ⁴ + 4α²λ², from an isotropic start; vanilla blocks, without signs, have a larger variance and "
            "a lower mean, because the signs of coordinates persist, up to O(1/n)."
        ),
        latex=(
            r"\log\frac{\Vert z_L\Vert^2}{\Vert z_0\Vert^2} \to \mathcal{N}\left("
            r"-\frac{\rho\beta}{2}, \rho\beta\right),\quad \beta = 5\lambda^4 + 4\alpha^2\lambda^2"
        ),
        source="arXiv:2106.04013",
        proof=(
            "Li, Nica and Roy (2021) for balanced blocks; vanilla here to leading order, a sketch: "
            "correlations of a coordinate's signs over layers."
        ),
        hypotheses=(
            Hypothesis(
                "the block is balanced or vanilla",
                lambda f: f.block in ("balanced", "vanilla") and f.norm == "none",
            ),
            given.INDEPENDENT,
            given.GAUSSIAN,
            _UNIT_SUM,
            given.WIDTH_GROWS,
            Hypothesis("the depth grows like the width", lambda f: "depth" in f.limits),
        ),
        regime="large width",
        kind="limit law",
        quantity="law of log‖z_L‖²/‖z_0‖² (balanced), and its mean, extrapolated in 1/n (vanilla)",
        predicted=("log_gaussian_law", "vanilla_expansion"),
        resolution=_LAW,
        extends="G7",
    ),
)
