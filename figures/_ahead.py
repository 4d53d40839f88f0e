"""`prepared_ahead`: kernels of later figures are compiled while earlier ones are sampled."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Hashable, Iterable, Iterator, Sequence

from figures._points import SamplePoint
from montecarlo.runs import Run, compiled_beside


@contextlib.contextmanager
def prepared_ahead(
    points: Iterable[SamplePoint], then: Sequence[str] = (), *, threads: int | None = None
) -> Iterator[None]:
    """Prepare what points need, in their order, beside whatever the block does.

    A compiler has one processor at a time, and the networks of the figure before leave it that. Where kernels
    are missing on disk, a process beside this one begins with the last points.

    Parameters
    ----------
    points : iterable of SamplePoint
        Those without a `run` are passed over: they train, or draw weights alone.
    then : sequence of str, optional
        Modules with kernels that the block needs after them.
    threads : int, optional
        As in `montecarlo.runs.compiled_beside`.
    """
    over = threading.Event()
    runs = _one_a_kind(points)

    def prepare() -> None:
        for run in runs:
            if over.is_set():
                return
            # What cannot be prepared is said when the point is sampled.
            with contextlib.suppress(Exception):
                run.prepare()

    # A daemon: after Ctrl-C nobody waits for kernels.
    worker = threading.Thread(target=prepare, name="compiling", daemon=True)
    worker.start()
    try:
        with compiled_beside([*runs[::-1], *then], threads):
            yield
    finally:
        over.set()
    worker.join()


def _one_a_kind(points: Iterable[SamplePoint]) -> list[Run]:
    """Return the first run of each kind of kernel."""
    kinds: dict[Hashable, Run] = {}
    for point in points:
        run = getattr(point, "run", None)
        if run is not None:
            kind = (run.family, getattr(point.resnet, "norm", ""), getattr(point, "request", None))
            kinds.setdefault(kind, run)
    return list(kinds.values())
