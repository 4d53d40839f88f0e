"""Progress of `verify` on standard error: a bar with the experiment in hand, or a line now and then."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from montecarlo.verification import Experiment, Verdict

_QUIET_SECONDS = 5.0


class VerifyProgress:
    """Counts of experiments that are decided, and which one goes on.

    Parameters
    ----------
    total : int
        Experiments to come.
    surprise : tuple of str
        The verdicts that are said at once, each on a line of its own.
    """

    def __init__(self, total: int, surprise: tuple[str, ...]) -> None:
        from tqdm import tqdm

        self._surprise = surprise
        self._shown = sys.stderr.isatty()
        self._total, self._done = total, 0
        self._start = self._last = time.perf_counter()
        self._bar = tqdm(total=total, desc="verify", unit="exp", leave=False, disable=not self._shown)

    def say(self, text: str) -> None:
        """Write a line above the bar."""
        self._bar.write(f"verify: {text}", file=sys.stderr)
        self._last = time.perf_counter()

    def turn(self, experiment: Experiment) -> None:
        """Say which experiment goes on: on the bar, or on a line where nothing was said for a while."""
        self._bar.set_postfix_str(experiment.label, refresh=self._shown)
        now = time.perf_counter()
        if not self._shown and now - self._last >= _QUIET_SECONDS:
            passed = f"{now - self._start:.0f} s"
            self.say(f"{self._done} of {self._total} decided after {passed}, now {experiment.label}")

    def verdict(self, verdict: Verdict) -> None:
        """Count a verdict."""
        from montecarlo.verification import explain

        self._done += 1
        self._bar.update()
        if verdict.verdict in self._surprise:
            self.say(explain(verdict).splitlines()[0])

    def close(self) -> None:
        """End the bar."""
        self._bar.close()
