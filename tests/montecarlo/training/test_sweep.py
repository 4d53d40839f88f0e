"""Many trainings: outcomes in results folders, nothing trained twice, the same outcomes in any executor."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax")
pytest.importorskip("optax")


from montecarlo import InvalidFieldError, ResNet
from montecarlo.executors import Executor, ExecutorError, ProcessExecutor
from montecarlo.executors._interface import Item, Result
from montecarlo.runs import running
from montecarlo.store import Store, StoreWarning
from montecarlo.training import (
    Outcome,
    TrainingItem,
    TrainingPlan,
    TrainingRun,
    _sources,
    run_items,
    weight_scaling,
)
from montecarlo.training._columns import outcome_columns, outcome_of
from montecarlo.training._cost import training_seconds


def write_clouds(path: Path, seed: int) -> str:
    rng = np.random.default_rng(seed)
    y = np.arange(80) % 3
    np.savez(path, x=3.0 * rng.standard_normal((3, 5))[y] + rng.standard_normal((80, 5)), y=y)
    return str(path)


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> list[TrainingItem]:
    data = write_clouds(tmp_path_factory.mktemp("data") / "clouds.npz", 4)
    return [
        TrainingItem(resnet=net, rate=rate, data=data, seed=seed, plan=TrainingPlan(epochs=2, batch=16))
        for depth in (16, 32)
        for net in [
            ResNet(width=6, depth=depth, beta=0.5, block="res-1", weights="fbm:0.5", input_dim=5),
        ]
        for rate in (0.01, 1e30)
        for seed in (0, 1)
    ]


class Dying(Executor):
    """Runs two items and dies, as a run that is killed."""

    workers = 1  # type: ignore[assignment]

    def run(
        self, function: Callable[[Item], Result], items: Iterator[Item]
    ) -> Generator[tuple[Item, Result], None, None]:
        for _ in range(2):
            item = next(items)
            yield item, function(item)
        raise KeyboardInterrupt

    def close(self) -> None:
        pass


def run_into(folder: Path, items: list[TrainingItem], **options: Any) -> tuple[list[Outcome], int, int]:
    """Return outcomes, how many were trained, and how many the folder held."""
    trained, found = [], []
    executor = options.pop("executor", None)
    with running(executor=executor, store=Store.open(folder)):
        outcomes = run_items(items, progress=trained.append, on_found=found.append, **options)
    return outcomes, sum(trained), sum(found)


def rows(folder: Path) -> dict[tuple[str, int], bytes]:
    """Return the bytes of each row in a folder."""
    store = Store.open(folder, create=False)
    return {
        (key, start): b"".join(column.tobytes() for column in store.read(key, start, start + 1).values())
        for key in store.runs()
        for first, last in store.held(key)
        for start in range(first, last)
    }


def test_an_interrupted_run_goes_on(items: list[TrainingItem], tmp_path: Path) -> None:
    whole = run_items(items, threads=1)
    with pytest.raises(KeyboardInterrupt):
        run_into(tmp_path, items, executor=Dying())
    assert len(rows(tmp_path)) == 2
    assert run_into(tmp_path, items, threads=3) == (whole, len(items) - 2, 2)
    assert [outcome.diverged for outcome in whole] == [False, False, True, True] * 2
    assert run_into(tmp_path, [*items, items[0]]) == ([*whole, whole[0]], 0, len(items))


def test_processes_train_the_same(items: list[TrainingItem], tmp_path: Path) -> None:
    with ProcessExecutor(2) as executor:
        outcomes, trained, _ = run_into(tmp_path / "processes", items[:4], executor=executor)
    assert trained == 4
    assert outcomes == run_into(tmp_path / "threads", items[:4], threads=2)[0]
    assert rows(tmp_path / "processes") == rows(tmp_path / "threads")


def test_what_a_damaged_folder_lost_is_trained_again(items: list[TrainingItem], tmp_path: Path) -> None:
    first, _, _ = run_into(tmp_path, items[:2])
    (shard, *_) = sorted((tmp_path / "shards").iterdir())
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.warns(StoreWarning):
        again, trained, found = run_into(tmp_path, items[:2])
    assert trained > 0
    assert (again, trained + found) == (first, 2)


def test_data_that_have_changed_are_noticed(tmp_path: Path) -> None:
    net = ResNet(width=6, depth=16, beta=0.5, block="res-1", weights="fbm:0.5", input_dim=5)
    results = []
    for seed in (4, 5, 4):
        data = write_clouds(tmp_path / "clouds.npz", seed)
        _sources._load.cache_clear()
        item = TrainingItem(resnet=net, rate=0.01, data=data, plan=TrainingPlan(epochs=1))
        results.append(run_into(tmp_path / "out", [item]))
    assert [trained for _, trained, _ in results] == [1, 1, 0]
    assert results[0][0] == results[2][0] != results[1][0]


def test_outcomes_make_a_table(items: list[TrainingItem], tmp_path: Path) -> None:
    outcomes, _, _ = run_into(tmp_path, items)
    table = Store.open(tmp_path).to_pandas(depth=16, seed=0).sort_values("rate")
    assert table["rate"].tolist() == [0.01, 1e30]
    assert table["accuracy"].iloc[0] == outcomes[0].accuracy
    assert np.isnan(table["accuracy"].iloc[1])
    assert table["epochs"].tolist() == [2, 2]


def test_scaling_of_weights_in_depth(items: list[TrainingItem]) -> None:
    outcomes = run_items(items)
    kept = [outcome for outcome in outcomes if not outcome.diverged]
    before = weight_scaling(kept, moment="before")
    # ‖V_k‖ does not depend on the depth before training: |α V_k| scales like α.
    assert before.contains(-0.5)
    assert before.n == 2
    expected = []
    for seed in (0, 1):
        small, large = (
            outcome.item.resnet.scaling * outcome.after.norms["increment"]
            for outcome in kept
            if outcome.item.seed == seed and outcome.after is not None
        )
        expected.append(np.log(large / small) / np.log(2.0))
    assert weight_scaling(kept, "increment").value == pytest.approx(np.mean(expected))
    # A network that diverged takes its seed out, and is counted.
    mixed = [kept[0], kept[1], kept[2], next(o for o in outcomes[4:] if o.diverged and o.item.seed)]
    assert weight_scaling(mixed).n_nonfinite == 1
    with pytest.raises(ValueError, match="one seed"):
        weight_scaling(outcomes)
    with pytest.raises(ValueError, match="at least two"):
        weight_scaling(kept[:2])
    with pytest.raises(ValueError, match="must be one of"):
        weight_scaling(kept, "size")  # type: ignore[arg-type]


def test_estimated_times_grow_with_the_work(items: list[TrainingItem]) -> None:
    one, all_of_them = training_seconds(items[:1], 64), training_seconds(items, 64)
    assert one < all_of_them
    assert training_seconds(items, 64, workers=2) < all_of_them
    assert training_seconds([], 64) == 0.0


def test_outcomes_survive_as_columns(items: list[TrainingItem]) -> None:
    # A network of width 1 has indices without an interval, one of 8 layers has none.
    thin = ResNet(width=1, depth=16, beta=0.5, block="res-1", weights="fbm:0.5", input_dim=5)
    flat = ResNet(width=6, depth=8, beta=0.5, block="res-1", weights="fbm:0.5", input_dim=5)
    others = [replace(items[0], resnet=net, replica=3) for net in (thin, flat)]
    outcomes = run_items([*items, *others])
    assert {outcome.diverged for outcome in outcomes} == {True, False}
    for outcome in outcomes:
        run = TrainingRun.find(outcome.item)
        columns = outcome_columns(outcome)
        assert {name: column.shape[1:] for name, column in columns.items()} == run.cells
        assert outcome_of(outcome.item, outcome.fingerprint, columns) == outcome
    assert outcomes[-1].before.regularity is None
    lower = outcomes[-2].before.regularity
    assert lower is not None
    assert lower.lower == -np.inf


def test_rows_of_a_run_are_its_replicas(items: list[TrainingItem]) -> None:
    run = TrainingRun.find(items[0])
    columns = run.sample(0, 2)
    expected = run_items([items[0], replace(items[0], replica=1)])
    assert [outcome_of(run.item(row), run.fingerprint, columns, row) for row in (0, 1)] == expected
    others = [replace(items[0], rate=0.5), replace(items[0], plan=TrainingPlan(epochs=3, batch=16))]
    assert len({run.key, *(TrainingRun.find(item).key for item in others)}) == 3
    with pytest.raises(InvalidFieldError, match="the same wherever networks are trained"):
        replace(run, fingerprint="0" * 16).sample(0, 1)
    with pytest.raises(ExecutorError, match="install the same version"):
        replace(run, training_format=99).sample(0, 1)
