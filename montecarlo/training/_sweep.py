"""`run_items`: many trainings; outcomes that a results folder holds are not trained again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from montecarlo.runs import Block, Columns, current_running, draw_blocks, executor_in_use
from montecarlo.training._columns import outcome_of
from montecarlo.training._outcome import Outcome, TrainedNetwork
from montecarlo.training._plan import TrainingItem
from montecarlo.training._run import TrainingRun


def train_item(item: TrainingItem) -> TrainedNetwork:
    """Train one network and return it; a function of the item and its data alone."""
    return TrainingRun.find(item).train(item.replica)


def run_items(
    items: Sequence[TrainingItem],
    *,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    on_found: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """Return the outcomes of all items, trained on the executor and kept in the store of `running`.

    As with every sampler, the outcomes are the same without. Those that the store holds are read from it: an
    interrupted run goes on where it was. An outcome belongs to the content of its data, not to their name
    alone.

    Parameters
    ----------
    items : sequence of TrainingItem
        In any order, with repeats if need be.
    threads : int, optional
        Networks at a time; default: one a processor. The executor of `running` comes before it.
    progress : callable, optional
        Told of networks as they are trained.
    on_found : callable, optional
        Told how many the store holds already, if any.

    Returns
    -------
    list of Outcome
        In the order of the items.

    Raises
    ------
    InvalidFieldError
        If data cannot be found.
    MissingExtraError
        If networks are to be trained where the extra `training` is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from montecarlo import ResNet
    >>> from montecarlo.runs import running
    >>> from montecarlo.store import Store
    >>> net = ResNet(width=16, depth=10, beta=0.5, block="res-1", weights="fbm:0.5")
    >>> items = [TrainingItem(resnet=net, rate=rate) for rate in (0.01, 0.1)]
    >>> with tempfile.TemporaryDirectory() as folder, running(store=Store.open(folder)):
    ...     outcomes = run_items(items)
    ...     again = run_items(items, on_found=print)
    2
    >>> outcomes == again
    True
    """
    runs = {item: TrainingRun.find(item) for item in dict.fromkeys(items)}
    found = {item: outcome_of(item, runs[item].fingerprint, row) for item, row in _held(runs)}
    if on_found is not None and found:
        on_found(len(found))
    for item, row in _train({item: run for item, run in runs.items() if item not in found}, threads):
        found[item] = outcome_of(item, runs[item].fingerprint, row)
        if progress is not None:
            progress(1)
    return [found[item] for item in items]


def count_held(items: Sequence[TrainingItem]) -> int:
    """Return of how many items the store of `running` holds the outcomes."""
    return sum(1 for _ in _held({item: TrainingRun.find(item) for item in items}))


def _held(runs: dict[TrainingItem, TrainingRun]) -> Iterator[tuple[TrainingItem, Columns]]:
    """Yield items with the rows that the store holds."""
    inside = current_running()
    if inside is None or inside.store is None:
        return
    for item, run in runs.items():
        if not inside.missing(run, item.replica, item.replica + 1):
            yield item, inside.store.read(run.key, item.replica, item.replica + 1)


def _train(
    runs: dict[TrainingItem, TrainingRun], threads: int | None
) -> Iterator[tuple[TrainingItem, Columns]]:
    """Yield items with their rows as they are trained."""
    if not runs:
        return
    inside = current_running()
    if inside is not None and inside.store is not None:
        inside.store.add_runs([run.record for run in runs.values()])
    next(iter(runs.values())).prepare()
    blocks = {Block(run, item.replica, 1): item for item, run in runs.items()}
    drawing = draw_blocks(iter(blocks), executor_in_use(threads), inside)
    try:
        for block, columns in drawing:
            yield blocks[block], columns
    finally:
        drawing.close()
