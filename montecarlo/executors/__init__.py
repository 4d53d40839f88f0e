"""Executors: where blocks of networks run; they change the time that a run takes and nothing else."""

from montecarlo.executors._choose import executor_from as executor_from
from montecarlo.executors._dask import DaskExecutor as DaskExecutor
from montecarlo.executors._interface import Executor as Executor
from montecarlo.executors._interface import ExecutorError as ExecutorError
from montecarlo.executors._processes import ProcessExecutor as ProcessExecutor
from montecarlo.executors._processors import available_threads as available_threads
from montecarlo.executors._threads import ThreadExecutor as ThreadExecutor
from montecarlo.executors._threads import check_threads as check_threads
