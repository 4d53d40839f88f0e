"""The command line in this process: a new one for each call would take seconds."""

from __future__ import annotations

import io
import os
import signal
import warnings
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest import mock


class Done(NamedTuple):
    """What a command left, named as `subprocess` names it."""

    returncode: int
    stdout: str
    stderr: str


def command(*arguments: object, **environment: str) -> Done:
    """Run ``largedepth`` with these arguments, warnings printed as a user gets them."""
    from largedepth.__main__ import main

    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    code: object = None
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(signal, "signal"),
        mock.patch.object(warnings, "formatwarning", warnings.formatwarning),  # main sets its own
        warnings.catch_warnings(),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        warnings.simplefilter("default")
        try:
            main([*map(str, arguments)])
        except SystemExit as end:
            code = end.code
    out.seek(0)
    err.seek(0)
    return Done(int(str(code or 0)), out.read(), err.read())
