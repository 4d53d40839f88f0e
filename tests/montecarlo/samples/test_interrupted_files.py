"""Ctrl-C and errors leave the finished rows of every kind of sample in its file, and the next run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from row_bits import same_bits

from montecarlo import (
    ResNet,
    Transformer,
    coupled_to_file,
    jacobians_to_file,
    joint_to_file,
    read_sample,
    sample_to_file,
    shared_to_file,
    simulate,
    tokens_to_file,
)

pytestmark = pytest.mark.usefixtures("warm_kernels")

PLAIN = ResNet(width=4, depth=8, beta=0.5)
FRACTIONAL = ResNet(width=4, depth=8, beta=1.0, weights="fbm:0.7", block="res-1")
TOKENS = Transformer.preset("gpt2", width=8, depth=2, heads=2, tokens=3)

KINDS: dict[str, tuple[Callable[..., Any], int]] = {
    "sample": (lambda path, **asked: sample_to_file(PLAIN, path, **asked), 1),
    "jacobians": (lambda path, **asked: jacobians_to_file(PLAIN, path, **asked), 1),
    "inputs": (lambda path, **asked: joint_to_file(PLAIN, np.eye(2), path, **asked), 1),
    "depths": (lambda path, **asked: coupled_to_file(FRACTIONAL, [4, 8], path, **asked), 2),
    "shared": (lambda path, **asked: shared_to_file(FRACTIONAL, path, betas=[0.5, 1], inputs=3, **asked), 6),
    "tokens": (lambda path, **asked: tokens_to_file(TOKENS, path, **asked), 1),
}
"""What leaves rows in a file, and the networks of a row."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", [KeyboardInterrupt, OSError])
def test_what_is_finished_is_kept_and_continued(
    kind: str, end: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_file, networks = KINDS[kind]
    monkeypatch.setattr("montecarlo.runs._rows.suggest_block_size", lambda *run: 2)
    sampled: list[int] = []
    found: list[int] = []

    def interrupt(count: int) -> None:
        sampled.append(count)
        if len(sampled) == 2:
            raise end

    path = tmp_path / "s.parquet"
    with pytest.raises(end):
        to_file(path, replicas=9, seed=1, threads=1, progress=interrupt)
    assert sampled == [2 * networks] * 2
    again = to_file(path, replicas=9, seed=1, threads=1, progress=sampled.append, on_found=found.append)
    assert found == [4 * networks]
    assert sum(sampled[2:]) == 5 * networks
    whole = to_file(tmp_path / "whole.parquet", replicas=9, seed=1)
    for name, column in whole.columns.items():
        np.testing.assert_array_equal(again[name], column)


def test_rows_behind_a_gap_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from montecarlo.runs import _rows

    def out_of_order(*asked: Any, **options: Any) -> Any:
        a, b, _, d = true(*asked, **options)
        yield from (a, d, b)
        raise OSError("the third block")

    true = _rows.iter_rows
    monkeypatch.setattr(_rows, "iter_rows", out_of_order)
    monkeypatch.setattr(_rows, "suggest_block_size", lambda *run: 2)
    path = tmp_path / "s.parquet"
    with pytest.raises(OSError, match="third"):
        sample_to_file(PLAIN, path, replicas=8, seed=1, threads=1)
    monkeypatch.undo()
    found: list[int] = []
    sample_to_file(PLAIN, path, replicas=8, seed=1, on_found=found.append)
    assert found == [4]


def test_rows_are_kept_once_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("montecarlo.runs._rows.suggest_block_size", lambda *run: 2)
    monkeypatch.setattr("montecarlo.runs._rows._KEEP_SECONDS", 0.0)
    path, there = tmp_path / "s.parquet", []
    sample_to_file(
        PLAIN, path, replicas=6, seed=1, threads=1, progress=lambda count: there.append(path.exists())
    )
    assert there == [False, True, True]


def test_blocks_that_come_in_any_order_are_kept_up_to_the_first_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = simulate(PLAIN, replicas=20, seed=1)

    def blocks(*arguments: object, **named: object) -> Iterator[tuple[int, Any]]:
        for first in (8, 0, 16, 4):
            yield first, {name: column[first : first + 4] for name, column in whole.columns.items()}
        raise KeyboardInterrupt

    monkeypatch.setattr("montecarlo.runs._rows.iter_rows", blocks)
    path = tmp_path / "s.parquet"
    with pytest.raises(KeyboardInterrupt):
        sample_to_file(PLAIN, path, replicas=20, seed=1)
    assert same_bits(read_sample(path, PLAIN), whole.head(12))
