"""`DataSet`: labelled inputs, standardised, in a training and a test part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError
from montecarlo.streams import derive_key, words

Inputs = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]

_TEST_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class DataSet:
    """Inputs with labels 0 ... classes - 1.

    Attributes
    ----------
    name : str
        As given to `load_data`.
    train_inputs, test_inputs : array of float32, shape (examples, features)
        Read-only, as the labels: one object serves all who load the data.
        Standardised: the training part has mean 0 and variance 1 over all its entries, so ‖x‖² is about the
        number of features, and the test part went through the same map.
    train_labels, test_labels : array of int32, shape (examples,)
    classes : int
        Number of labels.
    """

    name: str
    train_inputs: Inputs
    train_labels: Labels
    test_inputs: Inputs
    test_labels: Labels
    classes: int

    @property
    def features(self) -> int:
        """Dimension of an input."""
        return self.train_inputs.shape[1]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of names and arrays, 16 digits: outcomes of other data are not mistaken for these."""
        digest = hashlib.sha256(self.name.encode())
        for array in (self.train_inputs, self.train_labels, self.test_inputs, self.test_labels):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def __repr__(self) -> str:
        sizes = f"{len(self.train_labels)} + {len(self.test_labels)} examples"
        return f"DataSet({self.name!r}, {sizes}, {self.features} features, {self.classes} classes)"


def make_data(
    name: str, train: tuple[npt.ArrayLike, npt.ArrayLike], test: tuple[npt.ArrayLike, npt.ArrayLike]
) -> DataSet:
    """Return standardised data from raw inputs of any shape and whole-number labels.

    Raises
    ------
    InvalidFieldError
        For inputs that are not finite or do not vary, or labels that do not fit them.
    """
    (train_x, train_y), (test_x, test_y) = _part(name, *train), _part(name, *test)
    if train_x.shape[1] != test_x.shape[1]:
        raise _unfit(name, "must have inputs of one size in both parts")
    mean, deviation = float(train_x.mean()), float(train_x.std())
    if not deviation > 0.0:
        raise _unfit(name, "must have inputs that vary")
    kinds = np.unique(train_y)
    if not np.isin(test_y, kinds).all():
        raise _unfit(name, "must have no label in the test part alone")
    arrays = (
        ((train_x - mean) / deviation).astype(np.float32),
        np.searchsorted(kinds, train_y).astype(np.int32),
        ((test_x - mean) / deviation).astype(np.float32),
        np.searchsorted(kinds, test_y).astype(np.int32),
    )
    for array in arrays:
        array.setflags(write=False)
    return DataSet(name, *arrays, len(kinds))


def split(
    inputs: npt.ArrayLike, labels: npt.ArrayLike, *, seed: int
) -> tuple[tuple[npt.ArrayLike, npt.ArrayLike], tuple[npt.ArrayLike, npt.ArrayLike]]:
    """Return a training part and a test part of a fifth, at random but fixed by the seed.

    Examples
    --------
    >>> (train, _), (test, _) = split(np.arange(10), np.arange(10), seed=0)
    >>> sorted([*train.tolist(), *test.tolist()]) == list(range(10)), len(test)
    (True, 2)
    """
    x, y = np.asarray(inputs), np.asarray(labels)
    order = shuffled(derive_key(seed, {"purpose": "split"}), len(y))
    held = round(_TEST_SHARE * len(y))
    return (x[order[held:]], y[order[held:]]), (x[order[:held]], y[order[:held]])


def shuffled(
    key: tuple[int, int], count: int, *, high: tuple[int, int, int] = (0, 0, 0)
) -> npt.NDArray[np.int64]:
    """Return a random order of 0 ... count - 1, a function of key and counter alone.

    Examples
    --------
    >>> sorted(shuffled((1, 2), 5).tolist())
    [0, 1, 2, 3, 4]
    """
    low, upper = words(key, (count + 1) // 2, high=high)[:2], words(key, (count + 1) // 2, high=high)[2:]
    ranks = low.ravel().astype(np.uint64) << np.uint64(32) | upper.ravel().astype(np.uint64)
    return np.argsort(ranks[:count], kind="stable")


def _part(name: str, inputs: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[npt.NDArray, npt.NDArray]:
    x, y = np.asarray(inputs), np.asarray(labels).reshape(-1)
    if x.ndim < 2 or len(x) != len(y) or not len(y):
        raise _unfit(name, f"must have one label an input (inputs {x.shape}, labels {y.shape})")
    if x.dtype.kind not in "buif" or y.dtype.kind not in "buif":
        raise _unfit(name, f"must be of numbers (inputs are {x.dtype}, labels {y.dtype})")
    flat = x.reshape(len(x), -1).astype(np.float64)
    with np.errstate(invalid="ignore"):  # of labels that are not finite
        whole = y.astype(np.int64)
    if not np.isfinite(flat).all() or not (whole == y).all():
        raise _unfit(name, "must have finite inputs and whole-number labels")
    return flat, whole


def _unfit(name: str, rule: str) -> InvalidFieldError:
    return InvalidFieldError("data", name, rule, "mend the file, or take data='digits'")
