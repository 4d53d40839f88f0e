"""`prepared_ahead`: kernels of later figures are compiled while earlier ones are sampled."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Hashable, Iterable, Iterator

from figures._points import SamplePoint


@contextlib.contextmanager
def prepared_ahead(points: Iterable[SamplePoint]) -> Iterator[None]:
    """Prepare what points need, in their order, beside whatever the block does.

    A compiler has one processor at a time, and the networks of the figure before leave it that.

    Parameters
    ----------
    points : iterable of SamplePoint
        Those without a `run` are passed over: they train, or draw weights alone.
    """
    over = threading.Event()

    def prepare() -> None:
        seen: set[Hashable] = set()
        for point in points:
            if over.is_set():
                return
            run = getattr(point, "run", None)
            if run is None:
                continue
            kind = (run.family, getattr(point.resnet, "norm", ""), getattr(point, "request", None))
            if kind not in seen:
                seen.add(kind)
                # What cannot be prepared is said when the point is sampled.
                with contextlib.suppress(Exception):
                    run.prepare()

    # A daemon: after Ctrl-C nobody waits for kernels.
    worker = threading.Thread(target=prepare, name="compiling", daemon=True)
    worker.start()
    try:
        yield
    finally:
        over.set()
    worker.join()
