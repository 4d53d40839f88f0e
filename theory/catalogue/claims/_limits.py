"""Claims on limits of depth and width: S1 to S6, O1 to O4, F1 to F4, P1 to P3, J0."""

from __future__ import annotations

from theory.catalogue.claims import _papers as by
from theory.catalogue.claims._claim import Claim

_SMOOTH = "smooth weights along depth"

CLAIMS = (
    Claim(
        theorem="S1",
        paper=by.MFBV,
        says="At 1/√L deep ResNets correspond to a neural stochastic differential equation.",
        basis="abstract",
        theirs="standard independent initialisations",
        relation="tests",
        ours="Strong order 1/2 on one Brownian path, for res-1, where the coupling makes sense.",
    ),
    Claim(
        theorem="S1",
        paper=by.KLOEDEN_PLATEN,
        says="The Euler-Maruyama scheme has strong order 1/2 and weak order 1.",
        basis="classical",
        theirs="Lipschitz, for the weak order smooth, coefficients",
        relation="tests",
        ours="Measured on networks.",
    ),
    Claim(
        theorem="S1",
        paper=by.PELUCHETTI,
        says="Residual networks whose parameters shrink with depth converge to diffusion processes.",
        basis="abstract",
        theirs="weights that shrink as the number of layers grows",
        relation="tests",
        ours="The same scaling, with its orders.",
    ),
    Claim(
        theorem="S2",
        paper=by.HAYOU,
        says=(
            "At fixed width the infinite-depth limit is a zero-drift diffusion, with a closed-form law in "
            "two cases."
        ),
        basis="abstract",
        theirs="Gaussian weights, fixed width",
        relation="sharpens",
        ours=(
            "Norm and direction are independent: log-normal, and Brownian motion on the sphere; E cos = "
            "exp(−(d − 1)/(4d))."
        ),
    ),
    Claim(
        theorem="S3",
        paper=by.HAYOU,
        says="The infinite-depth law depends on the activation.",
        basis="abstract",
        theirs="Gaussian weights, fixed width",
        relation="sharpens",
        ours="Behind a matrix W only through ρ(s) = E σ(√(s + σ_b²) Z)²: one equation for every activation.",
    ),
    Claim(
        theorem="S4",
        paper=by.YANG_SCHOENHOLZ,
        says=(
            "Forward and backward dynamics of mean-field residual networks are subexponential, often "
            "polynomial."
        ),
        basis="abstract",
        theirs="infinite width, unscaled branches, averages",
        relation="sharpens",
        ours="With a scaling, and with what a width d is worth: S differs from the recursion by O(1/d).",
    ),
    Claim(
        theorem="S5",
        paper=by.YANG_SCHOENHOLZ,
        says=(
            "Skip connections make the forward dynamics subexponential, in many cases polynomial, where "
            "others collapse the input space exponentially."
        ),
        basis="abstract",
        theirs="infinite width, averages",
        relation="sharpens",
        ours=(
            "With the constant, angles like 6π/t, and with its range, t = a²L far below the width. At fixed "
            "width they shrink exponentially in the end, like e^(−t/(2d)) (C2)."
        ),
    ),
    Claim(
        theorem="S5",
        paper=by.CHO_SAUL,
        says="E ReLU(u) ReLU(v) of two correlated normal variables is the arc-cosine kernel.",
        basis="classical",
        theirs="jointly normal u, v",
        relation="tests",
        ours="The drift of the cosine is κ(c) − c/2.",
    ),
    Claim(
        theorem="S6",
        paper=by.HAYOU,
        says="The growth of post-activation norms changes its regime between widths 3 and 4.",
        basis="abstract",
        theirs="res-1, ReLU, Gaussian weights, infinite depth",
        relation="tests",
        ours=(
            "Not refuted: the drift is (A − 2)/d with A active units, so it changes sign at d = 4 where half "
            "are active."
        ),
    ),
    Claim(
        theorem="O1",
        paper=by.CHEN,
        says="Residual networks are discretisations of an ordinary differential equation.",
        basis="result",
        theirs="continuous depth, shared or smooth parameters",
        relation="tests",
        ours="With smooth weights and 1/L, at rate O(1/L); with independent weights never (S1).",
    ),
    Claim(
        theorem="O1",
        paper=by.MFBV,
        says="Stability at 1/L needs specific correlated initialisations; that regime is the neural ODE.",
        basis="abstract",
        theirs=_SMOOTH,
        relation="tests",
        ours="Not refuted; order 1 on each path.",
    ),
    Claim(
        theorem="O2",
        paper=by.MFBV,
        says="Scalings below 1/L give the identity.",
        basis="result",
        theirs=_SMOOTH,
        relation="sharpens",
        ours="The constant of L^{2−2β}: a double integral of the covariances.",
    ),
    Claim(
        theorem="O3",
        paper=by.MFBV,
        says="At 1/L the difference ratio stays bounded.",
        basis="result",
        theirs=_SMOOTH,
        relation="sharpens",
        ours="An explicit product that bounds each network, whatever its weights.",
    ),
    Claim(
        theorem="O4",
        paper=by.MFBV,
        says="Scalings above 1/L explode.",
        basis="result",
        theirs=f"{_SMOOTH}, under further assumptions",
        relation="tests",
        ours=(
            "An assumption against contraction is needed: linear res-1 of width 1 with 𝒱 < 0 shrinks at "
            "every β < 1."
        ),
    ),
    Claim(
        theorem="O4b",
        paper=None,
        says="The log-volume of linear res-1 with smooth weights is centred Gaussian to leading order.",
        basis="none",
        theirs="",
        relation="new",
        ours="So half of the Jacobians explode at β < 1, at every width.",
    ),
    Claim(
        theorem="F1",
        paper=by.MFBV,
        says=(
            "A continuous range of regimes between SDE and ODE is driven by scaling and regularity of the "
            "weights."
        ),
        basis="abstract",
        theirs="experiments with fractional Brownian weights",
        relation="proves",
        ours=(
            "The identity side for every H (F2); the boundary max(H, 1/2) for rough V needs a width above 1 "
            "+ 1/(2S)."
        ),
    ),
    Claim(
        theorem="F1",
        paper=by.COHEN,
        says="Weights trained by stochastic gradient descent scale otherwise than neural ODEs assume.",
        basis="abstract",
        theirs="experiments on trained networks",
        relation="tests",
        ours="The regimes themselves at initialisation, where the regularity of the weights is set.",
    ),
    Claim(
        theorem="F2",
        paper=by.MFBV,
        says="Near the identity differences decay at a rate that depends on regularity and scaling.",
        basis="result",
        theirs="experiments, H between 1/2 and 1",
        relation="proves",
        ours=(
            "The leading order with its constant for every stationary Gaussian law; linear res-1 with H < "
            "1/2 needs β > 1 − H."
        ),
    ),
    Claim(
        theorem="F2b",
        paper=None,
        says="Gradients of correlated networks have another first order than hidden states.",
        basis="none",
        theirs="",
        relation="new",
        ours="Exponent max(1/2, 2H − 1) for wide networks, where hidden states have max(1/2, H): no duality.",
    ),
    Claim(
        theorem="F2c",
        paper=None,
        says="Correlation along depth decides whether a typical network grows.",
        basis="none",
        theirs="",
        relation="new",
        ours="((d − 1) m − c L a²)/(2d) to second order.",
    ),
    Claim(
        theorem="F2d",
        paper=None,
        says="Wide networks with correlated layers obey a closed recursion of overlaps.",
        basis="none",
        theirs="",
        relation="new",
        ours="At every depth, scaling and correlation; S4 and F2 are its special cases.",
    ),
    Claim(
        theorem="F3",
        paper=None,
        says="Linear res-1 with rough weights contracts.",
        basis="none",
        theirs="",
        relation="new",
        ours=(
            "−1/(2d) a unit of L^{1−2β}, for H < 1/2 and 0 < β < 1 − H: no explosion below max(H, 1/2) there."
        ),
    ),
    Claim(
        theorem="F3b",
        paper=None,
        says="Rough weights behind ReLU have a normal limit law at 1/√L.",
        basis="none",
        theirs="",
        relation="new",
        ours="I8 with S = Σ γ_V κ(γ_W) in the place of 1/2.",
    ),
    Claim(
        theorem="F4",
        paper=by.NEUENKIRCH_NOURDIN,
        says=(
            "The Euler scheme of an equation driven by fractional Brownian motion, H > 1/2, has an exact "
            "rate."
        ),
        basis="result",
        theirs="scalar equations, smooth coefficients",
        relation="tests",
        ours="Not refuted for res-1: strong order at least 2H − 1 in 1/L.",
    ),
    Claim(
        theorem="F4b",
        paper=by.NEUENKIRCH_NOURDIN,
        says="The error of the scheme, rescaled, converges almost surely to a random variable.",
        basis="result",
        theirs="scalar equations, smooth coefficients",
        relation="sharpens",
        ours="Linear res-1 of every width: it is −L^{1−2H}/(2d) in the log-norm, the same on each path.",
    ),
    Claim(
        theorem="P1",
        paper=by.YAO,
        says=(
            "Post-activation blocks under depth-μP grow without bound with depth, where pre-activation ones "
            "do not."
        ),
        basis="result",
        theirs="1/√L, activations of positive mean such as ReLU, expected norms",
        relation="sharpens",
        ours="Their critical scaling is 1/L: there they follow an explicit flow, at every width.",
    ),
    Claim(
        theorem="P2",
        paper=by.YAO,
        says="At 1/√L expected norms of post-activation networks can grow exponentially.",
        basis="result",
        theirs="1/√L, activations of positive mean, expected norms",
        relation="sharpens",
        ours=(
            "The constant m = 1/√(2π), the correction log((1 + cos γ)/2), and the law of the fluctuation, "
            "N(·, s²/d)."
        ),
    ),
    Claim(
        theorem="P3",
        paper=None,
        says="Gradients of post-activation networks grow at least like hidden states.",
        basis="none",
        theirs="",
        relation="new",
        ours="Pathwise, up to the cosine of p_L and h_L.",
    ),
    Claim(
        theorem="J0",
        paper=None,
        says="In any network isotropic tangents have the law of isotropic gradients.",
        basis="none",
        theirs="",
        relation="new",
        ours="Exact for any architecture, weights, correlation over layers and norm; not joint with ‖h_L‖.",
    ),
    Claim(
        theorem="C1",
        paper=by.LI_NICA_ROY_COVARIANCE,
        says=(
            "The covariance matrix of several inputs is governed by a stochastic differential equation in "
            "the limit of depth and width together."
        ),
        basis="abstract",
        theirs="shaped activations, depth and width to infinity at a fixed ratio",
        relation="sharpens",
        ours=(
            "ReLU ResNets at every fixed width: the cosine is a diffusion of its own, with S5's drift times "
            "1 − 2/d in the angle. At d = 5, t = 1, from c = 0.3, E cos is 0.335, where d = ∞ has 0.383."
        ),
    ),
    Claim(
        theorem="C2",
        paper=by.YANG_SCHOENHOLZ,
        says=(
            "Skip connections make the collapse of the input space subexponential, in many cases polynomial."
        ),
        basis="abstract",
        theirs="infinite width, averages, difference equations",
        relation="sharpens",
        ours=(
            "With the width infinite first. At every fixed width the collapse is exponential in the end, log "
            "θ/t → −1/(2d): −0.1685 (−0.1722 to −0.1649) for −0.1681 at d = 3, a = 0.2; the polynomial law "
            "holds for t far below d."
        ),
    ),
    Claim(
        theorem="C3",
        paper=by.LI_NICA_ROY_COVARIANCE,
        says=(
            "A condition on the activation, necessary and sufficient, tells whether norms of large shaped "
            "networks explode or vanish."
        ),
        basis="abstract",
        theirs="shaped activations, proportional limit",
        relation="sharpens",
        ours=(
            "Any activation with biases at every width: the drift is exact at finite size, and the noise has "
            "a covariance of four products of Φ and K, over d."
        ),
    ),
    Claim(
        theorem="C4",
        paper=by.HAYOU_YANG,
        says=(
            "With branches scaled by 1/√depth, infinite width and depth give one covariance in whichever "
            "order they are taken."
        ),
        basis="result",
        theirs="Gaussian weights, ReLU, bounds of order d^{−1/2} + L^{−1/2}",
        relation="sharpens",
        ours=(
            "Exact for one input: the error is of order d^{−1/2} + L^{−1}, mean square 2e/d + e/(64 L²). "
            "Their bound stays true."
        ),
    ),
)
