"""`run_items`: many trainings; outcomes that a folder holds already are not trained again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from montecarlo._errors import InvalidFieldError
from montecarlo.executors import ThreadExecutor
from montecarlo.runs import Block, Columns, current_running, draw_block
from montecarlo.training._columns import outcome_of
from montecarlo.training._outcome import Outcome, TrainedNetwork
from montecarlo.training._outcome_file import outcome_path, read_outcome, write_outcome
from montecarlo.training._plan import TrainingItem
from montecarlo.training._run import TrainingRun


def train_item(item: TrainingItem) -> TrainedNetwork:
    """Train one network and return it; a function of the item and its data alone."""
    return TrainingRun.find(item).train(item.replica)


def run_items(
    items: Sequence[TrainingItem],
    folder: str | os.PathLike[str] | None = None,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    on_found: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """Return the outcomes of all items, from their files in a folder as far as these are there.

    A file is written whole as soon as its network is trained, so that an interrupted run goes on where it
    was; several runs may share a folder, at worst a network is trained twice. Files that are torn or were
    changed, or are of other data of the same name, are trained anew, with a warning. Inside
    `montecarlo.runs.running` networks are trained on its executor, and its results folder is used, too.

    Parameters
    ----------
    items : sequence of TrainingItem
        In any order, with repeats if need be.
    folder : path, optional
        Made if need be; one JSON file an item, named by its digest. Without it outcomes are returned alone.
    threads : int, optional
        Networks at a time; default: one a processor.
    progress : callable, optional
        Told of networks as they are trained.
    on_found : callable, optional
        Told how many are there already.

    Returns
    -------
    list of Outcome
        In the order of the items.

    Raises
    ------
    InvalidFieldError
        If the folder cannot be made, or data not be found.
    MissingExtraError
        If networks are to be trained where the extra `training` is not installed.
    """
    target = _make_folder(folder) if folder is not None else None
    runs = {item: TrainingRun.find(item) for item in dict.fromkeys(items)}
    found: dict[TrainingItem, Outcome] = {}
    if target is not None:
        for item, run in runs.items():
            outcome = read_outcome(outcome_path(target, item), item, run.fingerprint)
            if outcome is not None:
                found[item] = outcome

    def keep(item: TrainingItem, columns: Columns) -> None:
        found[item] = outcome_of(item, runs[item].fingerprint, columns)
        if target is not None:
            write_outcome(outcome_path(target, item), found[item])

    inside = current_running()
    missing = [item for item in runs if item not in found]
    if inside is not None and inside.store is not None:
        inside.store.add_runs([runs[item].record for item in missing])
        for item in missing:
            key, row = runs[item].key, item.replica
            if not inside.store.missing(key, row, row + 1):
                keep(item, inside.store.read(key, row, row + 1))
    if on_found is not None and found:
        on_found(len(found))
    for item, columns in _train([item for item in missing if item not in found], runs, threads):
        keep(item, columns)
        if progress is not None:
            progress(1)
    return [found[item] for item in items]


def _train(
    missing: list[TrainingItem], runs: dict[TrainingItem, TrainingRun], threads: int | None
) -> Iterator[tuple[TrainingItem, Columns]]:
    """Yield items with the rows of their outcomes as they are trained."""
    inside = current_running()
    own = ThreadExecutor(threads)
    executor = own if inside is None or inside.executor is None else inside.executor
    if missing:
        runs[missing[0]].prepare()
    blocks = {Block(runs[item], item.replica, 1): item for item in missing}
    drawing = executor.run(draw_block, iter(blocks))
    try:
        for block, drawn in drawing:
            if inside is not None:
                inside.keep(block.run, block.first, drawn.columns)
            yield blocks[block], drawn.columns
    finally:
        drawing.close()


def _make_folder(folder: str | os.PathLike[str]) -> Path:
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = f"must be a folder that can be made ({error.strerror})"
        raise InvalidFieldError("out", str(target), rule, "choose another one") from error
    return target
