"""Coupled depths on disk: continued bit for bit, replaced where they are of something else, never torn."""

import pytest
from row_bits import same_bits

from montecarlo import InvalidFieldError, ResNet, coupled_to_file, read_coupled_sample, simulate_depths

NET = ResNet(width=4, depth=12, beta=0.7, block="res-1", weights="fbm:0.7")
DEPTHS = (3, 6, 12)


def run(path, replicas, net=NET, depths=DEPTHS, seed=1, overwrite=False):
    """Return the sample and how many rows were found and drawn."""
    found, drawn = [], []
    sample = coupled_to_file(
        net,
        depths,
        path,
        replicas=replicas,
        seed=seed,
        overwrite=overwrite,
        progress=drawn.append,
        on_found=found.append,
    )
    return sample, sum(found), sum(drawn)


def test_a_file_is_continued_and_equals_one_drawn_at_once(tmp_path):
    path = tmp_path / "s.parquet"
    whole = simulate_depths(NET, DEPTHS, replicas=9, seed=1)
    for replicas, expected in ((4, (0, 4)), (9, (4, 5)), (9, (9, 0)), (2, (9, 0))):
        sample, *counts = run(path, replicas)
        assert tuple(counts) == tuple(len(DEPTHS) * rows for rows in expected)
        assert len(sample) == replicas
        assert same_bits(sample, whole.head(replicas))
    read = read_coupled_sample(path)
    assert (read.resnet, read.depths, read.seed, len(read)) == (NET, DEPTHS, 1, 9)
    assert same_bits(read, whole)


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 2},
        {"depths": (6, 12)},
        {"net": ResNet(width=4, depth=12, beta=0.8, block="res-1", weights="fbm:0.7")},
    ],
    ids=["seed", "depths", "specification"],
)
def test_another_sample_is_replaced(tmp_path, other):
    path = tmp_path / "s.parquet"
    run(path, 3)
    with pytest.raises(InvalidFieldError, match="is there already"):
        run(path, 2, **other)
    sample, found, drawn = run(path, 2, overwrite=True, **other)
    assert (found, drawn) == (0, 2 * len(sample.depths))
    assert same_bits(read_coupled_sample(path), sample)


def test_a_torn_file_is_replaced_and_reading_it_says_so(tmp_path):
    path = tmp_path / "s.parquet"
    whole, *_ = run(path, 3)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"s\.parquet: not a whole Parquet file"):
        read_coupled_sample(path)
    sample, found, _ = run(path, 3, overwrite=True)
    assert found == 0
    assert same_bits(sample, whole)


def test_rows_of_another_first_replica_are_read_but_not_continued(tmp_path):
    path = tmp_path / "s.parquet"
    simulate_depths(NET, DEPTHS, replicas=3, seed=1, first_replica=5).write(path)
    assert list(read_coupled_sample(path).replica) == [5, 6, 7]
    assert run(path, 2, overwrite=True)[1:] == (0, 2 * len(DEPTHS))


def test_pooling_needs_the_same_networks_and_replicas_that_follow():
    first, second = (
        simulate_depths(NET, DEPTHS, replicas=2, seed=1, first_replica=start) for start in (0, 2)
    )
    assert same_bits(first + second, simulate_depths(NET, DEPTHS, replicas=4, seed=1))
    for wrong in (first, simulate_depths(NET, DEPTHS, replicas=2, seed=2, first_replica=2)):
        with pytest.raises(ValueError, match="cannot pool"):
            first + wrong


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path": "s.csv"}, "out=.*must end in .parquet;"),
        ({"path": "no/such/s.parquet"}, "out=.*existing folder"),
        ({"replicas": 0}, "replicas=0"),
        ({"seed": -1}, "seed=-1"),
        ({"depths": (5, 12)}, "depths=.*proper divisor"),
        ({"threads": 0}, "threads=0"),
    ],
)
def test_bad_input_is_refused_before_a_file_is_touched(tmp_path, given, message):
    arguments = {"path": "s.parquet", "replicas": 2, "seed": 1, "depths": DEPTHS} | given
    path = tmp_path / arguments.pop("path")
    with pytest.raises(InvalidFieldError, match=message):
        coupled_to_file(NET, arguments.pop("depths"), path, **arguments)
    assert list(tmp_path.iterdir()) == []
