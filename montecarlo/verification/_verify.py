"""`run_experiments`: experiments take turns until each is decided or the time is up.

Looks of several experiments go on at the same time, so that some draw networks while others test theirs; rows
and looks of each are the same as alone. This thread alone chooses who goes on and takes down what was seen.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from montecarlo.common._errors import InvalidFieldError, check_real, check_seed
from montecarlo.executors import check_threads
from montecarlo.runs import hired_crew
from montecarlo.sequential import SequentialResult, share_false_alarm
from montecarlo.verification._experiment import Experiment, Session
from montecarlo.verification._next_look import next_look, rows_needed
from montecarlo.verification._verdict import Verdict, Verification

_ROW_LIMIT = 10**9
_SLOWER = 1.25
"""Time of a look over what the look before says: other experiments may go on, too."""


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
        A KeyboardInterrupt with the verdicts so far. An executor of `running` is closed then, so that looks
        in hand end soon.
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
    turns = [_Turn(experiment, shares[experiment.label], seed) for experiment in experiments]
    waiting, flying = list(turns), list[_Turn]()

    def so_far() -> Verification:
        found = (verdicts.get(turn.experiment.label) or turn.verdict() for turn in turns)
        return Verification(tuple(found), seed, false_alarm, time.perf_counter() - start)

    def fall(turn: _Turn) -> None:
        verdicts[turn.experiment.label] = verdict = turn.verdict()
        if on_verdict is not None:
            on_verdict(verdict)

    def look(turn: _Turn) -> _Seen:
        return turn.look(threads)

    with hired_crew(look, pieces=len(turns), threads=threads) as crew:
        try:
            while waiting or flying:
                if waiting and len(flying) < crew.size:
                    turn = _next_turn(waiting, flying)
                    waiting.remove(turn)
                    if budget is not None and time.perf_counter() - start + turn.next_seconds >= budget:
                        fall(turn)
                        continue
                    if on_turn is not None:
                        on_turn(turn.experiment)
                    flying.append(turn)
                    crew.send(turn)
                    continue
                turn, seen = crew.wait()
                flying.remove(turn)
                turn.keep(seen)
                if turn.decided:
                    fall(turn)
                else:
                    waiting.append(turn)
        except KeyboardInterrupt:
            crew.stop()
            raise VerificationInterrupted(so_far()) from None
    return so_far()


def _next_turn(waiting: list[_Turn], flying: list[_Turn]) -> _Turn:
    """Return who goes on.

    One of those in hand is the one that seems to take longest: at the end it would be alone, with less to do
    at the same time. Of the others it is the one that has had least time: long ones cannot starve them.
    """
    longest = max((*flying, *waiting), key=lambda turn: turn.seconds_left)
    if flying and longest in waiting:
        return longest
    return min(waiting, key=lambda turn: turn.seconds)


@dataclass(frozen=True)
class _Seen:
    """What a look saw."""

    result: SequentialResult
    rows: int
    drawn: int
    networks: int
    seconds: float


class _Turn:
    """A session with the time it took and what its last look saw."""

    def __init__(self, experiment: Experiment, false_alarm: float, seed: int) -> None:
        self.experiment = experiment
        self.seconds = 0.0
        self.next_seconds = 0.0  # of the look to come, roughly
        self.seconds_left = math.inf  # roughly
        self._open: Callable[[], Session] = lambda: experiment.open(false_alarm, seed)
        self._session: Session | None = None
        self._wanted = min(experiment.first_rows, _ROW_LIMIT)  # rows at the look to come
        self._seen: _Seen | None = None

    def look(self, threads: int | None) -> _Seen:
        """Draw up to the next look, and look."""
        start = time.perf_counter()
        session = self._session = self._session or self._open()
        drawn = self._wanted - session.rows
        session.draw(drawn, threads)
        result = session.result()
        return _Seen(result, session.rows, drawn, session.networks, time.perf_counter() - start)

    def keep(self, seen: _Seen) -> None:
        """Take down what a look saw."""
        assert self._session is not None
        self.seconds += seen.seconds
        allowance = self._session.allowance
        result = seen.result if self._session.looks_at_will else None
        self._wanted = min(next_look(seen.rows, result, allowance), _ROW_LIMIT)
        a_row = seen.seconds / seen.drawn
        if self._seen is not None:  # the first one may have compiled kernels
            self.next_seconds = _SLOWER * a_row * (self._wanted - seen.rows)
        needed = max(rows_needed(seen.rows, seen.result, allowance), self._wanted)
        self.seconds_left = a_row * (needed - seen.rows)
        self._seen = seen

    @property
    def decided(self) -> bool:
        """Whether the test has ended."""
        seen = self._seen
        return seen is not None and (seen.result.decision != "undecided" or seen.rows >= _ROW_LIMIT)

    def verdict(self) -> Verdict:
        """Return where it stood at the last look: one that was broken off does not count."""
        seen = self._seen or _Seen(self._open().result(), 0, 0, 0, 0.0)
        return Verdict.of(self.experiment, seen.result, seen.networks, self.seconds)
