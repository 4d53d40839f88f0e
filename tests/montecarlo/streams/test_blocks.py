"""The words of many counters at once are those of `montecarlo.streams.words`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from montecarlo.common._jit import kernel
from montecarlo.streams import words
from montecarlo.streams._blocks import REPLICAS, Table, fill_replica_words, fill_words

pytestmark = pytest.mark.usefixtures("warm_kernels")

WORD = st.integers(0, 2**32 - 1)
PLANE = 160


@kernel
def _words(k0, k1, c1, c2, c3, counters, n, out):
    table = Table(out, np.uint64(1))
    fill_words(k0, k1, c1, c2, c3, Table(counters, np.uint64(0)), n, table, np.uint64(PLANE))


@kernel
def _replica_words(k0, k1, layer_role, low, high, groups, out):
    fill_replica_words(k0, k1, layer_role, low, high, groups, Table(out, np.uint64(1)))


def as_words(*numbers):
    return (np.uint32(number) for number in numbers)


@settings(max_examples=50)
@given(key=st.tuples(WORD, WORD), high=st.tuples(WORD, WORD, WORD), n=st.integers(0, 150), data=st.data())
def test_any_counters(key, high, n, data):
    first = data.draw(st.integers(0, 1000))
    order = np.random.default_rng(n).permutation(n)
    counters = np.zeros(PLANE, np.uint32)
    counters[:n] = first + order
    out = np.zeros(1 + 4 * PLANE, np.float32)
    _words(*as_words(*key, *high), counters.view(np.float32), np.uint64(n), out)
    expected = words(key, first + max(n, 1), high=high)[:, first + order]
    assert np.array_equal(out[1:].view(np.uint32).reshape(4, PLANE)[:, :n], expected)


@settings(max_examples=50)
@given(
    key=st.tuples(WORD, WORD),
    layer_role=WORD,
    batch=st.integers(0, 2**28 - 1),
    high=WORD,
    groups=st.integers(1, 9),
)
def test_sixteen_replicas(key, layer_role, batch, high, groups):
    low = batch * REPLICAS
    out = np.zeros(1 + 4 * groups * REPLICAS, np.float32)
    _replica_words(*as_words(*key, layer_role, low, high), np.uint64(groups), out)
    found = out[1:].view(np.uint32).reshape(4, groups, REPLICAS)
    for lane in range(REPLICAS):
        assert np.array_equal(found[:, :, lane], words(key, groups, high=(layer_role, low + lane, high)))
