"""``largedepth simulate``: one specification, one row a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from largedepth._options import network_options, seed_help, take, whole
from largedepth._progress import progress_bar
from largedepth._running import drawn_on, running_options, sampled_into, show_sample

if TYPE_CHECKING:
    from montecarlo import Request, ResNet
    from montecarlo.engines._registry import Engine


@click.command(
    epilog="Example: largedepth simulate --width 40 --depth 1000 --beta 0.5 --weights uniform --out s.parquet"
)
@network_options
@click.option(
    "--replicas", type=whole("1000"), default=1000, show_default=True, metavar="N", help="Networks to sample."
)
@click.option("--seed", type=whole("7"), default=0, show_default=True, metavar="N", help=seed_help)
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="auto (the fastest exact one), dense, gaussian, radial, or correlated: processes along depth, all "
    "layers in memory (4 L d^2 bytes a matrix).",
)
@click.option(
    "--gradients",
    default="joint",
    show_default=True,
    metavar="KIND",
    help="joint, none, or dual (gradients of other networks of the same law; radial engine).",
)
@click.option("--trajectories", is_flag=True, help="Add the norms along depth (Parquet only).")
@click.option(
    "--weight-gradients",
    is_flag=True,
    help="Add the norms of the weight gradients of each layer (Parquet only).",
)
@click.option(
    "--gate-gradients",
    is_flag=True,
    help="Add the gradients of the factor a_k of each layer's branch (Parquet only).",
)
@running_options
@click.option("--block-size", type=whole("64"), metavar="N", help="Networks a task; never changes a result.")
@click.option("--overwrite", is_flag=True, help="Let --out replace a file that holds something else.")
@click.option(
    "--out",
    metavar="FILE",
    help="A .parquet or .csv file; a .parquet file is continued. Default: CSV on stdout.",
)
def simulate(
    replicas: int,
    seed: int,
    engine: str,
    gradients: str,
    trajectories: bool,
    weight_gradients: bool,
    gate_gradients: bool,
    block_size: int | None,
    out: str | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Sample networks of one specification and write one row a network.

    Columns: replica, and the natural logs of the ratios |h_L|/|h_0|, |h_L-h_0|/|h_0|, |p_0|/|p_L| and
    |p_0-p_L|/|p_L|, where h are the hidden states and p the gradients of the loss in them.

    --trajectories adds log_hidden_path, the natural logs of |h_k|/|h_0|, and log_gradient_path, those of
    |p_k|/|p_L|, k = 0..L. --weight-gradients adds log_weight_gradient_v and log_weight_gradient_w, those of
    |dloss/dV_k|/(|p_L||h_0|) and |dloss/dW_k|/(|p_L||h_0|), k = 1..L, and --gate-gradients adds
    log_gate_gradient, those of |dloss/da_k|/(|p_L||h_0|). Each is a list a row: pandas reads
    arrays, DuckDB DOUBLE[]; a network takes 8 bytes an entry.
    """
    from montecarlo import ResNet, make_request, sample_to_file
    from montecarlo import simulate as sample_networks
    from montecarlo.engines._registry import find_engine
    from montecarlo.samples.independent._file import check_table_kind

    place = take(options, "threads", "processes", "dask", "store")
    resnet = ResNet(**options)
    request = make_request(
        gradients, trajectories=trajectories, weight_gradients=weight_gradients, gate_gradients=gate_gradients
    )
    if out is None:
        check_table_kind(request, ".csv")
    common: dict[str, Any] = {
        "replicas": replicas, "seed": seed, "engine": engine, "threads": place["threads"],
        "block_size": block_size,
    }  # fmt: skip
    cost = _cost(find_engine(engine, resnet, request), resnet, request)
    bar_of = progress_bar(replicas, what="simulate", cost=cost)
    with sampled_into(out, place["store"]), drawn_on(**place), bar_of as bar:
        if out is None:
            sample = sample_networks(resnet, **common, gradients=gradients, progress=bar.finish)  # type: ignore[arg-type]
        else:
            sample = sample_to_file(
                resnet, out, **common, request=request, overwrite=overwrite, progress=bar.finish,
                on_found=bar.found,
            )  # fmt: skip
    if sample.n_nonfinite:
        click.echo(f"simulate: {sample.n_nonfinite} networks left the finite numbers (NaN rows)", err=True)
    show_sample("simulate", sample, out, in_file=bar.in_file, how=f" ({sample.engine} engine)")


def _cost(engine: Engine, resnet: ResNet, request: Request) -> str:
    """Return what a user should know of the time that networks take; nothing where it is short."""
    seconds = engine.lanes * engine.seconds(resnet, request)
    if seconds < 1.0:
        return ""
    networks = "a network takes" if engine.lanes == 1 else f"{engine.lanes} networks together take"
    return f"{networks} roughly {seconds:.0f} s on one thread of the {engine.name} engine"
