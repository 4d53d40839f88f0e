"""Data sets: standardised, split by seed, read from files, refused in one line."""

from __future__ import annotations

import gzip
import random
import struct
from pathlib import Path

import numpy as np
import pytest

from montecarlo import InvalidFieldError
from montecarlo.training import load_data, make_data
from montecarlo.training._data import shuffled, split


def images(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 4, 5)).astype(np.uint8), (np.arange(count) % 3).astype(np.uint8)


def test_digits() -> None:
    pytest.importorskip("sklearn")
    data = load_data("digits")
    assert (data.train_inputs.shape, data.test_inputs.shape) == ((1438, 64), (359, 64))
    assert abs(data.train_inputs.mean()) < 1e-5
    assert data.train_inputs.std() == pytest.approx(1.0, abs=1e-5)
    assert data.classes == 10
    assert load_data("digits") is data
    assert data.fingerprint is data.fingerprint  # computed once: images are many
    with pytest.raises(ValueError, match="read-only"):
        data.train_inputs[0, 0] = 1.0
    other = load_data("digits", seed=1)
    assert other.fingerprint != data.fingerprint
    together = np.concatenate([data.train_labels, data.test_labels])
    assert (
        np.bincount(together) == np.bincount(np.concatenate([other.train_labels, other.test_labels]))
    ).all()


def test_mnist1d_leaves_the_global_generators_alone() -> None:
    pytest.importorskip("mnist1d")
    np.random.seed(3)
    random.seed(3)
    expected = np.random.RandomState(3).random(), random.Random(3).random()
    data = load_data("mnist1d")
    assert (np.random.random(), random.random()) == expected
    assert (data.train_inputs.shape, data.test_inputs.shape, data.classes) == ((4000, 40), (1000, 40), 10)
    assert load_data("mnist1d", seed=1).fingerprint != data.fingerprint


def test_npz_files(tmp_path: Path) -> None:
    x, y = images(30)
    np.savez(tmp_path / "parts.npz", x_train=x[:20], y_train=y[:20], x_test=x[20:], y_test=y[20:])
    data = load_data(tmp_path / "parts.npz")
    assert (data.train_inputs.shape, data.test_inputs.shape, data.classes) == ((20, 20), (10, 20), 3)
    np.savez(tmp_path / "whole.npz", x=x, y=y)
    whole = load_data(tmp_path / "whole.npz")
    assert (len(whole.train_labels), len(whole.test_labels)) == (24, 6)
    np.savez(tmp_path / "foreign.npz", a=x)
    with pytest.raises(InvalidFieldError, match="x_train"):
        load_data(tmp_path / "foreign.npz")
    np.savez(tmp_path / "objects.npz", x=np.array([object()], dtype=object), y=y)
    with pytest.raises(InvalidFieldError, match=r"must be a .npz file"):
        load_data(tmp_path / "objects.npz")  # nothing is unpickled


def test_torn_and_foreign_npz_files_are_named(tmp_path: Path) -> None:
    x, y = images(30)
    path = tmp_path / "data.npz"
    np.savez(path, x=x, y=y)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[200] ^= 1  # an entry of x
    with open(tmp_path / "single.npy", "wb") as handle:
        np.save(handle, x)
    for bad in (b"", whole[:100], whole[:-30], bytes(flipped), (tmp_path / "single.npy").read_bytes()):
        path.write_bytes(bad)
        with pytest.raises(InvalidFieldError, match=r"data.npz.*must be a .npz file") as refused:
            load_data(path)
        assert "\n" not in str(refused.value)
    np.savez(path, x=x, y=np.array(["a", "b", "c"])[y])
    with pytest.raises(InvalidFieldError, match="must be of numbers"):
        load_data(path)


def write_idx(path: Path, array: np.ndarray) -> None:
    raw = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def test_idx_folders(tmp_path: Path) -> None:
    (x, y), (u, v) = images(20), images(9, 1)
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", x)
    write_idx(tmp_path / "train-labels-idx1-ubyte", y)
    write_idx(tmp_path / "t10k-images.idx3-ubyte", u)
    with pytest.raises(InvalidFieldError, match="t10k-labels-idx1-ubyte"):
        load_data(tmp_path)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", v)
    data = load_data(tmp_path)
    flat = x.reshape(20, -1).astype(float)
    assert data.train_inputs == pytest.approx((flat - flat.mean()) / flat.std(), abs=1e-5)
    assert (data.test_labels == v).all()


@pytest.mark.parametrize("cut", [0, 3, 10, 200])
def test_torn_idx_files_are_named(tmp_path: Path, cut: int) -> None:
    x, y = images(20)
    write_idx(tmp_path / "train-labels-idx1-ubyte", y)
    write_idx(tmp_path / "train-images-idx3-ubyte", x)
    whole = (tmp_path / "train-images-idx3-ubyte").read_bytes()
    (tmp_path / "train-images-idx3-ubyte").write_bytes(whole[:cut])
    with pytest.raises(InvalidFieldError, match=r"train-images-idx3-ubyte.*whole IDX file"):
        load_data(tmp_path)


def test_bad_names_and_contents_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFieldError, match="did you mean 'digits'"):
        load_data("digit")
    with pytest.raises(InvalidFieldError, match=r"\.npz"):
        load_data(tmp_path / "nowhere.npz")
    with pytest.raises(InvalidFieldError, match="folder of IDX"):
        load_data(str(tmp_path / "table.csv"))
    x, y = images(6)
    with pytest.raises(InvalidFieldError, match="one label an input"):
        make_data("a", (x, y[:5]), (x, y))
    for parts in ((np.where(x == x.max(), np.nan, x), y), (x, np.full(6, np.nan)), (x, np.full(6, 0.5))):
        with pytest.raises(InvalidFieldError, match="finite"):
            make_data("a", parts, (x, y))
    with pytest.raises(InvalidFieldError, match="test part alone"):
        make_data("a", (x, y), (x, y + 1))
    with pytest.raises(InvalidFieldError, match="vary"):
        make_data("a", (np.ones_like(x), y), (x, y))


def test_offline_the_message_names_local_files(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("sklearn.datasets")

    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("name resolution failed")

    monkeypatch.setattr(datasets, "fetch_openml", offline)
    with pytest.raises(
        InvalidFieldError, match=r"OpenML.*name resolution failed.*\.npz file, or a folder of IDX"
    ):
        load_data("mnist")


def test_orders_are_fair() -> None:
    # Every place is as likely for every element: 2000 orders of 4, counts of 500 ± 5.5 standard deviations.
    counts = np.zeros((4, 4))
    for epoch in range(2000):
        counts[np.arange(4), shuffled((7, 8), 4, high=(epoch, 0, 0))] += 1
    assert np.abs(counts - 500).max() < 5.5 * np.sqrt(2000 * 3 / 16)
    (x, y), (u, v) = split(np.arange(50)[:, None], np.arange(50), seed=9)
    assert (np.ravel(x) == y).all()
    assert (np.ravel(u) == v).all()
    assert sorted([*np.asarray(y).tolist(), *np.asarray(v).tolist()]) == list(range(50))
