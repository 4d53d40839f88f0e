"""Samples with shared weights on disk: exact, recognised, and drawn once."""

import numpy as np
import pytest

import montecarlo
from montecarlo import InvalidFieldError, ResNet, read_sample, read_shared_sample, shared_to_file, simulate
from montecarlo.processes import WeightProcess

NET = ResNet(width=4, depth=20, beta=1.0, weights="fbm:0.7")
ARGUMENTS = {"replicas": 3, "seed": 1, "betas": [0.5, 1.25], "inputs": 2}

pytestmark = pytest.mark.usefixtures("warm_kernels")


def test_the_file_holds_the_sample_exactly(tmp_path):
    path = tmp_path / "s.parquet"
    sample = shared_to_file(NET, path, **ARGUMENTS)
    again = read_shared_sample(path)
    assert again.resnet == NET
    assert (again.seed, again.first_replica) == (1, 0)
    assert np.array_equal(again.betas, sample.betas)
    for name, column in sample.columns.items():
        assert np.array_equal(again[name], column)


def test_a_plain_reader_sees_one_row_a_network(tmp_path):
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "s.parquet"
    sample = shared_to_file(NET, path, **ARGUMENTS)
    table = pandas.read_parquet(path)
    assert len(table) == 12
    row = table[(table.replica == 2) & (table.beta == 1.25) & (table["input"] == 1)]
    assert row.log_gradient_ratio.item() == sample["log_gradient_ratio"][2, 1, 1]


def test_what_is_there_is_not_drawn_again(tmp_path, monkeypatch):
    path = tmp_path / "s.parquet"
    shared_to_file(NET, path, **ARGUMENTS)

    def forbidden(*args, **kwargs):
        raise AssertionError("the sample was there")

    found = []
    monkeypatch.setattr("montecarlo.samples._to_file.collect_rows", forbidden)
    shared_to_file(NET, path, on_found=found.append, **ARGUMENTS)
    assert found == [12]
    for change in ({"seed": 2}, {"inputs": 3}, {"betas": [0.5]}):
        with pytest.raises(AssertionError, match="was there"):
            shared_to_file(NET, path, overwrite=True, **(ARGUMENTS | change))
        with pytest.raises(InvalidFieldError, match="is there already"):
            shared_to_file(NET, path, **(ARGUMENTS | change))


def test_kinds_of_tables_are_not_confused(tmp_path):
    shared_to_file(NET, tmp_path / "shared.parquet", **ARGUMENTS)
    simulate(NET, replicas=2, seed=1).write(tmp_path / "plain.parquet")
    with pytest.raises(ValueError, match="of the kind shared, not sample"):
        read_sample(tmp_path / "shared.parquet")
    with pytest.raises(ValueError, match="of the kind sample, not shared"):
        read_shared_sample(tmp_path / "plain.parquet")


def test_damaged_files_are_drawn_again(tmp_path):
    path = tmp_path / "s.parquet"
    sample = shared_to_file(NET, path, **ARGUMENTS)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(InvalidFieldError, match="is there already"):
        shared_to_file(NET, path, **ARGUMENTS)
    again = shared_to_file(NET, path, overwrite=True, **ARGUMENTS)
    assert np.array_equal(again["log_hidden_ratio"], sample["log_hidden_ratio"])
    assert np.array_equal(read_shared_sample(path)["log_hidden_ratio"], sample["log_hidden_ratio"])


def test_a_process_of_ones_own_needs_the_specification(tmp_path):
    own = ResNet(width=4, depth=20, beta=1.0, weights=WeightProcess.from_lags("ar1", lambda m, depth: 0.5**m))
    path = tmp_path / "s.parquet"
    sample = shared_to_file(own, path, **ARGUMENTS)
    with pytest.raises(ValueError, match="weights is one's own"):
        read_shared_sample(path)
    assert np.array_equal(read_shared_sample(path, own)["log_hidden_ratio"], sample["log_hidden_ratio"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"betas": []}, "betas"),
        ({"betas": [-0.5]}, "betas"),
        ({"inputs": 0}, "inputs"),
        ({"replicas": 0}, "replicas"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(fields, message):
    with pytest.raises(InvalidFieldError) as error:
        montecarlo.simulate_shared(NET, **(ARGUMENTS | fields))
    assert str(error.value).startswith(f"{message}=")


def test_independent_layers_are_refused():
    with pytest.raises(InvalidFieldError, match="independent layers"):
        montecarlo.simulate_shared(ResNet(width=4, depth=4, beta=0.5), **ARGUMENTS)


@pytest.mark.parametrize("name", ["s.csv", "no/such/folder/s.parquet"])
def test_bad_paths_are_refused_before_anything_is_drawn(name, tmp_path, monkeypatch):
    monkeypatch.setattr("montecarlo.samples._to_file.collect_rows", None)
    with pytest.raises(InvalidFieldError, match="out="):
        shared_to_file(NET, tmp_path / name, **ARGUMENTS)


def test_edited_files_are_recognised(tmp_path):
    pyarrow = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "s.parquet"
    shared_to_file(NET, path, **ARGUMENTS)
    table = pyarrow.read_table(path)
    for edited in (table.drop_columns(["beta"]), table.slice(0, 11), table.drop_columns(["input"])):
        pyarrow.write_table(edited, path)
        with pytest.raises(ValueError, match=r"s\.parquet: .*edited since"):
            read_shared_sample(path)
