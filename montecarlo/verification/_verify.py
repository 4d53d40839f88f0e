"""`run_experiments`: experiments take turns until each is decided or the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from montecarlo.common._errors import InvalidFieldError, check_real, check_seed
from montecarlo.executors import check_threads
from montecarlo.sequential import SequentialResult, share_false_alarm
from montecarlo.verification._experiment import GROWTH, Experiment, Session
from montecarlo.verification._verdict import Verdict, Verification

_ROW_LIMIT = 10**9


class VerificationInterrupted(KeyboardInterrupt):
    """Ctrl-C during a run.

    Parameters
    ----------
    verification : Verification
        What is known: verdicts that have fallen, and "undecided" for all the others.
    """

    def __init__(self, verification: Verification) -> None:
        super().__init__("verification interrupted")
        self.verification = verification


def run_experiments(
    experiments: Sequence[Experiment],
    *,
    false_alarm: float = 1e-6,
    budget: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    on_verdict: Callable[[Verdict], None] | None = None,
    on_turn: Callable[[Experiment], None] | None = None,
) -> Verification:
    """Test experiments until each is refuted or resolved, or the time is up.

    Parameters
    ----------
    experiments : sequence of Experiment
        No two of one label.
    false_alarm : float, default 1e-6
        Probability, at most, that anything is refuted if all predictions are right; shared equally.
    budget : float, optional
        Seconds; what is not decided by then is undecided, and a look that would not be over by then is not
        begun. No limit by default. The time decides how far an experiment gets, never what it sees on the
        way.
    seed : int, default 0
        Any whole number from 0 to 2**128 - 1.
    threads : int, optional
        Threads of this process; default: all the processors it may use.
    on_verdict : callable, optional
        Called with each verdict as it falls.
    on_turn : callable, optional
        Called with each experiment that goes on now.

    Returns
    -------
    Verification

    Raises
    ------
    VerificationInterrupted
        A KeyboardInterrupt with the verdicts so far.
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
    shares = share_false_alarm(false_alarm, dict.fromkeys(labels, 1.0)) if labels else {}
    waiting = [_Turn(experiment, shares[experiment.label], seed) for experiment in experiments]

    def so_far() -> Verification:
        ordered = tuple(verdicts[label] for label in labels)
        return Verification(ordered, seed, false_alarm, time.perf_counter() - start)

    try:
        while waiting:
            # The one that has had least time goes on: long ones cannot starve the others.
            turn = min(waiting, key=lambda turn: turn.seconds)
            passed = time.perf_counter() - start
            late = budget is not None and passed + turn.next_seconds >= budget
            if not late:
                if on_turn is not None:
                    on_turn(turn.experiment)
                turn.take(threads)
            if late or turn.decided:
                verdicts[turn.experiment.label] = verdict = turn.verdict()
                waiting.remove(turn)
                if on_verdict is not None:
                    on_verdict(verdict)
    except KeyboardInterrupt:
        verdicts |= {turn.experiment.label: turn.verdict() for turn in waiting}
        raise VerificationInterrupted(so_far()) from None
    return so_far()


class _Turn:
    """A session with the time it took and the result of its last look."""

    def __init__(self, experiment: Experiment, false_alarm: float, seed: int) -> None:
        self.experiment = experiment
        self.seconds = 0.0
        self.next_seconds = 0.0  # of the look to come, roughly
        self._open: Callable[[], Session] = lambda: experiment.open(false_alarm, seed)
        self._session: Session | None = None
        self._looks = 0
        self._networks = 0
        self._result: SequentialResult | None = None

    def take(self, threads: int | None) -> None:
        """Draw up to the next look."""
        start = time.perf_counter()
        session = self._session = self._session or self._open()
        rows = session.rows
        wanted = max(int(rows * GROWTH), rows + 1) if rows else self.experiment.first_rows
        session.draw(min(wanted, _ROW_LIMIT) - rows, threads)
        self._result, self._networks = session.result(), session.networks
        seconds = time.perf_counter() - start
        self.seconds += seconds
        self._looks += 1
        if self._looks > 1:  # the first one may have compiled kernels
            self.next_seconds = GROWTH * seconds

    @property
    def decided(self) -> bool:
        """Whether the test has ended."""
        assert self._session is not None
        return self._where().decision != "undecided" or self._session.rows >= _ROW_LIMIT

    def verdict(self) -> Verdict:
        """Return where it stood at the last look: one that was broken off does not count."""
        return Verdict.of(self.experiment, self._where(), self._networks, self.seconds)

    def _where(self) -> SequentialResult:
        return self._result if self._result is not None else self._open().result()
