"""``diagnose --preset``: the transformer that options make of a preset, and errors in their words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from montecarlo import InvalidFieldError, Transformer

_OF_TRANSFORMERS = ("width", "depth", "hidden_width", "alpha", "beta", "skip", "norm_eps")
"""Options of networks that mean the same of a transformer."""


def preset_transformer(preset: str, given: dict[str, Any], changes: tuple[str, ...]) -> Transformer:
    """Return the transformer of a preset, and refuse options that are others' words.

    `given` are the options of networks that the command line has, `changes` the FIELD=VALUE of --set.
    """
    from montecarlo import InvalidFieldError, Transformer

    fields = set(Transformer.__dataclass_fields__)
    for name, value in given.items():
        if name not in _OF_TRANSFORMERS:
            fix = f"give --set {name}=VALUE" if name in fields else f"leave {_option(name)} out"
            raise click.UsageError(f"{_option(name)} {value}: must not go with --preset; {fix}")
    said = {name: f"{_option(name)} {value}" for name, value in given.items()}
    given = dict(given)
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise click.UsageError(f"--set {change}: must be FIELD=VALUE; give --set tokens=64, say")
        if name in said:
            rule = f"must not go with {said[name]}, which is the same field"
            raise click.UsageError(f"--set {change}: {rule}; drop one of the two")
        said[name], given[name] = f"--set {change}", _value(text)
    try:
        return Transformer.preset(preset, **given)
    except InvalidFieldError as error:
        if error.field == "preset":
            raise
        raise click.UsageError(_in_options(error, said)) from None


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _value(text: str) -> Any:
    from ast import literal_eval

    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _in_options(error: InvalidFieldError, said: dict[str, str]) -> str:
    """Return the line of an error, with every field as this verb takes it."""
    if error.field == "field":  # no field at all
        subject = said.get(str(error.value), f"--set {error.value}")
        rule = error.rule.replace("must be one of", "must name a field, one of")
        fix = error.fix if error.fix.startswith("did") else "give --set tokens=64, say"
        return f"{subject}: {rule}; {fix}"
    subject = said.get(error.field) or _assigned(error.field, str(error.value))
    words = re.sub(
        r"\b([a-z][a-z_]*)=('[^']*'|\S+?)(?=[,;:)]|\s|$)",
        lambda m: _assigned(m[1], m[2].strip("'")),
        f"{error.rule}; {error.fix}",
    )
    return f"{subject}: {words}"


def _assigned(name: str, value: str) -> str:
    return f"{_option(name)} {value}" if name in _OF_TRANSFORMERS else f"--set {name}={value}"
