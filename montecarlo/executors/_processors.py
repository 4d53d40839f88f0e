"""How many processors this process may use: by its affinity, and by the quota of its container or job."""

from __future__ import annotations

import math
import os
from pathlib import Path


def available_threads(root: Path = Path("/")) -> int:
    """Return the number of processors this process may run on, at most what its quota pays for, rounded up.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        count = os.cpu_count() or 1
    # PYTHON_CPU_COUNT and -X cpu_count, in Python 3.13
    count = min(count, getattr(os, "process_cpu_count", lambda: None)() or count)
    return math.ceil(max(1, min(count, _quota(root))))


def _quota(root: Path) -> float:
    """Return the least that control groups on the way up grant; infinity without a limit."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return math.inf  # no Linux
    found = [math.inf]
    for line in lines:
        _, controllers, group = line.split(":", 2) if line.count(":") >= 2 else ("", "-", "/")
        parts = Path(group.lstrip("/")).parts
        for length in range(len(parts), -1, -1):
            below = Path(*parts[:length])
            if not controllers:  # version 2
                found.append(_ratio(_words(root / "sys/fs/cgroup" / below / "cpu.max")))
            elif "cpu" in controllers.split(","):
                folder = root / "sys/fs/cgroup" / "cpu" / below
                names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
                found.append(_ratio([word for name in names for word in _words(folder / name)]))
    return min(found)


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return []


def _ratio(words: list[str]) -> float:
    """Return quota over period, infinity for ``max``, ``-1`` or what cannot be read."""
    try:
        quota, period = map(int, words)
    except ValueError:
        return math.inf
    return quota / period if quota > 0 and period > 0 else math.inf
