"""Exact identities of the dense engine: what may not change a row, for any specification and seed."""

import functools
import math
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_bits import same_bits

import montecarlo
from montecarlo import LOG_RATIOS, ResNet
from montecarlo.engines import _segments
from montecarlo.engines.dense import _block
from montecarlo.laws import LAWS
from montecarlo.networks._activations import BUILT_IN

simulate = functools.partial(montecarlo.simulate, engine="dense")
iter_blocks = functools.partial(montecarlo.iter_blocks, engine="dense")

pytestmark = pytest.mark.usefixtures("warm_kernels")

SEEDS = st.integers(0, 2**128 - 1)


@st.composite
def networks(draw, blocks=("res-1", "res-2", "res-3"), max_depth=20, **fixed):
    chosen = draw(st.sampled_from(blocks))
    options = {
        "width": draw(st.integers(1, 30)),
        "depth": draw(st.integers(1, max_depth)),
        "block": chosen,
        "weights": draw(st.sampled_from(sorted(LAWS))),
        "activation": "relu" if chosen == "res-3" else draw(st.sampled_from(sorted(BUILT_IN))),
        "bias_std": draw(st.sampled_from([0.0, 0.5])) if chosen == "res-2" else 0.0,
        "input_dim": draw(st.integers(1, 70)),
    }
    if draw(st.booleans()):
        options["beta"] = draw(st.floats(-0.5, 3.0))
    else:
        options["alpha"] = draw(st.floats(1e-6, 10.0))
    return ResNet(**(options | fixed))


def everything(net, **options):
    sample = simulate(net, trajectories=True, weight_gradients=True, **options)
    return {name: np.ascontiguousarray(column) for name, column in sample.columns.items()}


@settings(max_examples=30)
@given(net=networks(), seed=SEEDS, threads=st.integers(1, 4), block_size=st.integers(1, 30))
def test_threads_and_blocks(net, seed, threads, block_size):
    plain = everything(net, replicas=13, seed=seed, threads=1, block_size=13)
    assert same_bits(plain, everything(net, replicas=13, seed=seed, threads=threads, block_size=block_size))


@settings(max_examples=30)
@given(net=networks(), seed=SEEDS, first=st.integers(0, 2**62), skipped=st.integers(0, 9))
def test_first_replica(net, seed, first, skipped):
    whole = everything(net, replicas=10, seed=seed, first_replica=first)
    part = everything(net, replicas=10 - skipped, seed=seed, first_replica=first + skipped)
    assert same_bits({name: column[skipped:] for name, column in whole.items()}, part)


def test_the_upper_half_of_the_replica_index_counts():
    net = ResNet(width=4, depth=3, beta=0.5)
    rows = [simulate(net, replicas=1, seed=1, first_replica=i)["log_hidden_ratio"][0] for i in (3, 3 + 2**32)]
    assert rows[0] != rows[1]


def test_hundred_replicas_are_the_head_of_a_thousand():
    net = ResNet(width=10, depth=20, beta=0.5, weights="uniform")
    thousand, hundred = (simulate(net, replicas=n, seed=7) for n in (1000, 100))
    assert same_bits(
        {name: column[:100].copy() for name, column in thousand.columns.items()}, hundred.columns
    )
    assert len(np.unique(thousand["log_hidden_ratio"])) == 1000


@settings(max_examples=30)
@given(net=networks(), seed=SEEDS, segment=st.integers(1, 25))
def test_segments_of_the_tape(net, seed, segment):
    whole = everything(net, replicas=3, seed=seed, threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_block, "segment_length", lambda depth, layer_bytes: segment)
        assert same_bits(whole, everything(net, replicas=3, seed=seed, threads=1))


def test_segments_across_rescaled_states():
    # each layer changes the norm by 10^9: every checkpoint carries an exponent
    net = ResNet(width=6, depth=50, alpha=1e9)
    whole = everything(net, replicas=3, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_block, "segment_length", lambda depth, layer_bytes: 7)
        assert same_bits(whole, everything(net, replicas=3, seed=1))


