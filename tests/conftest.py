"""What the whole suite shares: hypothesis profiles, compiled kernels, finite rows in statistical tests."""

import os
import signal

import numpy as np
import pytest
from hypothesis import settings

# The first call of a kernel compiles it, which no deadline should count.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


class _Running:
    """The test in hand: whether every network that it samples must be finite."""

    finite = False


def pytest_configure():
    # Who runs the tests in the background (`make test &`) has Ctrl-C ignored, and so have all processes that
    # the tests start, although some of them are to be interrupted by it.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    # Before the fixtures, which may sample for the test.
    marked = item.get_closest_marker("statistical") is not None
    _Running.finite = marked and item.get_closest_marker("loses_networks") is None


def pytest_runtest_logfinish():
    _Running.finite = False


@pytest.fixture(scope="session", autouse=True)
def no_network_is_lost_in_statistical_tests():
    """Fail a statistical test that samples a non-finite network: estimates would leave it out unseen.

    Tests of lost networks are marked ``loses_networks``.
    """
    from montecarlo.samples.independent._run import NetworkRun

    true = NetworkRun.sample

    def sample(run, first, count):
        columns = true(run, first, count)
        if _Running.finite:
            lost = np.any([np.isnan(c) for c in columns.values() if c.ndim == 1], axis=0).sum()
            assert lost == 0, f"{run!r} lost {lost} networks of {count} from {first} on"
        return columns

    NetworkRun.sample = sample
    yield
    NetworkRun.sample = true


@pytest.fixture(scope="session")
def warm_kernels():
    """Load every kernel and built-in activation of montecarlo once, from the cache or by compiling."""
    from montecarlo import ResNet, simulate
    from montecarlo.laws import LAWS
    from montecarlo.networks._activations import BUILT_IN
    from montecarlo.streams import normals, normals_of_words, words

    words((0, 0), 8)
    normals((0, 0), 8)
    normals_of_words(np.zeros(8, np.uint32), np.zeros(8, np.uint32))
    for law in LAWS:
        simulate(
            ResNet(width=2, depth=2, beta=0.5, weights=law), replicas=1, seed=0, threads=1, engine="dense"
        )
    for activation in BUILT_IN.values():
        activation.compiled()
