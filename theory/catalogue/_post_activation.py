r"""P1 to P3: blocks h + a σ(V h), whose activation is the last word of the branch.

Notation: m = E ReLU(Z) = 1/√(2π), s² = Var ReLU(Z), ν the mean coordinate of h_0, V_0 the variance over its
coordinates, γ the angle of h_0 with (1, …, 1).
"""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._theorem import Hypothesis, Resolution, Theorem

_BLOCK = Hypothesis("layers are h + a σ(V h)", lambda f: f.block == "post-activation" and f.norm == "none")
_ALIKE = Hypothesis(
    "all layers have one scaling a, and the stream no factor",
    lambda f: f.schedule == "constant" and f.skip == 1,
)
_RELU = Hypothesis("σ is ReLU", lambda f: f.activation == "relu")
_HOMOGENEOUS = Hypothesis("σ is linear on either side of 0", lambda f: f.sigma.homogeneous)

STATEMENTS = (
    Theorem(
        id="P1",
        name="post-activation-flow",
        title="flow of post-activation at β = 1",
        statement=(
            "At β = 1, which is critical, hidden states follow a flow along (1, …, 1) at every width: "
            "the centred part stays, and the mean coordinate goes from ν to √V_0 sinh(m + "
            "arsinh(ν/√V_0)) for ReLU. Odd σ do not drift."
        ),
        latex=(
            r"h_L \to H_1,\quad \frac{dH}{dt} = \mu\left(\Vert H\Vert^2/d\right)(1, \ldots, 1),\quad "
            r"\mu(s) = \mathbb{E}\,\sigma(\sqrt{s}\,Z)"
        ),
        source="derived",
        proof="Given h, V h is N(0, (‖h‖²/d) I): a drift, and a martingale of variance L a² → 0.",
        hypotheses=(
            _BLOCK,
            _ALIKE,
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.LIPSCHITZ,
            given.DEPTH_GROWS,
            given.BETA_ONE,
        ),
        regime="large depth",
        kind="limit",
        quantity="change of the mean coordinate, over ‖h_0‖/√d",
        predicted=("post_activation_flow", "activation_drift"),
        resolution=Resolution(0.01, "relative"),
    ),
    Theorem(
        id="P2",
        name="post-activation-growth",
        title="growth of post-activation at β < 1",
        statement=(
            "For 0 < β < 1 log(‖h_L‖/‖h_0‖) grows like m L^{1−β}, at every width; beyond it there are "
            "log((1 + cos γ)/2), a term of L^{1−2β} and, at β = 1/2, a normal fluctuation of variance "
            "s²/d."
        ),
        latex=(
            r"\log\frac{\Vert h_L\Vert}{\Vert h_0\Vert} - m\sqrt{L} \to \mathcal{N}\left(\log\frac{1 + "
            r"\cos\gamma}{2} + \frac{s^2}{4}\left(1 - \frac{1}{d}\right) - \frac{m^2}{2} - \frac{s^2}{2d}, "
            r"\frac{s^2}{d}\right)"
        ),
        source="derived",
        proof=(
            "P1's flow turns h towards (1, …, 1), which costs log((1 + cos γ)/2), and then grows by m a "
            "a layer; the next term is a sketch: the spread of the coordinates, and the logarithm's "
            "second order."
        ),
        hypotheses=(
            _BLOCK,
            _ALIKE,
            _RELU,
            given.INDEPENDENT,
            given.GAUSSIAN,
            given.DEPTH_GROWS,
            given.BETA_BELOW_ONE,
        ),
        regime="large depth",
        kind="limit",
        quantity="E log(‖h_L‖/‖h_0‖), over m L^{1−β} or beside it",
        predicted=("post_activation_rate", "post_activation_log_growth", "post_activation_law"),
        resolution=Resolution(0.01, "relative"),
    ),
    Theorem(
        id="P3",
        name="post-activation-gradients",
        title="gradients of post-activation",
        statement=(
            "Each network has ‖p_0‖/‖p_L‖ >= |cos∠(p_L, h_L)| ‖h_L‖/‖h_0‖, whatever its weights: gradients "
            "explode with the hidden states."
        ),
        latex=(
            r"\frac{\Vert p_0\Vert}{\Vert p_L\Vert} \geq \left|\cos\angle(p_L, h_L)\right|\,"
            r"\frac{\Vert h_L\Vert}{\Vert h_0\Vert}"
        ),
        source="derived",
        proof="G5 and the inequality of Cauchy and Schwarz.",
        hypotheses=(_BLOCK, _HOMOGENEOUS),
        regime="inequality",
        kind="inequality",
        quantity="P(‖p_0‖/‖p_L‖ < x ‖h_L‖/‖h_0‖), at most P(|cos∠| < x) of an isotropic read-out",
        predicted=("log_gradient_lower_bound",),
        resolution=Resolution(0.02, "probability"),
    ),
)
