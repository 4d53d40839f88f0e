r"""O1 to O4: smooth weights, V_k = 𝒱(k/L), and neural ODEs."""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem

STATEMENTS = (
    Theorem(
        id="O1",
        name="ode",
        title="neural ODE at β = 1",
        statement=(
            "With smooth weights and β = 1 hidden states follow the ODE dH/dt = 𝒱_t g(H, Θ_t), on "
            "each path, with an error O(1/L)."
        ),
        latex=(
            r"\max_{k}\,\Vert H_{k/L} - h_k\Vert \leq \frac{C}{L},\quad "
            r"\frac{dH}{dt} = \mathcal{V}_t\,g(H_t, \Theta_t)"
        ),
        source="MFBV",
        proof="Euler's scheme with Lipschitz coefficients.",
        hypotheses=(given.SMOOTH_WEIGHTS, given.LIPSCHITZ, given.DEPTH_GROWS, given.BETA_ONE),
        regime="large depth",
        kind="rate",
        quantity="minus the slope of log ‖h_L − h_2L‖ against log L on one path; at least 1",
        predicted=("convergence_order",),
        resolution=Resolution(0.05, "absolute"),
    ),
    Theorem(
        id="O2",
        name="ode-identity",
        title="identity at β > 1",
        statement=(
            "With smooth weights and β > 1 the difference ratio tends to 0; its mean square is C "
            "L^{2−2β} to leading order, C a double integral of the covariances."
        ),
        latex=(
            r"L^{2\beta-2}\,\mathbb{E}\,\frac{\Vert h_L - h_0\Vert^2}{\Vert h_0\Vert^2} \to "
            r"\int_0^1\int_0^1 r_V(s-t)\,\kappa(r_W(s-t))\,ds\,dt"
        ),
        source="MFBV, sharpened",
        proof="MFBV state the limit 0; the constant is derived, F2's double sum as a Riemann sum.",
        hypotheses=(
            given.SMOOTH_WEIGHTS,
            given.STATIONARY,
            given.W_GAUSSIAN,
            Hypothesis(
                "the block is res-1, or its branch is V ReLU(W h)",
                lambda f: f.block == "res-1" or f.relu_of_w,
            ),
            given.LIPSCHITZ,
            given.DEPTH_GROWS,
            given.BETA_ABOVE_ONE,
        ),
        regime="large depth",
        kind="limit",
        quantity="L^{2β−2} E‖h_L − h_0‖²/‖h_0‖²",
        predicted=("ode_identity_constant",),
        resolution=Resolution(0.03, "relative"),
    ),
    Theorem(
        id="O3",
        name="ode-stable",
        title="pathwise bound, stable at β = 1",
        statement=(
            "Each network has ‖h_L − h_0‖/‖h_0‖ <= ∏ (1 + a‖V_k‖‖W_k‖) − 1, whatever its weights; for "
            "smooth ones at β = 1 the bound stays finite as L grows."
        ),
        latex=(
            r"\frac{\Vert h_L - h_0\Vert}{\Vert h_0\Vert} \leq "
            r"\prod_{k=1}^{L}\left(1 + a\,\Vert V_k\Vert\,\Vert W_k\Vert\right) - 1"
        ),
        source="MFBV, sharpened",
        proof=(
            "MFBV state that the ratio stays bounded; the product is derived: ‖h_{k+1}‖ <= (1 + "
            "a‖V_k‖‖W_k‖)‖h_k‖ (Grönwall), and differences telescope."
        ),
        hypotheses=(given.BELOW_IDENTITY, given.NO_BIAS),
        regime="inequality",
        kind="inequality",
        quantity="largest of ‖h_L − h_0‖/‖h_0‖ over the bound, at most 1",
        predicted=("gronwall_bound", "log_gronwall_bound"),
        resolution=Resolution(1e-3, "probability"),
    ),
    Theorem(
        id="O4",
        name="ode-explosion",
        title="explosion at β < 1",
        statement=(
            "With smooth weights that do not contract and β < 1, max_k ‖h_k − h_0‖/‖h_0‖ tends to "
            "infinity in probability; false at fixed width without such an assumption."
        ),
        latex=r"\max_{k}\,\frac{\Vert h_k - h_0\Vert}{\Vert h_0\Vert} \to \infty",
        source="MFBV",
        proof=(
            "Under assumptions of theirs. Without them: linear res-1 of width 1 has log(h_k/h_0) = L^{1−β} "
            "∫ 𝒱, and half of the paths of constant 𝒱 never leave the unit interval."
        ),
        hypotheses=(
            given.SMOOTH_WEIGHTS,
            Hypothesis("the weights are assumed not to contract", lambda f: f.expanding),
            given.DEPTH_GROWS,
            given.BETA_BELOW_ONE,
        ),
        regime="large depth",
        kind="limit",
        quantity="regime: growth of max_k ‖h_k − h_0‖/‖h_0‖ with L",
        predicted=("regime", "critical_scaling"),
        resolution=Resolution(0.05, "absolute"),
    ),
    Theorem(
        id="O4b",
        name="log-volume",
        title="volume of linear res-1, smooth weights",
        statement=(
            "Linear res-1 with smooth Gaussian weights: log|det ∂h_L/∂h_0| is, to leading order, "
            "centred Gaussian of deviation L^{1−β} √(∬ r_V) at every width; so for β < 1 half of the "
            "Jacobians explode."
        ),
        latex=(
            r"L^{\beta-1} \log\left|\det\frac{\partial h_L}{\partial h_0}\right| \to "
            r"\mathcal{N}\left(0, \int_0^1\int_0^1 r_V(s-t)\,ds\,dt\right)"
        ),
        source="derived",
        proof="log|det(I + aV)| = a tr V + O(a²), and tr V has variance 1.",
        hypotheses=(
            given.LINEAR_RES_1,
            given.SMOOTH_WEIGHTS,
            given.V_GAUSSIAN,
            given.STATIONARY,
            given.DEPTH_GROWS,
            Hypothesis("β > 0", lambda f: f.beta is not None and f.beta > 0),
        ),
        regime="large depth",
        kind="limit law",
        quantity="law of log|det ∂h_L/∂h_0|; at width 1 it is log|h_L/h_0|",
        predicted=("ode_log_volume_deviation",),
        resolution=Resolution(0.02, "distribution"),
        extends="O4",
    ),
)
