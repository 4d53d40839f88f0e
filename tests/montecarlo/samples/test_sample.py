"""`Sample`: files that give the same bits back, whole or not at all, and pooling."""

import csv
import json
import math
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_bits import same_bits

from montecarlo import (
    LOG_RATIOS,
    Activation,
    InvalidFieldError,
    ResNet,
    Sample,
    read_sample,
    sample_to_file,
    simulate,
)
from montecarlo.streams import STREAM_FORMAT

pytestmark = pytest.mark.usefixtures("warm_kernels")

NET = ResNet(width=6, depth=5, beta=0.5, weights="uniform")
ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True, width=64)


def assert_same(a, b):
    assert (a.resnet, a.seed, a.engine, a.first_replica) == (b.resnet, b.seed, b.engine, b.first_replica)
    assert same_bits(a, b)


@pytest.fixture
def sample():
    return simulate(
        NET, replicas=30, seed=2**100 + 1, first_replica=2**40, trajectories=True, weight_gradients=True
    )


def test_parquet_gives_the_same_bits_back(sample, tmp_path):
    sample.write(tmp_path / "sample.parquet")
    assert_same(read_sample(tmp_path / "sample.parquet", NET), sample)
    table = pd.read_parquet(tmp_path / "sample.parquet")
    assert table["replica"].tolist() == sample.replica.tolist() == list(range(2**40, 2**40 + 30))
    assert list(table.columns[1:5]) == list(LOG_RATIOS)


@settings(max_examples=40)
@given(data=st.data(), n=st.integers(1, 5))
def test_any_float_survives_parquet_and_csv(data, n, tmp_path_factory):
    folder = tmp_path_factory.mktemp("floats")
    columns = {name: np.array(data.draw(st.lists(ANY_FLOAT, min_size=n, max_size=n))) for name in LOG_RATIOS}
    columns["log_hidden_path"] = np.array(data.draw(st.lists(ANY_FLOAT, min_size=6 * n, max_size=6 * n)))
    columns["log_hidden_path"] = columns["log_hidden_path"].reshape(n, 6)
    sample = Sample(NET, 1, "dense", 0, columns)
    sample.write(folder / "any.parquet")
    assert_same(read_sample(folder / "any.parquet", NET), sample)
    sample.write(folder / "any.csv")
    with open(folder / "any.csv", newline="") as file:
        table = list(csv.DictReader(file))
    for name in LOG_RATIOS:
        values = [float(row[name] or "nan") for row in table]  # a lost network has an empty cell
        assert np.array_equal(values, columns[name], equal_nan=True)


def test_csv_has_the_scalar_columns_with_17_digits(sample, tmp_path):
    sample.write(tmp_path / "sample.csv")
    header, *lines = (tmp_path / "sample.csv").read_text().splitlines()
    assert header == ",".join(["replica", *LOG_RATIOS])
    for i, line in enumerate(lines):
        replica, *values = line.split(",")
        assert int(replica) == 2**40 + i
        assert [float(value) for value in values] == [sample[name][i] for name in LOG_RATIOS]


def test_exact_zeros_and_lost_networks_in_csv(tmp_path):
    columns = {"log_hidden_ratio": np.array([-np.inf, np.nan, 0.1 + 0.2])}
    Sample(NET, 1, "dense", 0, columns).write(tmp_path / "odd.csv")
    assert (tmp_path / "odd.csv").read_text().splitlines()[1:] == ["0,-inf", "1,", "2,0.30000000000000004"]


def test_to_pandas(sample):
    table = sample.to_pandas()
    assert list(table.columns) == ["replica", *LOG_RATIOS]
    assert len(table) == 30


