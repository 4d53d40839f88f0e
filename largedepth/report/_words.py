"""What a report says in words and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from largedepth.report._data import Check, Figure, Report, Statement, Verdict

SIGNS = {"at most": "≤ ", "at least": "≥ "}
"""What stands before a bound."""
MINUS = "\N{MINUS SIGN}"
_UNITS = {
    "relative": "of the prediction",
    "absolute": "absolute",
    "distribution": "distance between laws",
    "probability": "of a probability",
}
_SHOWN = 6
_ALPHABET = {"beta": "β", "alpha": "α", "bias_std": "bias deviation", "input_scale": "input scale",
             "input_dim": "input dimension", "weights_w": "weights of W"}  # fmt: skip
_ORDER = ("block", "activation", "width", "depth", "beta", "alpha", "weights", "weights_w")


def number(value: float | None, digits: int = 5) -> str:
    """Return a number with a true minus sign, a dash for None.

    Examples
    --------
    >>> number(-0.0634821), number(None), number(1.2e-8), number(1e-6)
    ('−0.063482', '–', '1.2·10⁻⁸', '10⁻⁶')
    """
    if value is None:
        return "–"
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text.replace("-", MINUS)
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    factor = "" if mantissa == "1" else f"{mantissa}·"
    return f"{factor}10{raised}".replace("-", MINUS)


def true_minus(text: str) -> str:
    """Return a text with true minus signs before its numbers.

    Examples
    --------
    >>> true_minus("-0.05 [-0.28, inf] (non-parametric, 1e-6)")
    '−0.05 [−0.28, ∞] (non-parametric, 1e−6)'
    """
    signed = re.sub(r"(?<!\w)-(?=[\d.]|inf)|(?<=\de)-(?=\d)", MINUS, text)
    return re.sub(r"\binf\b", "∞", signed)


def interval(ends: Sequence[float | None]) -> str:
    """Return an interval; an end that is not there is open.

    Examples
    --------
    >>> interval((0.5, 1.25)), interval((None, 1.0))
    ('[0.5, 1.25]', '(−∞, 1]')
    """
    low, high = ends
    if low is not None and high is not None and low > high:
        return "empty"
    left = f"({MINUS}∞" if low is None else f"[{number(low)}"
    right = "∞)" if high is None else f"{number(high)}]"
    return f"{left}, {right}"


def resolution(value: float | None, scale: str) -> str:
    """Return a resolution: per cent of the prediction where it is relative."""
    if value is None:
        return "–"
    return f"{number(100.0 * value, 2)} %" if scale == "relative" else number(value, 2)


def resolution_unit(scale: str) -> str:
    """Return in words what a resolution is measured in."""
    return _UNITS.get(scale, "")


def count(amount: int, noun: str, plural: str | None = None) -> str:
    """Return a number of things.

    Examples
    --------
    >>> count(1, "theorem"), count(1200, "network")
    ('1 theorem', '1,200 networks')
    """
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def listed(names: Iterable[str]) -> str:
    """Return names as one reads them: a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


@dataclass(frozen=True)
class Headline:
    """What was found, in words.

    Parameters
    ----------
    verdict : str
        The gravest: "refuted", "undecided", "consistent", or "not tested".
    text : str
        One line.
    details : tuple of str
        Sentences that follow.
    """

    verdict: str
    text: str
    details: tuple[str, ...]


def headline(report: Report) -> Headline:
    """Return what was found; what is refuted or undecided comes first."""
    refuted, undecided, consistent, untested = (
        report.of(word) for word in ("refuted", "undecided", "consistent", "not tested")
    )
    details = []
    if refuted:
        word, were = "refuted", "was" if len(refuted) == 1 else "were"
        text = f"{count(len(refuted), 'theorem')} {were} refuted: {_ids(refuted)}"
    elif undecided:
        word, were = "undecided", "is" if len(undecided) == 1 else "are"
        text = f"Nothing was refuted, but {count(len(undecided), 'theorem')} {were} undecided"
    elif consistent:
        word = "consistent"
        agree = "agrees" if len(consistent) == 1 else "agree"
        text = f"Nothing was refuted: {count(len(consistent), 'theorem')} {agree} with simulation"
    else:
        word, text = "not tested", "No theorem was tested"
    details += [_refutation(statement) for statement in refuted[:_SHOWN]]
    if undecided:
        details.append(f"Undecided within the time given: {_ids(undecided)}.")
    networks = sum(verdict.networks for verdict in report.verdicts)
    if report.verdicts:
        details.append(
            f"{count(len(report.verdicts), 'experiment')} on {count(networks, 'simulated network')} tested "
            f"{count(len(report.statements) - len(untested), 'theorem')}"
            + (", each to the resolution in the table." if not refuted and not undecided else ".")
        )
    if untested and len(untested) < len(report.statements):
        details.append(f"Not tested in this run: {_ids(untested)}.")
    details += _numbers(report.checks)
    if report.run is not None and report.run.interrupted:
        details.append("The run was stopped before its end: undecided stands for what was left.")
    # A line does not break between a number and its noun.
    return Headline(word, re.sub(r"(\d) (?=theorem)", "\\1\N{NO-BREAK SPACE}", text), tuple(details))


