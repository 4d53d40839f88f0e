r"""J0: Jacobians of any network; J1 to J4: those of res-3 and linear res-1, and tangent kernels."""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._theorem import Resolution, Theorem

_CONSTANT = Resolution(0.01, "relative")
_LAW = Resolution(0.02, "distribution")

STATEMENTS = (
    Theorem(
        id="J0",
        name="isotropic-duality",
        title="tangents have gradients' law",
        statement=(
            "In any network an isotropic tangent v pushed forward and an isotropic gradient p pulled "
            "back, both independent of the network, have one law: ‖Jv‖ that of ‖Jᵀp‖, and ‖Jv − v‖ that of "
            "‖Jᵀp − p‖."
        ),
        latex=(
            r"\Vert J v\Vert \sim \Vert J^\mathsf{T} p\Vert,\quad "
            r"\Vert J v - v\Vert \sim \Vert J^\mathsf{T} p - p\Vert"
        ),
        source="derived",
        proof="With J = UΣQᵀ, Qᵀv and Uᵀp are isotropic and independent of Σ: both are ‖Σ · uniform‖.",
        hypotheses=(given.FREE_READ_OUT, given.ISOTROPIC_READ_OUT),
        regime="exact",
        kind="law",
        quantity="laws of ‖p_0‖/‖p_L‖ and ‖p_0 − p_L‖/‖p_L‖ beside those of tangents",
        predicted=("isotropic_duality",),
        resolution=Resolution(0.03, "distribution"),
    ),
    Theorem(
        id="J1",
        name="volumes",
        title="volumes and determinant of Jacobians",
        statement=(
            "The mean square of the i-volume of J = ∂h_L/∂h_0 is q_i^L, for every symmetric law of the "
            "weights (with schedules the product of the layers' q_i); E det J = 1 and E (det J)² = q_d^L, "
            "while log|det J| is a sum of i.i.d. terms, one a layer."
        ),
        latex=(
            r"\mathbb{E}\,\mathrm{vol}_i(J)^2 = q_i^L,\quad q_i = \sum_{k=0}^{i} "
            r"\binom{i}{k} \binom{M}{k} k!\,\frac{(d-i+k)!}{(d-i)!} \left(\frac{a^2}{2Md}\right)^k"
        ),
        source="derived",
        proof=(
            "Cauchy-Binet on I + a V D W; distinct minors are uncorrelated by flips of signs, so the mean of "
            "Λ^i(F)ᵀΛ^i(F) is a multiple of the identity. D is independent of the rank-one terms it chooses."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.RELU_OF_W_OR_LINEAR,
            given.NO_NORM,
            given.NO_TIES,
        ),
        regime="exact",
        kind="equality",
        quantity="E vol_i(J)², E (det J)² and E (1 + det J)²; law of log|det J| beside i.i.d. layers",
        predicted=("volume_second_moment", "log_volume_second_moment"),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="J1b",
        name="determinant-limit",
        title="limit law of the determinant",
        statement=(
            "At α = 1/√L log|det J| tends to N(−t/2, t), at every width and hidden width: t = 1/2 for res-3, "
            "1 for linear res-1; its mean square tends to e^t."
        ),
        latex=r"\log|\det J| \to \mathcal{N}\left(-\frac{t}{2}, t\right)",
        source="derived",
        proof="dJ = √(t/d) dB J; Itô on log det: tr dB has variance d dt, −½ E tr dB² = −(d/2) dt.",
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.RELU_OF_W_OR_LINEAR,
            given.NO_NORM,
            given.STREAM_KEPT,
            given.ONE_SCALING,
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit law",
        quantity="law of log|det J|",
        predicted=("log_determinant_limit_law",),
        resolution=_LAW,
        extends="J1",
    ),
    Theorem(
        id="J2",
        name="lyapunov-spectrum",
        title="Lyapunov spectrum",
        statement=(
            "With Gaussian weights the vector of log r_ii, J = QR, is a random walk over the layers; at α = "
            "1/√L log r_ii tends to N((d − 2i)t/(2d), t/d), independent over i, t as in J1b."
        ),
        latex=r"\log r_{ii} \to \mathcal{N}\left(\frac{(d-2i)\,t}{2d}, \frac{t}{d}\right)",
        source="derived",
        proof=(
            "(I + aM)QR = Q(I + a QᵀMQ)R and QᵀMQ has the law of M. In the limit log vol_i² has the drift "
            "t(i − (i² + i)/d), and the increments over i are independent."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.RELU_OF_W_OR_LINEAR,
            given.NO_NORM,
            given.STREAM_KEPT,
            given.ONE_SCALING,
            given.DEPTH_GROWS,
            given.CRITICAL,
        ),
        regime="large depth",
        kind="limit law",
        quantity="laws of log r_ii, and beside sums of single layers' at finite depth",
        predicted=("qr_diagonal_limit_law", "lyapunov_exponents"),
        resolution=_LAW,
    ),
    Theorem(
        id="J3",
        name="singular-values",
        title="spread of singular values",
        statement=(
            "With Gaussian weights E tr (JᵀJ)² and E (tr JᵀJ)² are combinations of q_1^L and q_2^L at every "
            "width, hidden width and depth; the second moment e^{2t}(1 + 2t) of Biane's law, d → ∞, is "
            "below them."
        ),
        latex=(
            r"\frac{1}{d}\,\mathbb{E}\,\mathrm{tr}\,(J^\mathsf{T} J)^2 = \frac{(d+2)\,q_1^L - "
            r"(d-1)\,q_2^L}{3}"
        ),
        source="derived",
        proof=(
            "E (eᵀGe)² = (2 E tr G² + E (tr G)²)/(d(d + 2)) = q_1^L for isotropic e, q_1 of I7, and E e_2(G) "
            "= C(d, 2) q_2^L by J1: two equations."
        ),
        hypotheses=(given.INDEPENDENT, given.GAUSSIAN, given.RELU_OF_W_OR_LINEAR, given.NO_NORM),
        regime="exact",
        kind="equality",
        quantity="E tr (JᵀJ)²/d and E (tr JᵀJ)²/d²",
        predicted=("log_trace_moments", "trace_moment_limit", "wide_trace_moment"),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="J4",
        name="tangent-kernel",
        title="tangent kernel at initialisation",
        statement=(
            "The mean of the tangent kernel of the residual layers is L (a²/2)(1 + M/d)(1 + a²/2)^{L−1} "
            "‖p_L‖² ‖h_0‖², and its second moment is a closed sum over pairs of layers: Var K/(E K)² tends "
            "to about 4τ/(3d) at α²L = τ, bounded in L."
        ),
        latex=(
            r"\mathbb{E} K = L\,\frac{a^2}{2}\left(1 + \frac{M}{d}\right)"
            r"\left(1 + \frac{a^2}{2}\right)^{L-1}\Vert p_L\Vert^2\,\Vert h_0\Vert^2"
        ),
        source="derived",
        proof=(
            "Mean: G3. Second moment: given two layers the blocks before, between and after are independent; "
            "averages over isotropic directions leave q_1 and the two numbers of J3."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.RELU_OF_W,
            given.NO_NORM,
            given.STREAM_KEPT,
            given.ONE_SCALING,
            given.FREE_READ_OUT,
            given.ISOTROPIC_READ_OUT,
        ),
        regime="exact",
        kind="equality",
        quantity="E K/(‖p_L‖² ‖h_0‖²) and E K²/(‖p_L‖⁴ ‖h_0‖⁴)",
        predicted=(
            "log_tangent_kernel_mean",
            "log_tangent_kernel_second_moment",
            "tangent_kernel_variance_limit",
        ),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="J4b",
        name="tangent-kernel-of-two-inputs",
        title="tangent kernel of two inputs",
        statement=(
            "As d → ∞ at M/d = μ the mean tangent kernel of two inputs of one norm, at every depth and "
            "scaling, is a sum over layers of a² (1 + a²/2)^k [μ κ(c_k) + c_k κ'(c_k)] times the growth of "
            "the overlap of gradients behind layer k, with the cosines c_k of S5."
        ),
        latex=(
            r"\mathbb{E} K(x, x') \to a^2 \sum_{k=0}^{L-1} \left(1 + \frac{a^2}{2}\right)^k "
            r"\left[\mu\,\kappa(c_k) + c_k\,\kappa'(c_k)\right]"
            r"\prod_{j>k} \left(1 + a^2 \kappa'(c_j)\right)"
        ),
        source="derived",
        proof=(
            "Cosines are those of the recursion; one read-out's gradients at both inputs overlap by 1 + a² "
            "κ'(c_k) a layer, κ' the probability that a unit is active at both."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.RELU_OF_W,
            given.NO_NORM,
            given.STREAM_KEPT,
            given.ONE_SCALING,
            given.FREE_READ_OUT,
            given.WIDTH_GROWS,
        ),
        regime="large width",
        kind="limit",
        quantity="E K(x, x')/(‖p_L‖² ‖h_0‖²) of two inputs of one norm",
        predicted=("wide_tangent_kernel",),
        resolution=Resolution(0.02, "relative"),
        extends="J4",
    ),
)
