"""What Python lays out for a block's kernel: numbers from the beginning of a line of the cache on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from montecarlo import ResNet
from montecarlo.engines import _segments
from montecarlo.engines._outputs import constants_of, nan_outputs
from montecarlo.engines._request import Request
from montecarlo.engines.dense import _block as dense
from montecarlo.engines.gaussian import _block as gaussian
from montecarlo.kernels._records import Draw

NET = ResNet(width=7, depth=30, beta=0.5, norm="peri-rms")
REQUEST = Request(trajectories=True, weight_gradients=True)


def block(engine: Any) -> Any:
    activation, outputs = NET.activation_function.compiled(), nan_outputs(NET, REQUEST, 3)
    functions = (NET.law.kernels(), activation) if engine is dense else activation
    return engine.build_block(*functions, constants_of(NET), Draw.of((1, 2), 0), True, outputs)


def numbers(record: Any) -> Iterator[tuple[str, Any]]:
    for name, value in zip(record._fields, record, strict=True):
        if isinstance(value, tuple):
            yield from numbers(value)
        elif isinstance(value, np.ndarray) and value.size and value.dtype.kind == "f":
            yield name, value


@pytest.mark.parametrize("engine", [dense, gaussian], ids=["dense", "gaussian"])
def test_numbers_begin_with_a_line(engine: Any) -> None:
    made = block(engine)
    arrays = [pair for part in (made.hidden, made.gradient, made.tape, made.work) for pair in numbers(part)]
    assert len(arrays) > 10
    assert [name for name, array in arrays if array.ctypes.data % 64] == []


@pytest.mark.parametrize("engine", [dense, gaussian], ids=["dense", "gaussian"])
def test_both_cut_depth_by_the_same_rule(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert block(engine).tape.layers == 30
    monkeypatch.setattr(_segments, "TAPE_BYTES", 100)
    assert block(engine).tape.layers == 6