def test_metadata_names_the_origin(sample, tmp_path):
    import pyarrow.parquet as pq

    sample.write(tmp_path / "sample.parquet")
    text = pq.read_schema(tmp_path / "sample.parquet").metadata[b"largedepth"]
    metadata = json.loads(text)
    assert metadata == sample.metadata
    assert ResNet(**metadata["specification"]) == NET
    assert metadata["seed"] == 2**100 + 1


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("existing", [True, False])
def test_a_failed_write_leaves_nothing_behind(sample, tmp_path, monkeypatch, ending, existing):
    target = tmp_path / f"sample{ending}"
    if existing:
        target.write_bytes(b"before")

    def fail(self_or_table, path, *arguments, **options):
        Path(path).write_bytes(b"half of it")
        raise OSError("disk full")

    monkeypatch.setattr("pandas.DataFrame.to_csv", fail)
    monkeypatch.setattr("pyarrow.parquet.write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        sample.write(target)
    assert [path.name for path in tmp_path.iterdir()] == ([target.name] if existing else [])
    assert not existing or target.read_bytes() == b"before"


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_an_interrupted_rename_leaves_the_old_file(sample, tmp_path, monkeypatch, ending):
    target = tmp_path / f"sample{ending}"
    target.write_bytes(b"before")

    def interrupt(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sample.write(target)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.read_bytes() == b"before"


def test_a_write_replaces_the_old_file_with_ordinary_permissions(sample, tmp_path):
    target = tmp_path / "sample.csv"
    target.write_bytes(b"before")
    sample.write(target)
    assert target.read_bytes().startswith(b"replica,")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask
    assert [path.name for path in tmp_path.iterdir()] == ["sample.csv"]


@pytest.mark.parametrize("name", ["sample", "sample.txt", "sample.parquet.gz", "no/such/folder/sample.csv"])
def test_paths_that_cannot_be_written_are_refused(sample, tmp_path, name):
    with pytest.raises(InvalidFieldError) as caught:
        sample.write(tmp_path / name)
    assert caught.value.field == "out"
    assert "\n" not in str(caught.value)


def test_a_folder_is_refused(sample, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InvalidFieldError, match="is a folder"):
        sample.write(tmp_path / "folder.csv")


def test_pooling_joins_consecutive_replicas():
    whole = simulate(NET, replicas=20, seed=1, trajectories=True)
    first, second = (simulate(NET, replicas=10, seed=1, first_replica=i, trajectories=True) for i in (0, 10))
    assert_same(first + second, whole)
    third = simulate(NET, replicas=3, seed=1, first_replica=20, trajectories=True)
    assert_same((first + second) + third, first + (second + third))


@pytest.mark.parametrize(
    ("net", "options", "reason"),
    [
        (NET, {"first_replica": 11}, "follow each other"),
        (NET, {"first_replica": 0}, "follow each other"),
        (NET, {"first_replica": 10, "seed": 2}, "must agree"),
        (NET, {"first_replica": 10, "gradients": "none"}, "must agree"),
        (ResNet(width=6, depth=5, beta=0.6, weights="uniform"), {"first_replica": 10}, "must agree"),
    ],
)
def test_pooling_refuses_what_does_not_belong_together(net, options, reason):
    first = simulate(NET, replicas=10, seed=1)
    other = simulate(net, **({"replicas": 5, "seed": 1} | options))
    with pytest.raises(ValueError, match=reason):
        first + other


def test_pooling_names_what_differs(sample):
    net = sample.resnet
    for other, words in (
        (
            simulate(replace(net, width=net.width + 1), replicas=2, seed=sample.seed),
            "width must agree, and is",
        ),
        (simulate(net, replicas=2, seed=sample.seed + 1), "seed must agree"),
        (simulate(net, replicas=2, seed=sample.seed, gradients="none"), "columns must agree"),
    ):
        with pytest.raises(ValueError, match=words):
            sample + other
    with pytest.raises(TypeError, match="unsupported operand"):
        sample + 1


@pytest.mark.parametrize("replicas", [-1, 2.5, True, "3"])
def test_a_head_is_a_whole_number_of_rows(sample, replicas):
    with pytest.raises(InvalidFieldError, match="must be a whole number of at least 0"):
        sample.head(replicas)
    assert len(sample.head(10**9)) == len(sample)


def test_unknown_columns_are_named(sample):
    with pytest.raises(KeyError, match=r"no column 'log_hidden'; there are log_hidden_ratio"):
        sample["log_hidden"]


def test_repr(sample):
    assert repr(sample) == (
        "Sample(ResNet(width=6, depth=5, beta=0.5, weights='uniform'), replicas=30, "
        f"seed={2**100 + 1}, engine='dense', first_replica={2**40})"
    )


def test_reading_another_specification_is_refused(sample, tmp_path):
    sample.write(tmp_path / "sample.parquet")
    with pytest.raises(ValueError, match="another specification"):
        read_sample(tmp_path / "sample.parquet", ResNet(width=6, depth=5, beta=0.5))


@pytest.mark.parametrize("net", [NET, ResNet(width=3, depth=4, alpha=0.3, block="res-2", bias_std=0.5)])
def test_a_file_is_read_without_its_specification(net, tmp_path):
    sample = simulate(net, replicas=4, seed=2)
    sample.write(tmp_path / "sample.parquet")
    assert_same(read_sample(tmp_path / "sample.parquet"), sample)


def test_an_activation_of_ones_own_must_be_given(tmp_path):
    cube = Activation("cube", lambda x: x**3, lambda x: 3 * x**2)
    net = ResNet(width=3, depth=2, beta=0.5, block="res-2", activation=cube)
    sample = Sample(net, 1, "dense", 0, {"log_hidden_ratio": np.array([0.5])})
    sample.write(tmp_path / "own.parquet")
    with pytest.raises(ValueError, match="give read_sample the ResNet"):
        read_sample(tmp_path / "own.parquet")
    assert_same(read_sample(tmp_path / "own.parquet", net), sample)


def test_an_edited_specification_is_refused(sample, tmp_path):
    table = pq.read_table(_written(sample, tmp_path))
    metadata = json.loads(table.schema.metadata[b"largedepth"])
    metadata["specification"]["depth"] += 1
    text = json.dumps(metadata).encode()
    pq.write_table(table.replace_schema_metadata({b"largedepth": text}), tmp_path / "edited.parquet")
    with pytest.raises(ValueError, match="digest differ"):
        read_sample(tmp_path / "edited.parquet")


def _written(sample, folder):
    sample.write(folder / "sample.parquet")
    return folder / "sample.parquet"


def test_reading_a_foreign_table_is_refused(tmp_path):
    pd.DataFrame({"a": [1.0]}).to_parquet(tmp_path / "foreign.parquet")
    with pytest.raises(ValueError, match=r"foreign.parquet: .*not a sample"):
        read_sample(tmp_path / "foreign.parquet", NET)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_sample(tmp_path / "missing.parquet", NET)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_reading_a_torn_file_is_refused(sample, tmp_path, share):
    sample.write(tmp_path / "sample.parquet")
    content = (tmp_path / "sample.parquet").read_bytes()
    (tmp_path / "torn.parquet").write_bytes(content[: math.floor(share * len(content))])
    with pytest.raises(ValueError, match=r"torn\.parquet: not a whole Parquet file"):
        read_sample(tmp_path / "torn.parquet", NET)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.6])
