"""`DrawingDesk`: figures are drawn while others are sampled."""

from __future__ import annotations

import importlib
import threading
import warnings
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

if TYPE_CHECKING:
    from figures import DrawnFigure, SampledFigure


class DrawingDesk:
    """Draws figures in the order in which they come, in a process of its own that ends with the block.

    Drawing is Python, which has one lock a process, and sampling would wait for it. Where there is no process
    to be had, or it dies, a thread draws.

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
        from montecarlo.executors import ProcessExecutor, check_threads

        self._process = None if check_threads(threads) == 1 else ProcessExecutor(1)
        self._elsewhere = self._over = False
        self._sampled: SimpleQueue[SampledFigure | None] = SimpleQueue()
        self._out: SimpleQueue[Any] = SimpleQueue()
        self._waiting = 0
        self._drawn: list[DrawnFigure] = []

    def __enter__(self) -> Self:
        # A daemon: after Ctrl-C nobody waits for drawings.
        threading.Thread(target=self._work, name="drawing", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._over = True
        self._sampled.put(None)
        if self._process is not None:
            self._process.close()

    def draw(self, sampled: SampledFigure) -> None:
        """Leave a figure to be drawn, and say which others are; what drawing them raised is raised here."""
        self._waiting += 1
        self._sampled.put(sampled)
        while not self._out.empty():
            self._take()

    def drawn(self) -> list[DrawnFigure]:
        """Return all figures, in their order, once they are drawn; what drawing raised is raised here."""
        while self._waiting:
            self._take()
        return self._drawn

    def _take(self) -> None:
        found = self._out.get()
        self._waiting -= 1
        if isinstance(found, BaseException):
            raise found
        drawn, warned = found
        for text, category, file, line in warned:
            warnings.warn_explicit(text, category, file, line)
        click.echo(f"figure {drawn.definition.name}: {', '.join(map(str, drawn.paths))}", err=True)
        self._drawn.append(drawn)

    def _work(self) -> None:
        self._elsewhere = self._open_elsewhere()
        while (sampled := self._sampled.get()) is not None:
            try:
                self._out.put(self._result(sampled))
            except BaseException as error:  # the caller's business
                self._out.put(error)

    def _open_elsewhere(self) -> bool:
        """Return whether there is a process, which has imported what drawing needs then."""
        if self._process is None:
            return False
        try:
            next(self._process.run(_open, iter([None])))
            return True
        except Exception:
            return False

    def _result(self, sampled: SampledFigure) -> tuple[DrawnFigure, list[Any]]:
        """Return a figure, drawn, and what warnings there were elsewhere."""
        from montecarlo.executors import ExecutorError

        if self._elsewhere and self._process is not None:
            try:
                _, result = next(self._process.run(_draw_elsewhere, iter([sampled])))
                return result
            except ExecutorError:
                if self._over:
                    raise
                self._elsewhere = False
        return sampled.draw(), []


def _open(_: None) -> None:
    for name in ("figures", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf"):
        importlib.import_module(name)


def _draw_elsewhere(sampled: SampledFigure) -> tuple[DrawnFigure, list[Any]]:
    """Draw, and return what warnings said, which are this process's alone else."""
    with warnings.catch_warnings(record=True) as caught:
        drawn = sampled.draw()
    return drawn, [(str(one.message), one.category, one.filename, one.lineno) for one in caught]
