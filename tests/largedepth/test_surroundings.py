"""The command line whatever is around it: encodings, readers that leave, signals, folders, terminals."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from command import command

from figures import FIGURES, TRAINED
from largedepth.__main__ import _as_options
from largedepth._cli import cli
from largedepth._signals import ENDING, interrupt_on_signals
from largedepth._streams import guard_streams
from largedepth._sweep import _say_result

STATEMENT = "‖h_L‖²/‖h_0‖² = (1 + α²/2)^L"


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a function that puts a pipe in the place of a standard stream, and returns its reader."""
    files: list[Any] = []

    def put(name: str, encoding: str = "utf-8", buffered: bool = True) -> io.BufferedReader:
        read, write = os.pipe()
        raw = io.FileIO(write, "w")
        buffer = io.BufferedWriter(raw) if buffered else raw
        stream = io.TextIOWrapper(buffer, encoding, "strict", write_through=not buffered)  # type: ignore[arg-type]
        monkeypatch.setattr(sys, name, stream)
        files[:] = [stream, open(read, "rb")]  # noqa: SIM115
        return files[1]

    yield put
    monkeypatch.undo()
    for file in files:
        file.close()


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii", "utf-8"])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_what_a_stream_cannot_show_is_replaced(name: str, encoding: str, pipe: Any) -> None:
    reader = pipe(name, encoding)
    guard_streams()
    stream = getattr(sys, name)
    stream.write(STATEMENT + "\udcff")  # the last one from a file name that is not UTF-8
    stream.close()
    shown = reader.read1(1000).decode(encoding)
    assert "h_L" in shown
    assert ("?" if name == "stdout" else "\\") in shown
    assert (STATEMENT in shown) == (encoding == "utf-8")


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_reader_that_leaves_is_no_error(name: str, buffered: bool, pipe: Any) -> None:
    reader = pipe(name, buffered=buffered)
    guard_streams()
    reader.close()
    for _ in range(3):
        print("x" * 100_000, file=getattr(sys, name), flush=True)
    getattr(sys, name).close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="not Linux")
def test_a_full_disk_loses_messages_and_never_results(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w", encoding="utf-8") as out, open("/dev/full", "w", encoding="utf-8") as err:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        guard_streams()
        print("a message", file=sys.stderr, flush=True)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            print("a result", flush=True)
        monkeypatch.undo()


def test_a_stream_that_is_closed_from_the_start_takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    guard_streams()
    for stream in (sys.stdout, sys.stderr):
        print(STATEMENT, file=stream, flush=True)
        stream.close()


def test_a_run_without_a_reader_among_folders_of_our_names(tmp_path: Path) -> None:
    # `python -m` puts the working directory first; git checkouts and theses have such folders.
    for package in ("figures", "montecarlo", "theory"):
        (tmp_path / package).mkdir()
    (tmp_path / "theory" / "__init__.py").write_text("raise SystemExit('not ours')")
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "largedepth", "theorems"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    command_of_json = [*command, "I2", "--json"]
    done = subprocess.run(command_of_json, capture_output=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    # JSON has a way of its own to write what the encoding lacks.
    assert "‖h_L‖/‖h_0‖" in json.loads(done.stdout.decode("cp1252"))[0]["statement"]
    if Path("/dev/full").exists():
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert os.strerror(errno.ENOSPC).encode() in done.stderr


@pytest.fixture
def dispositions() -> Iterator[None]:
    numbers = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, signal.SIG_DFL)  # a suite under nohup ignores some
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("dispositions")
@pytest.mark.parametrize("name", [name for name in ENDING if hasattr(signal, name)])
def test_signals_that_end_a_process_are_interrupts(name: str) -> None:
    interrupt_on_signals()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(getattr(signal, name))
    # What follows at once belongs to it, and must not interrupt the keeping of rows.
    signal.raise_signal(getattr(signal, name))
    signal.raise_signal(signal.SIGTERM)


@pytest.mark.usefixtures("dispositions")
def test_what_was_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    interrupt_on_signals()
    signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("verb", [None, *cli.commands])
def test_help_fits_a_narrow_terminal(verb: str | None) -> None:
    command = cli if verb is None else cli.commands[verb]
    lines = command.get_help(click.Context(command, info_name="largedepth", terminal_width=60)).splitlines()
    assert max(map(len, lines)) <= 60, max(lines, key=len)


def test_theorems_fit_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for columns, arguments in (("60", []), ("60", ["I1"]), ("50", [])):
        monkeypatch.setenv("COLUMNS", columns)
        cli.main(["theorems", *arguments], standalone_mode=False)
        lines = capsys.readouterr().out.splitlines()
        words = [line for line in lines if not line.startswith("LaTeX")]  # formulas are not broken
        assert max(map(len, words)) <= int(columns), max(words, key=len)
    monkeypatch.delenv("COLUMNS")
    cli.main(["theorems"], standalone_mode=False)
    assert "mean squares of hidden states  " in capsys.readouterr().out


def test_commands_that_messages_propose_are_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    asked = SimpleNamespace(points=())
    result = SimpleNamespace(missing=0, imprecise=0, nonfinite=0, reused=1, sampled=2)
    _say_result(asked, result, "my results")  # type: ignore[arg-type]
    assert "largedepth combine 'my results' --out table.parquet makes" in capsys.readouterr().err
    assert _as_options("give out='my rows.parquet'") == "give --out 'my rows.parquet'"
    assert _as_options("give out='rows.parquet'") == "give --out rows.parquet"


def test_the_help_of_figures_has_every_name() -> None:
    help_words = re.split(r"[\s,;:]+", cli.commands["figures"].help or "")
    assert {*FIGURES, *TRAINED} <= set(help_words)


def test_figures_refuse_two_settings_and_take_a_name_once() -> None:
    for verb in (["figures", "2"], ["reproduce"]):
        for both in (["--quick", "--paper"], ["--paper", "--quick"]):
            done = command(*verb, *both)
            assert (done.returncode, done.stdout) == (2, "")
            assert done.stderr == "largedepth: --paper: must not go with --quick; drop one of the two\n"
    twice = command("figures", "2", "2", "--dry-run")
    assert len(twice.stdout.splitlines()) == 1


@pytest.mark.parametrize("verb", ["theorems", "verify", "simulate --width 8 --depth 4 --beta 0.5"])
def test_a_package_that_is_missing_is_one_line(verb: str) -> None:
    code = (
        "import sys; sys.modules['numba'] = None; sys.argv[0] = 'largedepth'\n"
        "from largedepth.__main__ import main; main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *verb.split()], capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or done.stderr:  # some verbs need none
        assert done.returncode == 2, done.stderr
        assert done.stderr.count("\n") == 1
        assert "numba" in done.stderr
    assert verb == "theorems" or done.returncode == 2
