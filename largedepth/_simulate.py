"""``largedepth simulate``: one specification, one row a network."""

from __future__ import annotations

from typing import Any

import click

from largedepth._options import network_options, seed_help, threads_option, whole
from largedepth._progress import progress_bar


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
    help="auto (the fastest exact one), dense, gaussian or radial.",
)
@click.option(
    "--gradients",
    default="joint",
    show_default=True,
    metavar="KIND",
    help="joint, none, or dual (gradients of other networks of the same law; radial engine).",
)
@threads_option
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
    threads: int | None,
    block_size: int | None,
    out: str | None,
    overwrite: bool,
    **network: Any,
) -> None:
    """Sample networks of one specification and write one row a network.

    Columns: replica, and the natural logs of the ratios |h_L|/|h_0|, |h_L-h_0|/|h_0|, |p_0|/|p_L| and
    |p_0-p_L|/|p_L|, where h are the hidden states and p the gradients.
    """
    import sys

    from montecarlo import ResNet, make_request, sample_to_file
    from montecarlo import simulate as sample_networks

    resnet = ResNet(**network)
    common: dict[str, Any] = {
        "replicas": replicas, "seed": seed, "engine": engine, "threads": threads, "block_size": block_size,
    }  # fmt: skip
    with progress_bar(replicas, what="simulate") as tick:
        if out is None:
            sample = sample_networks(resnet, **common, gradients=gradients, progress=tick)  # type: ignore[arg-type]
        else:
            request = make_request(gradients)
            sample = sample_to_file(
                resnet, out, **common, request=request, overwrite=overwrite, progress=tick
            )
    if sample.n_nonfinite:
        click.echo(f"simulate: {sample.n_nonfinite} networks left the finite numbers (NaN rows)", err=True)
    if out is None:
        sample.to_pandas().to_csv(sys.stdout, index=False, float_format="%.17g")
    else:
        click.echo(
            f"simulate: the first {len(sample):,} rows ({sample.engine} engine) are in {out}", err=True
        )
