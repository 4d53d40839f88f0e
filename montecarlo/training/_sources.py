"""`load_data`: data sets by name or from files. The first two need no network."""

from __future__ import annotations

import functools
import gzip
import os
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from montecarlo.common._errors import InvalidFieldError, check_seed, unknown_name
from montecarlo.training._data import DataSet, make_data, split
from montecarlo.training._extra import need_training

_LOCAL = "give a local path: a .npz file, or a folder of IDX files"
_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def load_data(name: str | os.PathLike[str] = "digits", *, seed: int = 0) -> DataSet:
    """Return a data set, the same object for equal arguments.

    Parameters
    ----------
    name : str or path, default "digits"
        digits: 1797 images of 8 x 8 pixels, of scikit-learn. mnist1d: 5000 signals of length 40, generated
        (MNIST-1D, arXiv:2011.14439). mnist, cifar10: fetched from OpenML by scikit-learn on first use, and
        kept where it keeps its data. Otherwise a path: a .npz file with x_train, y_train, x_test, y_test, or
        with x and y; or a folder with the four IDX files of MNIST, compressed or not.
    seed : int, default 0
        Of the split of digits and of x and y (a fifth for testing), and of the signals of mnist1d. mnist and
        cifar10 have the standard splits.

    Raises
    ------
    InvalidFieldError
        For an unknown name, or data that cannot be read or fetched.
    MissingExtraError
        Where the extra `training` is not installed.

    Examples
    --------
    >>> load_data("digits")
    DataSet('digits', 1438 + 359 examples, 64 features, 10 classes)
    """
    return _load(os.fspath(name), check_seed(seed))


@functools.lru_cache(maxsize=8)
def _load(name: str, seed: int) -> DataSet:
    if name in _SOURCES:
        return _SOURCES[name](seed)
    path = Path(name)
    if path.is_dir():
        return _from_idx(path)
    if path.suffix == ".npz":
        return _from_npz(path, seed)
    if path.suffix or os.sep in name:
        raise InvalidFieldError("data", name, "must be a .npz file or a folder of IDX files", _LOCAL)
    raise unknown_name("data", name, _SOURCES, "digits")


def _digits(seed: int) -> DataSet:
    need_training("sklearn")
    from sklearn.datasets import load_digits

    images: Any = load_digits()
    return make_data("digits", *split(images.data, images.target, seed=seed))


def _mnist1d(seed: int) -> DataSet:
    need_training("mnist1d")
    from mnist1d.data import get_dataset_args, make_dataset

    # The package draws from the global generators: leave them as they were.
    before, own = np.random.get_state(), random.getstate()
    try:
        arguments: Any = get_dataset_args()
        arguments.seed = (arguments.seed + seed) % 2**32  # seed 0 is the package's own data set
        made: Any = make_dataset(arguments)
    finally:
        np.random.set_state(before)
        random.setstate(own)
    return make_data("mnist1d", (made["x"], made["y"]), (made["x_test"], made["y_test"]))


def _openml(name: str, dataset: str, version: int, train: int) -> DataSet:
    need_training("sklearn")
    from sklearn.datasets import fetch_openml

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of each try again; the error says enough
            table: Any = fetch_openml(dataset, version=version, as_frame=False, parser="liac-arff")
    except (OSError, ValueError) as error:  # URLError is an OSError; OpenML's own errors are ValueErrors
        reason = " ".join(str(error).split()) or type(error).__name__
        rule = f"must be fetched from OpenML once, which failed ({reason})"
        raise InvalidFieldError("data", name, rule, f"go online, or {_LOCAL}") from error
    x, y = np.asarray(table.data), np.asarray(table.target).astype(np.int64)
    return make_data(name, (x[:train], y[:train]), (x[train:], y[train:]))


def _mnist(seed: int) -> DataSet:
    del seed
    return _openml("mnist", "mnist_784", 1, 60_000)


def _cifar10(seed: int) -> DataSet:
    del seed
    return _openml("cifar10", "CIFAR_10", 1, 50_000)


_SOURCES: dict[str, Callable[[int], DataSet]] = {
    "digits": _digits,
    "mnist1d": _mnist1d,
    "mnist": _mnist,
    "cifar10": _cifar10,
}


def _from_npz(path: Path, seed: int) -> DataSet:
    try:
        with zipfile.ZipFile(path) as archive:  # an array alone is not one
            torn = archive.testzip()
        if torn is not None:
            raise ValueError(f"{torn} is torn")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidFieldError("data", str(path), f"must be a .npz file ({reason})", _LOCAL) from error
    if {"x_train", "y_train", "x_test", "y_test"} <= arrays.keys():
        parts = ((arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"]))
        return make_data(str(path), *parts)
    if {"x", "y"} <= arrays.keys():
        return make_data(str(path), *split(arrays["x"], arrays["y"], seed=seed))
    rule = f"must hold x_train, y_train, x_test, y_test, or x and y (it has {', '.join(sorted(arrays))})"
    raise InvalidFieldError("data", str(path), rule, "rename the arrays")


def _from_idx(folder: Path) -> DataSet:
    parts = []
    for stem in ("train", "t10k"):
        files = [_find(folder, stem, "images", 3), _find(folder, stem, "labels", 1)]
        parts.append(tuple(_read_idx(file) for file in files))
    return make_data(str(folder), *parts)


def _find(folder: Path, stem: str, what: str, dimensions: int) -> Path:
    names = [
        f"{stem}-{what}{separator}idx{dimensions}-ubyte{suffix}"
        for separator in "-."
        for suffix in ("", ".gz")
    ]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise InvalidFieldError(
        "data", str(folder), f"must hold {names[0]}, which may be compressed (.gz)",
        "put the four files of MNIST there",
    )  # fmt: skip


def _read_idx(path: Path) -> npt.NDArray[Any]:
    """Return the array of an IDX file: two zeros, type, number of axes, sizes, entries; all big-endian."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        zeros, kind, axes = struct.unpack(">HBB", raw[:4])
        shape = struct.unpack(f">{axes}I", raw[4 : 4 + 4 * axes])
        entries = np.frombuffer(raw, _IDX_TYPES[kind], offset=4 + 4 * axes)
        if zeros or entries.size != np.prod(shape, dtype=np.int64):
            raise ValueError("torn")
    except (OSError, EOFError, struct.error, KeyError, ValueError) as error:
        raise InvalidFieldError("data", str(path), "must be a whole IDX file", "copy it again") from error
    return entries.reshape(shape)
