"""A diagnosis of a transformer as plain text for a terminal."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from montecarlo.diagnosis._numbers import number
from montecarlo.diagnosis._text import labelled, table

if TYPE_CHECKING:
    from montecarlo.diagnosis.tokens._findings import TokenFindings, TokenRow

_WORDS = {
    "identity": "branches add little to what tokens start with: the network is close to the identity.",
    "critical": "branches add about as much as tokens start with.",
    "polynomial": "branches add far more than tokens start with; behind these norms size, collapse and "
    "gradients grow with powers of depth.",
    "collapse": "branches outweigh what tokens start with: without a norm before the branches differences "
    "between tokens vanish exponentially in depth, or norms explode.",
}  # fmt: skip


def text(diagnosis: TokenFindings, *, width: int = 80) -> str:
    """Return the diagnosis as lines of at most `width` columns, or 40 if that is less."""
    width = max(width, 40)
    blocks = [
        labelled("network", network_words(diagnosis), width),
        labelled("regime", _regime_words(diagnosis), width),
        labelled("residual", residual_words(diagnosis), width),
    ]
    if diagnosis.rows:
        blocks += ["", *table(_rows(diagnosis), width)]
    if not diagnosis.no_theory:
        blocks += [
            *textwrap.wrap(
                "Theory: wide networks, layer by layer (T4b). Gradients grow as tangents of all tokens do "
                "(J0); entropy is over that of equal weights.",
                width,
            ),
            "",
            *table(_ranges(diagnosis), width),
            *textwrap.wrap(
                "The largest entry and the smallest root mean square at any layer, over the format's largest "
                "number and smallest normal one, by theory.",
                width,
            ),
        ]
    blocks += ["", *textwrap.wrap(check_words(diagnosis), width)]
    return "\n".join(blocks)


def _regime_words(diagnosis: TokenFindings) -> str:
    regime = diagnosis.regime
    if diagnosis.no_theory:
        return f"{regime.name}: the wide recursion (T4b) does not reach this network: {diagnosis.no_theory}."
    net = diagnosis.transformer
    before = ", before its norms" if net.placement == "post" and net.norm != "none" else ""
    return (
        f"{regime.name}: {_WORDS[regime.name]} Branches multiply the stream's mean square by "
        f"{number(regime.clock)} in all{before}."
    )


def network_words(diagnosis: TokenFindings) -> str:
    """Return the specification in words."""
    net = diagnosis.transformer
    norm = "no norm" if net.norm == "none" else f"{net.placement}-{net.norm} norm"
    gate = "gated " if net.gated else ""
    mlp = f"{gate}{net.activation} MLP of {net.units:,} units" if net.units else "no MLP"
    return (
        f"width {net.width:,}, depth {net.depth:,}, {net.heads} heads, {net.tokens:,} tokens, {norm}, "
        f"{net.attention} attention, {mlp}"
    )


def residual_words(diagnosis: TokenFindings) -> str:
    """Return the advice on the projections that end the branches."""
    net, regime = diagnosis.transformer, diagnosis.regime
    if diagnosis.no_theory:
        return "no advice without theory"
    if math.isnan(regime.factor):
        return "no advice: no factor that theory reaches makes branches add what tokens start with"
    root = math.sqrt(2.0 * net.depth)
    if net.placement == "peri" and net.norm != "none":
        return (
            f"α = {regime.factor * float(net.alphas[0]):.3g} would make branches add what tokens start with"
        )
    known = {"output_std": regime.output_std, "down_std": regime.down_std}
    parts = [
        f"{name} = {value:.3g} (= {value * root:.3g}/√(2L))"
        for name, value in known.items()
        if not math.isnan(value)
    ]
    deviations = " and ".join(parts)
    if regime.name == "critical":
        return (
            f"keep it; with {deviations}, {regime.factor:.3g} times the present ones, branches would "
            "multiply the stream's mean square by e, at every depth"
        )
    verb = "would be critical" if regime.name == "identity" else "keep all of order one"
    start = "" if regime.name == "identity" else "take "
    return f"{start}{deviations}, {regime.factor:.3g} times the present ones: they {verb}, at every depth"


def _rows(diagnosis: TokenFindings) -> list[tuple[str, ...]]:
    L = diagnosis.transformer.depth
    rows: list[tuple[str, ...]] = [("at the last layer", "layer 0", f"theory, {L:,}", "simulated", "verdict")]
    for row in diagnosis.rows:
        verdict = {None: "", True: "agrees", False: "DISAGREES"}[row.agrees]
        if row.agrees and row.log and row.simulated is not None and row.simulated.upper + 0.1 < row.predicted:
            verdict = "agrees: theory is the mean square, typical networks lie lower"
        rows.append(
            (row.quantity, _shown(row, row.start), _shown(row, row.predicted), _estimate(row), verdict)
        )
    return rows


def _shown(row: TokenRow, value: float) -> str:
    if math.isnan(value):
        return "—"
    return number(value) if row.log else f"{value:.3f}"


def _estimate(row: TokenRow) -> str:
    found = row.simulated
    if found is None:
        return "—"
    return f"{_shown(row, found.value)} [{_shown(row, found.lower)}, {_shown(row, found.upper)}]"


def _ranges(diagnosis: TokenFindings) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("range of", "", "largest", "smallest", "")]
    for r in diagnosis.ranges:
        verdict = (
            "overflows" if r.log_largest > 0 else "loses digits" if r.log_smallest < 0 else "stays inside"
        )
        name = r.format if r.direction == "forward" else ""
        rows.append((name, r.direction, number(r.log_largest), number(r.log_smallest), verdict))
    return rows


def check_words(diagnosis: TokenFindings) -> str:
    """Return in a sentence what the simulation was and what came of it."""
    if not diagnosis.asked:
        return "not simulated: no seconds were given"
    if not diagnosis.replicas:
        return "not simulated: one network takes longer than the seconds given allow"
    if diagnosis.no_theory:
        return (
            f"simulated without theory: {_networks_words(diagnosis)} (seed {diagnosis.seed}). In "
            "brackets: 99 % intervals."
        )
    found = "theory and simulation agree" if diagnosis.agrees else "THEORY AND SIMULATION DISAGREE"
    return (
        f"{found}: {_networks_words(diagnosis)} (seed {diagnosis.seed}), false alarm "
        f"{diagnosis.false_alarm:g}; theory may be off by 0.02 + 3.5/width, and above logs by their "
        "variance. In brackets: 99 % intervals."
    )


def _networks_words(diagnosis: TokenFindings) -> str:
    """Return how many networks the means are of, and how many were left out."""
    n, lost = diagnosis.replicas, diagnosis.n_left_out
    return f"{n - lost:,} of {n:,} networks, {lost:,} left out as NaN" if lost else f"{n:,} networks"
