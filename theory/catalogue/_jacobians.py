r"""J0: Jacobians of any network."""

from __future__ import annotations

from theory.catalogue import _hypotheses as given
from theory.catalogue._theorem import Resolution, Theorem

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
)
