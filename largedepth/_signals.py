"""Signals that ask a process to end: like Ctrl-C, they leave time to keep what is finished."""

from __future__ import annotations

import signal
import time

ENDING = (
    "SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPWR",
    "SIGBREAK",
)  # fmt: skip
"""Names of signals that would end a process: Ctrl-C, which `timeout -s INT` sends twice; those of `kill`, of
a terminal that closes, and of batch systems that warn (SIGUSR1, SIGUSR2 and SIGXCPU, most of them). Left out:
SIGQUIT, which asks for a core dump, and errors."""

_SAME_SECONDS = 2.0  # a terminal that closes, or a batch system, tells a process more than once


def interrupt_on_signals() -> None:
    """Let each of `ENDING` raise `KeyboardInterrupt`, unless who started us ignores it, as `nohup` does.

    What follows soon after is the same event: it must not interrupt the keeping of rows.
    """
    last = [-_SAME_SECONDS]

    def interrupt(number: int, frame: object) -> None:
        now = time.monotonic()
        if now >= last[0] + _SAME_SECONDS:
            last[0] = now
            raise KeyboardInterrupt

    for name in ENDING:
        number = getattr(signal, name, None)  # no system has all of them
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)
