"""``largedepth train``: networks trained from random weights, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from largedepth._options import apply_options, executor_options, real, take, whole
from largedepth._progress import TRAINED_WORDS, in_words, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from montecarlo.executors import Executor
    from montecarlo.training import DataSet, Outcome, TrainedNetwork, TrainingItem

_network_options = apply_options(
    click.option(
        "--block", default="res-1", show_default=True, metavar="res-1|res-2|res-3", help="Residual block."
    ),
    click.option(
        "--activation", default="relu", show_default=True, metavar="NAME",
        help="relu, tanh, gelu, identity, leaky-relu, softplus or sin; res-3 is always relu.",
    ),
    click.option(
        "--bias-std", type=real("0.1"), default=0.0, show_default=True, metavar="S",
        help="Standard deviation of the first biases of res-2.",
    ),
    click.option("--width", type=whole("30"), default=30, show_default=True, metavar="D", help="Width."),
    click.option("--depth", type=whole("200"), default=1000, show_default=True, metavar="L", help="Depth."),
    click.option(
        "--beta", "betas", type=real("0.5"), multiple=True, default=(0.5,), metavar="B",
        help="Scaling exponent: alpha = L^-B; repeat it for several. Default: 0.5.",
    ),
    click.option(
        "--weights", "laws", multiple=True, default=("gaussian",), metavar="LAW",
        help="First weights, as for `simulate`: gaussian, uniform, ..., fbm:H, rbf:VARIANCE; repeat it for "
        "several. Default: gaussian.",
    ),
)  # fmt: skip


@click.command(
    epilog="Example: largedepth train --depth 200 --weights fbm:0.7 --beta 0.7 --lr 0.001 --lr 0.01"
)
@_network_options
@click.option(
    "--data",
    default="digits",
    show_default=True,
    metavar="NAME",
    help="digits, mnist1d (neither is downloaded), mnist, cifar10 (from OpenML), a .npz file, or a folder "
    "of IDX files.",
)
@click.option(
    "--lr", "--rate", "rates", type=real("0.01"), multiple=True, metavar="R",
    help="Learning rate of Adam; repeat it for several. Default: 1e-4, 1e-3, 1e-2, 1e-1 and 1.",
)  # fmt: skip
@click.option("--epochs", type=whole("10"), default=10, show_default=True, metavar="N", help="Passes.")
@click.option(
    "--batch", type=whole("128"), default=128, show_default=True, metavar="N", help="Examples a step."
)
@click.option(
    "--decay", type=real("0.1"), default=0.1, show_default=True, metavar="F",
    help="Factor of the learning rate after every --decay-epochs.",
)  # fmt: skip
@click.option(
    "--decay-epochs", type=whole("5"), default=5, show_default=True, metavar="N", help="Epochs of one rate."
)
@click.option(
    "--seed", type=whole("7"), default=0, show_default=True, metavar="N",
    help="Of the first weights and the order of the examples.",
)  # fmt: skip
@click.option(
    "--replica", type=whole("0"), default=0, show_default=True, metavar="N",
    help="Which network of that seed: its first weights are those of row N of `simulate`.",
)  # fmt: skip
@executor_options
@click.option(
    "--out",
    metavar="PATH",
    help="A .json file of all outcomes; a .npz file of the weights before and after (one law and scaling); "
    "or a results folder of outcomes, which the same command continues. The table goes to stdout.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be trained and roughly how long it takes.")
def train(
    betas: tuple[float, ...],
    laws: tuple[str, ...],
    data: str,
    rates: tuple[float, ...],
    seed: int,
    replica: int,
    out: str | None,
    dry_run: bool,
    **options: Any,
) -> None:
    """Train networks on labelled images, from the very weights that `simulate` draws.

    Adam on cross-entropy; the first and last map are trained, too. One row for each law, scaling and
    rate: accuracy on the test part, its loss, the step at which the network diverged if it did; the index
    of regularity along depth before and after (H for fractional weights, 1/2 for independent layers, 1 for
    smooth ones), the same from differences, blind to means along depth (2 for smooth weights), that of
    what training has added, from differences; and the natural logs of |h_L|/|h_0| before and after.

    Needs the extra: pip install 'largedepth[training]'
    """
    from montecarlo import ResNet
    from montecarlo.executors import executor_from
    from montecarlo.training import RATES, TrainingItem, TrainingPlan, load_data, need_training

    need_training("jax", "optax")
    plan = TrainingPlan(**take(options, "epochs", "batch", "decay", "decay_epochs"))
    place = take(options, "threads", "processes", "dask")
    loaded = load_data(data)
    items = [
        TrainingItem(
            resnet=ResNet(beta=beta, weights=law, input_dim=loaded.features, **options),
            rate=rate, data=data, seed=seed, replica=replica, plan=plan,
        )
        for law in dict.fromkeys(laws)
        for beta in dict.fromkeys(betas)
        for rate in dict.fromkeys(rates or RATES)
    ]  # fmt: skip
    kind = _kind(out, items)
    with executor_from(**place) as executor:
        if dry_run:
            folder = out if kind == "folder" else None
            click.echo(_estimate(items, loaded, folder, executor.workers))
            return
        outcomes = _run(items, executor, out, kind)
    lost = sum(outcome.diverged for outcome in outcomes)
    if lost:
        click.echo(f"train: {lost} of {len(outcomes)} networks diverged: they have no accuracy", err=True)
    _print_table(outcomes)


def _kind(out: str | None, items: list[TrainingItem]) -> str:
    """Return what `--out` asks for: json, npz, folder, or nothing."""
    import os
    from pathlib import Path

    from montecarlo import InvalidFieldError

    if out is None:
        return "nothing"
    suffix = Path(out).suffix
    if suffix == ".npz" and len({item.resnet for item in items}) > 1:
        raise InvalidFieldError("out", out, "must not be .npz for several laws or scalings", "name a folder")
    if suffix in (".json", ".npz"):
        if not os.access(Path(out).absolute().parent, os.W_OK):  # before hours of training
            raise InvalidFieldError("out", out, "must lie in a folder that can be written", "make it first")
        return suffix[1:]
    if suffix or not out:
        raise InvalidFieldError("out", out, "must be a .json or .npz file, or a folder", "rename it")
    return "folder"


def _estimate(items: list[TrainingItem], data: DataSet, folder: str | None, workers: int) -> str:
    from montecarlo.runs import running
    from montecarlo.store import Store
    from montecarlo.training import count_held, training_seconds

    held = 0
    store = None if folder is None else Store.peek(folder)
    if store is not None:
        with running(store=store):
            held = count_held(items)
    seconds = training_seconds(items[held:], len(data.train_labels), workers=workers)
    plan, resnet = items[0].plan, items[0].resnet
    steps = plan.steps(len(data.train_labels))
    there = f" ({held:,} of them are in {folder} already)" if held else ""
    return (
        f"{len(items):,} networks of width {resnet.width} and depth {resnet.depth:,}{there}, {plan.epochs} "
        f"epochs of {data.name} in {steps:,} steps: roughly {in_words(seconds)} on {workers} workers"
    )


def _run(items: list[TrainingItem], executor: Executor, out: str | None, kind: str) -> list[Outcome]:
    from montecarlo.runs import running
    from montecarlo.store import Store
    from montecarlo.training import run_items

    store = Store.open(out) if kind == "folder" and out is not None else None
    networks: list[TrainedNetwork] = []
    with progress_bar(len(items), what="train", words=TRAINED_WORDS) as bar:
        try:
            if kind == "npz":  # weights are kept in memory for this alone
                networks = _networks(items, executor, bar.finish)
                outcomes = [network.outcome for network in networks]
            else:
                with running(executor=executor, store=store):
                    outcomes = run_items(items, progress=bar.finish, on_found=bar.reuse)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"finished outcomes are in {out}, and the same command trains the rest"
                if store is not None
                else "nothing is kept; name a folder as --out to continue a run"
            ) from None
    if out is not None and store is None:
        _write(outcomes, networks, out)
        click.echo(f"train: wrote {out}", err=True)
    return outcomes


def _networks(
    items: list[TrainingItem], executor: Executor, progress: Callable[[int], None]
) -> list[TrainedNetwork]:
    from montecarlo.training import train_item

    networks = {}
    for item, network in executor.run(train_item, iter(items)):
        networks[item] = network
        progress(1)
    return [networks[item] for item in items]


def _write(outcomes: list[Outcome], networks: list[TrainedNetwork], out: str) -> None:
    """Write a .npz file if there are networks, a JSON file if not."""
    import json
    from pathlib import Path

    import numpy as np

    from montecarlo.common.files import replaced_file

    records = json.dumps([outcome.to_json() for outcome in outcomes], indent=1, allow_nan=False)
    with replaced_file(Path(out)) as temporary:
        if not networks:
            temporary.write_text(records + "\n", encoding="utf-8")
            return
        arrays: dict[str, Any] = {f"before_{name}": array for name, array in networks[0].before.items()}
        for name in networks[0].before:
            arrays[f"after_{name}"] = np.stack([network.after[name] for network in networks])
        rates = np.array([network.outcome.item.rate for network in networks])
        with open(temporary, "wb") as handle:
            np.savez(handle, rates=rates, outcomes=np.array(records), **arrays)


def _print_table(outcomes: list[Outcome]) -> None:
    import sys

    import pandas as pd

    pd.DataFrame([_row(outcome) for outcome in outcomes]).to_csv(sys.stdout, index=False, float_format="%.6g")


def _row(outcome: Outcome) -> dict[str, Any]:
    item, before, after = outcome.item, outcome.before, outcome.after

    def value(measured: Any, name: str) -> float | None:
        estimate = getattr(measured, name, None)
        return estimate.value if estimate is not None else None

    return {
        "weights": str(item.resnet.weights),
        "beta": item.resnet.beta,
        "rate": item.rate,
        "accuracy": outcome.accuracy,
        "test_loss": outcome.test_loss,
        "diverged_at": outcome.diverged_at,
        "index_before": value(before, "regularity"),
        "index_after": value(after, "regularity"),
        "difference_index_before": value(before, "regularity_without_mean"),
        "difference_index_after": value(after, "regularity_without_mean"),
        "difference_index_of_change": value(after, "change_regularity"),
        "log_hidden_ratio_before": before.log_ratios["log_hidden_ratio"],
        "log_hidden_ratio_after": after.log_ratios["log_hidden_ratio"] if after is not None else None,
    }
