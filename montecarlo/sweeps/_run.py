"""`run_sweep`: draw what a results folder lacks of a sweep."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from montecarlo.executors import Executor
from montecarlo.runs import Run, Running, complement
from montecarlo.sweeps._packages import Pace, Package, draw_package, packages
from montecarlo.sweeps._plan import Precision, Sweep, SweepPoint

if TYPE_CHECKING:
    from montecarlo.store import Store


class SweepWatch:
    """What a run of a sweep tells its caller; this one keeps it all to itself."""

    def found(self, networks: int) -> None:
        """Rows that the folder has already."""

    def finished(self, run: Run, networks: int, seconds_left: float) -> None:
        """Rows of a run that are drawn, and the time that the others will take, roughly."""


@dataclass(frozen=True)
class SweepResult:
    """How a run of a sweep ended.

    Parameters
    ----------
    reused, sampled : int
        Networks that were in the folder, and that were drawn.
    missing : int
        Networks still to be drawn, since `max_seconds` had passed.
    imprecise : int
        Specifications whose interval is longer than asked for with all their networks.
    nonfinite : int, default 0
        Networks drawn whose rows have NaN: they left the finite numbers.
    """

    reused: int
    sampled: int
    missing: int
    imprecise: int
    nonfinite: int = 0

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to draw, and precision is reached."""
        return self.missing == 0 and self.imprecise == 0


def run_sweep(
    sweep: Sweep, store: Store, executor: Executor, *, watch: SweepWatch | None = None
) -> SweepResult:
    """Draw the rows that a folder lacks, and leave them in it about once a second.

    The rows are the same whatever was there, on any executor, with any interruptions.

    Parameters
    ----------
    sweep : Sweep
        What is asked for.
    store : Store
        The folder.
    executor : Executor
        Where blocks run; it stays open.
    watch : SweepWatch, optional
        Told of what goes on, in the calling thread.

    Returns
    -------
    SweepResult

    Raises
    ------
    StoreError
        If the folder cannot be written, or holds differing rows.

    Examples
    --------
    >>> import tempfile
    >>> from montecarlo import ResNet
    >>> from montecarlo.executors import ThreadExecutor
    >>> from montecarlo.store import Store
    >>> net = ResNet(width=8, depth=10, beta=0.5)
    >>> sweep = Sweep((SweepPoint.of(net, replicas=1000, seed=7),))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store.open(folder)
    ...     for _ in range(2):
    ...         run_sweep(sweep, store, ThreadExecutor(2))
    SweepResult(reused=0, sampled=1000, missing=0, imprecise=0, nonfinite=0)
    SweepResult(reused=1000, sampled=0, missing=0, imprecise=0, nonfinite=0)
    """
    store.add_runs(point.run.record for point in sweep.points)
    return _SweepRun(sweep, store, executor, watch or SweepWatch()).all_rounds()


class _SweepRun:
    """One run of a sweep."""

    def __init__(self, sweep: Sweep, store: Store, executor: Executor, watch: SweepWatch) -> None:
        self._sweep, self._store, self._executor, self._watch = sweep, store, executor, watch
        self._pace = Pace(executor.workers)
        self._keeper = Running(executor, store)
        self._reused = self._sampled = self._nonfinite = 0
        self._end = None if sweep.max_seconds is None else time.monotonic() + sweep.max_seconds

    def all_rounds(self) -> SweepResult:
        precision = self._sweep.precision
        if precision is None:
            goals = [(point, 0, point.replicas) for point in self._sweep.points]
            missing = self._draw(goals, None)
            return self._result(missing, 0)
        turns = [_Turn(point, precision) for point in self._sweep.points]
        imprecise = 0
        while turns:
            # All go to their next look together; where a look finds enough, they are through.
            goals = [(turn.point, turn.seen, turn.look) for turn in turns]
            drawn: dict[str, list[tuple[int, npt.NDArray[np.float64]]]] = {}
            missing = self._draw(goals, (precision.column, drawn))
            if missing:
                return self._result(missing, imprecise)
            for turn in turns:
                turn.take(drawn.pop(turn.point.run.key))
            imprecise += sum(turn.exhausted and not turn.precise for turn in turns)
            turns = [turn for turn in turns if not turn.precise and not turn.exhausted]
        return self._result(0, imprecise)

    def _result(self, missing: int, imprecise: int) -> SweepResult:
        return SweepResult(self._reused, self._sampled, missing, imprecise, self._nonfinite)

    def _draw(
        self,
        goals: list[tuple[SweepPoint, int, int]],
        collect: tuple[str, dict[str, list[tuple[int, npt.NDArray[np.float64]]]]] | None,
    ) -> int:
        """Draw what lacks of rows ``start ... stop - 1`` of points; return how many are still missing."""
        ranges: list[tuple[Run, int, int]] = []
        total = 0
        for point, start, stop in goals:
            lacking = self._store.missing(point.run.key, start, stop)
            ranges += [(point.run, first, last) for first, last in lacking]
            total += stop - start
            if collect is not None:
                column, rows = collect
                rows[point.run.key] = [
                    (first, self._store.read(point.run.key, first, last)[column])
                    for first, last in complement(lacking, start, stop)
                ]
        left = sum(last - first for _, first, last in ranges)
        self._reused += total - left
        self._watch.found(total - left)
        seconds_left = sum((last - first) * run.seconds for run, first, last in ranges)
        drawing = self._executor.run(draw_package, self._in_time(packages(ranges, self._pace)))
        try:
            for package, drawn in drawing:
                for block, rows in zip(package.blocks, drawn, strict=True):
                    self._keeper.keep(block.run, block.first, rows.columns)
                    self._pace.learn(block.run, block.count, rows.seconds)
                    if collect is not None:
                        column, found = collect
                        found[block.run.key].append((block.first, rows.columns[column]))
                    left -= block.count
                    self._sampled += block.count
                    self._nonfinite += _count_nan(rows.columns)
                    seconds_left -= block.count * block.run.seconds
                    time_left = seconds_left * self._pace.factor(block.run) / self._executor.workers
                    self._watch.finished(block.run, block.count, time_left)
                self._pace.finish()
        finally:
            try:
                drawing.close()
            finally:  # also where workers are lost
                self._keeper.flush()
        return left

    def _in_time(self, cut: Iterator[Package]) -> Iterator[Package]:
        for package in cut:
            if self._end is not None and time.monotonic() >= self._end:
                return
            yield package


def _count_nan(columns: Mapping[str, npt.NDArray[np.float64]]) -> int:
    """Return how many rows have NaN."""
    found = [np.isnan(c).any(axis=tuple(range(1, c.ndim))) for c in columns.values()]
    return int(np.any(found, axis=0).sum())


class _Turn:
    """One specification on its way to a precision."""

    def __init__(self, point: SweepPoint, precision: Precision) -> None:
        from montecarlo.sequential import QuantileSequence  # scipy

        self.point = point
        self.seen = 0
        self._looks = point.looks()
        self.look = next(self._looks)
        self.exhausted = False
        self._aim = precision.half_width
        self._sequence = QuantileSequence(precision.quantile, false_alarm=precision.false_alarm)

    def take(self, parts: list[tuple[int, npt.NDArray[np.float64]]]) -> None:
        """Take in the rows up to the look."""
        rows = np.concatenate([rows for _, rows in sorted(parts, key=lambda part: part[0])])
        self._sequence.update(rows)
        self.seen = self.look
        following = next(self._looks, None)
        self.exhausted = following is None
        self.look = self.look if following is None else following

    @property
    def precise(self) -> bool:
        """Whether the interval is short enough."""
        return self._sequence.half_width <= self._aim
