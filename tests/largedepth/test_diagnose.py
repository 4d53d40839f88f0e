"""``largedepth diagnose`` and what makes a shell comfortable: completion, colours, examples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from command import Done, command

from largedepth._cli import cli
from largedepth._completion import SHELLS
from montecarlo import ResNet
from montecarlo.diagnosis import diagnose
from montecarlo.diagnosis._text import number, text
from montecarlo.laws import LAWS
from montecarlo.networks._activations import BUILT_IN
from montecarlo.processes import PROCESSES

NETWORK = ("--width", "32", "--depth", "10", "--beta", "0.5")


def run(*arguments: object, **environment: str) -> Done:
    return command(*arguments, **{"COLUMNS": "100", **environment})


def test_the_verb_says_what_python_says(tmp_path: Path) -> None:
    target, picture = tmp_path / "d.json", tmp_path / "d.png"
    options = ("--seed", "7", "--seconds", "0.1", "--json", str(target), "--plot", str(picture))
    done = run("diagnose", *NETWORK, *options)
    assert done.returncode == 0, done.stderr
    found = diagnose(ResNet(width=32, depth=10, beta=0.5), seed=7, seconds=0.1)
    assert done.stdout == text(found, width=100) + "\n"
    assert json.loads(target.read_text()) == json.loads(json.dumps(found.record()))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "\x1b" not in done.stdout


def test_words_fit_the_terminal_and_files_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = diagnose(ResNet(width=32, depth=10, beta=0.5), seed=7, seconds=0)
    for width in (40, 60, 80):
        lines = text(found, width=width).splitlines()
        assert max(map(len, lines)) <= width or width == 80, max(lines, key=len)
    rows = [line.split() for line in text(found, width=40).splitlines()]
    assert ["median", number(found.hidden.log_median)] in rows

    def fail(*arguments: object, **options: object) -> str:
        raise OSError("the terminal burns")

    monkeypatch.setattr("montecarlo.diagnosis._text.text", fail)
    target, picture = tmp_path / "d.json", tmp_path / "d.pdf"
    files = ("--json", str(target), "--plot", str(picture))
    with pytest.raises(OSError, match="burns"):
        cli.main(["diagnose", *NETWORK, "--seconds", "0", *files], standalone_mode=False)
    assert target.stat().st_size
    assert picture.stat().st_size
    assert b"CreationDate" not in picture.read_bytes()


def test_formats_are_chosen() -> None:
    done = run("diagnose", *NETWORK, "--seconds", "0", "--format", "float16")
    assert done.returncode == 0
    assert "float16" in done.stdout
    assert "bfloat16" not in done.stdout
    assert "not simulated" in done.stdout


def test_a_refuted_prediction_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from montecarlo.diagnosis import _diagnose

    def wrong(resnet: ResNet):
        return _predict(ResNet(width=resnet.width, depth=resnet.depth, alpha=1.2 * resnet.scaling))

    _predict = _diagnose.predict
    monkeypatch.setattr(_diagnose, "predict", wrong)
    done = CliRunner().invoke(cli, ["diagnose", *NETWORK], standalone_mode=False)
    assert done.return_value == 1
    assert "DISAGREE" in done.output
    assert "refuted: the median" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "float61"), ("--format float61", "did you mean 'float16'")),
        (("--plot", "d.jpg"), ("--plot d.jpg", ".png")),
        (("--json", "no/such/d.json"), ("--json no/such/d.json", "existing folder")),
        (("--seconds", "-1"), ("--seconds -1", "at least 0")),
        (("--seconds", "x"), ("--seconds x", "a number")),
        (("--false-alarm", "0"), ("--false-alarm 0", "above 0")),
        (("--gradient-norm", "0"), ("--gradient-norm 0", "above 0")),
        (("--weights", "unifrom"), ("--weights unifrom", "'uniform'")),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    done = run("diagnose", *NETWORK, *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_scripts(shell: str) -> None:
    done = run("completion", shell)
    assert done.returncode == 0, done.stderr
    assert "_LARGEDEPTH_COMPLETE" in done.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)


def test_an_unknown_shell_is_refused() -> None:
    done = run("completion", "bsh")
    assert done.returncode == 2
    assert "did you mean 'bash'" in done.stderr


def complete(*words: str) -> list[str]:
    shell = ShellComplete(cli, {}, "largedepth", "_LARGEDEPTH_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


def test_a_shell_gets_completions() -> None:
    words = {"_LARGEDEPTH_COMPLETE": "bash_complete", "COMP_WORDS": "largedepth diag", "COMP_CWORD": "1"}
    line = [sys.executable, "-m", "largedepth"]
    done = subprocess.run(line, env=os.environ | words, capture_output=True, text=True, check=False)
    assert done.stdout == "plain,diagnose\n"


def test_words_are_completed() -> None:
    assert complete("diag") == ["diagnose"]
    assert complete("diagnose", "--weights", "uni") == ["uniform", "uniform:24"]
    assert complete("diagnose", "--activation", "t") == ["tanh"]
    assert "I10b" in complete("verify", "I10")
    assert complete("train", "--weights", "uni") == ["uniform", "uniform:24"]
    assert "small-width" in complete("figures", "small")
    assert complete("figures", "9") == ["9"]
    assert complete("completion", "z") == ["zsh"]


def test_completed_names_are_those_there_are() -> None:
    options = {p.name: p for p in cli.commands["diagnose"].params}
    context = click.Context(cli)

    def names(option: str) -> set[str]:
        return {item.value for item in options[option].type.shell_complete(context, options[option], "")}

    assert names("activation") == set(BUILT_IN)
    assert names("weights") == {*LAWS, *(f"{p.split(':', 1)[0]}:" for p in PROCESSES)}


def test_every_verb_has_an_example() -> None:
    for verb, each in cli.commands.items():
        assert f"largedepth {verb}" in (each.epilog or ""), verb
        assert f"largedepth {verb}" in (cli.epilog or "") or verb in (
            "combine",
            "report",
            "sweep",
            "theorems",
            "train",
        )


def on_terminal(**environment: str) -> str:
    """Return what a terminal would get."""
    import pty

    master, slave = pty.openpty()
    command = [sys.executable, "-m", "largedepth", "diagnose", *NETWORK, "--seconds", "0"]
    env = (
        {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        | {"TERM": "xterm"}
        | environment
    )
    process = subprocess.Popen(command, stdout=slave, stderr=subprocess.DEVNULL, env=env)
    os.close(slave)
    parts = []
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
    process.wait()
    os.close(master)
    return b"".join(parts).decode()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_colours_are_for_terminals_that_want_them() -> None:
    assert "\x1b[" in on_terminal()
    assert "\x1b[" not in on_terminal(NO_COLOR="1")
    assert "\x1b[" not in on_terminal(TERM="dumb")