def _ids(statements: Iterable[Statement]) -> str:
    return listed(statement.id for statement in statements)


def _refutation(statement: Statement) -> str:
    """Return the gravest finding against a theorem."""
    gravest = statement.weakest
    assert gravest is not None  # it was refuted
    title = f"{statement.id}, {statement.title}" if statement.title else statement.id
    predicted = f"{SIGNS.get(gravest.claim, '')}{number(gravest.predicted)}"
    measured = f"{number(gravest.estimate)} {interval(gravest.interval)}"
    where = gravest.name or gravest.quantity
    return f"{title}: {predicted} is predicted, and {measured} was measured ({where})."


def _numbers(checks: Sequence[Check]) -> list[str]:
    if not checks:
        return []
    outside, undecided = (sum(check.verdict == word for check in checks) for word in ("outside", "undecided"))
    agree = len(checks) - outside - undecided
    if agree == len(checks):
        return [f"All {count(agree, 'number')} of the figures that are held against theory agree."]
    parts = [f"{outside} outside their interval"] if outside else []
    parts += [f"{agree} agree"]
    parts += [f"{undecided} cannot tell, as a heavy tail leaves their interval open"] if undecided else []
    return [f"Of {count(len(checks), 'number')} in the figures held against theory, {listed(parts)}."]


def checks_line(figure: Figure) -> str:
    """Return in words how the numbers of a figure compare."""
    if not figure.checks:
        return "no numbers"
    found = [(figure.count(word), word) for word in ("outside", "undecided", "agrees")]
    said = ", ".join(f"{amount} {'agree' if word == 'agrees' else word}" for amount, word in found if amount)
    return f"{count(len(figure.checks), 'number')} beside theory: {said}"


def networks_line(figure: Figure) -> str:
    """Return the number of a figure's networks, and that of its other setting."""
    if not figure.networks:
        return "none: computed, not simulated"
    if figure.networks == figure.networks_of_other_setting:
        return f"{figure.networks:,}, in the quick setting and in the paper's"
    other = {"quick": "paper", "paper": "quick"}[figure.setting]
    own = f"{figure.networks:,} in the {figure.setting} setting"
    return f"{own}, {figure.networks_of_other_setting:,} in the {other} one"


def engines_line(samples: Sequence[Mapping[str, Any]]) -> str:
    """Return the engines of samples, each once."""
    return "; ".join(dict.fromkeys(str(s["engine"]) for s in samples if s.get("engine"))) or "none"


def specification_line(specifications: Sequence[Mapping[str, Any]]) -> str:
    """Return what several specifications have in common and how they differ, in one line.

    Examples
    --------
    >>> specification_line([{"width": 40, "depth": depth, "beta": 0.5} for depth in (10, 100)])
    'res-3, width 40, depth 10, 100, β 0.5'
    """
    values: dict[str, dict[str, Any]] = {"block": {}}
    for specification in specifications:
        values["block"].setdefault(str(specification.get("block", "res-3")))
        for name, value in specification.items():
            if name != "block":
                for item in value if isinstance(value, list) else [value]:
                    values.setdefault(name, {}).setdefault(_value(item), item)
    names = sorted(values, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    return ", ".join(_field(name, values[name]) for name in names if values[name])


def _value(item: Any) -> str:
    if isinstance(item, float):
        return f"{item:.6g}".replace("-", MINUS)
    return str(item) if not isinstance(item, Mapping) else str(item.get("name", item))


def _field(name: str, found: Mapping[str, Any]) -> str:
    if all(isinstance(item, (int, float)) for item in found.values()):
        texts = [_value(item) for item in sorted(found.values())]
    else:
        texts = list(found)
    families = {text.partition(":")[0] for text in texts if not _is_number(text)}
    if len(texts) > _SHOWN and len(families) <= 1:
        texts = [f"{texts[0]} to {texts[-1]} ({len(texts)} values)"]
    label = "" if name in ("block", "activation") else _ALPHABET.get(name, name) + " "
    return label + ", ".join(texts)


def _is_number(text: str) -> bool:
    return text.lstrip(MINUS)[:1].isdigit()


def sort_value(verdict: Verdict | None, field: str) -> str:
    """Return what a column is sorted by; empty comes last."""
    value = None if verdict is None else getattr(verdict, field)
    return "" if value is None else repr(value)
