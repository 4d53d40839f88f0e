r"""N1 to N4: hidden states behind a norm are a random walk.

Notation: Z ~ N(0, 1), c = E σ(Z)², v = Var σ(Z)², M the units between W and V, a_k the scaling of layer k.
"""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem

_LAW = Resolution(0.02, "distribution")
WALK = (
    given.INDEPENDENT,
    given.GAUSSIAN,
    given.BEHIND_W,
    given.NO_BIAS,
    given.UNIT_SKIP,
    given.NO_EPSILON,
)
"""What all statements on these walks take for granted."""

STATEMENTS = (
    Theorem(
        id="N1",
        name="prenorm-walk",
        title="pre-norm networks are random walks",
        statement=(
            "Behind a norm of its input a branch knows nothing of the state: h_L − h_0 is a sum of "
            "independent increments, ‖h_L − h_0‖² is Γ times a χ² of d degrees of freedom, Γ = Σ a_k² G_k, "
            "in a direction independent of h_0, and ‖h_L‖² grows by d Σ a_k² c on average; for ReLU MG is a "
            "χ² with as many degrees of freedom as units are active."
        ),
        latex=(
            r"\Vert h_L - h_0\Vert^2 \sim \Gamma\,\chi^2_d,\quad \Gamma = \sum_{k=1}^{L} a_k^2 G_k,\quad "
            r"\mathbb{E}\Vert h_L\Vert^2 = \Vert h_0\Vert^2 + c\,d\,\sum_{k=1}^{L} a_k^2"
        ),
        source="derived",
        proof="W n(h) is standard normal given h, as ‖n(h)‖² = d, and V σ(z) normal given z.",
        hypotheses=(*WALK, given.PRE_NORM),
        regime="exact",
        kind="law",
        quantity="law of ‖h_L − h_0‖, its mean square and the fourth moment, direction of h_L − h_0",
        predicted=("NormalisedWalk", "activation_energy"),
        resolution=_LAW,
    ),
    Theorem(
        id="N1b",
        name="prenorm-moments",
        title="pre-norm walks of other weight laws",
        statement=(
            "The mean square of h_L − h_0 is d Σ a_k² c for every symmetric law of V, of W too if σ is "
            "linear on either side of 0; with Gaussian W an excess kurtosis κ₄ of V adds "
            "d κ₄ Σ a_k⁴ (v + c²)/M to the variance of ‖h_L − h_0‖²."
        ),
        latex=(
            r"\mathbb{E}\Vert h_L - h_0\Vert^2 = c\,d\,\sum_{k=1}^{L} a_k^2,\quad "
            r"\mathrm{Var} = \mathrm{Var}_{\mathcal{N}} + \kappa_4\,d\,\frac{v + c^2}{M}"
            r"\,\sum_{k=1}^{L} a_k^4"
        ),
        source="derived",
        proof="A symmetric pre-activation is positive half of the time; fourth cumulants of sums add.",
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.BEHIND_W,
            Hypothesis(
                "σ is linear on either side of 0, or W is Gaussian",
                lambda f: f.sigma.homogeneous or f.laws[-1].gaussian,
            ),
            given.NO_BIAS,
            given.UNIT_SKIP,
            given.NO_EPSILON,
            given.PRE_NORM,
        ),
        regime="exact",
        kind="equality",
        quantity="mean square and fourth moment of ‖h_L − h_0‖",
        predicted=("NormalisedWalk",),
        resolution=Resolution(0.01, "relative"),
        extends="N1",
    ),
    Theorem(
        id="N1L",
        name="layernorm-walk",
        title="pre-LayerNorm networks, same walk",
        statement=(
            "With LayerNorm h_L − h_0 has the law of N1, in all d coordinates; its centred part has d − 1 "
            "degrees of freedom in place of d."
        ),
        latex=(
            r"\Vert h_L - h_0\Vert^2 \sim \Gamma\,\chi^2_d,\quad "
            r"\Vert C(h_L - h_0)\Vert^2 \sim \Gamma\,\chi^2_{d-1}"
        ),
        source="derived",
        proof="The layer norm has the length √d as well; C maps onto d − 1 dimensions.",
        hypotheses=(
            *WALK,
            given.PRE_LAYER,
            Hypothesis("d >= 2", lambda f: f.width >= 2),
        ),
        regime="exact",
        kind="law",
        quantity="laws of ‖h_L − h_0‖ and of its centred part",
        predicted=("NormalisedWalk",),
        resolution=_LAW,
        extends="N1",
    ),
    Theorem(
        id="N2",
        name="prenorm-limit",
        title="pre-norm limit: Brownian motion",
        statement=(
            "As L grows with a²L → τ, hidden states behind a norm become H_0 + √c B, B a Brownian motion run "
            "for τ: ‖h_L − h_0‖² tends in law to cτ χ² of d degrees of freedom, at distance O(1/(LM))."
        ),
        latex=(
            r"\Vert h_L - h_0\Vert^2 \to c\,\tau\,\chi^2_d,\quad "
            r"\mathrm{distance} \sim \frac{v}{2c^2 L M}\,\sup_x\left|x^2 f'(x) + 2x f(x)\right|"
        ),
        source="derived",
        proof="Γ has mean cτ and variance vτ²/(LM); the rate by Taylor's formula, f the density of χ²_d.",
        hypotheses=(*WALK, given.PRE_NORM, given.DEPTH_GROWS, given.CRITICAL),
        regime="large depth",
        kind="limit law",
        quantity="law of ‖h_L − h_0‖² and its distance to the limit",
        predicted=("walk_limit_law", "walk_limit_distance"),
        resolution=_LAW,
    ),
    Theorem(
        id="N3",
        name="prenorm-regimes",
        title="pre-norm growth is polynomial",
        statement=(
            "With a = L^−β the mean square of h_L − h_0 is c d L^{1−2β}, exactly: identity for β > 1/2, "
            "Brownian at 1/2, and below a growth like a power of L, never an explosion."
        ),
        latex=r"\mathbb{E}\Vert h_L - h_0\Vert^2 = c\,d\,L^{1-2\beta}",
        source="derived",
        proof="N1 with a = L^−β.",
        hypotheses=(
            *WALK,
            given.PRE_NORM,
            given.ONE_SCALING,
            Hypothesis("α = L^−β", lambda f: f.beta is not None),
        ),
        regime="exact",
        kind="equality",
        quantity="E‖h_L − h_0‖²",
        predicted=("NormalisedWalk", "walk_regime"),
        resolution=Resolution(0.01, "relative"),
    ),
    Theorem(
        id="N4",
        name="prenorm-two-inputs",
        title="two inputs behind a norm",
        statement=(
            "Behind an RMS norm the overlap q of two hidden states grows by a² κ_σ(c) in mean, exactly at "
            "every width and hidden width, κ_σ(c) = E σ(Z)σ(Z') for normal Z, Z' of correlation c; as d → ∞ "
            "this is a recursion. For ReLU cosines depend on depth through log S alone, and angles close "
            "like 3π/log S, too slowly to be seen."
        ),
        latex=(
            r"\mathbb{E}[q_{k+1}\,|\,h_k] = q_k + a^2\,\kappa_\sigma(c_k),\quad "
            r"\frac{dc}{d\log S} = 2\kappa(c) - c"
        ),
        source="derived",
        proof="W n(h) and W n(h') are normal rows of correlation c given the past; V is centred.",
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.BEHIND_W,
            given.W_GAUSSIAN,
            given.NO_BIAS,
            given.UNIT_SKIP,
            given.NO_EPSILON,
            given.PRE_RMS,
        ),
        regime="exact",
        kind="equality",
        quantity="E of q_L − q_0 over Σ a² E κ_σ(c_k), and cosines of wide networks",
        predicted=("gram_drift", "prenorm_cosine_recursion"),
        resolution=Resolution(0.01, "relative"),
    ),
)
