"""Kernels spell the words of the block language as the specification does."""

import numpy as np
from numba import typeof

from montecarlo import ResNet
from montecarlo.engines._outputs import constants_of, nan_outputs
from montecarlo.engines._request import Request
from montecarlo.kernels import _words
from montecarlo.kernels._records import CONSTANTS, DRAW, OUTPUTS, Draw
from montecarlo.networks._norms import find_norm
from montecarlo.networks.blocks import BLOCKS, _block


def test_every_code_is_a_word_and_every_word_of_a_branch_has_one():
    words = {value for name, value in vars(_block).items() if name.isupper()}
    assert set(_words.CODES) == words - {_block.HIDDEN_WIDTH, _block.SKIP, _block.SCHEDULE}
    assert all(set(block.branch) <= set(_words.CODES) for block in BLOCKS.values())
    names = {vars(_block)[name]: name for name in vars(_block) if name.isupper()}
    for word, code in _words.CODES.items():
        assert vars(_words)[names[word].removeprefix("OUTER_")] == code


def test_the_kinds_of_norms_are_those_of_the_specification():
    names = ["none", *(f"{place}-{kind}" for place in ("pre", "post", "peri") for kind in ("rms", "layer"))]
    assert {find_norm(name).kind for name in [*names, "pre-tanh:0.5"]} == set(_words.NORM_KINDS)


def test_a_bias_without_spread_is_no_word():
    net = {"width": 3, "depth": 2, "beta": 0.5, "block": "res-2", "norm": "peri-rms"}
    silent, biased = constants_of(ResNet(**net)), constants_of(ResNet(**net, bias_std=0.5))
    assert np.array_equal(biased.sentence, _words.encode(ResNet(**net).words))
    assert silent.sentence.tolist() == [code for code in biased.sentence if code != _words.BIAS]


def test_records_have_the_types_that_kernels_are_compiled_for():
    net = ResNet(width=3, depth=2, beta=0.5)
    assert typeof(constants_of(net)) == CONSTANTS
    assert typeof(nan_outputs(net, Request(trajectories=True), 3)) == OUTPUTS
    assert typeof(Draw.of((1, 2), 3)) == DRAW
