"""Progress on standard error: a bar on a terminal, plain lines elsewhere; what takes long is said."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

import click

_FIRST_WORD_SECONDS = 2.0

SAMPLED_WORDS = ("rows reused", "sampled")
TRAINED_WORDS = ("outcomes reused", "trained")
"""What is said of networks that were found and of those that were made."""


class Progress:
    """Counts of networks, reused and sampled, and a word while nothing finishes.

    Parameters
    ----------
    total : int
        Networks to come.
    what : str
        In front of every line.
    cost : str
        What a network costs, for the word; may be empty.
    words : tuple of str, default `SAMPLED_WORDS`
        What is said of networks that were found and of those that were made.
    """

    def __init__(
        self, total: int, *, what: str, cost: str = "", words: tuple[str, str] = SAMPLED_WORDS
    ) -> None:
        from tqdm import tqdm

        self.total = total
        self.what = what
        self.reused = 0
        self.sampled = 0
        self.in_file = 0
        self._words = words
        self._in_store = _networks_found()
        self._cost = f" ({cost})" if cost else ""
        self._start = time.perf_counter()
        self._over = threading.Event()
        self._bar = tqdm(
            total=total, desc=what, unit="net", unit_scale=True, leave=False, disable=not sys.stderr.isatty()
        )
        # A daemon: a defect in the main thread must not leave the process waiting for this one.
        self._watch = threading.Thread(target=self._report_silence, name="progress", daemon=True)
        self._watch.start()

    def reuse(self, count: int) -> None:
        """Count rows that were found in a file."""
        self.reused += count
        self._bar.update(count)

    def found(self, rows: int) -> None:
        """Count the rows of a file that were found and wanted; it keeps the others, too."""
        self.in_file = rows
        self.reuse(min(rows, self.total))

    def finish(self, count: int) -> None:
        """Count networks that were sampled."""
        self.sampled += count
        self._bar.update(count)

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        self._bar.write(f"{self.what}: {text}", file=sys.stderr)

    def _report_silence(self) -> None:
        """Say that the work goes on where no block finishes, at intervals that double."""
        quiet = _FIRST_WORD_SECONDS
        before = 0
        while not self._over.wait(quiet):
            done = self.reused + self.sampled
            if done != before:
                before, quiet = done, _FIRST_WORD_SECONDS
                continue
            seconds = time.perf_counter() - self._start
            if done >= self.total:
                self.say(f"at work for {seconds:.0f} s, no networks left to sample")
            else:
                count = f"{done:,} of {self.total:,} networks are finished"
                self.say(f"at work for {seconds:.0f} s, {count}{self._cost}")
            quiet *= 2.0

    def close(self) -> None:
        """End the bar and say what was done."""
        self._over.set()
        self._watch.join()
        self._bar.close()
        # Samplers tell of networks as they come, those of a results folder among them.
        found = _networks_found() - self._in_store
        self.reused, self.sampled = self.reused + found, self.sampled - found
        if self.reused or self.sampled:
            seconds = time.perf_counter() - self._start
            click.echo(
                f"{self.what}: {self.reused:,} {self._words[0]}, {self.sampled:,} {self._words[1]}"
                f" of {self.total:,} networks in {seconds:.1f} s",
                err=True,
            )


def _networks_found() -> int:
    """Return how many networks came from the results folder in use."""
    from montecarlo.runs import current_running

    inside = current_running()
    return 0 if inside is None else inside.networks_found


def in_words(seconds: float) -> str:
    """Return a rough time: ``40 s``, ``12 min`` or ``3.5 h``.

    Examples
    --------
    >>> in_words(0.3), in_words(40), in_words(720), in_words(12600)
    ('less than a second', '40 s', '12 min', '3.5 h')
    """
    if seconds < 1.0:
        return "less than a second"
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 7200.0 else f"{seconds / 3600.0:.1f} h"


class Shown(Protocol):
    """What is shown while work goes on."""

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        ...

    def close(self) -> None:
        """End the bar."""
        ...


Bar = TypeVar("Bar", bound=Shown)


@contextmanager
def shown(bar: Bar) -> Iterator[Bar]:
    """Yield a bar, closed whatever happens; it says if kernels are compiled."""
    try:
        with announced_compilation(bar.say):
            yield bar
    finally:
        bar.close()


def progress_bar(
    total: int, *, what: str, cost: str = "", words: tuple[str, str] = SAMPLED_WORDS
) -> AbstractContextManager[Progress]:
    """Return a `Progress` to be entered, closed whatever happens."""
    return shown(Progress(total, what=what, cost=cost, words=words))


@contextmanager
def announced_compilation(say: Callable[[str], None]) -> Iterator[None]:
    """Say once if kernels are compiled inside the block: the first use of an engine takes seconds."""
    from numba.core import event

    class Listener(event.Listener):
        said = False

        def on_start(self, event: object) -> None:
            if not self.said:
                self.said = True
                say("compiling kernels (first use; a few seconds)")

        def on_end(self, event: object) -> None:
            pass

    with event.install_listener("numba:compile", Listener()):
        yield
