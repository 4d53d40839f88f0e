"""Many trainings: outcomes in files, nothing trained twice, the same outcomes in any executor."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("jax")
pytest.importorskip("optax")

from montecarlo import InvalidFieldError, ResNet
from montecarlo.executors._interface import Item, Result
from montecarlo.runs import running
from montecarlo.training import TrainingItem, TrainingPlan, TrainingRun, run_items, weight_scaling
from montecarlo.training._columns import outcome_columns, outcome_of
from montecarlo.training._cost import training_seconds
from montecarlo.training._outcome_file import outcome_path


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


class Dying:
    """Runs two items and dies, as a run that is killed."""

    workers = 1

    def run(
        self, function: Callable[[Item], Result], items: Iterator[Item]
    ) -> Generator[tuple[Item, Result], None, None]:
        for _ in range(2):
            item = next(items)
            yield item, function(item)
        raise KeyboardInterrupt

    def close(self) -> None:
        pass


def test_an_interrupted_run_goes_on(items: list[TrainingItem], tmp_path: Path) -> None:
    whole = run_items(items, tmp_path / "whole", threads=1)
    with pytest.raises(KeyboardInterrupt), running(executor=Dying()):
        run_items(items, tmp_path / "parts")
    assert len(list((tmp_path / "parts").iterdir())) == 2
    found, trained = [], []
    parts = run_items(items, tmp_path / "parts", threads=3, progress=trained.append, on_found=found.append)
    assert (found, sum(trained)) == ([2], len(items) - 2)
    assert parts == whole
    names = {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}
    assert names == {path.name: path.read_bytes() for path in (tmp_path / "parts").iterdir()}
    assert [outcome.diverged for outcome in whole] == [False, False, True, True] * 2


def test_files_that_do_not_fit_are_trained_anew(items: list[TrainingItem], tmp_path: Path) -> None:
    first = run_items(items[:2], tmp_path)
    path = outcome_path(tmp_path, items[0])
    good = path.read_text()
    other = outcome_path(tmp_path, items[1]).read_text()
    digit = good.index('"accuracy": 0.') + len('"accuracy": 0.')
    flipped = good[:digit] + str((int(good[digit]) + 1) % 10) + good[digit + 1 :]
    renamed = good.replace('"accuracy"', '"precision"')
    for bad in (good[:100], "[]", "{}", "[" * 100_000, other, renamed, flipped):
        path.write_text(bad)
        trained = []
        with pytest.warns(RuntimeWarning, match=f"{path.name}.*trained anew"):
            again = run_items(items[:2], tmp_path, progress=trained.append)
        assert trained == [1]
        assert again == first
        assert path.read_text() == good


def test_data_that_have_changed_are_noticed(tmp_path: Path) -> None:
    net = ResNet(width=6, depth=16, beta=0.5, block="res-1", weights="fbm:0.5", input_dim=5)
    texts = []
    for seed in (4, 5):
        data = write_clouds(tmp_path / "clouds.npz", seed)
        from montecarlo.training import _sources

        _sources._load.cache_clear()
        item = TrainingItem(resnet=net, rate=0.01, data=data, plan=TrainingPlan(epochs=1))
        if seed == 4:
            run_items([item], tmp_path / "out")
        else:
            with pytest.warns(RuntimeWarning, match="have changed"):
                run_items([item], tmp_path / "out")
        texts.append(outcome_path(tmp_path / "out", item).read_text())
    assert texts[0] != texts[1]


def test_a_folder_that_cannot_be_made_is_refused(items: list[TrainingItem], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidFieldError, match="folder"):
        run_items(items, tmp_path / "file" / "folder")


def test_scaling_of_weights_in_depth(items: list[TrainingItem], tmp_path: Path) -> None:
    outcomes = run_items(items, tmp_path)
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


def test_outcomes_survive_as_columns(items: list[TrainingItem], tmp_path: Path) -> None:
    # A network of width 1 has indices without an interval, one of 8 layers has none.
    thin = ResNet(width=1, depth=16, beta=0.5, block="res-1", weights="fbm:0.5", input_dim=5)
    flat = ResNet(width=6, depth=8, beta=0.5, block="res-1", weights="fbm:0.5", input_dim=5)
    others = [replace(items[0], resnet=net, replica=3) for net in (thin, flat)]
    outcomes = run_items([*items, *others], tmp_path)
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
    rows = run.sample(0, 2)
    expected = run_items([items[0], replace(items[0], replica=1)])
    assert [outcome_of(run.item(row), run.fingerprint, rows, row) for row in (0, 1)] == expected
    others = [replace(items[0], rate=0.5), replace(items[0], plan=TrainingPlan(epochs=3, batch=16))]
    assert len({run.key, *(TrainingRun.find(item).key for item in others)}) == 3
    with pytest.raises(InvalidFieldError, match="the same wherever networks are trained"):
        replace(run, fingerprint="0" * 16).sample(0, 1)
