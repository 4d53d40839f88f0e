"""The words are those of Philox4x32-10: known answers, and an independent implementation in plain Python.

numpy has Philox4x64-10 only, the same algorithm on longer words. The plain Python version takes the word
size as a parameter: its 64-bit case is checked against numpy, its 32-bit case then checks ours.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from montecarlo.streams import words

pytestmark = pytest.mark.usefixtures("warm_kernels")

WORD = st.integers(0, 2**32 - 1)
LONG_WORD = st.integers(0, 2**64 - 1)

RANDOM123 = {
    "zeros": ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    "ones": ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    "pi": (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
}


@dataclass(frozen=True)
class Philox:
    """Ten rounds of Philox4 on words of any size (Salmon et al., SC'11)."""

    bits: int
    multipliers: tuple[int, int]
    weyl: tuple[int, int]

    def __call__(self, counter, key):
        mask = (1 << self.bits) - 1
        (x0, x1, x2, x3), (k0, k1) = counter, key
        for _ in range(10):
            a, b = self.multipliers[0] * x0, self.multipliers[1] * x2
            x0, x1, x2, x3 = (b >> self.bits) ^ x1 ^ k0, b & mask, (a >> self.bits) ^ x3 ^ k1, a & mask
            k0, k1 = (k0 + self.weyl[0]) & mask, (k1 + self.weyl[1]) & mask
        return x0, x1, x2, x3


PHILOX_32 = Philox(32, (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85))
PHILOX_64 = Philox(64, (0xD2E7470EE14C6C93, 0xCA5A826395121157), (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B))


def hexadecimal(four):
    return " ".join(f"{int(word):08x}" for word in four)


@pytest.mark.parametrize("name", RANDOM123)
def test_known_answers_of_the_plain_version(name):
    counter, key, answer = RANDOM123[name]
    assert hexadecimal(PHILOX_32(counter, key)) == answer


def test_known_answer_for_zeros():
    assert hexadecimal(words((0, 0), 1)[:, 0]) == RANDOM123["zeros"][2]


@pytest.mark.parametrize("name", ["ones", "pi"])
def test_known_answers_at_high_counters(name):
    from montecarlo.common._jit import kernel
    from montecarlo.streams._philox import philox

    # `words` starts its counters at 0; the first counter word of these answers is far beyond.
    @kernel
    def one(c0, c1, c2, c3, k0, k1):
        return philox(c0, c1, c2, c3, k0, k1)

    counter, key, answer = RANDOM123[name]
    assert hexadecimal(one(*map(np.uint32, (*counter, *key)))) == answer


@given(counter=st.tuples(*[LONG_WORD] * 4), key=st.tuples(*[LONG_WORD] * 2))
def test_plain_version_on_long_words_is_that_of_numpy(counter, key):
    # numpy adds one to the counter before it draws
    value = (sum(word << 64 * i for i, word in enumerate(counter)) - 1) % 2**256
    before = [(value >> 64 * i) & (2**64 - 1) for i in range(4)]
    generator = np.random.Philox(counter=np.array(before, np.uint64), key=np.array(key, np.uint64))
    assert tuple(int(word) for word in generator.random_raw(4)) == PHILOX_64(counter, key)


@given(key=st.tuples(WORD, WORD), high=st.tuples(WORD, WORD, WORD), n=st.integers(1, 70))
def test_words_are_those_of_the_plain_version(key, high, n):
    drawn = words(key, n, high=high)
    assert drawn.shape == (4, n)
    assert drawn.T.tolist() == [list(PHILOX_32((i, *high), key)) for i in range(n)]


@given(key=st.tuples(WORD, WORD), n=st.integers(1, 300), m=st.integers(1, 300))
def test_words_do_not_depend_on_how_many_are_drawn(key, n, m):
    least = min(n, m)
    assert np.array_equal(words(key, n)[:, :least], words(key, m)[:, :least])
