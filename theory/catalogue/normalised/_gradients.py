r"""N5 to N8: gradients of pre-norm networks.

Notation: c = E σ(Z)², c' = E σ'(Z)², S_k = ‖h_k‖²/d, τ = a²L.
"""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._facts import Facts
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem
from theory.catalogue.normalised._walks import WALK

# The widths from which on 8c'(d − 1) <= c(d − 2)².
_FINITE = {"relu": 11, "identity": 11, "leaky-relu": 11, "gelu": 12, "tanh": 13}
_FREE = (given.FREE_READ_OUT, given.ISOTROPIC_READ_OUT)
_CONSTANT = Resolution(0.025, "relative")


def _finite_mean(facts: Facts) -> bool:
    least = _FINITE.get(facts.activation)
    return least is not None and facts.width >= least + (facts.norm == "pre-layer")


_FINITE_MEAN = Hypothesis(
    "the mean is finite: 8c'(d − 1) <= c(d − 2)², d >= 11 for ReLU, 12 for GELU, 13 for tanh, one more "
    "with a layer norm",
    _finite_mean,
)

STATEMENTS = (
    Theorem(
        id="N5",
        name="wide-prenorm-gradients",
        title="pre-norm gradients of wide networks",
        statement=(
            "As d → ∞, E‖p_0‖²/‖p_L‖² behind an RMS norm is the product over the layers of 1 + a² c'/S_k "
            "with S_k = S_0 + a² c k, which is S_L/S_0 for 1-homogeneous σ."
        ),
        latex=(
            r"\frac{\mathbb{E}\Vert p_0\Vert^2}{\Vert p_L\Vert^2} \to "
            r"\prod_{k=0}^{L-1}\left(1 + \frac{a^2 c'}{S_k}\right),\quad S_k = S_0 + a^2 c\,k"
        ),
        source="derived",
        proof="The mean of a layer given the past, S_k deterministic; for c' = c the product telescopes.",
        hypotheses=(*WALK, given.PRE_RMS, given.ONE_SCALING, *_FREE, given.WIDTH_GROWS),
        regime="large width",
        kind="limit",
        quantity="E‖p_0‖²/‖p_L‖² given ‖h_0‖",
        predicted=("wide_prenorm_gradient",),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="N6",
        name="prenorm-gradients",
        title="pre-norm gradients at fixed width",
        statement=(
            "With a²L → τ at fixed width E‖p_0‖²/‖p_L‖² tends to the mean of exp(c'(1 − 1/d) ∫ dt/S_t) over "
            "the walk's limit, a confluent hypergeometric function; it is infinite for d below 11 (ReLU), 12 "
            "(GELU), 13 (tanh), and the variance of ‖p_0‖² below 21, 22, 24. At finite depth a pair of "
            "functions of ‖h‖ gives the mean exactly."
        ),
        latex=(
            r"\frac{\mathbb{E}\Vert p_0\Vert^2}{\Vert p_L\Vert^2} \to "
            r"\mathbb{E}\exp\left(c'\left(1 - \frac{1}{d}\right)\int_0^{\tau}\frac{dt}{S_t}\right)"
        ),
        source="derived",
        proof=(
            "J0, and the tangent's covariance given the walk stays a multiple of the identity; the "
            "functional by absolute continuity of Bessel processes."
        ),
        hypotheses=(
            *WALK,
            given.PRE_RMS,
            given.ONE_SCALING,
            *_FREE,
            _FINITE_MEAN,
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit",
        quantity="E‖p_0‖²/‖p_L‖² given ‖h_0‖, in the limit and at this very depth",
        predicted=(
            "prenorm_gradient_limit",
            "prenorm_gradient_chain",
            "gradient_mean_is_finite",
            "gradient_variance_is_finite",
            "prenorm_gradient_fourth_moment",
        ),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="N6L",
        name="layernorm-gradients",
        title="pre-LayerNorm gradients",
        statement=(
            "Behind a layer norm gradients are those of N6 with d − 1 in place of d and the centred ‖C h_0‖² "
            "in place of ‖h_0‖²."
        ),
        latex=(
            r"\frac{\mathbb{E}\Vert p_0\Vert^2}{\Vert p_L\Vert^2} \to \mathbb{E}\exp\left(c'(d-2)"
            r"\int_0^{\tau}\frac{dt}{\Vert C H_t\Vert^2}\right)"
        ),
        source="derived",
        proof="‖C H‖ is a Bessel process of dimension d − 1, the derivative of the norm has rank d − 2.",
        hypotheses=(
            *WALK,
            given.PRE_LAYER,
            given.ONE_SCALING,
            *_FREE,
            _FINITE_MEAN,
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit",
        quantity="E‖p_0‖²/‖p_L‖² given ‖h_0‖",
        predicted=("prenorm_gradient_limit",),
        resolution=_CONSTANT,
        extends="N6",
    ),
    Theorem(
        id="N7",
        name="prenorm-weight-gradients",
        title="weight gradients of pre-norm networks",
        statement=(
            "E‖∂ℓ/∂V_k‖² is a² M c E‖p_k‖², and E‖∂ℓ/∂W_k‖² is a² d c' E‖p_k‖², up to a factor 1 + O(a²) "
            "which the last layer does not have; E‖p_k‖² is N6 from layer k on."
        ),
        latex=(
            r"\mathbb{E}\Vert\partial\ell/\partial V_k\Vert^2 \to a^2 M c\,\mathbb{E}\Vert p_k\Vert^2,\quad "
            r"\mathbb{E}\Vert\partial\ell/\partial W_k\Vert^2 \to a^2 d\,c'\,\mathbb{E}\Vert p_k\Vert^2"
        ),
        source="derived",
        proof="p_k depends on layer k through ‖h_k‖ alone, whose mean layer k changes by O(a²).",
        hypotheses=(
            *WALK,
            given.PRE_RMS,
            given.ONE_SCALING,
            *_FREE,
            _FINITE_MEAN,
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit",
        quantity="E‖∂ℓ/∂V_k‖²/‖p_L‖² and E‖∂ℓ/∂W_k‖²/‖p_L‖², Frobenius norms",
        predicted=("prenorm_gradient_chain", "activation_energy"),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="N8",
        name="prenorm-exponents",
        title="exponents of pre-norm gradients",
        statement=(
            "For β < 1/2 mean squares of gradients grow like the power p(1 − 2β) of L, p = (ν − μ)/2, ν = "
            "d/2 − 1, μ² = ν² − 2(d − 1)c'/c; p tends to c'/c as d grows."
        ),
        latex=(
            r"\frac{\mathbb{E}\Vert p_0\Vert^2}{\Vert p_L\Vert^2} \sim L^{p(1-2\beta)},\quad "
            r"p = \frac{\nu - \mu}{2}"
        ),
        source="derived",
        proof="N6 as τ → ∞, where the hypergeometric function tends to 1.",
        hypotheses=(
            *WALK,
            given.PRE_RMS,
            given.ONE_SCALING,
            *_FREE,
            _FINITE_MEAN,
            given.DEPTH_GROWS,
            given.BETA_BELOW_HALF,
        ),
        regime="large depth",
        kind="limit",
        quantity="E‖p_0‖²/‖p_L‖² given ‖h_0‖, over its leading term C L^{p(1−2β)}",
        predicted=("prenorm_gradient_exponent",),
        resolution=Resolution(0.2, "relative"),
    ),
)
