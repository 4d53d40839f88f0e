r"""S1 to S6: the diffusion limit, α = L^{-1/2}, and wide networks.

Notation: H the limit of hidden states in depth-time t = k/L, S = ‖H‖²/d, B a Brownian motion,
ρ(s) = E σ(√(s + σ_b²) Z)², κ the arc-cosine kernel.
"""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem

_LAW = Resolution(0.02, "distribution")
_ORDER = Resolution(0.05, "absolute")

STATEMENTS = (
    Theorem(
        id="S1",
        name="sde",
        title="diffusion limit of res-1",
        statement=(
            "Res-1 at β = 1/2 is the Euler-Maruyama scheme of dH = d^{-1/2} σ(H)ᵀ dB: on one Brownian "
            "path hidden states converge with strong order 1/2 in 1/L, and means of smooth functions "
            "with order 1."
        ),
        latex=(
            r"dH = d^{-1/2}\,\sigma(H)^\mathsf{T}\,dB,\quad "
            r"\mathbb{E}\,\Vert H_{k/L} - h_k\Vert \leq \frac{C}{\sqrt{L}}"
        ),
        source="MFBV, classical",
        proof=(
            "MFBV state the equation; both orders are classical for Euler-Maruyama with Lipschitz "
            "coefficients (Talay; Kloeden and Platen, 1992)."
        ),
        hypotheses=(
            given.RES_1,
            given.V_INDEPENDENT,
            given.V_GAUSSIAN,
            given.LIPSCHITZ,
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="rate",
        quantity="minus the slope of log E‖h_L − h_2L‖ against log L on one path; at least 1/2",
        predicted=("convergence_order",),
        resolution=_ORDER,
    ),
    Theorem(
        id="S2",
        name="res-3-limit-law",
        title="limit law of res-3: norm and angle",
        statement=(
            "At β = 1/2 the limit is dH = ‖H‖ (2d)^{-1/2} dB: log ‖H_1‖²/‖H_0‖² is N(1/2 − 1/d, 2/d), "
            "independent of the direction, which is Brownian motion on the sphere run for 1/(2d) "
            "(linear res-1: 1/d)."
        ),
        latex=(
            r"dH = \Vert H\Vert\,(2d)^{-1/2}\,dB,\quad "
            r"\mathbb{E}\cos\angle(H_0, H_1) = \exp\left(-\frac{d-1}{4d}\right)"
        ),
        source="derived",
        proof=(
            "Increments of a layer have covariance ‖h‖²/(2d) I given the past; polar coordinates and Itô."
        ),
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
        quantity="laws of log(‖h_L‖/‖h_0‖), of the angle of h_0 and h_L and of log(‖h_L − h_0‖/‖h_0‖)",
        predicted=(
            "critical_log_norm_law",
            "critical_angle_law",
            "critical_mean_cosine",
            "critical_log_difference_law",
        ),
        resolution=_LAW,
    ),
    Theorem(
        id="S3",
        name="radial-diffusion",
        title="radial diffusion of every activation",
        statement=(
            "Res-2 with Gaussian W and biases at β = 1/2: S = ‖h‖²/d follows a one-dimensional "
            "diffusion of drift ρ(S) and variance 4 S ρ(S)/d, for every activation, so its law is a "
            "Fokker-Planck solution."
        ),
        latex=(
            r"dS = \rho(S)\,dt + 2\sqrt{S\rho(S)/d}\,dB,\quad \rho(s) = \mathbb{E}\,\sigma(\sqrt{s + "
            r"\sigma_b^2}\,Z)^2"
        ),
        source="derived",
        proof=(
            "Entries of W h + b are i.i.d. normal of variance S + σ_b² given the past; Itô's formula "
            "for ‖h‖²."
        ),
        hypotheses=(
            given.BEHIND_W,
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.W_GAUSSIAN,
            given.LIPSCHITZ,
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit law",
        quantity="law of log(‖h_L‖/‖h_0‖)",
        predicted=("log_norm_diffusion_law",),
        resolution=_LAW,
    ),
    Theorem(
        id="S4",
        name="mean-field",
        title="mean square of wide networks",
        statement=(
            "In wide networks S = ‖h‖²/d is deterministic: S_{k+1} = S_k + a² ρ(S_k), and dS/dt = "
            "ρ(S) for deep ones at β = 1/2; at width d corrections are O(1/d)."
        ),
        latex=r"S_{k+1} = S_k + a^2\rho(S_k),\quad \frac{dS}{dt} = \rho(S)",
        source="derived",
        proof="The noise of S (S3) has variance O(1/d).",
        hypotheses=(
            given.BEHIND_W,
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.W_GAUSSIAN,
            given.LIPSCHITZ,
            given.WIDTH_GROWS,
            given.CRITICAL_IF_DEEP,
        ),
        regime="large width",
        kind="limit",
        quantity="‖h_k‖²/d",
        predicted=("mean_square_recursion", "mean_square_flow"),
        resolution=Resolution(0.01, "relative"),
    ),
    Theorem(
        id="S5",
        name="two-inputs",
        title="two inputs align with depth",
        statement=(
            "In wide res-3 networks the cosine c of the hidden states of two inputs follows dc/dt = "
            "κ(c) − c/2 at β = 1/2: it tends to 1, slowly, the angle like 6π/t as long as t is far below d "
            "(at fixed width angles shrink exponentially in the end, like e^(−t/(2d)))."
        ),
        latex=(
            r"\frac{dc}{dt} = \kappa(c) - \frac{c}{2},\quad \kappa(c) = \frac{\sqrt{1-c^2} + c(\pi - "
            r"\arccos c)}{2\pi}"
        ),
        source="derived",
        proof=(
            "Both inputs meet the same weights: dq/dt = E ReLU(u) ReLU(v) for the overlap q (Cho and "
            "Saul, 2009)."
        ),
        hypotheses=(
            given.RELU_OF_W,
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.W_GAUSSIAN,
            given.WIDTH_GROWS,
            given.CRITICAL_IF_DEEP,
        ),
        regime="large width",
        kind="limit",
        quantity="cosine of two hidden states",
        predicted=("cosine_recursion", "cosine_flow", "two_input_flow"),
        resolution=Resolution(0.01, "absolute"),
    ),
    Theorem(
        id="S6",
        name="active-units",
        title="active units decide the growth of res-1",
        statement=(
            "Res-1 with ReLU at β = 1/2: log ‖ReLU(H)‖² has drift (A − 2)/d, A the number of active "
            "units, and a Brownian noise of variance 4/d; with half of the units active it changes "
            "sign at d = 4."
        ),
        latex=r"d\log\Vert\sigma(H)\Vert^2 = \frac{A_t - 2}{d}\,dt + 2 d^{-1/2}\,dB",
        source="arXiv:2210.00688",
        proof=(
            "Hayou (2022); derived here by Itô: ReLU² has a continuous derivative, so there is no local time."
        ),
        hypotheses=(
            given.RES_1,
            Hypothesis("σ is ReLU", lambda f: f.activation == "relu"),
            given.V_INDEPENDENT,
            given.V_GAUSSIAN,
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit law",
        quantity="law of log ‖ReLU(h_L)‖²/‖ReLU(h_0)‖² minus its drift along the path",
        predicted=("active_units_drift", "active_units_noise_law", "single_unit_law"),
        resolution=_LAW,
    ),
)
