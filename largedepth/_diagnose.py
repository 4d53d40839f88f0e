"""``largedepth diagnose``: what the initialisation of one network does, for practitioners."""

from __future__ import annotations

from typing import Any

import click

from largedepth._diagnose_model import given_fields, measured_network, need_shape
from largedepth._diagnose_preset import preset_transformer
from largedepth._options import network_options, real, threads_option, whole
from largedepth._targets import check_targets, json_text, write_text


@click.command(
    epilog="Example: largedepth diagnose --width 1024 --depth 48 --alpha 1 --weights uniform --plot d.png"
)
@network_options
@click.option(
    "--preset",
    metavar="NAME",
    help="A random transformer instead: gpt2, llama, bert, vit, t5, pre-ln, post-ln, deepnet or mup. "
    "--width, --depth, --hidden-width, --alpha, --beta and --skip replace its own; --set any other field.",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="FIELD=VALUE",
    help="A field of montecarlo.Transformer beside --preset: tokens=64, output_std=0.005. May be repeated.",
)
@click.option(
    "--seconds",
    type=real("1"),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Rough time of the simulation on one core, which says how many networks; 0 for none.",
)
@click.option(
    "--seed",
    type=whole("7"),
    default=0,
    show_default=True,
    metavar="N",
    help="Seed of the simulation: the same one gives the same diagnosis.",
)
@click.option(
    "--false-alarm",
    type=real("1e-6"),
    default=1e-6,
    show_default=True,
    metavar="P",
    help="Probability, at most, that the simulation refutes a right prediction.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME",
    help="float16, bfloat16 or float32; may be repeated; default: all three.",
)
@click.option(
    "--gradient-norm",
    type=real("1"),
    default=1.0,
    show_default=True,
    metavar="G",
    help="Norm of the loss's gradient in the last hidden state, for the range of floats.",
)
@threads_option
@click.option(
    "--model",
    metavar="MODULE:FACTORY",
    help="Read width, depth and scaling from a real model's parameters instead: FACTORY() or FACTORY(depth, "
    "seed) returns it, or a pair of it and its inputs.",
)
@click.option("--json", metavar="FILE", help="Write the diagnosis as JSON.")
@click.option("--plot", metavar="FILE", help="Draw laws and growth along depth: .png or .pdf.")
@click.pass_context
def diagnose(
    context: click.Context,
    json: str | None,
    plot: str | None,
    formats: tuple[str, ...],
    model: str | None,
    preset: str | None,
    changes: tuple[str, ...],
    **options: Any,
) -> int:
    """Say what the initialisation of a network does to its norms, gradients and floats.

    The constant c of alpha = c L^-b beside the critical exponent b, and the regime: at this depth where
    --alpha is given, as depth grows where --beta is. The median and the 95 % range of |h_L|/|h_0| and
    |p_0|/|p_L| (and which statement gives them), the chance of leaving float16, bfloat16 or float32, and the
    critical scaling; a short simulation stands beside it. Exit code 1 if the simulation refutes a prediction.
    """  # fmt: skip
    import shutil

    from montecarlo import ResNet
    from montecarlo.diagnosis import FORMATS
    from montecarlo.diagnosis import diagnose as run
    from montecarlo.diagnosis._text import text

    own = {name: options.pop(name) for name in ("seconds", "seed", "false_alarm", "gradient_norm", "threads")}
    _check_together(model, preset, changes, plot)
    lines: list[str] = []
    resnet = None
    if model is not None:
        fields = given_fields(context, options)
        resnet, lines = measured_network(model, options["depth"], own["seed"], fields)
    elif preset is None:
        need_shape(context, options)
        resnet = ResNet(**options)
    check_targets({"json": json, "plot": plot}, {"json": "diagnosis.json", "plot": "diagnosis.png"})
    from largedepth._progress import announced_compilation

    found: Any
    with announced_compilation(lambda words: click.echo(f"diagnose: {words}", err=True)):
        if resnet is not None:
            found = run(resnet, formats=formats or tuple(FORMATS), **own)
        else:
            from montecarlo.diagnosis import diagnose_tokens
            from montecarlo.diagnosis.tokens._text import text

            transformer = preset_transformer(str(preset), given_fields(context, options), changes)
            found = diagnose_tokens(transformer, formats=formats or tuple(FORMATS), **own)
    if json is not None:
        write_text(json, json_text(found.record()))
    if plot is not None:
        from figures import draw_diagnosis

        draw_diagnosis(found, plot)
    for line in lines:
        click.echo(line)
    # Last: nothing that happens to standard output can lose the files.
    click.echo(_coloured(text(found, width=min(100, shutil.get_terminal_size((100, 24)).columns))))
    return 1 if found.agrees is False else 0


def _check_together(
    model: str | None, preset: str | None, changes: tuple[str, ...], plot: str | None
) -> None:
    """Refuse options that do not go together."""
    if model is not None and preset is not None:
        raise click.UsageError("--model: must not go with --preset; give one of the two")
    if changes and preset is None:
        raise click.UsageError("--set: must go with --preset; give --preset gpt2, say")
    if plot is not None and preset is not None:
        raise click.UsageError("--plot: must not go with --preset; give figures transformers instead")


for _parameter in diagnose.params:
    if _parameter.name in ("width", "depth"):
        _parameter.required = (
            False  # models and presets have their own; else they are asked for when the verb runs
        )


def _coloured(text: str) -> str:
    """Return the text with the verdicts in colour, which `click.echo` takes off where nobody sees it."""
    marks = {
        "theory and simulation agree": "green", "THEORY AND SIMULATION DISAGREE": "red", "explosion:": "red",
        "critical:": "green", "identity:": "yellow",
        "polynomial:": "green",
        "contraction:": "yellow",
        "collapse:": "red",
    }  # fmt: skip
    for words, colour in marks.items():
        text = text.replace(words, click.style(words, fg=colour, bold=True), 1)
    return text
