"""What a worker process of `ProcessExecutor` does: run the calls that come through its pipe, one at a time.

It says ``b"ready"`` first. Then each call is answered by ``b"result"`` or ``b"error"`` and a pickle.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

from montecarlo.executors._calls import call, pack_error


def work(connection: Connection) -> None:
    """Serve the parent until it ends or kills this process."""
    # Ctrl-C is the parent's business; from a terminal it reaches the whole group of processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        connection.send_bytes(b"ready")
        while True:
            packed = connection.recv_bytes()
            try:
                kind, answer = b"result", pickle.dumps(call(packed), protocol=pickle.HIGHEST_PROTOCOL)
            except BaseException as error:  # the caller's business
                kind, answer = b"error", pack_error(error)
            connection.send_bytes(kind)
            connection.send_bytes(answer)
    except (EOFError, OSError):
        return  # the parent is no more


def _end_with_parent() -> None:
    """End in the middle of a call, too: what it computes is of no use to anyone."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
    os._exit(0)
