"""`verify`: experiments take turns until each is decided or the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from montecarlo._errors import InvalidFieldError, check_real, check_seed
from montecarlo._simulate import check_threads
from montecarlo.sequential import share_false_alarm
from montecarlo.verification._experiment import GROWTH, Experiment, Session
from montecarlo.verification._verdict import Verdict, Verification

_ROW_LIMIT = 10**9


def run_experiments(
    experiments: Sequence[Experiment],
    *,
    false_alarm: float = 1e-6,
    budget: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    on_verdict: Callable[[Verdict], None] | None = None,
) -> Verification:
    """Test experiments until each is refuted or resolved, or the time is up.

    Parameters
    ----------
    experiments : sequence of Experiment
        No two of one label.
    false_alarm : float, default 1e-6
        Probability, at most, that anything is refuted if all predictions are right; shared equally.
    budget : float, optional
        Seconds; what is not decided by then is undecided. No limit by default. The time decides how far an
        experiment gets, never what it sees on the way.
    seed : int, default 0
        Any whole number from 0 to 2**128 - 1.
    threads : int, optional
        Threads of this process; default: all the processors it may use.
    on_verdict : callable, optional
        Called with each verdict as it falls.

    Returns
    -------
    Verification

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.
    """
    seed = check_seed(seed)
    check_threads(threads)
    false_alarm = check_real("false_alarm", false_alarm, 0.0, 0.5, 1e-6, open_low=True)
    if budget is not None:
        budget = check_real("budget", budget, 0.0, 1e9, 60.0, open_low=True)
    labels = [experiment.label for experiment in experiments]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise InvalidFieldError("experiments", twice, "must have a label of its own", "rename one")
    start = time.perf_counter()
    verdicts: dict[str, Verdict] = {}
    if experiments:
        shares = share_false_alarm(false_alarm, dict.fromkeys(labels, 1.0))
        waiting = [_Turn(experiment, shares[experiment.label], seed) for experiment in experiments]
        while waiting:
            # The one that has had least time goes on: long ones cannot starve the others.
            turn = min(waiting, key=lambda turn: turn.seconds)
            late = budget is not None and time.perf_counter() - start >= budget
            if not late:
                turn.take(threads)
            if late or turn.decided:
                waiting.remove(turn)
                verdict = turn.verdict()
                verdicts[turn.experiment.label] = verdict
                if on_verdict is not None:
                    on_verdict(verdict)
    ordered = tuple(verdicts[label] for label in labels)
    return Verification(ordered, seed, false_alarm, time.perf_counter() - start)


class _Turn:
    """A session with the time it took."""

    def __init__(self, experiment: Experiment, false_alarm: float, seed: int) -> None:
        self.experiment = experiment
        self.seconds = 0.0
        self._open: Callable[[], Session] = lambda: experiment.open(false_alarm, seed)
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The session, opened when it is first asked for."""
        if self._session is None:
            self._session = self._open()
        return self._session

    def take(self, threads: int | None) -> None:
        """Draw up to the next look."""
        start = time.perf_counter()
        rows = self.session.rows
        wanted = max(int(rows * GROWTH), rows + 1) if rows else self.experiment.first_rows
        self.session.draw(min(wanted, _ROW_LIMIT) - rows, threads)
        self.seconds += time.perf_counter() - start

    @property
    def decided(self) -> bool:
        """Whether the test has ended."""
        return self.session.result().decision != "undecided" or self.session.rows >= _ROW_LIMIT

    def verdict(self) -> Verdict:
        """Return where it stands."""
        return Verdict.of(self.experiment, self.session.result(), self.session.networks, self.seconds)
