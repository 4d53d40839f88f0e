"""Progress of a sweep: share of the work, networks a second, time left, and what is drawn now."""

from __future__ import annotations

import sys
import time

import click

from largedepth._progress import in_words
from montecarlo import ResNet
from montecarlo.runs import Run
from montecarlo.sweeps import SweepWatch

_LINE_SECONDS = 10.0
_LONGEST_LINE_SECONDS = 300.0


class SweepProgress(SweepWatch):
    """A bar on a terminal, plain lines elsewhere, further and further apart.

    Parameters
    ----------
    total : int
        Networks of the sweep, at most.
    """

    def __init__(self, total: int) -> None:
        from tqdm import tqdm

        self._total = total
        self._found = self._sampled = 0
        self._start = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._next_line, self._wait = self._start + _LINE_SECONDS, _LINE_SECONDS
        self._bar = tqdm(
            total=total, desc="sweep", unit="net", unit_scale=True, leave=False, disable=not self._terminal,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} networks{postfix}",
        )  # fmt: skip

    def found(self, networks: int) -> None:
        """Count rows that the folder has."""
        self._found += networks
        self._bar.update(networks)

    def finished(self, run: Run, networks: int, seconds_left: float) -> None:
        """Count rows that are drawn."""
        self._sampled += networks
        now = time.monotonic()
        if self._terminal:
            self._bar.set_postfix_str(self._state(run, now, seconds_left), refresh=False)
            self._bar.update(networks)
        elif now >= self._next_line:
            done = self._found + self._sampled
            self.say(f"{done:,} of {self._total:,} networks, {self._state(run, now, seconds_left)}")
            self._wait = min(2.0 * self._wait, _LONGEST_LINE_SECONDS)
            self._next_line = now + self._wait

    def _state(self, run: Run, now: float, seconds_left: float) -> str:
        rate = self._sampled / max(now - self._start, 1e-3)
        return f"{rate:,.0f}/s, {in_words(max(seconds_left, 0.0))} left, {_short(run)}"

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        self._bar.write(f"sweep: {text}", file=sys.stderr)

    def close(self) -> None:
        """End the bar and say what was done."""
        self._bar.close()
        seconds = time.monotonic() - self._start
        click.echo(
            f"sweep: {self._found:,} rows reused, {self._sampled:,} sampled in {seconds:.1f} s", err=True
        )


def _short(run: Run) -> str:
    """Return a specification in a few words."""
    net = run.specification
    if not isinstance(net, ResNet):
        return repr(net)
    scaling = f"beta={net.beta:g}" if net.beta is not None else f"alpha={net.alpha:g}"
    return f"{net.block} {net.weights} d={net.width} L={net.depth} {scaling}"
