"""What a worker process of `ProcessExecutor` does: take items from its pipe, send back what becomes of them.

The parent sends ``("run", run, function)``, ``("item", run, number, item)``, ``("drop", number)`` for an item
that another worker has taken over, and ``("end", run)``; function and item are pickles. The worker answers
with pairs of messages, a pickle of ``(number, kind)`` and a pickle of the result or of the error, ``READY``
first; an item that it never ran is answered, too.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

import numba

from montecarlo.executors._pickles import PROTOCOL, error_to_bytes, from_bytes

READY = -1
"""The number of the message that says that a worker has started."""


def work(connection: Connection) -> None:
    """Serve the parent until it closes the pipe or ends."""
    # Ctrl-C is the parent's business; from a terminal it reaches the whole group of processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Not by an environment variable of the parent, whose numba would read it as well and refuse a change.
    numba.set_num_threads(1)
    items: SimpleQueue[tuple[int, int, bytes]] = SimpleQueue()
    functions: dict[int, bytes] = {}
    dropped: set[int] = set()
    receive = threading.Thread(target=_receive, args=(connection, items, functions, dropped), daemon=True)
    receive.start()
    _send(connection, READY, "ready", None)
    known: tuple[int, Callable[[Any], Any]] = (READY, abs)  # the run in hand and its function
    while True:
        run, number, item = items.get()
        if number in dropped or run not in functions:
            dropped.discard(number)
            _send(connection, number, "skipped", None)
            continue
        try:
            if known[0] != run:
                known = (run, from_bytes(functions[run]))
            kind, answer = "result", pickle.dumps(known[1](from_bytes(item)), protocol=PROTOCOL)
        except BaseException as error:  # the caller's business
            kind, answer = "error", error_to_bytes(error)
        _send(connection, number, kind, answer)


def _receive(
    connection: Connection,
    items: SimpleQueue[tuple[int, int, bytes]],
    functions: dict[int, bytes],
    dropped: set[int],
) -> None:
    """Empty the pipe at once: a parent that waits to send cannot receive, and the two would wait forever."""
    while True:
        try:
            kind, *rest = pickle.loads(connection.recv_bytes())
        except (EOFError, OSError):
            # The parent closed the pipe or is no more; an item in hand is of no use to anyone.
            os._exit(0)
        if kind == "run":
            functions[rest[0]] = rest[1]
        elif kind == "item":
            dropped.discard(rest[1])  # it may come back, from a worker that died
            items.put(tuple(rest))
        elif kind == "drop":
            dropped.add(rest[0])
        else:
            functions.pop(rest[0], None)


def _send(connection: Connection, number: int, kind: str, answer: bytes | None) -> None:
    try:
        connection.send_bytes(pickle.dumps((number, kind)))
        connection.send_bytes(answer or b"")
    except OSError:
        os._exit(0)  # the parent is no more
