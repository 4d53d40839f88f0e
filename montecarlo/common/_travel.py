"""Objects of users' functions on their way through other processes.

A pickled lambda becomes a new function wherever it arrives. An activation or a process that holds one would
arrive as another object each time, unequal to the one that left, and what was compiled or factorised for it
would be done again for every block. So each takes a token along, and arrives once a process.
"""

from __future__ import annotations

import threading
import uuid
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

_KEPT = 64  # of the last to arrive; blocks of a run come one by one, with nothing to hold the object between

_lock = threading.RLock()  # what arrives may bring others along
_present: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
_arrived: deque[Any] = deque(maxlen=_KEPT)


def departure(thing: Any, build: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
    """Return what ``__reduce__`` returns: ``build(*arguments)`` makes the thing where it is not known."""
    with _lock:
        token = thing.__dict__.get("_token")
        if token is None:
            token = uuid.uuid4().hex
            object.__setattr__(thing, "_token", token)  # frozen
        _present[token] = thing
    return arrival, (token, build, arguments)


def arrival(token: str, build: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Return the thing of a token, built at its first arrival in this process."""
    with _lock:
        thing = _present.get(token)
        if thing is None:
            thing = build(*arguments)
            object.__setattr__(thing, "_token", token)
            _present[token] = thing
            _arrived.append(thing)
        return thing
