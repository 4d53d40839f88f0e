"""One executor of each kind, shared by the tests of a module: starting workers takes a second."""

import pytest

from montecarlo.executors import DaskExecutor, ProcessExecutor, ThreadExecutor


@pytest.fixture(scope="module")
def threads():
    with ThreadExecutor(2) as executor:
        yield executor


@pytest.fixture(scope="module")
def processes():
    with ProcessExecutor(2) as executor:
        yield executor


@pytest.fixture(scope="module")
def dask():
    with DaskExecutor("local:2") as executor:
        yield executor


@pytest.fixture(params=["threads", "processes", "dask"])
def executor(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["processes", "dask"])
def remote(request):
    return request.getfixturevalue(request.param)
