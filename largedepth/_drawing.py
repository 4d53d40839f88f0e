"""`DrawingDesk`: figures are drawn while others are sampled."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from figures import DrawnFigure, SampledFigure


class DrawingDesk:
    """A thread that draws figures in the order in which they come."""

    def __init__(self) -> None:
        self._sampled: SimpleQueue[SampledFigure] = SimpleQueue()
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
        while True:
            sampled = self._sampled.get()
            try:
                self._out.put(sampled.draw())
            except BaseException as error:  # the caller's business
                self._out.put(error)
