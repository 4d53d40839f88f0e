"""Options that several verbs share; their errors name the option, the value, the rule and the fix."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import click


def quoted(text: str) -> str:
    """Return a word of a command as a shell takes it; as it is where it has no blanks.

    Examples
    --------
    >>> quoted("results"), quoted("my results")
    ('results', "'my results'")
    """
    return shlex.quote(text) if any(map(str.isspace, text)) else text


class _Number(click.ParamType):
    """A number; its range is checked where its meaning is known, in `montecarlo`."""

    def __init__(self, kind: Callable[[str], Any], name: str, example: str) -> None:
        self._kind = kind
        self.name = name
        self._example = example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._kind(value)
        except ValueError:
            option = param.opts[0] if param is not None else "value"
            given = value or "''"
            raise click.ClickException(
                f"{option} {given}: must be {self.name}; give {option} {self._example}, say"
            ) from None


def whole(example: str) -> click.ParamType:
    """Return the type of an option that takes a whole number."""
    return _Number(int, "a whole number", example)


def real(example: str) -> click.ParamType:
    """Return the type of an option that takes a real number."""
    return _Number(float, "a number", example)


def apply_options(*options: Callable[..., Any]) -> Callable[..., Any]:
    """Return one decorator that adds several options, in the order given."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def take(options: dict[str, Any], *names: str) -> dict[str, Any]:
    """Take what belongs together out of a verb's options."""
    return {name: options.pop(name) for name in names}


network_options = apply_options(
    click.option(
        "--block", default="res-3", show_default=True, metavar="NAME",
        help="Residual block: res-1, res-2, res-3, post-activation (h + alpha σ(V h)), balanced or vanilla.",
    ),
    click.option(
        "--activation", default="relu", show_default=True, metavar="NAME",
        help="relu, tanh, gelu, identity, leaky-relu, softplus, sin; others in Python; res-3 is relu's.",
    ),
    click.option(
        "--bias-std", type=real("0.1"), default=0.0, show_default=True, metavar="S",
        help="Standard deviation of the biases of res-2.",
    ),
    click.option("--width", type=whole("40"), required=True, metavar="D", help="Width d."),
    click.option("--depth", type=whole("1000"), required=True, metavar="L", help="Depth L."),
    click.option("--beta", type=real("0.5"), metavar="B", help="Scaling exponent: alpha = L^-B."),
    click.option(
        "--alpha", type=real("0.1"), metavar="A",
        help="Scaling itself, the factor in front of every residual branch: h + alpha V g(h); either --beta "
        "or --alpha.",
    ),
    click.option(
        "--weights", default="gaussian", show_default=True, metavar="LAW",
        help="Independent layers: gaussian, uniform, uniform:24 (2^24 levels), rademacher. A process along "
        "depth: fbm:H, rbf:VARIANCE, rbf-increments:VARIANCE, matern:NU:SCALE.",
    ),
    click.option(
        "--weights-w", metavar="LAW",
        help="Law of W where it is not that of V: a process, or gaussian where V is one.",
    ),
    click.option(
        "--input-dim", type=whole("64"), default=64, show_default=True, metavar="N",
        help="Dimension of the input.",
    ),
    click.option(
        "--input-scale", type=real("1"), default=1.0, show_default=True, metavar="S",
        help="The input is uniform on [0, S]^N.",
    ),
    click.option(
        "--norm", default="none", show_default=True, metavar="NAME",
        help="Where a normalisation of gain 1 stands: pre-rms, pre-layer (the branch's input), post-rms, "
        "post-layer (the stream after each addition), peri-rms, peri-layer (the branch's input and its "
        "output) or pre-tanh:GAMMA.",
    ),
    click.option(
        "--norm-eps", type=real("1e-5"), default=0.0, show_default=True, metavar="E",
        help="What a norm adds to the mean square, inside the root.",
    ),
    click.option(
        "--hidden-width", type=whole("160"), metavar="M",
        help="Units inside a branch with a matrix W; default: the width. Entries of √d W and √M V have unit "
        "variance.",
    ),
    click.option(
        "--skip", type=real("0.9"), default=1.0, show_default=True, metavar="B",
        help="Factor of the stream: B h + alpha V g(h).",
    ),
    click.option(
        "--schedule", default="constant", show_default=True, metavar="NAME",
        help="How the scaling changes along the layers k = 0, ..., L-1: constant, or power:P for "
        "alpha (k+1)^-P.",
    ),
)  # fmt: skip

threads_option = click.option(
    "--threads",
    type=whole("2"),
    metavar="N",
    help="Threads; default: all processors. Never changes a result.",
)

executor_options = apply_options(
    threads_option,
    click.option(
        "--processes",
        type=whole("4"),
        metavar="N",
        help="Worker processes instead of threads. Never changes a result.",
    ),
    click.option(
        "--dask",
        metavar="ADDRESS",
        help="Workers of a Dask cluster instead: its scheduler's address, or local:N for N processes here "
        "(needs the extra cluster). Never changes a result.",
    ),
)
"""At most one of three; a verb gives them to `montecarlo.executors.executor_from`, by name."""

seed_help = (
    "The same seed gives the same rows, on any number of threads, for the same version of the streams."
)
