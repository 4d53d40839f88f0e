"""`DrawingDesk`: figures are drawn while others are sampled."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from figures import DrawnFigure, SampledFigure
    from montecarlo.executors import Executor


class DrawingDesk:
    """Draws figures in the order in which they come, in a process of its own.

    Drawing is Python, which has one lock a process, and sampling would wait for it.

    Parameters
    ----------
    threads : int, optional
        Of the run. One alone gets no process beside it.

    Raises
    ------
    InvalidFieldError
        For a number that is not whole or not positive.
    """

    def __init__(self, threads: int | None = None) -> None:
        from montecarlo.executors import check_threads

        self._beside = check_threads(threads) > 1
        self._sampled: SimpleQueue[SampledFigure | None] = SimpleQueue()
        self._out: SimpleQueue[DrawnFigure | BaseException] = SimpleQueue()
        self._waiting = 0
        self._drawn: list[DrawnFigure] = []
        # A daemon: after Ctrl-C nobody waits for drawings.
        threading.Thread(target=self._work, name="drawing", daemon=True).start()

    def draw(self, sampled: SampledFigure) -> None:
        """Leave a figure to be drawn, and say which others are; what drawing them raised is raised here."""
        self._waiting += 1
        self._sampled.put(sampled)
        while not self._out.empty():
            self._take()

    def drawn(self) -> list[DrawnFigure]:
        """Return all figures, in their order, once they are drawn; what drawing raised is raised here."""
        self._sampled.put(None)
        while self._waiting:
            self._take()
        return self._drawn

    def _take(self) -> None:
        drawn = self._out.get()
        self._waiting -= 1
        if isinstance(drawn, BaseException):
            raise drawn
        click.echo(f"figure {drawn.definition.name}: {', '.join(map(str, drawn.paths))}", err=True)
        self._drawn.append(drawn)

    def _work(self) -> None:
        executor = _executor(self._beside)
        while (sampled := self._sampled.get()) is not None:
            try:
                self._out.put(_result(executor, _draw, sampled))
            except BaseException as error:  # the caller's business
                self._out.put(error)
        executor.close()


def _executor(beside: bool) -> Executor:
    """Return a process, where there is one to be had, that has imported what drawing needs; else a thread."""
    from montecarlo.executors import ExecutorError, ProcessExecutor, ThreadExecutor

    if beside:
        process = ProcessExecutor(1)
        try:
            _result(process, _open, None)
            return process
        except ExecutorError:
            process.close()
    return ThreadExecutor(1)


def _result(executor: Executor, function: Any, item: Any) -> Any:
    ((_, result),) = executor.run(function, iter([item]))
    return result


def _open(_: None) -> None:

    import figures  # noqa: F401


def _draw(sampled: SampledFigure) -> DrawnFigure:
    return sampled.draw()
