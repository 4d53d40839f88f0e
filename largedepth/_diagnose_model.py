"""``diagnose --model``: the specification of a real model, read from its parameters, and what it does to a
batch.
"""

from __future__ import annotations

import functools
import inspect
import math
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from montecarlo import ResNet


def measured_network(
    name: str, depth: int | None, seed: int, fields: dict[str, Any]
) -> tuple[ResNet, list[str]]:
    """Return the `ResNet` that a model amounts to, and lines on what was read and recorded.

    The factory takes (depth, seed), as that of `depth-check` does, or nothing; `fields` are those of `ResNet`
    that the command line gives, beside and instead of what is measured.
    """
    from montecarlo import InvalidFieldError
    from montecarlo.diagnosis import measure_branches
    from montecarlo.diagnosis.branches._words import LOOKS
    from montecarlo.practice import find_object, record
    from montecarlo.practice._factory import build
    from montecarlo.practice._frameworks import is_torch_module

    factory = find_object(name, "model")
    if not callable(factory):
        raise InvalidFieldError(
            "model", name, "must name a function that returns a model", "give MODULE:FACTORY"
        )
    takes_depth = _arguments(factory) >= 2
    if takes_depth and depth is None:
        raise InvalidFieldError(
            "depth", None, "must be given, as the factory takes it", "give --depth 12, say"
        )

    @functools.wraps(factory)
    def made(depth: int, seed: int) -> Any:
        return factory(depth, seed) if takes_depth else factory()

    lines = []
    try:
        model, inputs = build(made, depth or 0, seed, None)
    except InvalidFieldError:  # a module without inputs: its parameters can be read
        model, inputs = made(depth or 0, seed), None
    if not is_torch_module(model):
        inputs = None
    try:
        branches = measure_branches(model)
    except InvalidFieldError as error:
        if "pattern=" not in error.fix:
            raise
        raise InvalidFieldError(
            error.field, error.value, error.rule,
            "let the factory return a dictionary of the branches' matrices alone, arrays by name, or call "
            "measure_branches in Python, which takes a pattern of names",
        ) from None  # fmt: skip
    lines.append(
        f"read from {name}: {branches.depth} branches of {', '.join(branches.names)}, width "
        f"{branches.width}, {branches.hidden_width} units, α = {branches.alpha:.4g}"
    )
    given = {key: value for key, value in fields.items() if key not in ("width", "depth")}
    net = branches.resnet(**given)
    if inputs is not None:
        from montecarlo.diagnosis._numbers import number

        stream = record(model, *inputs, seed=seed, parameters=False)
        grown = number(float(stream.log_hidden[-1] - stream.log_hidden[0]))
        back = number(float(stream.log_gradient[0] - stream.log_gradient[-1]))
        start = math.exp(float(stream.log_hidden[0]))
        lines.append(
            f"recorded on its inputs: the stream starts at {start:.4g} a coordinate and grows {grown}-fold, "
            f"the gradient {back}-fold"
        )
        homogeneous = net.norm == "none" and net.activation_function.negative_slope is not None
        if "input_scale" not in given and start > 0.0 and not (homogeneous and net.bias_std == 0.0):
            # The root mean square of h_0 = A x is that of x, uniform on [0, input_scale].
            net = branches.resnet(**given, input_scale=math.sqrt(3.0) * start)
    told = given.get("norm", "none") != "none"
    lines += [f"warning: {words}" for words in branches.warnings if not (told and LOOKS in words)]
    return net, lines


def _arguments(factory: Any) -> int:
    try:
        return len(inspect.signature(factory).parameters)
    except (TypeError, ValueError):  # what is written in C tells none
        return 0


def given_fields(context: click.Context, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the command line gives, and no defaults."""
    typed = click.core.ParameterSource.COMMANDLINE
    return {name: value for name, value in options.items() if context.get_parameter_source(name) == typed}


def need_shape(context: click.Context, options: dict[str, Any]) -> None:
    """Raise where neither a model nor width and depth are given."""
    for param in context.command.params:
        if param.name in ("width", "depth") and options[param.name] is None:
            raise click.MissingParameter(ctx=context, param=param)
