"""`simulate_tokens`: random transformers at initialisation, one row each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import check_seed
from montecarlo.networks._transformer import Transformer
from montecarlo.runs import Progress, check_replicas, collect_rows
from montecarlo.samples._sample import Labels, RowSample
from montecarlo.samples.tokens._run import TokenRequest, TokenRun

Array = npt.NDArray[np.float64]

_DIMS = {
    "log_rms_path": ("layer",),
    "cosine_path": ("layer",),
    "effective_rank_path": ("layer",),
    "log_tangent_path": ("layer",),
    "attention_entropy": ("block", "head"),
    "logit_deviation": ("block", "head"),
    "token_log_rms_path": ("layer", "token"),
    "token_cosine_path": ("layer", "pair"),
}


@dataclass(frozen=True, eq=False, repr=False)
class TokenSample(RowSample):
    """Random transformers of one specification, one row each, in the order of the replica index.

    Parameters
    ----------
    transformer : Transformer
        The specification.
    seed : int
        The seed; row i is a function of (specification, seed, i).
    first_replica : int
        Index of the first row.
    columns : dict of str to array
        Along the layers k = 0..L of the residual stream X_k (tokens × width), before a final norm:

        * ``log_rms_path``, shape (networks, L + 1): natural log of the root mean square over tokens and
          coordinates;
        * ``cosine_path``, shape (networks, L + 1): mean cosine over the n(n-1)/2 pairs of tokens, NaN for one
          token;
        * ``effective_rank_path``, shape (networks, L + 1): ``(tr G)²/tr G²`` of the Gram matrix G of the
          tokens, between 1 (all parallel) and n (orthogonal, of one norm);
        * ``log_tangent_path``, shape (networks, L + 1), with `tangent`: natural log of ‖J_{k←0} T‖/‖T‖ for a
          tangent T of all tokens, isotropic in tokens × width. By J0 its law at L is that of ‖p_0‖/‖p_L‖ for
          an isotropic gradient p_L;
        * ``attention_entropy``, shape (networks, L, heads), with `attention`: mean over the tokens i of
          ``-Σ_j A_ij log A_ij`` (natural log);
        * ``logit_deviation``, shape (networks, L, heads), with `attention`: root mean square over the pairs
          that attend of the logits minus their mean over the token's row; 0 for uniform attention;
        * ``token_log_rms_path``, shape (networks, L + 1, n), with `per_token`: that of every token;
        * ``token_cosine_path``, shape (networks, L + 1, n(n-1)/2), with `per_token`: the cosine of every pair
          of tokens, in the order of ``numpy.triu_indices(n, 1)``.

        NaN marks a network that left the finite numbers, from there on; -inf is an exact zero.

    Examples
    --------
    >>> from montecarlo import Transformer, simulate_tokens
    >>> net = Transformer.preset("gpt2", width=64, depth=3, heads=4, tokens=5)
    >>> sample = simulate_tokens(net, replicas=4, seed=1)
    >>> sample["cosine_path"].shape
    (4, 4)
    """

    kind = "tokens"

    transformer: Transformer
    seed: int
    first_replica: int
    columns: dict[str, Array]

    @property
    def specification(self) -> Transformer:
        """The transformers."""
        return self.transformer

    @property
    def n_nonfinite(self) -> int:
        """Number of networks that left the finite numbers."""
        return int(np.isnan(self.columns["log_rms_path"]).any(axis=1).sum())

    @property
    def labels(self) -> Labels:
        """The columns with their dimensions: replica, layer (0..L), block (1..L), head, token, pair."""
        net = self.transformer
        coordinates = {
            "replica": self.replica, "layer": np.arange(net.depth + 1), "block": np.arange(1, net.depth + 1),
            "head": np.arange(net.heads), "token": np.arange(net.tokens),
            "pair": np.arange(net.tokens * (net.tokens - 1) // 2),
        }  # fmt: skip
        variables = {name: (("replica", *_DIMS[name]), array) for name, array in self.columns.items()}
        return Labels(("replica", "layer"), coordinates, variables)


def simulate_tokens(
    transformer: Transformer,
    *,
    replicas: int,
    seed: int,
    tangent: bool = False,
    attention: bool = False,
    per_token: bool = False,
    first_replica: int = 0,
    threads: int | None = None,
    block_size: int | None = None,
    progress: Progress | None = None,
) -> TokenSample:
    """Sample random transformers, one row each, without drawing a weight matrix.

    Row i is a function of (specification, seed, i) alone: not of threads, block size, or the number of
    replicas; a column does not depend on which others are asked for.

    Parameters
    ----------
    transformer : Transformer
        The specification.
    replicas : int
        Number of networks.
    seed : int
        Any whole number from 0 to 2**128 - 1. The same seed gives the same rows for the same stream format.
        All specifications share their random numbers: take another seed where independence is wanted.
    tangent : bool, default False
        Whether to follow an isotropic tangent of all tokens, too (about three times the time).
    attention : bool, default False
        Whether to return entropies and deviations of logits of every head.
    per_token : bool, default False
        Whether to return log-rms of every token and cosines of all pairs.
    first_replica, threads, block_size, progress
        As in `montecarlo.simulate`.

    Returns
    -------
    TokenSample

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.

    Examples
    --------
    Without residual scaling, tokens of GPT-2 hardly align at initialisation:

    >>> net = Transformer.preset("gpt2", width=64, depth=4, heads=4, tokens=8)
    >>> sample = simulate_tokens(net, replicas=20, seed=7)
    >>> bool(abs(sample["cosine_path"][:, -1].mean()) < 0.2)
    True
    """
    replicas, first_replica = check_replicas(replicas, first_replica)
    run = TokenRun.find(transformer, check_seed(seed), TokenRequest(tangent, attention, per_token))
    columns = collect_rows(
        run, replicas=replicas, first_replica=first_replica, threads=threads, block_size=block_size,
        progress=progress,
    )  # fmt: skip
    return TokenSample(transformer, run.seed, first_replica, columns)
