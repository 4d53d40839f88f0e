"""Entry point: ``largedepth`` and ``python -m largedepth``.

Exit codes: 0 done and nothing refuted, 1 a theorem was refuted, 2 bad input (one line, no traceback), 3
undecided within the budget, 70 a defect of the program, 130 interrupted.
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import re
import sys
import traceback
import warnings
from typing import NoReturn

import click

from largedepth._cli import cli
from largedepth._options import quoted
from largedepth._ours import OURS, find_ours_first
from largedepth._signals import interrupt_on_signals
from largedepth._streams import drop_output, flush_streams, guard_streams

INTERRUPTED = 130
READER_GONE = 141  # as a shell says it: 128 + SIGPIPE
BAD_INPUT = 2
DEFECT = 70

find_ours_first()  # here: worker processes import this file, too


def _format_warning(message: Warning | str, *where: object) -> str:
    return f"largedepth: {' '.join(str(message).split())}\n"  # no line of the program, which is no news


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        # A script without `if __name__ == "__main__":`, imported by a worker: its parent goes on alone.
        sys.exit(DEFECT)
    interrupt_on_signals()
    guard_streams()
    warnings.formatwarning = _format_warning
    code = 0
    try:
        # https://no-color.org: any text but an empty one; without it click colours terminals alone.
        colour = False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None
        code = cli.main(args=arguments, prog_name="largedepth", standalone_mode=False, color=colour) or 0
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = BAD_INPUT
    except click.MissingParameter as error:
        option = error.param.opts[0] if error.param is not None else "option"
        if isinstance(error.param, click.Argument):
            option = option.upper()  # as other messages call it
        name = error.ctx.command_path if error.ctx is not None else "largedepth"
        code = _complain(f"{option}: must be given; see {name} --help")
    except click.ClickException as error:
        code = _complain(error.format_message())
    except (KeyboardInterrupt, click.Abort) as stop:
        # A verb that knows better what is left says so in the interrupt.
        kept = str(stop.__cause__ or "")  # click makes its own Abort of it
        click.echo("largedepth: interrupted" + (f"; {kept}" if kept else ""), err=True)
        flush_streams()
        # A block still running in a thread would hold up a normal exit; it has nothing left to save.
        os._exit(INTERRUPTED)
    except BrokenPipeError:  # a stream that `guard_streams` leaves as it is
        drop_output()
        code = READER_GONE
    except OSError as error:
        drop_output()
        code = _complain(
            f"{error.filename or 'file'}: {error.strerror or error}; free space or choose another --out"
        )
    except ModuleNotFoundError as error:
        code = _missing_module(error)
    except MemoryError:
        code = _complain("out of memory; take a smaller --width, --depth or --block-size, or fewer --threads")
    except ValueError as error:
        code = _bad_value(error)
    except Exception as error:
        code = _failure(error)
    atexit.register(gc.freeze)  # half a second of looking for garbage in what ends then
    sys.exit(code)


def _complain(message: str) -> int:
    click.echo(f"largedepth: {' '.join(message.split())}", err=True)
    return BAD_INPUT


def _missing_module(error: ModuleNotFoundError) -> int:
    """Say what is not installed; a module of ours that is not there is a defect, as any other."""
    if (error.name or "").partition(".")[0] in (*OURS, "largedepth"):
        return _failure(error)
    return _complain(f"{error.name or error}: is not installed; pip install {error.name or 'it'}")


def _failure(error: Exception) -> int:
    from montecarlo.executors import ExecutorError
    from montecarlo.practice import MissingFrameworkError, UserCodeError
    from montecarlo.training import MissingExtraError

    if isinstance(error, (ExecutorError, MissingExtraError, MissingFrameworkError, UserCodeError)):
        return _complain(str(error))
    # A defect of ours: show where, and do not pass for a refuted theorem (1).
    traceback.print_exc()
    return DEFECT


def _bad_value(error: ValueError) -> int:
    from montecarlo import InvalidFieldError

    if "montecarlo.store" in sys.modules:
        from montecarlo.store import StoreError

        if isinstance(error, StoreError):
            return _complain(str(error))
    if not isinstance(error, InvalidFieldError):
        traceback.print_exc()
        return DEFECT
    if "montecarlo.sweeps" in sys.modules:
        from montecarlo.sweeps import SweepFileError

        if isinstance(error, SweepFileError):
            return _complain(str(error))
    # Python's `bias_std=0.1` is the command line's `--bias-std 0.1`; an argument without option is in
    # capitals.
    option = error.field if error.field.isupper() else "--" + error.field.replace("_", "-")
    given = (
        ""
        if error.value is None or error.value is True
        else f" {error.value}"
        if error.value != ""
        else " ''"
    )
    # Specifications stay as Python writes them.
    parts = re.split(r"(ResNet\(.*?\))", f"{error.rule}; {error.fix}")
    return _complain(f"{option}{given}: {''.join([*map(_as_options, parts)])}")


def _as_options(text: str) -> str:
    """Turn every ``name=value`` into ``--name value``."""
    if text.startswith("ResNet("):
        return text
    return re.sub(
        r"\b([a-z][a-z_]*)=('[^']*'|\S+?)(?=[,;:)]|\s|$)",
        lambda m: f"--{m[1].replace('_', '-')}" + ("" if m[2] == "True" else " " + quoted(m[2].strip("'"))),
        text,
    )


if __name__ == "__main__":
    main()