def test_reading_a_file_with_overwritten_bytes_is_refused(sample, tmp_path, share):
    sample.write(tmp_path / "sample.parquet")
    content = bytearray((tmp_path / "sample.parquet").read_bytes())
    middle = math.floor(share * len(content))
    content[middle : middle + 64] = bytes(64)
    (tmp_path / "overwritten.parquet").write_bytes(content)
    with pytest.raises(ValueError, match=r"overwritten\.parquet"):
        read_sample(tmp_path / "overwritten.parquet", NET)


def _file(tmp_path, replicas, **options):
    net = ResNet(width=4, depth=3, beta=0.5)
    path = tmp_path / "s.parquet"
    return sample_to_file(net, path, replicas=replicas, seed=1, **options), path


@pytest.mark.parametrize("replicas", [0, -5, 1.5])
def test_a_bad_number_of_replicas_leaves_the_file_alone(tmp_path, replicas):
    _, path = _file(tmp_path, 20)
    before = path.read_bytes()
    with pytest.raises(InvalidFieldError, match="replicas="):
        _file(tmp_path, replicas)
    assert path.read_bytes() == before


def test_asking_for_fewer_rows_keeps_the_others(tmp_path):
    whole, path = _file(tmp_path, 20)
    before = path.read_bytes()
    head, _ = _file(tmp_path, 5)
    assert len(head) == 5
    np.testing.assert_array_equal(head["log_hidden_ratio"], whole["log_hidden_ratio"][:5])
    assert path.read_bytes() == before


