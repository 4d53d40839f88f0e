"""Claims on independent layers, un-normalised: I1 to I11 and G1 to G7."""

from __future__ import annotations

from theory.catalogue.claims import _papers as by
from theory.catalogue.claims._claim import Claim

_MFBV = "res-1, res-2, res-3; independent, symmetric, sub-Gaussian entries"

CLAIMS = (
    Claim(
        theorem="I1",
        paper=by.MFBV,
        says="Hidden states are a martingale along depth, a step of the proofs on scalings.",
        basis="result",
        theirs=_MFBV,
        relation="tests",
        ours="The same, with factors b_k of the stream.",
    ),
    Claim(
        theorem="I2",
        paper=by.MFBV,
        says=(
            "The mean square of the hidden state grows by a factor 1 + O(α²) a layer; for res-3 by 1 + α²/2."
        ),
        basis="result",
        theirs=_MFBV,
        relation="tests",
        ours="Exact at every width and depth for every symmetric law, with biases, b_k, a_k and M units.",
    ),
    Claim(
        theorem="I2b",
        paper=by.MFBV,
        says="Branches whose mean-square gain lies between 1/2 and 1 have the same three regimes.",
        basis="result",
        theirs=f"{_MFBV}; ‖h‖²/2 <= E‖g(h)‖² <= ‖h‖²",
        relation="sharpens",
        ours="Any two gains c₁ <= c₂ in the place of 1/2 and 1, at every depth.",
    ),
    Claim(
        theorem="I3",
        paper=by.MFBV,
        says="Gradients have the mean squares of hidden states.",
        basis="result",
        theirs=f"{_MFBV}; a linear read-out that is independent of the layers",
        relation="tests",
        ours="The same; activation patterns need no independence assumption, only no ties at 0.",
    ),
    Claim(
        theorem="I4",
        paper=None,
        says="Gradient ratios have not only the mean squares but the whole law of hidden ratios.",
        basis="none",
        theirs="",
        relation="new",
        ours=(
            "Exact at every width, depth and scaling, for V and W of one symmetric law; res-3 and linear "
            "res-1."
        ),
    ),
    Claim(
        theorem="I4b",
        paper=None,
        says="The duality of I4 survives correlated layers where the branch is linear.",
        basis="none",
        theirs="",
        relation="new",
        ours="Any law of the layers that is the same read backwards.",
    ),
    Claim(
        theorem="I5",
        paper=by.ZHANG,
        says=(
            "A properly rescaled standard initialisation solves exploding and vanishing gradients at the "
            "beginning of training, without normalisation."
        ),
        basis="abstract",
        theirs="residual networks, rescaled standard initialisations",
        relation="sharpens",
        ours="Exactly flat: c a²(1 + c a²)^(L−1) in every layer; W alone loses the factor M/d at M ≠ d (G3).",
    ),
    Claim(
        theorem="I6",
        paper=by.LI_NICA_ROY,
        says="ReLU ResNets are log-Gaussian as depth and width grow at a fixed ratio.",
        basis="abstract",
        theirs="Gaussian weights, d/n fixed, both infinite",
        relation="sharpens",
        ours=(
            "Two-matrix blocks: the exact law at every width and depth, a sum of L independent terms; "
            "log-Gaussian is its limit. One-matrix blocks have no such product."
        ),
    ),
    Claim(
        theorem="I7",
        paper=by.HANIN_ROLNICK,
        says=(
            "The variance of activation lengths does not grow exponentially in residual nets whose mean does "
            "not."
        ),
        basis="abstract",
        theirs="ReLU, residual modules weighted so that the mean length stays bounded",
        relation="sharpens",
        ours=(
            "Every even moment in closed form; the fourth is (1 + a²(1 + 2/d) + a⁴(d + 2)(d + 5)/(4d²))^L, "
            "so bounded exactly where Lα² is."
        ),
    ),
    Claim(
        theorem="I8",
        paper=by.MFBV,
        says=(
            "1/√L is the only scaling with a non-trivial limit for independent initialisations, and there it "
            "is an SDE."
        ),
        basis="abstract",
        theirs="standard independent initialisations",
        relation="sharpens",
        ours="The limit law of the norm in closed form, N(1/2 − 1/d, 2/d), at distance O(1/L).",
    ),
    Claim(
        theorem="I8",
        paper=by.HAYOU,
        says=(
            "At fixed width and infinite depth hidden states follow a diffusion without drift; in two cases "
            "its law is known in closed form."
        ),
        basis="abstract",
        theirs="Gaussian weights, fixed width, depth to infinity",
        relation="sharpens",
        ours="A third case: with W inside, ReLU has a log-normal norm at every width.",
    ),
    Claim(
        theorem="I9",
        paper=by.MFBV,
        says="At 1/√L the relative difference lies between two explicit bounds with probability 1 − δ.",
        basis="result",
        theirs=f"{_MFBV}; d >= 64, L large enough",
        relation="tests",
        ours=(
            "Not refuted. L large enough depends on d, δ and the law of V, and the lower bound says nothing "
            "unless dδ > 156.4; for res-3 with Gaussian weights the quantiles of I6 hold at every L."
        ),
    ),
    Claim(
        theorem="I9b",
        paper=by.MFBV,
        says="At 1/√L the mean square of the gradient difference ends between e^{1/2} − 1 and e − 1.",
        basis="result",
        theirs=f"{_MFBV}; gains between 1/2 and 1",
        relation="sharpens",
        ours="Both ends are attained, by res-3 and by linear res-1.",
    ),
    Claim(
        theorem="I10",
        paper=by.MFBV,
        says="Smaller scalings than 1/√L lead to the identity.",
        basis="abstract",
        theirs="standard independent initialisations",
        relation="tests",
        ours="Not refuted; the non-asymptotic bound 2Lα²/δ holds for all layers at once.",
    ),
    Claim(
        theorem="I10b",
        paper=by.DE_SMITH,
        says=(
            "Branches that normalisation makes small against the skip connection leave a residual block "
            "close to the identity, on average, early in training."
        ),
        basis="abstract",
        theirs="batch normalisation in the branch",
        relation="sharpens",
        ours="The limit law of the distance: c χ²/d with d degrees of freedom, times L^{1−2β}.",
    ),
    Claim(
        theorem="I11",
        paper=by.MFBV,
        says="Larger scalings than 1/√L lead to explosion.",
        basis="abstract",
        theirs="standard independent initialisations; proved in probability for d large enough",
        relation="sharpens",
        ours=(
            "The rate 1/2 − 1/d, and what large enough is: d >= 3. At d = 2 half of the networks end above 1 "
            "(0.507 at L = 2000, β = 1/4), at d = 1 they collapse (0.009) although the second moment "
            "explodes."
        ),
    ),
    Claim(
        theorem="G1",
        paper=by.STABLE_RESNET,
        says="Scaled branches stabilise gradients and keep networks expressive at infinite depth.",
        basis="abstract",
        theirs="infinite width first; scalings with bounded Σ a_k², as commonly cited",
        relation="sharpens",
        ours=(
            "∏ (b_k² + a_k²/2) exactly, at every width, hidden width and depth: stable if and only if the "
            "product is."
        ),
    ),
    Claim(
        theorem="G1b",
        paper=by.LI_NICA_ROY,
        says=(
            "ResNets whose squared skip and branch factors sum to one are log-Gaussian in the proportional "
            "limit."
        ),
        basis="result",
        theirs="one matrix a block, constant factors, d/n fixed",
        relation="sharpens",
        ours="Two matrices a block: the exact law at finite size, for any factors and any hidden width.",
    ),
    Claim(
        theorem="G1c",
        paper=by.HAYOU_COMMUTATIVE,
        says="With suitably scaled branches the limits of width and depth commute.",
        basis="abstract",
        theirs="skip connections; covariance kernels",
        relation="sharpens",
        ours=(
            "At fixed width and hidden width the norm's limit needs max a_k → 0 besides Σ a_k² → τ: summable "
            "fixed schedules have another limit, which is not normal."
        ),
    ),
    Claim(
        theorem="G2",
        paper=by.CHIZAT,
        says="The limit of infinite depth does not depend on how the hidden width M grows.",
        basis="abstract",
        theirs="training dynamics at residual scale 1/(LM), fixed embedding dimension",
        relation="tests",
        ours=(
            "At initialisation and with 1/√L: with fan-in variances the limit has no M; with V of variance "
            "1/d the scaling a² is a² M/d, exactly."
        ),
    ),
    Claim(
        theorem="G3",
        paper=by.ZHANG,
        says="The updates of all residual branches can be made of one order by rescaling weights.",
        basis="result",
        theirs="orders of magnitude, at the first step",
        relation="sharpens",
        ours=(
            "Exact mean squares; V and W differ by M/d with fan-in variances and not with V of variance 1/d."
        ),
    ),
    Claim(
        theorem="G4",
        paper=by.BACHLECHNER,
        says=(
            "Gating each residual branch by one parameter that starts at zero gives dynamical isometry at "
            "initialisation."
        ),
        basis="abstract",
        theirs="gates at exactly 0",
        relation="sharpens",
        ours="And only gates learn there: mean squares 1/(2d) of their derivatives, while V and W have none.",
    ),
    Claim(
        theorem="G5",
        paper=None,
        says="p_0 · h_0 = p_L · h_L in every network of 1-homogeneous branches.",
        basis="none",
        theirs="",
        relation="new",
        ours="Euler's theorem on homogeneous functions, applied along depth; pathwise, any weights.",
    ),
    Claim(
        theorem="G6",
        paper=by.WANG,
        says="DeepNorm bounds the size of model updates, so that Transformers of 1,000 layers train stably.",
        basis="abstract",
        theirs="post-norm Transformers; α = (2N)^{1/4}, β = (8N)^{−1/4}, as commonly cited",
        relation="sharpens",
        ours=(
            "At initialisation its feed-forward part is in the identity regime: a²L = 1/(4√(2N)), effective "
            "exponent 3/4; E cos is 0.98178 exactly at N = 4, d = 6, M = 10."
        ),
    ),
    Claim(
        theorem="G7",
        paper=by.LI_NICA_ROY,
        says=(
            "Balanced ResNets, with random signs before each ReLU, have neither hypoactivation nor "
            "correlations between layers."
        ),
        basis="abstract",
        theirs="one matrix a block, d/n fixed, both infinite",
        relation="sharpens",
        ours=(
            "At finite size: E‖z‖² is kept exactly and E‖z‖⁴ obeys a two-by-two recursion; the norm is no "
            "product of i.i.d. terms, since growth depends on Σ z_i⁴."
        ),
    ),
    Claim(
        theorem="G7b",
        paper=by.LI_NICA_ROY,
        says=(
            "Balanced and vanilla ReLU ResNets are log-Gaussian in the proportional limit; vanilla ones are "
            "hypoactivated, and correlations between layers raise their variance exponentially."
        ),
        basis="abstract",
        theirs="depth and width to infinity at a fixed ratio",
        relation="tests",
        ours=(
            "Not refuted: log‖z‖² (not log‖z‖) has the variance ρ(5λ⁴ + 4α²λ²) for balanced blocks, 7λ⁴ with "
            "two matrices a block; vanilla by its trend in n, as its variance is still 8 % off at n = L = "
            "100."
        ),
    ),
)
