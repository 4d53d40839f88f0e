"""Samples as pandas, xarray and HTML: the same numbers, by the same names, for every kind of sample."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from montecarlo import (
    ResNet,
    Transformer,
    simulate,
    simulate_depths,
    simulate_inputs,
    simulate_shared,
    simulate_tokens,
)
from montecarlo.estimates import law_distance, log_mean_exp, median
from montecarlo.sequential import EventProbability
from montecarlo.verification import chosen_experiments, run_experiments

NET = ResNet(width=8, depth=6, beta=0.5)


def sample():
    return simulate(NET, replicas=5, seed=1, first_replica=3, trajectories=True, weight_gradients=True)


def shared():
    net = ResNet(width=8, depth=6, beta=1, weights="fbm:0.7")
    return simulate_shared(net, replicas=3, inputs=2, betas=[0.5, 0.7], seed=1, first_replica=3)


def joint():
    return simulate_inputs(
        NET, [[8.0, 2.0], [2.0, 8.0]], replicas=4, seed=1, layers=[0, 3, 6], first_replica=1
    )


def coupled():
    net = ResNet(width=8, depth=16, beta=0.5, block="res-1")
    return simulate_depths(net, [4, 8, 16], replicas=5, seed=1, first_replica=1)


def tokens():
    net = Transformer.preset("gpt2", width=8, depth=3, heads=2, tokens=3)
    observed = {"tangent": True, "attention": True, "per_token": True}
    return simulate_tokens(net, replicas=4, seed=1, first_replica=1, **observed)


KINDS = {"sample": sample, "shared": shared, "joint": joint, "coupled": coupled, "tokens": tokens}


class Dataset:
    """The checks that xarray makes of a Dataset."""

    def __init__(self, variables: dict[str, Any], coords: dict[str, Any], attrs: dict[str, str]) -> None:
        sizes = {name: len(values) for name, values in coords.items()}
        for dims, array in variables.values():
            assert array.shape == tuple(sizes[dim] for dim in dims)
        self.variables, self.coords, self.attrs = variables, coords, attrs

    def __getitem__(self, name: str) -> Any:
        return self.variables[name][1]


@pytest.fixture
def xarray(monkeypatch: pytest.MonkeyPatch) -> None:
    if "xarray" not in sys.modules:
        fake = ModuleType("xarray")
        fake.Dataset = Dataset  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "xarray", fake)


@pytest.mark.parametrize("kind", KINDS)
def test_tables_and_arrays_hold_the_same_numbers(kind: str, xarray: None) -> None:
    rows = KINDS[kind]()
    labels = rows.labels
    table, arrays = rows.to_pandas(), rows.to_xarray()
    assert list(table.columns[: len(labels.index)]) == list(labels.index)
    assert len(table) == np.prod([len(labels.coordinates[name]) for name in labels.index])
    assert table["replica"].min() == rows.first_replica
    assert set(arrays.coords) >= set(labels.index)
    for name, (dims, array) in labels.variables.items():
        assert np.array_equal(np.asarray(arrays[name]), array, equal_nan=True)
        if dims == labels.index:
            assert np.array_equal(table[name].to_numpy(), array.ravel(), equal_nan=True)
        else:
            assert name not in table
    assert arrays.attrs == {"specification": repr(rows.specification), "seed": "1"}


def test_rows_of_tables_are_those_of_the_arrays() -> None:
    rows = shared()
    table = rows.to_pandas()
    assert np.array_equal(table.to_numpy(), np.stack(list(rows.table().values()), axis=1))
    one = table[(table.replica == 4) & (table.beta == 0.7) & (table.input == 1)]
    assert one.log_hidden_ratio.item() == rows["log_hidden_ratio"][1, 1, 1]
    far = joint()
    table = far.to_pandas()
    one = table[(table.replica == 2) & (table.layer == 3) & (table.vector == 1)]
    assert one.log_norm.item() == far.log_norm[1, 1, 1]
    depths = coupled()
    table = depths.to_pandas()
    assert np.isnan(table[table.depth == 16].log_strong_error).all()
    one = table[(table.replica == 2) & (table.depth == 8)]
    assert one.log_strong_error.item() == depths.log_strong_error[1, 1]


def test_without_xarray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ModuleNotFoundError, match="pip install xarray"):
        sample().to_xarray()


@pytest.mark.parametrize("kind", KINDS)
def test_samples_show_their_columns_in_notebooks(kind: str) -> None:
    rows = KINDS[kind]()
    page = rows._repr_html_()
    for name in rows.labels.variables:
        assert f"<td>{name}</td>" in page
    assert page.startswith("<table>")
    assert page.count("<tr>") == page.count("</tr>") == 1 + len(rows.labels.variables)


def test_estimates_and_verdicts_show_themselves_in_notebooks() -> None:
    column = simulate(NET, replicas=300, seed=1)["log_hidden_ratio"]
    found = median(column)
    assert f"{found.value:.6g}" in found._repr_html_()
    assert "300" in found._repr_html_()
    assert "LogMeanExp" in log_mean_exp(column)._repr_html_()
    import theory

    exact = theory.ExactNormLaw(width=8, depth=6, alpha=NET.scaling)
    assert "consistent" in law_distance(column, exact.cdf)._repr_html_()
    event = EventProbability(false_alarm=1e-6)
    event.update(column > 0)
    assert "refuted" in event.result(0.5, resolution=1e-3)._repr_html_()
    assert "undecided" in event.result(0.8, resolution=1e-3)._repr_html_()
    run = run_experiments(chosen_experiments(["I2"])[:1], seed=7)
    assert "consistent" in run._repr_html_()
    assert "I2" in run.verdicts[0]._repr_html_()
