r"""N9 to N12: other places of the norm, schedules, and tanh in its place."""

from __future__ import annotations

import math

from theory.catalogue import _hypotheses as given
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem
from theory.catalogue.normalised._walks import WALK

_CONSTANT = Resolution(0.01, "relative")
# From here on c_P is so small that the mean is finite from width 24 on (for ReLU: on what samples see).
_PERI_UNITS = {"relu": 64, "gelu": 12, "tanh": 12, "identity": 12}
_FREE = (given.FREE_READ_OUT, given.ISOTROPIC_READ_OUT)

STATEMENTS = (
    Theorem(
        id="N9",
        name="perinorm-walk",
        title="Peri-norm: steps of fixed length",
        statement=(
            "With norms before and after the branch the increments have the length a√d: E‖h_L‖² = ‖h_0‖² + "
            "d Σ a_k² for every symmetric law of V and every W (times 1 − 2^−M for ReLU, whose branch may "
            "be dead), and Gaussian V make h_L − h_0 a sum of independent directions, of variance "
            "2a⁴dL(L − 1) of its square."
        ),
        latex=(
            r"\mathbb{E}\Vert h_L\Vert^2 = \Vert h_0\Vert^2 + d\,\sum_{k=1}^{L} a_k^2,\quad "
            r"\mathrm{Var}\,\Vert h_L - h_0\Vert^2 = 2a^4 d\,L(L-1)"
        ),
        source="derived",
        proof="V σ(z) is isotropic given the past; for means it is enough that it is symmetric.",
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.BEHIND_W,
            given.NO_BIAS,
            given.UNIT_SKIP,
            given.NO_EPSILON,
            given.PERI_RMS,
        ),
        regime="exact",
        kind="equality",
        quantity="mean square and fourth moment of ‖h_L − h_0‖",
        predicted=("peri_second_moment", "peri_difference_variance"),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="N9b",
        name="perinorm-gradients",
        title="Peri-norm gradients",
        statement=(
            "With a²L → τ mean squares of gradients of Peri-RMSNorm networks are those of N6 with c = 1 and "
            "c_P for c', an inverse moment over the M units that exceeds c'/c; for ReLU it is infinite, "
            "which no sample shows for M >= 64."
        ),
        latex=(
            r"c_P = \frac{d-1}{d-2}\, \mathbb{E}\left[\frac{1}{\sum\sigma^2} \left(\sum\sigma'^2 - "
            r"\frac{\sum\sigma^2\sigma'^2}{\sum\sigma^2}\right)\right]"
        ),
        source="derived",
        proof="The projection takes the part along V σ away; E d/‖V σ‖² has the factor d/(d − 2).",
        hypotheses=(
            *WALK,
            given.PERI_RMS,
            given.ONE_SCALING,
            *_FREE,
            Hypothesis(
                "d >= 24, with M >= 64 for ReLU, M >= 12 for GELU, tanh and the identity",
                lambda f: f.width >= 24 and f.inner_width >= _PERI_UNITS.get(f.activation, math.inf),
            ),
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit",
        quantity="E‖p_0‖²/‖p_L‖² given ‖h_0‖",
        predicted=("peri_gradient_limit", "peri_slope"),
        resolution=Resolution(0.045, "relative"),
        extends="N9",
    ),
    Theorem(
        id="N10",
        name="postnorm-law",
        title="post-norm gradients: an i.i.d. law",
        statement=(
            "Behind an RMS norm of the stream, on ‖h_0‖² = d, log‖p_0‖/‖p_L‖ is a sum of L independent terms "
            "log(r₂₂/r₁₁) of one law, r of a QR decomposition, plus ½ log of a Beta((d − 1)/2, 1/2), the "
            "share of p_L tangential to the sphere; E cos of the angle of h_0 and h_L is a power of that of "
            "one layer."
        ),
        latex=(
            r"\log\frac{\Vert p_0\Vert}{\Vert p_L\Vert} \sim \frac{1}{2}\log\mathrm{Beta}\left("
            r"\frac{d-1}{2}, \frac{1}{2}\right) + \sum_{k=1}^{L}\log\left(\frac{r_{22}}{r_{11}}\right)_k"
        ),
        source="derived",
        proof=(
            "On the sphere W h and W T are independent normal vectors for T across h, and the norm keeps the "
            "pair orthogonal; backward by J0 on tangent spaces."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.BEHIND_W,
            given.NO_BIAS,
            given.UNIT_SKIP,
            given.ONE_SCALING,
            given.NO_EPSILON,
            given.POST_RMS,
            *_FREE,
            Hypothesis("d >= 2", lambda f: f.width >= 2),
        ),
        regime="exact",
        kind="law",
        quantity="law of log(‖p_0‖/‖p_L‖), and E cos of the angle of h_0 and h_L",
        predicted=("PostnormLaw", "read_out_law", "mean_cosine"),
        resolution=Resolution(0.02, "distribution"),
    ),
    Theorem(
        id="N11",
        name="prenorm-schedules",
        title="schedules of pre-norm networks",
        statement=(
            "Scalings a_k and factors s_k between norm and W leave the walk of N1: E‖h_L‖² = ‖h_0‖² + "
            "d Σ a_k² c_k with c_k = E σ(s_k Z)², which for LayerNorm scaling (s_k = 1/√k) is c/k for "
            "1-homogeneous σ alone."
        ),
        latex=(
            r"\mathbb{E}\Vert h_L\Vert^2 = \Vert h_0\Vert^2 + d\,\sum_{k=1}^{L} a_k^2 c_k,\quad "
            r"c_k = \mathbb{E}\,\sigma(s_k Z)^2"
        ),
        source="derived",
        proof="N1 layer by layer.",
        hypotheses=(*WALK, given.PRE_NORM),
        regime="exact",
        kind="equality",
        quantity="E‖h_L − h_0‖² and E‖h_L − h_0‖⁴",
        predicted=("NormalisedWalk",),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="N12",
        name="dyt-gradients",
        title="DyT: stretched exponential gradients",
        statement=(
            "With tanh(γh) in the place of a norm and ReLU behind W, wide networks have log E‖p_0‖²/‖p_L‖² = "
            "(4γa/(3√π)) √L up to a logarithm, as long as d is far above γ²a²L: at fixed width it is linear "
            "in L in the end."
        ),
        latex=(
            r"\log\frac{\mathbb{E}\Vert p_0\Vert^2}{\Vert p_L\Vert^2} \to "
            r"\sum_{k=0}^{L-1}\log\left(1 + \frac{a^2\gamma^2}{2}\, "
            r"\mathbb{E}\,\mathrm{sech}^4(\gamma\sqrt{S_k}\,Z)\right)"
        ),
        source="derived",
        proof="The recursion of one coordinate; the expansion of its sum is a sketch, without the rest term.",
        hypotheses=(
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.RELU_OF_W,
            given.UNIT_SKIP,
            given.ONE_SCALING,
            given.PRE_TANH,
            *_FREE,
            given.WIDTH_GROWS,
        ),
        regime="large width",
        kind="limit",
        quantity="E‖p_0‖²/‖p_L‖², h_0 of normal coordinates",
        predicted=(
            "dyt_recursion",
            "dyt_expansion",
            "dyt_mean_square_expansion",
            "dyt_width_correction",
        ),
        resolution=Resolution(0.08, "relative"),
    ),
)
