"""What a sweep's file says, and one clear line for what it must not say."""

import pickle

import pytest

from montecarlo import ResNet
from montecarlo.sweeps import SweepFileError, read_sweep

GOOD = """
seed = 7
replicas = 20
[network]
block = "res-3"
width = 40
weights = "uniform"
[grid]
depth = [100, 1000]
beta = [0.25, 0.5]
"""


def test_a_mark_of_the_byte_order_and_seeds_beyond_64_bits_are_read(read):
    plain = read(GOOD)
    assert read("\ufeff" + GOOD) == plain
    large = read("\ufeff" + GOOD.replace("seed = 7", f"seed = {2**127 + 1}"))
    assert {point.run.seed for point in large.points} == {2**127 + 1}


def test_grid_is_a_product_and_all_else_is_shared(read):
    points = read(GOOD).points
    expected = [
        ResNet(width=40, depth=depth, beta=beta, weights="uniform")
        for depth in (100, 1000)
        for beta in (0.25, 0.5)
    ]
    assert [point.run.resnet for point in points] == expected
    assert {point.replicas for point in points} == {20}
    assert {point.run.seed for point in points} == {7}
    assert {point.run.engine for point in points} == {"dense"}


def test_a_network_s_own_seed_and_replicas_come_before_those_at_the_top(read):
    network = "[network]\nwidth = 4\ndepth = 3\nbeta = 1\nseed = 8\nreplicas = 9\n"
    (point,) = read(f"seed = 7\nreplicas = 20\n{network}").points
    assert (point.run.seed, point.replicas) == (8, 9)


def test_norms_are_fields_as_others(read):
    points = read(GOOD.replace("[grid]", "norm-eps = 1e-5\n[grid]\nnorm = ['pre-rms', 'post-layer']")).points
    assert [point.run.resnet.norm for point in points[::4]] == ["pre-rms", "post-layer"]
    assert {point.run.resnet.norm_eps for point in points} == {1e-5}
    assert {point.run.engine for point in points} == {"dense"}


def test_points_go_together_and_meet_the_grid(read):
    sweep = read("""
        [network]
        depth = 10
        gradients = "none"
        [grid]
        beta = [0.5, 1]
        [[points]]
        width = 10
        replicas = 50
        seed = 1
        [[points]]
        width = 20
        weights-w = "rbf:0.01"
        weights = "fbm:0.7"
        """)
    assert [(p.run.resnet.width, p.run.resnet.beta, p.replicas, p.run.seed) for p in sweep.points] == [
        (10, 0.5, 50, 1), (10, 1.0, 50, 1), (20, 0.5, 1000, 0), (20, 1.0, 1000, 0),
    ]  # fmt: skip
    assert sweep.points[2].run.resnet.weights_w == "rbf:0.01"
    assert sweep.networks == 2100
    assert list(sweep.points[0].run.cells) == ["log_hidden_ratio", "log_hidden_difference"]


def test_precision_and_time(read):
    sweep = read("max_seconds = 60\n" + GOOD + "[precision]\nhalf-width = 0.05\nquantile = 0.9\n")
    assert sweep.max_seconds == 60.0
    precision = sweep.precision
    assert (precision.half_width, precision.quantile, precision.column) == (0.05, 0.9, "log_hidden_ratio")
    assert precision.false_alarm == 1e-6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("width = 40", "width = 0"), ["network.width = 0", "at least 1", "width=40"]),
        (("width = 40", ""), ["width", "must be given"]),
        (("depth = [100, 1000]", "depth = [1, 0]"), ["grid.depth = 0", "at least 1", "with beta = 0.25"]),
        (("beta = [0.25, 0.5]", "beta = 0.5"), ["grid.beta = 0.5", "must be a list", "beta = [0.5]"]),
        (("beta = [0.25, 0.5]", "beta = []"), ["grid.beta", "empty"]),
        (("beta = [0.25, 0.5]", "betta = [0.5]"), ["grid.betta", "did you mean 'beta'"]),
        (("width = 40", "widht = 40"), ["network.widht", "did you mean 'width'"]),
        (("[grid]", "[gird]"), ["gird", "did you mean 'grid'"]),
        (("seed = 7", "seed = -7"), ["seed = -7", "at least 0"]),
        (("seed = 7", "width = 7"), ["width = 7", "[network] or [grid]"]),
        (("replicas = 20", "replicas = 1.5"), ["replicas = 1.5", "whole number"]),
        (("replicas = 20", "max_seconds = 0"), ["max_seconds = 0", "above 0"]),
        (('"uniform"', '"uniforn"'), ["network.weights = 'uniforn'", "did you mean 'uniform'"]),
        (("[network]", '[network]\nengine = "radial"'), ["network.engine = 'radial'", "engine='auto'"]),
        (("[network]", '[network]\ntrajectories = "yes"'), ["network.trajectories = 'yes'", "true or false"]),
        (("[network]", '[network]\ngradients = "non"'), ["network.gradients = 'non'", "'none'"]),
        (("[network]", "[network]\ninput-dim = 5\ninput_dim = 6"), ["input_dim", "once"]),
        (("width = 40", "width ="), ["must be TOML", "line 6"]),
        (("beta = [0.25, 0.5]", "beta = [0.5, 0.5]"), ["grid", "specification twice", "depth=100"]),
        (("[grid]", "[[points]]\nbeta = 1\n[grid]"), ["grid.beta", "[[points]]"]),
        (("[grid]", "[[points]]\nwidth = -3\n[grid]"), ["points[0].width = -3"]),
        (("[grid]\n", "points = 3\n[grid]\n"), ["network.points"]),
        (("seed = 7", "seed = 7\nnetwork = 3"), ["must be TOML"]),
        (("seed = 7", "seed = 7\npoints = 3"), ["points", "[[points]]"]),
        (("seed = 7", "seed = 7\nprecision = 0.1"), ["precision = 0.1", "must be a table"]),
        (("[network]", "[precision]\nwidth = 3\n[network]"), ["precision.width"]),
        (("[network]", "[precision]\nquantile = 0.5\n[network]"), ["precision.half_width", "must be given"]),
        (("[network]", "[precision]\nhalf_width = 0\n[network]"), ["precision.half_width = 0", "above 0"]),
        (("[network]", "[precision]\nhalf_width = 1\nquantile = 1\n[network]"), ["precision.quantile = 1"]),
        (
            ("[network]", '[precision]\nhalf_width = 1\ncolumn = "log_hiden_ratio"\n[network]'),
            ["precision.column", "did you mean 'log_hidden_ratio'"],
        ),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_in_one_line(read, change, words):
    assert change[0] in GOOD
    with pytest.raises(SweepFileError) as caught:
        read(GOOD.replace(*change, 1))
    line = str(caught.value)
    assert "s.toml" in line
    assert "\n" not in line
    for word in words:
        assert word in line, line
    assert str(pickle.loads(pickle.dumps(caught.value))) == line


def test_files_that_are_none(tmp_path):
    with pytest.raises(SweepFileError, match="No such file"):
        read_sweep(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SweepFileError, match="must be TOML"):
        read_sweep(tmp_path / "binary.toml")


def test_too_many_specifications_are_refused_before_they_are_made(read):
    many = ", ".join(str(width) for width in range(1, 1002))
    text = f"[grid]\nwidth = [{many}]\ndepth = [{many}]\nbeta = [0.5]"
    with pytest.raises(SweepFileError, match="1_002_001"):
        read(text)
