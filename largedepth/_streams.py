"""Standard output and error that no character, no reader that left and no lost terminal can break."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Any


class _Patient(io.FileIO):
    """A file that takes what nobody reads any more; other errors are raised, unless it is `quiet`."""

    def __init__(self, stream: io.TextIOWrapper, *, quiet: bool) -> None:
        super().__init__(stream.fileno(), "w", closefd=False)
        self._stream = stream  # which closes the file when nobody has it any more
        self._quiet = quiet

    def write(self, content: Any) -> int | None:
        try:
            return super().write(content)
        except OSError as error:
            if error.errno != errno.EPIPE and not self._quiet:
                raise
            return memoryview(content).nbytes


def guard_streams() -> None:
    """Make the standard streams show what they can, and outlive their readers.

    A character that the encoding lacks is replaced. When the reader has left (as `head` does), or the
    terminal of the messages has gone, what is written goes nowhere: the run goes on, and its files and its
    exit code are those of any run. Streams that a caller of Python put in place get the first alone.
    """
    for name, errors in (("stdout", "replace"), ("stderr", "backslashreplace")):
        stream = getattr(sys, name)
        buffer = getattr(stream, "buffer", None)
        if stream is None:  # closed by who started us; its number must not become that of a file of ours
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif type(stream) is io.TextIOWrapper and isinstance(getattr(buffer, "raw", buffer), io.FileIO):
            raw = _Patient(stream, quiet=name == "stderr")
            patient = io.TextIOWrapper(
                raw if buffer is getattr(buffer, "raw", buffer) else io.BufferedWriter(raw),  # type: ignore[arg-type]
                stream.encoding, errors, line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )  # fmt: skip
            setattr(sys, name, patient)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=errors)


def flush_streams() -> None:
    """Write what waits, as far as somebody takes it."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def drop_output() -> None:
    """Let what standard output did not take go nowhere, or the end of the process would try again."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def can_show(text: str) -> bool:
    """Whether standard output has all the characters of a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
