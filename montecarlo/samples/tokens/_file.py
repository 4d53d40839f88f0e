"""Samples of transformers on disk: rows that a file holds are kept, missing ones are drawn."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from montecarlo.common._errors import check_seed
from montecarlo.common.files import check_writable
from montecarlo.common.rows import Columns
from montecarlo.executors import check_threads
from montecarlo.networks._transformer import Transformer
from montecarlo.runs import Progress, check_replicas
from montecarlo.samples._tables import read_table
from montecarlo.samples._to_file import rows_to_file
from montecarlo.samples.tokens._run import TokenRequest, TokenRun
from montecarlo.samples.tokens._sample import TokenSample


def read_token_sample(path: str | os.PathLike[str]) -> TokenSample:
    """Read the Parquet file of a sample of transformers.

    Parameters
    ----------
    path : path
        As `TokenSample.write` or `tokens_to_file` left it.

    Returns
    -------
    TokenSample

    Raises
    ------
    ValueError
        If the file is torn or damaged, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> from montecarlo import Transformer, simulate_tokens
    >>> net = Transformer.preset("gpt2", width=64, depth=3, heads=4, tokens=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     simulate_tokens(net, replicas=4, seed=1, attention=True).write(f"{folder}/t.parquet")
    ...     read_token_sample(f"{folder}/t.parquet")["attention_entropy"].shape
    (4, 3, 4)
    """
    transformer, metadata, columns = read_table(
        path, kind="tokens", needed={"first_replica"}, resnet=None, keys=("replica", "log_rms_path"),
        make=Transformer,
    )  # fmt: skip
    replica = columns.pop("replica")
    sample = TokenSample(transformer, metadata["seed"], metadata["first_replica"], columns)
    if not np.array_equal(replica, sample.replica):
        raise ValueError(
            f"{path}: its rows are not the replicas from {sample.first_replica} on: edited since?"
        )
    return sample


def tokens_to_file(
    transformer: Transformer,
    path: str | os.PathLike[str],
    *,
    replicas: int,
    seed: int,
    request: TokenRequest | None = None,
    threads: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    on_found: Progress | None = None,
) -> TokenSample:
    """Return a sample of transformers and leave it in a file; rows that the file holds are not drawn again.

    Whatever ends the run early, the finished rows from the first one on are in the file, and the same call
    continues after them. A file that holds more rows than asked for keeps them.

    Parameters
    ----------
    transformer, replicas, seed, threads, progress
        As in `simulate_tokens`; `progress` is told of what is sampled, not of rows found in the file.
    path : path
        Ends in ``.parquet``. A second run into the same file waits for the first one.
    request : TokenRequest, optional
        What to observe: tangent, attention, per_token as in `simulate_tokens`.
    overwrite : bool, default False
        Whether a file that holds anything but the beginning of this sample may be replaced.
    on_found : callable, optional
        Called with the number of networks of this sample that the file holds already, if any; it may be more
        than are asked for.

    Returns
    -------
    TokenSample
        Of exactly `replicas` networks, the same whatever was in the file.

    Raises
    ------
    InvalidFieldError
        As `simulate_tokens`, or for a path that cannot be written, before anything is drawn.

    Examples
    --------
    >>> import tempfile
    >>> from montecarlo import Transformer
    >>> net = Transformer.preset("gpt2", width=64, depth=3, heads=4, tokens=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     few = tokens_to_file(net, f"{folder}/t.parquet", replicas=3, seed=1)
    ...     more = tokens_to_file(net, f"{folder}/t.parquet", replicas=5, seed=1)
    >>> len(few), len(more), bool((more["cosine_path"][:3] == few["cosine_path"]).all())
    (3, 5, True)
    """
    target = Path(path)
    check_writable(target, (".parquet",))
    run = TokenRun.find(transformer, check_seed(seed), request or TokenRequest())
    replicas, _ = check_replicas(replicas, 0)
    check_threads(threads)

    def make(first: int, columns: Columns) -> TokenSample:
        return TokenSample(transformer, run.seed, first, columns)

    return rows_to_file(
        target, run, lambda: _found(target, run), make, replicas=replicas, threads=threads,
        overwrite=overwrite, progress=progress, on_found=on_found,
    )  # fmt: skip


def _found(path: Path, run: TokenRun) -> TokenSample | None:
    found = read_token_sample(path)
    there = (found.transformer, found.seed, found.first_replica, set(found.columns))
    return found if there == (run.transformer, run.seed, 0, set(run.cells)) else None
