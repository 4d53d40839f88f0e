"""`executor_from`: the executor that a call or a command line asks for."""

from __future__ import annotations

from montecarlo.common._errors import InvalidFieldError
from montecarlo.executors._dask import DaskExecutor
from montecarlo.executors._interface import Executor
from montecarlo.executors._processes import ProcessExecutor
from montecarlo.executors._threads import ThreadExecutor


def executor_from(
    threads: int | None = None, processes: int | None = None, dask: str | None = None
) -> Executor:
    """Return the executor of at most one of three choices; without any, threads on all processors.

    Parameters
    ----------
    threads : int, optional
        Threads of this process (`ThreadExecutor`).
    processes : int, optional
        Worker processes of this machine (`ProcessExecutor`).
    dask : str, optional
        Address of a Dask scheduler, or ``"local:N"`` (`DaskExecutor`), which is connected at once.

    Raises
    ------
    InvalidFieldError
        For more than one choice, or a value that its executor refuses.
    ExecutorError
        For Dask workers whose package draws other rows.

    Examples
    --------
    >>> executor_from(processes=3).workers
    3
    """
    choices = {"threads": threads, "processes": processes, "dask": dask}
    given = [name for name, value in choices.items() if value is not None]
    if len(given) > 1:
        first, second = given[:2]
        rule = f"must not be given together with {first}={choices[first]}"
        raise InvalidFieldError(second, choices[second], rule, "drop one of the two")
    if dask is not None:
        return DaskExecutor(dask)
    if processes is not None:
        return ProcessExecutor(processes)
    return ThreadExecutor(threads)