@given(layer_bytes=st.integers(0, 100_000), depth=st.integers(1, 10**6))
def test_segment_length_bounds_the_memory(layer_bytes, depth):
    segment = _segments.segment_length(depth, layer_bytes)
    assert 1 <= segment <= depth
    assert segment * layer_bytes <= max(_segments.TAPE_BYTES, (math.isqrt(depth) + 1) * layer_bytes)
    assert -(-depth // segment) <= math.isqrt(depth) + 1


@settings(max_examples=30)
@given(net=networks(), seed=SEEDS)
def test_gradients_and_observables_do_not_touch_the_forward_pass(net, seed):
    full = everything(net, replicas=3, seed=seed)
    bare = simulate(net, replicas=3, seed=seed, gradients="none").columns
    plain = simulate(net, replicas=3, seed=seed).columns
    assert same_bits({name: full[name] for name in bare}, bare)
    assert same_bits({name: full[name] for name in plain}, plain)


@settings(max_examples=30)
@given(
    net=networks(beta=None, alpha=0.3), seed=SEEDS, more=st.integers(1, 20),
)  # fmt: skip
def test_a_deeper_network_begins_with_the_shallower_one(net, seed, more):
    deeper = ResNet(**{**net.canonical(), "depth": net.depth + more})
    short, long = (
        simulate(n, replicas=3, seed=seed, trajectories=True)["log_hidden_path"] for n in (net, deeper)
    )
    assert np.array_equal(short, long[:, : net.depth + 1], equal_nan=True)


HOMOGENEOUS = [("res-3", "relu"), ("res-2", "leaky-relu"), ("res-1", "identity"), ("res-1", "relu")]


@settings(max_examples=40)
@given(data=st.data(), network=st.sampled_from(HOMOGENEOUS), power=st.integers(-300, 300), seed=SEEDS)
def test_scaling_the_input_by_a_power_of_two(data, network, power, seed):
    block, activation = network
    net = data.draw(networks(blocks=(block,), activation=activation, bias_std=0.0))
    scaled = ResNet(**{**net.canonical(), "input_scale": 2.0**power})
    one, other = (everything(n, replicas=3, seed=seed) for n in (net, scaled))
    for name, column in one.items():
        # the mantissas are the same bits; the logs of norms add an exponent times log 2
        np.testing.assert_allclose(other[name], column, rtol=1e-14, atol=2e-13, err_msg=name)


@settings(max_examples=40)
@given(data=st.data(), factor=st.floats(1e-99, 1e99), seed=SEEDS)
def test_scaling_the_input_by_any_factor(data, factor, seed):
    net = data.draw(networks(blocks=("res-3",), width=16, max_depth=10))
    scaled = ResNet(**{**net.canonical(), "input_scale": factor})
    one, other = (simulate(n, replicas=3, seed=seed) for n in (net, scaled))
    # A mask that flips by rounding moves hidden states by 1e-7 only, but gradients by a finite amount.
    for name in LOG_RATIOS[:2]:
        np.testing.assert_allclose(other[name], one[name], rtol=1e-6, atol=1e-4, err_msg=name)


@settings(max_examples=20)
@given(net=networks(), seed=SEEDS)
def test_blocks_add_up_to_the_sample(net, seed):
    blocks = list(iter_blocks(net, replicas=11, seed=seed, threads=2, block_size=2))
    assert sum(map(len, blocks)) == 11
    joined = functools.reduce(operator.add, sorted(blocks, key=lambda block: block.first_replica))
    assert joined.first_replica == 0
    assert same_bits(joined.columns, simulate(net, replicas=11, seed=seed).columns)


@settings(max_examples=20)
@given(net=networks(), seed=st.integers(0, 2**128 - 2))
def test_another_seed_gives_other_networks(net, seed):
    a, b = (simulate(net, replicas=4, seed=s, trajectories=True)["log_hidden_path"] for s in (seed, seed + 1))
    # narrow ReLU networks may die, and Rademacher ones of width 1 are few
    if net.width > 8 and np.isfinite(a).all():
        assert not np.array_equal(a, b)