def test_a_file_with_something_else_is_replaced_on_request_only(tmp_path):
    pd.DataFrame({"mine": [1.0]}).to_parquet(tmp_path / "s.parquet")
    before = (tmp_path / "s.parquet").read_bytes()
    with pytest.raises(InvalidFieldError, match="is there already"):
        _file(tmp_path, 5)
    assert (tmp_path / "s.parquet").read_bytes() == before
    assert len(_file(tmp_path, 5, overwrite=True)[0]) == 5


def test_a_sample_of_another_seed_is_not_mixed_in(tmp_path):
    _, path = _file(tmp_path, 5)
    net = ResNet(width=4, depth=3, beta=0.5)
    with pytest.raises(InvalidFieldError, match="seed 1 instead of 2"):
        sample_to_file(net, path, replicas=9, seed=2)


def test_edited_rows_are_not_continued(tmp_path):
    _, path = _file(tmp_path, 20)
    pq.write_table(pq.read_table(path).slice(10), path)
    with pytest.raises(InvalidFieldError, match="edited since"):
        _file(tmp_path, 30)


def test_a_csv_file_is_replaced_on_request_only(tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("mine")
    net = ResNet(width=4, depth=3, beta=0.5)
    with pytest.raises(InvalidFieldError, match="is there already"):
        sample_to_file(net, path, replicas=3, seed=1)
    assert path.read_text() == "mine"
    sample_to_file(net, path, replicas=3, seed=1, overwrite=True)
    assert path.read_text().startswith("replica,")


def test_a_second_run_into_one_file_waits_and_is_refused(tmp_path):
    net, path = ResNet(width=4, depth=3, beta=0.5), tmp_path / "s.parquet"
    outcomes = {}

    def run(seed):
        try:
            outcomes[seed] = len(
                sample_to_file(net, path, replicas=5000, seed=seed, block_size=16, threads=1)
            )
        except InvalidFieldError as error:
            outcomes[seed] = str(error)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [seed for seed, outcome in outcomes.items() if outcome == 5000]
    assert f"seed {winner} instead of {3 - winner}" in outcomes[3 - winner]
    assert read_sample(path, net).seed == winner
    assert os.listdir(tmp_path) == ["s.parquet"]


def test_a_network_is_lost_where_any_number_of_it_is():
    one, nan = np.ones(3), np.array([1.0, np.nan, 1.0])
    path = np.full((3, 6), np.nan)  # kept up to where a network was lost: no number of its own
    sample = Sample(NET, 1, "dense", 0, {"log_hidden_ratio": one, "log_gradient_ratio": nan, "path": path})
    assert sample.n_nonfinite == 1


def test_a_sample_of_another_engine_is_not_mixed_in(tmp_path):
    net, path = ResNet(width=4, depth=3, beta=0.5), tmp_path / "s.parquet"
    sample_to_file(net, path, replicas=5, seed=1, engine="dense")
    with pytest.raises(InvalidFieldError, match="engine 'dense' instead of 'gaussian'"):
        sample_to_file(net, path, replicas=9, seed=1, engine="gaussian")


@pytest.mark.parametrize("other", [STREAM_FORMAT - 1, STREAM_FORMAT + 1])
def test_rows_of_other_streams_are_refused(sample, tmp_path, other):
    path = tmp_path / "s.parquet"
    sample.write(path)
    table = pq.read_table(path)
    metadata = json.loads(table.schema.metadata[b"largedepth"]) | {"stream_format": other}
    pq.write_table(table.replace_schema_metadata({b"largedepth": json.dumps(metadata)}), path)
    with pytest.raises(ValueError, match=f"have format {other}, this version's {STREAM_FORMAT}"):
        read_sample(path, NET)
