"""`compiled_beside`: once a kernel is missing, a process beside this one compiles those that come later."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from montecarlo.common._jit import told_of_missing_kernels
from montecarlo.executors import ProcessExecutor, check_threads
from montecarlo.runs._run import Run

Task = Run | str
"""A run that is to be prepared, or a module to be imported."""


def kernel_modules() -> list[str]:
    """Return the modules that compile kernels when they are imported, among all the others.

    Examples
    --------
    >>> "montecarlo.engines.gaussian._plain" in kernel_modules()
    True
    """
    package = Path(__file__).parents[1]
    files = sorted(file for file in package.rglob("*.py") if not file.stem.startswith("__"))
    return [".".join(file.relative_to(package.parent).with_suffix("").parts) for file in files]


def compile_kernels() -> None:
    """Compile all kernels that are not on disk, by two processes where there are two processors."""
    modules = kernel_modules()
    with compiled_beside(modules[::-1]):
        for module in modules:
            importlib.import_module(module)


@contextlib.contextmanager
def compiled_beside(tasks: Sequence[Task], threads: int | None = None) -> Iterator[None]:
    """Compile what tasks need, in their order, in another process while the block runs.

    It begins when a kernel is not on disk, so that it costs nothing where all of them are. A compiler holds
    its process's lock: two compile in two processes only. Who needs a kernel that the other one has in hand
    waits for it.

    Parameters
    ----------
    tasks : sequence of Run or str
        What is needed last comes first: this process goes through them from the other end.
    threads : int, optional
        Of the block; default: all the processors it may use. One alone gets no process beside it.

    Raises
    ------
    InvalidFieldError
        For a number that is not whole or not positive.
    """
    if check_threads(threads) == 1:
        yield
        return
    begun = threading.Lock()

    def compile_all() -> None:
        # What cannot be compiled, or no process at all, is said where it is needed.
        with contextlib.suppress(Exception):
            for task in tasks:
                next(executor.run(_prepare, iter([task])))

    def begin() -> None:
        if begun.acquire(blocking=False):
            # A daemon: after Ctrl-C nobody waits for kernels. Where no thread can start, this one compiles.
            with contextlib.suppress(RuntimeError):
                threading.Thread(target=compile_all, name="compiling beside", daemon=True).start()

    executor = ProcessExecutor(1)
    with contextlib.closing(executor), told_of_missing_kernels(begin):
        yield


def _prepare(task: Task) -> None:
    with contextlib.suppress(Exception):
        if isinstance(task, str):
            importlib.import_module(task)
        else:
            task.prepare()
