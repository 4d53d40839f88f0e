"""Entry point: ``largedepth`` and ``python -m largedepth``.

Exit codes: 0 done, 2 bad input (one line, no traceback), 130 interrupted.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from typing import NoReturn

import click

from largedepth._cli import cli

INTERRUPTED = 130
BAD_INPUT = 2


def _interrupt(signum: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    signal.signal(signal.SIGTERM, _interrupt)
    code = 0
    try:
        code = cli.main(args=arguments, prog_name="largedepth", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = BAD_INPUT
    except click.MissingParameter as error:
        option = error.param.opts[0] if error.param is not None else "option"
        name = error.ctx.command_path if error.ctx is not None else "largedepth"
        code = _complain(f"{option}: must be given; see {name} --help")
    except click.ClickException as error:
        code = _complain(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        click.echo("largedepth: interrupted; what is finished is kept, the same command continues", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        # A block still running in a thread would hold up a normal exit; it has nothing left to save.
        os._exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left, as `head` does
    except OSError as error:
        code = _complain(
            f"{error.filename or 'file'}: {error.strerror or error}; free space or choose another --out"
        )
    except ValueError as error:
        code = _bad_value(error)
    sys.exit(code)


def _complain(message: str) -> int:
    click.echo(f"largedepth: {' '.join(message.split())}", err=True)
    return BAD_INPUT


def _bad_value(error: ValueError) -> int:
    from montecarlo import InvalidFieldError

    if not isinstance(error, InvalidFieldError):
        raise error
    given = "" if error.value is None else f" {error.value}"
    text = f"{error.field}={given}: {error.rule}; {error.fix}"
    # Python's `bias_std=0.1` is the command line's `--bias-std 0.1`.
    return _complain(re.sub(r"\b([a-z][a-z_]*)=\s*", lambda m: f"--{m[1].replace('_', '-')} ", text))


if __name__ == "__main__":
    main()
