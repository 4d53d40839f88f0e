r"""C1 to C4: several inputs of one network at finite width.

Notation: κ the arc-cosine kernel, c the cosine of two hidden states, θ their angle, t = Σ a_k², Φ the Gram
matrix of several hidden states over d, K^{ab} = E σ(X^a)σ(X^b) with X normal of covariance Φ + σ_b².
"""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem

_TWO = Hypothesis("d >= 2", lambda f: f.width >= 2)
_SMALL_SCALINGS = Hypothesis(
    "L → ∞ with Σ a_k² → t and max a_k → 0", lambda f: "depth" in f.limits and f.schedule != "other"
)
_GRAM_LAYERS = Hypothesis(
    "layers are h + a_k V_k σ(W_k h + b_k), of any hidden width, without a norm or behind an RMS norm",
    lambda f: f.has_w and f.norm in ("none", "pre-rms") and f.norm_eps == 0 and f.skip == 1,
)

STATEMENTS = (
    Theorem(
        id="C1",
        name="cosine-diffusion",
        title="two inputs at fixed width: a diffusion",
        statement=(
            "At every width d and hidden width, the cosine c of the hidden states of two inputs of res-3 at "
            "β = 1/2 is a diffusion of its own; in the angle it has S5's drift times 1 − 2/d, and a noise of "
            "variance (1 − 2cκ(c))/d a unit of t. Its law is a Fokker-Planck solution."
        ),
        latex=(
            r"dc = \left[\kappa(c)\frac{d-2+c^2}{d} - \frac{(d-1)c}{2d}\right]dt + "
            r"\sqrt{\frac{(1-c^2)(1-2c\kappa(c))}{d}}\,dB"
        ),
        source="derived",
        proof="Increments of both states have covariance κ(c)‖H‖‖H'‖/d, coordinate by coordinate; Itô.",
        hypotheses=(
            given.RELU_OF_W,
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.W_GAUSSIAN,
            given.NO_NORM,
            given.STREAM_KEPT,
            _TWO,
            _SMALL_SCALINGS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit law",
        quantity="E cos, E cos² and the law of the cosine of two hidden states",
        predicted=("cosine_diffusion_law", "angle_diffusion"),
        resolution=Resolution(0.02, "distribution"),
    ),
    Theorem(
        id="C2",
        name="terminal-angle",
        title="angles close exponentially in the end",
        statement=(
            "Angles θ of two inputs of res-3 tend to 0, and log θ / t to −1/(2d), at every width d >= 2: "
            "near 0 log θ is a Brownian motion of that drift and variance 1/d. At finite a each layer adds a "
            "term of one law, log(r₂₂/r₁₁) of a QR decomposition (N10's)."
        ),
        latex=(
            r"d\log\theta = -\frac{1}{2d}\,dt + d^{-1/2}\,dB,\quad "
            r"\frac{1}{L}\log\theta_L \to \mathbb{E}\,\log\frac{r_{22}}{r_{11}}"
        ),
        source="derived",
        proof="C1 at c → 1; at finite a the first-order change of the angle of h and a tangent.",
        hypotheses=(
            given.RELU_OF_W,
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.NO_NORM,
            given.STREAM_KEPT,
            given.ONE_SCALING,
            _TWO,
            given.DEPTH_GROWS,
        ),
        regime="large depth",
        kind="limit",
        quantity="log(θ_L/θ_0)/(a²L) from a small angle, and its law",
        predicted=("terminal_angle_exponent", "terminal_angle_law"),
        resolution=Resolution(0.03, "relative"),
    ),
    Theorem(
        id="C3",
        name="gram-matrix",
        title="Gram matrices of several inputs",
        statement=(
            "For any activation, bias and number of inputs the Gram matrix grows by a² K in mean, exactly at "
            "every width, hidden width and scaling; for small a the increments of its entries have a "
            "covariance that is a sum of four products of Φ and K, over d. Behind an RMS norm correlations "
            "take the place of Φ in K."
        ),
        latex=(
            r"\mathbb{E}[\Phi^{ab}_{k+1}\,|\,\Phi_k] = \Phi^{ab}_k + a^2 K^{ab},\quad "
            r"d\langle\Phi^{ab},\Phi^{ce}\rangle = \frac{1}{d}\left(\Phi^{ac}K^{be} + \Phi^{ae}K^{bc} + "
            r"\Phi^{bc}K^{ae} + \Phi^{be}K^{ac}\right)dt"
        ),
        source="derived",
        proof="V is centred and independent of the units; the noise is the part linear in V.",
        hypotheses=(given.INDEPENDENT, given.SYMMETRIC, given.W_GAUSSIAN, _GRAM_LAYERS),
        regime="exact",
        kind="equality",
        quantity="E of the growth of an entry of Φ, and the covariance of two",
        predicted=("gram_drift", "gram_covariance"),
        resolution=Resolution(0.01, "relative"),
    ),
    Theorem(
        id="C4",
        name="commuting-limits",
        title="error of the wide and deep limit",
        statement=(
            "At a = L^{−1/2} the mean square of S_L/S_0 − e^{1/2} is known exactly: 2e/d + e/(64 L²) to "
            "leading order, so the distance to the limit of width and depth is of order d^{−1/2} + L^{−1}, "
            "in whichever order they are taken."
        ),
        latex=(
            r"\mathbb{E}\left(\frac{S_L}{S_0} - e^{1/2}\right)^2 = (\mathbb{E}R^2)^L - "
            r"2e^{1/2}\left(1 + \frac{1}{2L}\right)^L + e"
        ),
        source="derived",
        proof="S_L/S_0 is a product of i.i.d. R (I6) of known first and second moments.",
        hypotheses=(
            given.RELU_OF_W,
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.NO_NORM,
            given.STREAM_KEPT,
            given.ONE_SCALING,
            given.CRITICAL,
        ),
        regime="exact",
        kind="equality",
        quantity="E(S_L/S_0 − e^{1/2})²",
        predicted=("commuting_error", "commuting_error_expansion"),
        resolution=Resolution(0.01, "relative"),
    ),
)
