r"""T1 to T4: tokens and attention.

Notation: X has a row x_i of width d for each of n tokens, Σ = X Xᵀ; a_1 and a_2 are the factors of attention
and of the MLP; C is the mean of all n² entries of Σ and D that of its diagonal.
"""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._facts import Facts
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem


def _attention(*words: str):
    def holds(facts: Facts) -> bool:
        return facts.tokens is not None and facts.tokens.attention in words

    return holds


_LAYERS = Hypothesis(
    "layers are those of a transformer: attention whose weights sum to 1, then an MLP, or attention alone",
    _attention("uniform", "constant", "softmax"),
)
_NO_NORM = Hypothesis("there is no norm", lambda f: f.norm == "none")
_LINEAR_MLP = Hypothesis(
    "the MLP is linear, without biases, or there is none",
    lambda f: f.tokens is not None and (not f.tokens.mlp or (f.linear and f.bias_std == 0)),
)
_NO_MLP = Hypothesis("there is no MLP", lambda f: f.tokens is not None and not f.tokens.mlp)
_MLP = Hypothesis("there is an MLP", lambda f: f.tokens is not None and f.tokens.mlp)
_UNIFORM = Hypothesis("attention is uniform: weights 1/n", _attention("uniform"))
_CONSTANT = Hypothesis("attention is one symmetric matrix in all layers", _attention("uniform", "constant"))
_PRE = Hypothesis(
    "norms stand before the branches: pre-RMSNorm or pre-LayerNorm",
    lambda f: f.norm in ("pre-rms", "pre-layer"),
)
_POST = Hypothesis(
    "the stream is normalised after each addition", lambda f: f.norm in ("post-rms", "post-layer")
)
_FREE_MLP = Hypothesis(
    "σ is linear on either side of 0, or W_1 is Gaussian; no biases",
    lambda f: (f.sigma.homogeneous or f.laws[-1].gaussian) and f.bias_std == 0,
)
_RELU = Hypothesis("σ is ReLU, without biases", lambda f: f.activation == "relu" and f.bias_std == 0)
_EQUAL = Hypothesis(
    "tokens have one norm, and pairs of them one cosine",
    lambda f: f.tokens is not None and f.tokens.equal_tokens,
)
_NEAR = Hypothesis("tokens are nearly one", lambda f: f.tokens is not None and f.tokens.near_collapse)
_EXACT = Resolution(0.01, "relative")

