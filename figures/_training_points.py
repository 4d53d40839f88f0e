"""What the figures of trained networks train: a network at several learning rates."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from figures._points import Report
from montecarlo import ResNet, simulate
from montecarlo.common.files import replaced_file
from montecarlo.executors import check_threads
from montecarlo.runs import current_running, running
from montecarlo.store import Store
from montecarlo.training import (
    RATES,
    Outcome,
    TrainingItem,
    TrainingPlan,
    load_data,
    run_items,
    train_item,
    training_seconds,
)

Array = npt.NDArray[np.float64]

_PREDICTING = 16
"""Networks, never trained, that predict the growth of a specification's hidden states."""


@dataclass(frozen=True)
class TrainedCell:
    """One specification after training.

    Attributes
    ----------
    outcomes : list of Outcome
        One a learning rate.
    growth : float
        Mean of log10 of ‖h_L − h_0‖/‖h_0‖ over other networks of the specification, at their start.
    paths : array or None
        Entries (i, j) of √d V_k of the best network, shape (2, entries, L): before and after.
    """

    outcomes: Sequence[Outcome]
    growth: float
    paths: Array | None = None

    @property
    def best(self) -> Outcome | None:
        """The outcome of the rate with the highest accuracy; None where all diverged."""
        kept = [outcome for outcome in self.outcomes if outcome.accuracy is not None]
        return max(kept, key=lambda outcome: outcome.accuracy or 0.0) if kept else None


@dataclass(frozen=True)
class TrainingPoint:
    """A specification trained at several learning rates; outcomes are kept one by one.

    Parameters
    ----------
    resnet : ResNet
        The specification; its input dimension is that of the data.
    data : str, default "digits"
        As for `load_data`.
    rates : tuple of float
        Learning rates.
    entries : int, default 0
        Weight paths of the best network to keep.
    """

    resnet: ResNet
    data: str = "digits"
    rates: tuple[float, ...] = RATES
    entries: int = 0
    plan: TrainingPlan = field(default_factory=TrainingPlan)

    @property
    def stem(self) -> str:
        """Start of the name of the file of its paths."""
        return f"{self.resnet.digest[:16]}-trained-{Path(self.data).name}-{self.entries}"

    @property
    def networks(self) -> int:
        """Networks that are trained."""
        return len(self.rates)

    def seconds(self, threads: int | None) -> float:
        """Return the rough time of training on a processor."""
        examples = len(load_data(self.data).train_labels)
        return training_seconds(self._items(0), examples, workers=check_threads(threads), compile_seconds=0.0)

    def saved(self, path: Path, seed: int, threads: int | None, report: Report) -> TrainedCell:
        """Return outcomes from the results folder in use, or else from the subfolder ``trained``."""
        inside = current_running()
        executor = inside.executor if inside is not None else None
        store = inside.store if inside is not None and inside.store is not None else None
        with running(executor=executor, store=store or Store.open(path.with_name("trained"))):
            outcomes = run_items(
                self._items(seed), threads=threads, progress=report.sampled, on_found=report.reused
            )
        cell = TrainedCell(outcomes, _growth(self.resnet, seed))
        if not self.entries or cell.best is None:
            return cell
        return TrainedCell(outcomes, cell.growth, self._paths(path.with_suffix(".npz"), cell.best))

    def _items(self, seed: int) -> list[TrainingItem]:
        return [
            TrainingItem(resnet=self.resnet, rate=rate, data=self.data, seed=seed, plan=self.plan)
            for rate in self.rates
        ]

    def _paths(self, path: Path, best: Outcome) -> Array:
        """Return entries of the best network, which is trained once more where they are not on file."""
        tag = f"{best.item.digest}-{best.fingerprint}"
        stored = _stored_paths(path, tag)
        if stored is not None:
            return stored
        network = train_item(best.item)
        scale = np.sqrt(self.resnet.width)
        paths = np.stack([
            scale * arrays["V"].reshape(self.resnet.depth, -1)[:, : self.entries].T.astype(np.float64)
            for arrays in (network.before, network.after)
        ])  # fmt: skip
        with replaced_file(path) as temporary, open(temporary, "wb") as handle:
            np.savez(handle, paths=paths, tag=np.array(tag))
        return paths


def _stored_paths(path: Path, tag: str) -> Array | None:
    """Return the paths in a file; None where there are none of that network."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
        with np.load(path, allow_pickle=False) as stored:
            return stored["paths"] if str(stored["tag"]) == tag else None
    except (FileNotFoundError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return None  # torn, or of an older version


def training_network(data: str, *, depth: int, beta: float, weights: str) -> ResNet:
    """Return the network of the paper's experiments: res-1 of width 30 on the data's features."""
    features = {"digits": 64, "mnist1d": 40}.get(data) or load_data(data).features
    return ResNet(width=30, depth=depth, beta=beta, block="res-1", weights=weights, input_dim=features)


def _growth(resnet: ResNet, seed: int) -> float:
    """Return the mean of log10 ‖h_L − h_0‖/‖h_0‖ of networks behind the one that is trained."""
    sample = simulate(resnet, replicas=_PREDICTING, first_replica=1, seed=seed, gradients="none")
    return float(sample["log_hidden_difference"].mean() / np.log(10.0))
