"""Seeds as people have them: whole numbers of any type and size, and numpy's seed sequences."""

from __future__ import annotations

import decimal
import fractions
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from montecarlo import InvalidFieldError, ResNet, read_sample, sample_to_file, simulate
from montecarlo.common._errors import check_seed, check_whole
from montecarlo.runs import running
from montecarlo.store import Store, combine

NET = ResNet(width=4, depth=3, beta=0.5)
LARGE = 2**63 + 1
INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


@given(name=st.sampled_from(INTEGERS), data=st.data())
def test_integers_of_numpy_are_what_they_say(name: str, data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, int(np.iinfo(name).max)))
    for given_seed in (np.dtype(name).type(seed), np.array(seed, name)):
        found = check_seed(given_seed)
        assert (type(found), found) == (int, seed)


@given(seed=st.integers(0, 2**128 - 1))
def test_whole_numbers_of_other_types_are_exact(seed: int) -> None:
    assert check_seed(seed) == check_seed(fractions.Fraction(seed)) == seed
    assert check_seed(np.random.SeedSequence(seed)) == seed
    with decimal.localcontext(prec=60):
        assert check_seed(decimal.Decimal(seed)) == seed


@pytest.mark.parametrize(
    "seed",
    [-1, np.int64(-1), 2**128, True, np.True_, "7", b"7", 0.5, np.float64("nan"), np.inf, None, 1j, [7, 8],
     np.array([1, 2]), fractions.Fraction(1, 2), decimal.Decimal("0.5")],
)  # fmt: skip
def test_what_is_no_whole_number_is_refused(seed: Any) -> None:
    with pytest.raises(InvalidFieldError, match=r"seed=.*must be a whole number of at least 0 and at most"):
        check_seed(seed)


def test_numbers_that_a_float_cannot_tell_apart() -> None:
    assert check_whole("n", np.uint64(2**53 + 1), 0, 2**64, 7) == 2**53 + 1
    assert check_whole("n", 2.0**60, 0, 2**64, 7) == 2**60
    with pytest.raises(InvalidFieldError):
        check_whole("n", decimal.Decimal(2**53) + decimal.Decimal("0.1"), 0, 2**64, 7)


def test_seed_sequences_that_were_spawned_or_are_long() -> None:
    root = np.random.SeedSequence(7)
    long = [np.random.SeedSequence(2**200 + k) for k in (0, 1)] + [np.random.SeedSequence([7, 8])]
    seeds = [check_seed(sequence) for sequence in (root, *root.spawn(3), *long)]
    assert len(set(seeds)) == 7
    again = np.random.SeedSequence(7)
    assert [check_seed(sequence) for sequence in (again, *again.spawn(3), *long)] == seeds


@pytest.mark.usefixtures("warm_kernels")
def test_rows_files_and_folders_know_large_seeds(tmp_path: Path) -> None:
    plain = simulate(NET, replicas=3, seed=LARGE)
    path = tmp_path / "s.parquet"
    with running(store=Store.open(tmp_path / "results")):
        for seed in (np.uint64(LARGE), np.random.SeedSequence(np.uint64(LARGE))):
            found = sample_to_file(NET, path, replicas=3, seed=seed)  # type: ignore[arg-type]
            assert (type(found.seed), found.seed) == (int, LARGE)
            assert np.array_equal(found["log_hidden_ratio"], plain["log_hidden_ratio"])
        assert not np.array_equal(
            simulate(NET, replicas=3, seed=LARGE - 1)["log_hidden_ratio"], plain["log_hidden_ratio"]
        )
    assert read_sample(path).seed == LARGE
    metadata = pq.read_schema(path).metadata[b"largedepth"]
    assert json.loads(metadata)["seed"] == LARGE
    combine([tmp_path / "results"], tmp_path / "t.parquet")
    assert set(pq.read_table(tmp_path / "t.parquet")["seed"].to_pylist()) == {str(LARGE), str(LARGE - 1)}