STATEMENTS = (
    Theorem(
        id="T1",
        name="attention-gram",
        title="attention on Gram matrices, in mean",
        statement=(
            "Attention X + a_1 A X W_V, of weights A that may depend on the tokens, adds a_1² A Σ Aᵀ to the "
            "mean of the tokens' Gram matrix, at every width and for every law of W_V; a linear MLP "
            "multiplies by 1 + a_2²."
        ),
        latex=(
            r"\mathbb{E}\left[X' X'^\mathsf{T} \mid X, A\right] = "
            r"(1 + a_2^2)\left(\Sigma + a_1^2\,A\,\Sigma\,A^\mathsf{T}\right)"
        ),
        source="derived",
        proof="Cross terms are linear in W_V, whose rows are uncorrelated.",
        hypotheses=(_LAYERS, given.INDEPENDENT, _NO_NORM, _LINEAR_MLP, given.UNIT_SKIP),
        regime="exact",
        kind="equality",
        quantity="means of the entries of the Gram matrix after a layer, beside Σ + a_1² A Σ Aᵀ",
        predicted=("attention_gram",),
        resolution=_EXACT,
    ),
    Theorem(
        id="T1b",
        name="uniform-attention",
        title="rank collapse of uniform attention",
        statement=(
            "Under uniform attention the mean C of all n² entries of the Gram matrix grows by (1 + a_1²)(1 + "
            "a_2²) a layer, and the diagonal's mean D beside it as D − C by 1 + a_2²: E C/E D = 1/(1 + "
            "(D_0/C_0 − 1)(1 + a_1²)^−L) stays below 1 where a_1² = τ/L, and tends to 1 exponentially for "
            "constant a_1."
        ),
        latex=(
            r"\frac{\mathbb{E}C_L}{\mathbb{E}D_L} = "
            r"\frac{1}{1 + (D_0/C_0 - 1)(1 + a_1^2)^{-L}},\quad "
            r"\mathbb{E}(D_L - C_L) = (1 + a_2^2)^L (D_0 - C_0)"
        ),
        source="derived",
        proof="With A = 11ᵀ/n every entry of A Σ Aᵀ is C.",
        hypotheses=(_LAYERS, given.INDEPENDENT, _NO_NORM, _LINEAR_MLP, given.UNIT_SKIP, _UNIFORM),
        regime="exact",
        kind="equality",
        quantity="E C_L/C_0, and E(D_L − C_L)/(D_0 − C_0)",
        predicted=("uniform_attention_means",),
        resolution=_EXACT,
        extends="T1",
    ),
    Theorem(
        id="T1c",
        name="constant-attention",
        title="modes of a constant attention matrix",
        statement=(
            "Under one symmetric attention matrix the entry (i, j) of the mean Gram matrix in its basis of "
            "eigenvectors grows by 1 + a_1² λ_i λ_j a layer (times 1 + a_2² with a linear MLP)."
        ),
        latex=(
            r"\mathbb{E}\,(Q^\mathsf{T}\Sigma_L Q)_{ij} = "
            r"\left[(1 + a_1^2\lambda_i\lambda_j)(1 + a_2^2)\right]^L (Q^\mathsf{T}\Sigma_0 Q)_{ij}"
        ),
        source="derived",
        proof="T1 in the basis where A is diagonal.",
        hypotheses=(_LAYERS, given.INDEPENDENT, _NO_NORM, _LINEAR_MLP, given.UNIT_SKIP, _CONSTANT),
        regime="exact",
        kind="equality",
        quantity="mean square of a mode of the tokens",
        predicted=("constant_attention_gram",),
        resolution=_EXACT,
        extends="T1",
    ),
    Theorem(
        id="T2",
        name="mean-token",
        title="the mean token of uniform attention",
        statement=(
            "Under uniform attention alone the centred tokens do not move, and log(‖m_L‖²/‖m_0‖²) of the "
            "mean token is a sum of L independent logarithms of R, as in linear res-1 networks; at a²L = τ "
            "it tends to N((1 − 2/d)τ, 4τ/d)."
        ),
        latex=(
            r"\log\frac{\Vert m_L\Vert^2}{\Vert m_0\Vert^2} \sim \sum_{k=1}^{L}\log R_k,\quad "
            r"R = \left(1 + \frac{aZ}{\sqrt{d}}\right)^2 + \frac{a^2}{d}\,\chi^2_{d-1}"
        ),
        source="derived",
        proof="A X W_V has the row m W_V for every token: m' = m + a m W_V, and W_V is rotation invariant.",
        hypotheses=(
            _LAYERS,
            given.INDEPENDENT,
            given.V_GAUSSIAN,
            _NO_NORM,
            _NO_MLP,
            given.UNIT_SKIP,
            _UNIFORM,
            given.ONE_SCALING,
        ),
        regime="exact",
        kind="law",
        quantity="law of log(‖m_L‖/‖m_0‖)",
        predicted=("mean_token_law", "mean_token_limit_law"),
        resolution=Resolution(0.02, "distribution"),
    ),
    Theorem(
        id="T3",
        name="prenorm-tokens",
        title="mean squares of pre-norm tokens",
        statement=(
            "A token of pre-norm blocks has E‖x_{i,L}‖² = ‖x_{i,0}‖² + L a_2² c d + a_1² Σ_k E‖Σ_j A_ij "
            "n(x_j)‖², c = E σ(Z)², at every width, for RMS and layer norms and any attention."
        ),
        latex=(
            r"\mathbb{E}\Vert x_{i,L}\Vert^2 = \Vert x_{i,0}\Vert^2 + L\,a_2^2 c d + a_1^2 \sum_{k=0}^{L-1} "
            r"\mathbb{E}\left\Vert\sum_j A_{ij}\,n(x_j)\right\Vert^2"
        ),
        source="derived",
        proof="Each branch begins with fresh centred weights, and ‖n(x)‖² = d.",
        hypotheses=(
            _LAYERS,
            given.INDEPENDENT,
            given.SYMMETRIC,
            _PRE,
            given.NO_EPSILON,
            given.UNIT_SKIP,
            _MLP,
            _FREE_MLP,
        ),
        regime="exact",
        kind="equality",
        quantity="E‖x_{i,L}‖²/d, beside the attention shares of the same networks",
        predicted=("prenorm_token_second_moment",),
        resolution=_EXACT,
    ),
    Theorem(
        id="T3b",
        name="prenorm-token-bounds",
        title="bounds of pre-norm tokens",
        statement=(
            "E‖x_{i,L}‖² of pre-norm blocks lies between ‖x_{i,0}‖² + L a_2² c d and a_1² L d more, "
            "whatever the attention: (1 + L/2) d and (1 + 3L/2) d for ReLU with factors 1."
        ),
        latex=(
            r"L\,a_2^2 c d \leq \mathbb{E}\Vert x_{i,L}\Vert^2 - \Vert x_{i,0}\Vert^2 \leq "
            r"L\,(a_2^2 c + a_1^2)\,d"
        ),
        source="arXiv:2002.04745",
        proof="T3, and the triangle inequality for ‖Σ_j A_ij n(x_j)‖ <= √d.",
        hypotheses=(
            _LAYERS,
            given.INDEPENDENT,
            given.SYMMETRIC,
            _PRE,
            given.NO_EPSILON,
            given.UNIT_SKIP,
            _MLP,
            _FREE_MLP,
        ),
        regime="inequality",
        kind="inequality",
        quantity="(E‖x_{i,L}‖² − ‖x_{i,0}‖²)/d beside its bounds",
        predicted=("prenorm_token_bounds",),
        resolution=Resolution(0.05, "relative"),
        extends="T3",
    ),
    Theorem(
        id="T3c",
        name="postnorm-tokens",
        title="mean squares of post-norm tokens",
        statement=(
            "In post-norm blocks a token has E‖x‖² = (1 + a_2² c) d where the MLP is added, before the norm: "
            "3d/2 for ReLU."
        ),
        latex=r"\mathbb{E}\Vert x + a_2 W_2\sigma(W_1 x)\Vert^2 = (1 + a_2^2 c)\,d",
        source="derived",
        proof="The MLP's input has just been normalised: ‖x‖² = d.",
        hypotheses=(
            _LAYERS,
            given.INDEPENDENT,
            given.SYMMETRIC,
            _POST,
            given.NO_EPSILON,
            given.UNIT_SKIP,
            _MLP,
            _FREE_MLP,
        ),
        regime="exact",
        kind="equality",
        quantity="E‖x‖²/d where the MLP is added",
        predicted=("postnorm_token_second_moment",),
        resolution=_EXACT,
        extends="T3",
    ),
    Theorem(
        id="T4",
        name="token-cosine",
        title="cosines of tokens, wide",
        statement=(
            "Uniform attention and a ReLU MLP take the one cosine of n tokens as d → ∞ through c ← (c + a_1² "
            "c̄)/(1 + a_1² c̄), c̄ = (1 + (n − 1)c)/n, and c ← (c + a_2² κ(c))/(1 + a_2²/2); with a_i² = r_i/L "
            "it follows a differential equation whose one fixed point 1 is reached at no depth."
        ),
        latex=(
            r"\frac{dc}{dt} = r_1\,\frac{1 + (n - 1)c}{n}\,(1 - c) + r_2\left(\kappa(c) - \frac{c}{2}\right)"
        ),
        source="derived",
        proof="Gram matrices over d concentrate: attention adds a_1² S c̄ to each entry, the MLP a_2² S κ.",
        hypotheses=(
            _LAYERS,
            given.INDEPENDENT,
            _NO_NORM,
            _UNIFORM,
            _MLP,
            _RELU,
            _EQUAL,
            given.UNIT_SKIP,
            given.WIDTH_GROWS,
        ),
        regime="large width",
        kind="limit",
        quantity="mean cosine of pairs of tokens",
        predicted=("token_cosine_recursion", "token_cosine_flow"),
        resolution=Resolution(0.02, "relative"),
    ),
    Theorem(
        id="T4b",
        name="wide-transformer",
        title="any wide transformer, layer by layer",
        statement=(
            "As widths of stream, heads and MLP and the number of heads grow, the tokens' Gram matrix and "
            "that of an isotropic tangent follow a recursion: what each branch adds is a mean over normal "
            "numbers, for attention over softmax weights of normal logits. Exact for uniform attention, and "
            "for softmax where tokens have one norm and one cosine."
        ),
        latex=(
            r"\Sigma' = b^2\Sigma + a^2 g\,\mathbb{E}\left[A\,\hat\Sigma\,A^\mathsf{T}\right],\quad "
            r"T' = b^2 T + a^2 g\,\mathbb{E}\left[A\,\hat T\,A^\mathsf{T} + "
            r"\dot A\,\hat\Sigma\,\dot A^\mathsf{T}\right]"
        ),
        source="derived",
        proof="Branches begin and end with fresh matrices; logits are normal given the Gram matrix.",
        hypotheses=(_LAYERS, given.INDEPENDENT, given.GAUSSIAN, _EQUAL, given.WIDTH_GROWS),
        regime="large width",
        kind="limit",
        quantity="mean log-rms and cosine of tokens, and log-growth of tangents",
        predicted=("wide_tokens",),
        resolution=Resolution(0.03, "relative"),
        extends="T4",
    ),
    Theorem(
        id="T4c",
        name="token-exponents",
        title="rank collapse: powers or exponentials",
        statement=(
            "Near collapse 1 − cosine of wide pre-norm and peri-norm networks decays like a power of the "
            "mean square, (r_1 + r_2(1 − χ))/(r_1 + r_2), hence of depth; post-norm and none make it decay "
            "exponentially. With r_i of L^−2β depth enters as L^{1−2β}: β = 1/2 is critical for collapse and "
            "for tangents, in all placements."
        ),
        latex=(
            r"1 - c_L \propto S_L^{-\frac{r_1 + r_2(1 - \chi)}{r_1 + r_2}}\ (\mathrm{pre}),\quad "
            r"1 - c_L \propto \left(\frac{1 + r_2\chi}{(1 + r_1)(1 + r_2)}\right)^L\ (\mathrm{post})"
        ),
        source="derived",
        proof="To first order attention returns one vector for all tokens; the MLP multiplies differences.",
        hypotheses=(_LAYERS, given.INDEPENDENT, _EQUAL, _NEAR, given.WIDTH_GROWS),
        regime="large width",
        kind="rate",
        quantity="slope of −log(1 − c) against log S, or a layer",
        predicted=("token_exponents", "mlp_slope"),
        resolution=Resolution(0.05, "absolute"),
        extends="T4",
    ),
)
