"""A diagnosis as plain text for a terminal."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from montecarlo._specification import ResNet
    from montecarlo.diagnosis._check import RatioCheck
    from montecarlo.diagnosis._diagnosis import Diagnosis
    from montecarlo.diagnosis._prediction import Prediction
    from montecarlo.estimates import Estimate

_LABEL = 11


def text(diagnosis: Diagnosis, *, width: int = 80) -> str:
    """Return the diagnosis as lines of at most `width` columns, or 40 if that is less."""
    width = max(width, 40)
    blocks = [
        _labelled("network", network_words(diagnosis.resnet), width),
        _labelled("regime", f"{diagnosis.regime.name}: {diagnosis.regime.words}", width),
        _labelled("scaling", scaling_words(diagnosis), width),
        "",
        *_table(ratio_rows(diagnosis), width),
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
        f"{bias}, α = {resnet.scaling:.4g}{beta}"
    )


def scaling_words(diagnosis: Diagnosis) -> str:
    """Return the advice on the scaling."""
    regime = diagnosis.regime
    if math.isnan(regime.suggested_alpha):
        return "no advice: no critical scaling is known for these weights"
    critical = f"α = {regime.suggested_alpha:.4g} (β_c = {regime.critical_beta:g})"
    if regime.name == "critical":
        return f"keep it: {critical} is the critical scaling"
    if regime.sharpness < 2.0:
        return f"{critical} would be critical, which hardly differs at this depth"
    return f"take {critical}, {regime.suggested_alpha / diagnosis.resnet.scaling:.3g} times the present one"


def number(log: float) -> str:
    """Return exp of a natural logarithm to four digits, also outside the range of floats."""
    if math.isnan(log):
        return "—"
    if math.isinf(log):
        return "0" if log < 0 else "∞"
    if -9.0 < log < 9.0:
        return f"{math.exp(log):.4g}"
    exponent = math.floor(log / math.log(10))
    mantissa = f"{math.exp(log - exponent * math.log(10)):.2f}"
    return f"{'1.00' if mantissa == '10.00' else mantissa}e{exponent + (mantissa == '10.00')}"


def percent(probability: float) -> str:
    """Return a probability as a percentage; tiny ones as a bound."""
    if math.isnan(probability):
        return "—"
    if probability < 1e-9:
        return "0 %"
    if probability < 1e-4:
        return "< 0.01 %"
    if 1 - probability < 1e-4:
        return "> 99.99 %" if probability < 1 - 1e-9 else "100 %"
    return f"{100 * probability:.3g} %" if probability < 0.995 else f"{100 * probability:.2f} %"


def check_words(diagnosis: Diagnosis) -> str:
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


def ratio_rows(diagnosis: Diagnosis) -> list[tuple[str, ...]]:
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
    return f"agrees to {100 * math.expm1(check.sees):.2g} %" if check.sees < 50 else "agrees"


def range_rows(diagnosis: Diagnosis) -> list[tuple[str, ...]]:
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


def range_words(diagnosis: Diagnosis) -> str:
    """Return what the probabilities of the float formats mean."""
    where = "at any layer" if diagnosis.resnet.processes is None else "at the last layer"
    overflow = [r.log_overflow_ratio for r in diagnosis.ranges[:1]]
    example = f" (‖h‖ grows {number(overflow[0])}-fold for {diagnosis.ranges[0].format})" if overflow else ""
    return (
        f"overflow: the largest entry of a state becomes infinite{example}; underflow: typical entries fall "
        f"below the smallest normal number. Theory {where}, simulation at the last one; ‖p_L‖ = "
        f"{diagnosis.gradient_norm:g}."
    )


def remarks(diagnosis: Diagnosis) -> list[str]:
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


def _range_table(diagnosis: Diagnosis, width: int) -> list[str]:
    if not diagnosis.ranges:
        return []
    words = textwrap.wrap(range_words(diagnosis), min(width, 80))
    return [*_table(range_rows(diagnosis), width), *words]


def _table(rows: list[tuple[str, ...]], width: int) -> list[str]:
    sizes = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(map(str.ljust, row, sizes)).rstrip() for row in rows]
    if width < 80 and max(map(len, lines)) > width:
        return _listed(rows)
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


def _labelled(label: str, words: str, width: int) -> str:
    return textwrap.fill(
        words,
        width,
        initial_indent=label.ljust(_LABEL),
        subsequent_indent=" " * _LABEL,
        break_on_hyphens=False,
    )
