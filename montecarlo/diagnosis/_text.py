"""A diagnosis as plain text for a terminal."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from montecarlo.diagnosis._numbers import number, percent

if TYPE_CHECKING:
    from montecarlo.diagnosis._check import RatioCheck
    from montecarlo.diagnosis._findings import Findings
    from montecarlo.diagnosis._prediction import Prediction
    from montecarlo.estimates import Estimate
    from montecarlo.networks._specification import ResNet

_LABEL = 11
_NEAR = 2.0  # c² or 1/c² up to which a scaling hardly differs from the critical one


def text(diagnosis: Findings, *, width: int = 80) -> str:
    """Return the diagnosis as lines of at most `width` columns, or 40 if that is less."""
    width = max(width, 40)
    blocks = [
        labelled("network", network_words(diagnosis.resnet), width),
        labelled("regime", f"{diagnosis.regime.name}: {diagnosis.regime.words}", width),
        labelled("scaling", scaling_words(diagnosis), width),
        "",
        *table(ratio_rows(diagnosis), width),
        *(line for remark in remarks(diagnosis) for line in textwrap.wrap(remark, width)),
        "",
        *_range_table(diagnosis, width),
        "",
        *textwrap.wrap(check_words(diagnosis), width),
    ]
    return "\n".join(blocks)


def network_words(resnet: ResNet) -> str:
    """Return the specification in words."""
    activation = resnet.activation_function.name
    weights = str(getattr(resnet.weights, "name", resnet.weights))
    beta = f" (β = {resnet.beta:g})" if resnet.beta is not None else ""
    bias = f", biases of deviation {resnet.bias_std:g}" if resnet.bias_std else ""
    return (
        f"{resnet.block} with {activation}, width {resnet.width:,}, depth {resnet.depth:,}, {weights} weights"
        f"{bias}{around_words(resnet)}, α = {resnet.scaling:.4g}{beta}"
    )


def around_words(resnet: ResNet) -> str:
    """Return norm, hidden width, skip factor and schedule in words, each behind a comma."""
    around = "".join(
        f", {name.replace('_', ' ')} {resnet.brief()[name]}"
        for name in ("norm", "hidden_width", "skip")
        if name in resnet.brief()
    )
    if resnet.schedule != "constant":
        around += f", schedule {resnet.schedule if isinstance(resnet.schedule, str) else 'layer by layer'}"
    return around


def scaling_words(diagnosis: Findings) -> str:
    """Return the advice on the scaling."""
    regime = diagnosis.regime
    if regime.advice:
        return regime.advice
    if math.isnan(regime.suggested_alpha):
        return "no advice: no critical scaling is known for these weights"
    if diagnosis.resnet.depth == 1:
        return "no advice: one layer has no scaling in depth"
    power = f"L^-{regime.critical_beta:g}"
    critical = f"α = {regime.suggested_alpha:.4g} (c = 1 in c·{power})"
    if regime.name == "critical":
        if abs(regime.constant - 1.0) < 1e-9:
            return f"keep it: {critical}"
        return f"keep it: a rule c·{power} is critical with any c of order one"
    if regime.at_depth == "critical":
        if regime.sharpness < _NEAR:
            return f"{critical} would be critical, which hardly differs at this depth"
        return f"{critical} would be critical at any depth; at this one the present one is of order one, too"
    factor = number(math.log(regime.suggested_alpha) - math.log(diagnosis.resnet.scaling))
    if "identity at initialisation" in regime.words:
        return f"{critical} would be critical"
    if regime.name == "identity":
        return f"{critical} would be critical, {factor} times the present one"
    return f"take {critical}, {factor} times the present one"


def scaling_as_rule(diagnosis: Findings) -> str:
    """Return α as a number and as a constant times the critical power of L, in a few characters."""
    regime = diagnosis.regime
    alpha = f"α = {diagnosis.resnet.scaling:.3g}"
    if math.isnan(regime.constant) or math.isnan(regime.critical_beta) or regime.advice:
        return alpha
    return f"{alpha} = {regime.constant:.3g}·L^-{regime.critical_beta:g}"


def check_words(diagnosis: Findings) -> str:
    """Return in a sentence what the simulation was and what came of it."""
    check = diagnosis.check
    if not check.replicas:
        return check.note
    found = {
        True: "theory and simulation agree",
        False: "THEORY AND SIMULATION DISAGREE",
        None: "nothing to test",
    }
    lost = f", {check.n_nonfinite} of which left the finite numbers" if check.n_nonfinite else ""
    note = f"; {check.note}" if check.note else ""
    return (
        f"{found[check.agrees]}: {check.replicas:,} networks{lost} ({check.engine} engine, "
        f"seed {check.seed}), "
        f"false alarm {check.false_alarm:g}{note}. In brackets: 99 % intervals."
    )


def ratio_rows(diagnosis: Findings) -> list[tuple[str, ...]]:
    """Return the table of both ratios: head, then two rows a ratio."""
    rows: list[tuple[str, ...]] = [("ratio", "", "median", "95 % of networks", "source or verdict")]
    pairs = (
        (diagnosis.hidden, diagnosis.check.hidden),
        (diagnosis.gradient, diagnosis.check.gradient),
    )
    for prediction, check in pairs:
        rows.append(_theory_row(prediction))
        if check is not None:
            rows.append(("", "simulated", _estimate(check.median), _simulated_range(check), verdict(check)))
    return rows


def verdict(check: RatioCheck) -> str:
    """Return what the simulation says of a prediction."""
    if check.agrees is None:
        return "nothing to test"
    if not check.agrees:
        return check.reason
    if check.sees < math.log(2.0):
        return f"agrees to {100 * math.expm1(check.sees):.2g} %"
    return f"agrees within a factor of {math.exp(check.sees):.2g}" if check.sees < 50 else "agrees"


def range_rows(diagnosis: Findings) -> list[tuple[str, ...]]:
    """Return the table of float formats: head, then a row a format and direction."""
    rows: list[tuple[str, ...]] = [
        ("leaves the range of", "", "overflow", "simulated", "underflow", "simulated")
    ]
    for r in diagnosis.ranges:
        rows.append(
            (
                r.format if r.direction == "forward" else "", r.direction, percent(r.overflow),
                percent(r.simulated_overflow), percent(r.underflow), percent(r.simulated_underflow),
            )
        )  # fmt: skip
    return rows


def range_words(diagnosis: Findings) -> str:
    """Return what the probabilities of the float formats mean."""
    where = "Theory and simulation at the last layer"
    if diagnosis.resnet.processes is None:
        where = "Theory at any layer, simulation at the last one"
    overflow = [r.log_overflow_ratio for r in diagnosis.ranges[:1]]
    example = f" (‖h‖ grows {number(overflow[0])}-fold for {diagnosis.ranges[0].format})" if overflow else ""
    return (
        f"overflow: the largest entry of a state becomes infinite{example}; underflow: typical entries fall "
        f"below the smallest normal number. {where}; ‖p_L‖ = "
        f"{diagnosis.gradient_norm:g}."
    )


def remarks(diagnosis: Findings) -> list[str]:
    """Return in what sense theory applies, once where it is the same for both ratios."""
    hidden, gradient = diagnosis.hidden, diagnosis.gradient
    if hidden.remark == gradient.remark:
        return [f"Theory: {hidden.remark}."]
    return [f"{p.quantity}: {p.remark}." for p in (hidden, gradient)]


def _theory_row(prediction: Prediction) -> tuple[str, ...]:
    low, high = prediction.log_range
    shown = f"{number(low)} … {number(high)}" if prediction.kind != "nothing" else "—"
    source = f"{prediction.kind} ({prediction.source})" if prediction.source else "no theory"
    return prediction.quantity, "theory", number(prediction.log_median), shown, source


def _estimate(estimate: Estimate) -> str:
    return f"{number(estimate.value)} [{number(estimate.lower)}, {number(estimate.upper)}]"


def _simulated_range(check: RatioCheck) -> str:
    return f"{number(check.low.value)} … {number(check.high.value)}"


def _range_table(diagnosis: Findings, width: int) -> list[str]:
    if not diagnosis.ranges:
        return []
    words = textwrap.wrap(range_words(diagnosis), min(width, 80))
    return [*table(range_rows(diagnosis), width), *words]


def table(rows: list[tuple[str, ...]], width: int) -> list[str]:
    """Return a table as lines, whose rows stand below each other where the terminal is narrow."""
    lines = aligned(rows)
    return _listed(rows) if width < 80 and len(lines[1]) > width else lines


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Return a table as lines: the head, a rule as long as the longest of them, the rows."""
    sizes = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(map(str.ljust, row, sizes)).rstrip() for row in rows]
    return [lines[0], "─" * max(map(len, lines)), *lines[1:]]


def _listed(rows: list[tuple[str, ...]]) -> list[str]:
    """Return a table whose rows stand below each other, a cell a line, for a narrow terminal."""
    head, _, *names = rows[0]
    lines = [head]
    name_size = max(map(len, names))
    for first, second, *cells in rows[1:]:
        lines.append(" ".join(filter(None, (first, second))) + ":")
        lines += [f"  {name.ljust(name_size)}  {cell}" for name, cell in zip(names, cells, strict=True)]
    return lines


def labelled(label: str, words: str, width: int) -> str:
    """Return words in lines beside a label."""
    return textwrap.fill(
        words,
        width,
        initial_indent=label.ljust(_LABEL),
        subsequent_indent=" " * _LABEL,
        break_on_hyphens=False,
    )
