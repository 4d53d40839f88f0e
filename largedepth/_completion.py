"""``largedepth completion``: prints the script that completes commands, options and values in a shell."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS = ("bash", "fish", "zsh")
VARIABLE = "_LARGEDEPTH_COMPLETE"


def _theorems() -> Iterable[str]:
    from theory.catalogue import THEOREMS

    return THEOREMS


def _figures() -> Iterable[str]:
    import figures

    return (*figures.FIGURES, *figures.TRAINED)


# What is allowed is said by `montecarlo`, which is too slow to import for help: these are only offered.
_PROCESSES = ("fbm:", "rbf:", "rbf-increments:", "matern:")


def _laws() -> Iterable[str]:
    return ("gaussian", "rademacher", "uniform", "uniform:24", *_PROCESSES)


_NAMES: dict[str, Callable[[], Iterable[str]]] = {
    "activation": lambda: ("gelu", "identity", "leaky-relu", "relu", "sin", "softplus", "tanh"),
    "block": lambda: ("res-1", "res-2", "res-3", "post-activation"),
    "expect": lambda: ("identity", "critical", "polynomial", "exponential"),
    "engine": lambda: ("auto", "correlated", "dense", "gaussian", "radial"),
    "formats": lambda: ("float16", "bfloat16", "float32"),
    "gradients": lambda: ("joint", "none", "dual"),
    "ids": _theorems,
    "laws": _laws,  # of train, which takes several
    "names": _figures,
    "norm": lambda: (
        "none",
        "pre-rms",
        "pre-layer",
        "post-rms",
        "post-layer",
        "peri-rms",
        "peri-layer",
        "pre-tanh:",
    ),
    "schedule": lambda: ("constant", "power:"),
    "shell": lambda: SHELLS,
    "weights": _laws,
    "weights_w": lambda: ("gaussian", *_PROCESSES),
}
_PATHS = {"FILE": "file", "FILE.toml": "file", "F": "file", "DIR": "dir", "DIR...": "dir"}


class _Path(click.ParamType):
    """A file or folder; what reads or writes it checks it."""

    name = "path"

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type=self._kind)]


class _Name(click.ParamType):
    """A text that is one of several names; what uses it checks it."""

    name = "name"

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        self._names = names

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(name) for name in self._names() if name.startswith(incomplete)]


def complete_values(command: click.Command) -> None:
    """Let a shell complete the values of a verb's texts: names, files and folders, told by their metavars."""
    for param in command.params:
        if param.type is not click.STRING:
            continue
        if param.name in _NAMES:
            param.type = _Name(_NAMES[param.name])
        elif param.metavar in _PATHS:
            param.type = _Path(_PATHS[param.metavar])


@click.command(
    epilog='Examples: eval "$(largedepth completion bash)" in ~/.bashrc; largedepth completion fish > '
    "~/.config/fish/completions/largedepth.fish"
)
@click.argument("shell", metavar="bash|fish|zsh")
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell, to be sourced there."""
    kind = get_completion_class(shell) if shell in SHELLS else None
    if kind is None:
        near = difflib.get_close_matches(shell, SHELLS, n=1) or ["bash"]
        raise click.ClickException(
            f"SHELL {shell}: must be one of {', '.join(SHELLS)}; did you mean {near[0]!r}?"
        )
    click.echo(kind(context.find_root().command, {}, "largedepth", VARIABLE).source())
