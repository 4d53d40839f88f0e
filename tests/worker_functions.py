"""Functions that run in worker processes of tests, which can import them from here."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from montecarlo import Request
from montecarlo.engines._registry import find_engine


class FamiliarError(Exception):
    """An error of two arguments."""

    def __init__(self, what, where):
        super().__init__(what, where)
        self.where = where


class StubbornError(Exception):
    """An error that a pickle cannot bring back: its class takes other arguments than it keeps."""

    def __init__(self, what, where):
        super().__init__(f"{what} at {where}")


def square(number):
    return number * number


def slow_square(number):
    time.sleep(0.02)
    return number * number


def stall_after_ten(number):
    time.sleep(600 if number > 10 else 0)
    return number


def fail_at_three(number):
    if number == 3:
        raise FamiliarError("three", number)
    return number


def fail_stubbornly(number):
    raise StubbornError("here", number)


def identity_of_worker(number):
    time.sleep(0.05)
    return os.getpid()


def wait_for_the_last(item):
    """Return when another item has left its mark; the last one leaves it."""
    number, last, folder = item
    mark = Path(folder, "mark")
    if number == last:
        mark.touch()
    for _ in range(1000 if number == 0 else 0):
        if mark.exists():
            break
        time.sleep(0.01)
    return mark.exists()


def die_once(item):
    """Kill the worker at the item's first run, if the item says so."""
    number, folder, dies = item
    mark = Path(folder, str(number))
    if dies and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def die_always(item):
    if item == "killer":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return item


def echo(item):
    return item


def thread_settings(_):
    """Return what limits the libraries' threads after some work."""
    import numba
    from threadpoolctl import threadpool_info

    matrix = np.ones((600, 600))
    matrix @ matrix
    return {
        "numba": numba.get_num_threads(),
        "blas": [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"],
        "environment": {name: value for name, value in os.environ.items() if name.endswith("_NUM_THREADS")},
    }


class BlockOfNetworks:
    """The columns of the networks that begin at a replica."""

    def __init__(self, resnet, seed, size, request=None):
        self.resnet = resnet
        self.seed = seed
        self.size = size
        self.request = request or Request()

    def __call__(self, start):
        engine = find_engine("auto", self.resnet, self.request)
        key = self.resnet.stream_key(self.seed)
        return engine.sample(self.resnet, self.request, key, start, self.size)


class BlockWithWorker(BlockOfNetworks):
    """The same with the process that computed it, and with a rest, for others to start meanwhile."""

    def __call__(self, start):
        time.sleep(0.05)
        return os.getpid(), super().__call__(start)
