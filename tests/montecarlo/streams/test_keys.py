"""Keys: a hash of seed and fields, frozen, and different wherever anything differs."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from montecarlo import streams
from montecarlo.streams import _keys, derive_key

SEED = st.integers(0, 2**128 - 1)
FIELDS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4)


def test_frozen():
    assert streams.STREAM_FORMAT == 1, "raise the format, then freeze the new streams here"
    key = derive_key(7, {"width": 40, "input_dim": 64, "weights": "gaussian"})
    assert [f"{word:08x}" for word in key] == FROZEN_KEY


FROZEN_KEY = ["2fd205f6", "0758276f"]


@given(seed=SEED, fields=FIELDS)
def test_two_words_whatever_the_order_of_the_fields(seed, fields):
    key = derive_key(seed, fields)
    assert all(0 <= word < 2**32 for word in key)
    assert key == derive_key(seed, dict(reversed(fields.items())))


@given(a=st.tuples(SEED, FIELDS), b=st.tuples(SEED, FIELDS))
def test_other_seed_or_fields_give_another_key(a, b):
    # two of the few hundred keys drawn agree by chance with probability 1e-15
    assert (derive_key(*a) == derive_key(*b)) == (a == b)


def test_neighbouring_seeds_share_nothing():
    keys = [derive_key(seed, {}) for seed in range(2000)]
    assert len(set(keys)) == len(keys)
    flips = [(a ^ b).bit_count() for (a, _), (b, _) in itertools.pairwise(keys)]
    assert 15.0 < sum(flips) / len(flips) < 17.0  # 16 expected, standard error 0.06


def test_roles_are_distinct_and_fit_above_the_layers():
    # the module itself: the package re-exports only some of the roles
    roles = {name: value for name, value in vars(_keys).items() if name.startswith("ROLE_")}
    assert len(roles) >= 15
    assert len(set(roles.values())) == len(roles), roles
    for name, value in roles.items():
        assert value >= 0, name
        assert value * streams.LAYER_LIMIT + streams.LAYER_LIMIT - 1 < 2**32, name
    exported = {name: value for name, value in vars(streams).items() if name.startswith("ROLE_")}
    assert exported.items() <= roles.items()
