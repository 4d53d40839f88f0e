"""The Gaussian engine goes by the words: sentences of its words that no built-in block has."""

import numpy as np
import pytest

from montecarlo import ResNet
from montecarlo.engines import _segments
from montecarlo.engines._outputs import constants_of, nan_outputs
from montecarlo.engines._request import Request
from montecarlo.engines.gaussian._block import build_block
from montecarlo.kernels._images import Image
from montecarlo.kernels._records import Draw
from montecarlo.kernels._words import ACTIVATION, LINEAR_V, LINEAR_W

pytestmark = pytest.mark.usefixtures("warm_kernels")

NET = ResNet(width=6, depth=9, beta=0.25, block="res-2", activation="identity")
REQUEST = Request(trajectories=True, weight_gradients=True)


def rows(*sentence):
    from montecarlo.engines.gaussian._full import run_block

    outputs = nan_outputs(NET, REQUEST, 18)
    constants = constants_of(NET)._replace(sentence=np.array(sentence, np.int64))
    block = build_block(*NET.activation_function.compiled(), constants, Draw.of((1, 2), 5), True, outputs)
    Image(block).run(run_block)
    return outputs


def test_the_identity_between_two_matrices_is_no_word():
    with_it, without = rows(LINEAR_W, ACTIVATION, LINEAR_V), rows(LINEAR_W, LINEAR_V)
    for column, same in zip(with_it, without, strict=True):
        assert np.isfinite(column).all()
        assert np.array_equal(column, same)


def test_the_words_are_what_is_performed():
    assert not np.array_equal(rows(LINEAR_W, LINEAR_V).rows, rows(LINEAR_V).rows)


@pytest.mark.parametrize("sentence", [(LINEAR_V,), (LINEAR_W, LINEAR_V), (ACTIVATION, LINEAR_V)])
def test_segments_of_the_tape_change_no_bit(sentence, monkeypatch):
    whole = rows(*sentence)
    monkeypatch.setattr(_segments, "TAPE_BYTES", 0)
    segments = rows(*sentence)
    matrices = whole[:4] if LINEAR_W not in sentence else whole
    for column, same in zip(matrices, segments, strict=False):
        assert np.array_equal(column, same)
