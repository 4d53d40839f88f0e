r"""I1 to I7: independent layers, exact at every depth.

Notation: a the layer scaling, c = E‖g(h)‖²/‖h‖² the mean-square gain of the branch (1/2 for ReLU of W h,
1 for the identity), J = ∏ (I + a M_k) the Jacobian of the network. All but I2b hold for layers b_k h + a_k
V_k g(h) with M units, too; formulas are those of plain layers, and texts say what changes (G1, G3).
"""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem

_CONSTANT = Resolution(0.01, "relative")
_LAW = Resolution(0.01, "distribution")

STATEMENTS = (
    Theorem(
        id="I1",
        name="martingale",
        title="hidden states are a martingale",
        statement="The mean hidden state is the first one, at every layer, width, hidden width and scaling.",
        latex=r"\mathbb{E}\,h_L = h_0",
        source="MFBV",
        proof="Within their proofs: V of a layer is centred and independent of all before it.",
        hypotheses=(
            given.V_INDEPENDENT,
            given.SYMMETRIC,
            given.LIPSCHITZ,
            given.NO_NORM,
            given.STREAM_KEPT,
        ),
        regime="exact",
        kind="equality",
        quantity="E⟨h_L, h_0⟩/‖h_0‖², which is 1",
        predicted=("overlap_moment",),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="I2",
        name="second-moment",
        title="mean squares of hidden states",
        statement=(
            "The mean square of the ratio ‖h_L‖/‖h_0‖ is (1 + c a²)^L, and that of ‖h_L − h_0‖/‖h_0‖ is "
            "1 less: c = 1/2 for res-3, 1 for linear branches; biases of deviation s add d s² to ‖h‖² on "
            "either side. Without biases and with factors b_k and scalings a_k they are ∏ (b_k² + c "
            "a_k²), and ∏ b_k² less for h_L − (∏ b_k) h_0, whatever the hidden width (G1)."
        ),
        latex=(
            r"\mathbb{E}\Vert h_L\Vert^2 = (1 + a^2/2)^L\,\Vert h_0\Vert^2,\quad "
            r"\mathbb{E}\Vert h_L - h_0\Vert^2 = \left((1 + a^2/2)^L - 1\right)\Vert h_0\Vert^2"
        ),
        source="MFBV",
        proof=(
            "Given the past, E‖V g‖² = E‖g‖², and a symmetric pre-activation is positive half of the time; "
            "the other blocks (c not 1/2, biases) are derived by the same recursion."
        ),
        hypotheses=(given.INDEPENDENT, given.SYMMETRIC, given.CLOSED_GAIN, given.NO_NORM),
        regime="exact",
        kind="equality",
        quantity="E‖h_L‖²/‖h_0‖² and E‖h_L − h_0‖²/‖h_0‖²",
        predicted=("hidden_second_moment", "hidden_difference_second_moment"),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="I2b",
        name="gain-bounds",
        title="bounds of the mean squares",
        statement=(
            "A branch of gain between c₁ and c₂ at every state has the mean square of ‖h_L‖/‖h_0‖ between "
            "(1 + c₁ a²)^L and (1 + c₂ a²)^L; the difference's is 1 less on either side."
        ),
        latex=(r"(1 + c_1 a^2)^L \leq \mathbb{E}\,\Vert h_L\Vert^2/\Vert h_0\Vert^2 \leq (1 + c_2 a^2)^L"),
        source="derived",
        proof="Induction on the layers, from MFBV's hypothesis on the gain; the difference by I1.",
        hypotheses=(given.INDEPENDENT, given.SYMMETRIC, given.GAIN_AT_MOST_ONE),
        regime="inequality",
        kind="inequality",
        quantity="E‖h_L‖²/‖h_0‖² and E‖h_L − h_0‖²/‖h_0‖² of blocks without closed form",
        predicted=("second_moment_bounds",),
        resolution=_CONSTANT,
        extends="I2",
    ),
    Theorem(
        id="I3",
        name="gradient-second-moment",
        title="mean squares of gradients",
        statement=(
            "Gradients p_0 beside p_L have the mean squares that hidden states h_L have beside h_0 "
            "(I2), factors b_k, scalings a_k and hidden widths included; biases do not enter."
        ),
        latex=(
            r"\mathbb{E}\Vert p_0\Vert^2 = (1 + a^2/2)^L\,\Vert p_L\Vert^2,\quad "
            r"\mathbb{E}\Vert p_0 - p_L\Vert^2 = \left((1 + a^2/2)^L - 1\right)\Vert p_L\Vert^2"
        ),
        source="MFBV",
        proof=(
            "By Jacobians; with the sign flip of I4 the mask of active units is independent of the "
            "weights. A tie makes a unit inactive on both sides of the flip: Rademacher weights, d = "
            "2 and h_0 = (1, 1) have 1 + a²/4 for the first layer."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.CLOSED_GAIN,
            given.NO_TIES,
            given.FREE_READ_OUT,
            given.NO_NORM,
        ),
        regime="exact",
        kind="equality",
        quantity="E‖p_0‖²/‖p_L‖² and E‖p_0 − p_L‖²/‖p_L‖²",
        predicted=("gradient_second_moment", "gradient_difference_second_moment"),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="I4",
        name="duality",
        title="gradients have hidden states' law",
        statement=(
            "The pair of ratios ‖p_0‖/‖p_L‖ and ‖p_0 − p_L‖/‖p_L‖ has the law of the pair ‖h_L‖/‖h_0‖ and "
            "‖h_L − h_0‖/‖h_0‖, at every width, hidden width, depth and scaling."
        ),
        latex=(
            r"\left(\frac{\Vert p_0\Vert}{\Vert p_L\Vert}, \frac{\Vert p_0 - p_L\Vert}{\Vert "
            r"p_L\Vert}\right) \sim \left(\frac{\Vert h_L\Vert}{\Vert h_0\Vert}, \frac{\Vert h_L - "
            r"h_0\Vert}{\Vert h_0\Vert}\right)"
        ),
        source="derived",
        proof=(
            "Flipping the sign of (row i of W, column i of V) keeps their law and product and turns "
            "the unit on or off: the factors of J are i.i.d. V D W with D independent, and have the "
            "law of their transposes, V and W being of one law up to their scales; in reverse order, which "
            "rotation-invariant layers do not notice."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.ONE_LAW,
            Hypothesis(
                "σ is the identity, or ReLU behind a matrix W (res-2, res-3)",
                lambda f: f.linear or (f.block != "res-1" and f.activation == "relu"),
            ),
            given.NO_BIAS,
            given.NO_TIES,
            given.FREE_READ_OUT,
            given.SAME_DIRECTIONS,
            given.NO_NORM,
            given.ANY_ORDER,
        ),
        regime="exact",
        kind="law",
        quantity="joint law of the gradient ratios",
        predicted=("gradient_duality", "dual_column"),
        resolution=Resolution(0.02, "distribution"),
    ),
    Theorem(
        id="I4b",
        name="linear-duality",
        title="duality of linear correlated networks",
        statement=(
            "With the identity for σ the duality I4 holds for layers that are correlated too, if "
            "their law is the same read backwards, as that of every stationary Gaussian sequence is."
        ),
        latex=r"\prod_{k=1}^{L} (I + a M_k) \sim \left(\prod_{k=1}^{L} (I + a M_k)\right)^\mathsf{T}",
        source="derived",
        proof=(
            "There is no mask to deal with, and the transposed factors in reverse order have the "
            "factors' law."
        ),
        hypotheses=(
            given.LINEAR,
            given.GAUSSIAN,
            given.STATIONARY,
            given.ONE_LAW,
            given.FREE_READ_OUT,
            given.NO_NORM,
            given.ONE_SCALING,
        ),
        regime="exact",
        kind="law",
        quantity="joint law of the gradient ratios",
        predicted=("gradient_duality", "dual_column"),
        resolution=Resolution(0.02, "distribution"),
        extends="I4",
    ),
    Theorem(
        id="I5",
        name="flat-weight-gradients",
        title="weight gradients flat along depth",
        statement=(
            "The mean square of the loss's gradient in V_k, and in W_k, is the same for every layer k: c "
            "a² (1 + c a²)^(L−1) times ‖p_L‖² ‖h_0‖². With M units the one of V has the factor M/d more, "
            "the one of W has not; with a factor b of the stream the power is one of b² + c a² (G3)."
        ),
        latex=(
            r"\mathbb{E}\,\Vert\partial\ell/\partial V_k\Vert^2 = \frac{a^2}{2}\left(1 + "
            r"\frac{a^2}{2}\right)^{L-1}\Vert p_L\Vert^2\,\Vert h_0\Vert^2"
        ),
        source="derived",
        proof=(
            "The squared norm is a² ‖p_k‖² ‖g(h_{k−1})‖², and by I4 the layers above and below are "
            "independent: the layer index cancels."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.SYMMETRIC,
            given.CLOSED_GAIN,
            given.NO_BIAS,
            given.NO_TIES,
            given.FREE_READ_OUT,
            given.NO_NORM,
            given.ONE_SCALING,
        ),
        regime="exact",
        kind="equality",
        quantity="E‖∂loss/∂V_k‖²/(‖p_L‖² ‖h_0‖²), Frobenius norm, and the same for W_k",
        predicted=("weight_gradient_second_moment", "schedule_weight_gradients"),
        resolution=_CONSTANT,
    ),
    Theorem(
        id="I6",
        name="exact-law",
        title="exact law of the norm",
        statement=(
            "With Gaussian weights log ‖h_L‖²/‖h_0‖² is a sum of L independent terms of one explicit "
            "law, which depends on the width and the scaling alone; with factors b_k, scalings a_k and M "
            "units on these too, layer by layer (G1b)."
        ),
        latex=(
            r"\log\frac{\Vert h_L\Vert^2}{\Vert h_0\Vert^2} = \sum_{k=1}^{L} \log R_k,\quad "
            r"R = \left(1 + a\sqrt{G/d}\,Z\right)^2 + \frac{a^2 G}{d}\,C"
        ),
        source="derived",
        proof=(
            "Images of a fresh Gaussian matrix depend on norms alone: N ~ Bin(d, 1/2) units are active, "
            "dG ~ χ² of N degrees, Z ~ N(0, 1) along h and C ~ χ² of d − 1 degrees across."
        ),
        hypotheses=(
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.RELU_OF_W,
            given.NO_NORM,
            given.STREAM_NOT_LOST,
        ),
        regime="exact",
        kind="law",
        quantity="law of log(‖h_L‖/‖h_0‖)",
        predicted=("ExactNormLaw", "ScheduleNormLaw"),
        resolution=_LAW,
    ),
    Theorem(
        id="I7",
        name="moments",
        title="every moment of the norm",
        statement=(
            "With Gaussian weights every even moment of ‖h_L‖/‖h_0‖ is the L-th power of that of one "
            "layer, a polynomial in a²; with b_k, a_k and M units it is the product over the layers (G1b)."
        ),
        latex=(
            r"\mathbb{E}\left(\frac{\Vert h_L\Vert}{\Vert h_0\Vert}\right)^{2m} = (\mathbb{E} R^m)^L,\quad "
            r"\mathbb{E} R^2 = 1 + a^2\left(1 + \frac{2}{d}\right) + \frac{a^4 (d+2)(d+5)}{4d^2}"
        ),
        source="derived",
        proof="Given G of I6, R is a multiple of a noncentral χ²; its moments and those of G are explicit.",
        hypotheses=(given.INDEPENDENT, given.GAUSSIAN, given.RELU_OF_W_OR_LINEAR, given.NO_NORM),
        regime="exact",
        kind="equality",
        quantity="E(‖h_L‖/‖h_0‖)^{2m}, m = 1, 2, ...",
        predicted=("log_norm_moment", "radial_moment", "relative_variance"),
        resolution=_CONSTANT,
    ),
)
