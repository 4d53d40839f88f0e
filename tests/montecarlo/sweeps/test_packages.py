"""Packages cover every row once, are of even cost, and learn what rows cost."""

from hypothesis import given
from hypothesis import strategies as st

from montecarlo import ResNet
from montecarlo.samples.independent._run import NetworkRun
from montecarlo.sweeps import Pace
from montecarlo.sweeps._packages import packages

goals = st.lists(
    st.tuples(
        st.sampled_from([1, 10, 40, 200]), st.sampled_from([1, 100, 3000]), st.integers(0, 100),
        st.integers(0, 20_000), st.sampled_from(["gaussian", "uniform"]),
    ),
    max_size=8,
)  # fmt: skip


def runs(given_goals):
    for seed, (width, depth, start, rows, weights) in enumerate(given_goals):
        net = ResNet(width=width, depth=depth, beta=0.5, weights=weights)
        yield NetworkRun.find(net, seed), start, start + rows


@given(goals, st.integers(1, 8), st.floats(0.1, 10.0))
def test_packages_cover_every_row_once(given_goals, workers, slowness):
    asked = list(runs(given_goals))
    pace = Pace(workers)
    seen = {}
    for package in packages(iter(asked), pace):
        # A package is cut with what is known when it is asked for; what its blocks teach is for the next.
        seconds = sum(block.count * block.run.seconds * pace.factor(block.run) for block in package.blocks)
        assert seconds <= 1.0 + 1e-9 or len(package.blocks) == 1
        for block in package.blocks:
            assert block.count >= 1
            seen.setdefault(block.run.seed, []).append((block.first, block.first + block.count))
            pace.learn(block.run, block.count, slowness * block.count * block.run.seconds)
        pace.finish()
    for run, start, stop in asked:
        ranges = sorted(seen.get(run.seed, []))
        assert [first for first, _ in ranges] == [start, *(last for _, last in ranges[:-1])][: len(ranges)]
        assert sum(last - first for first, last in ranges) == stop - start


def test_long_specifications_come_first_and_blocks_are_of_whole_lanes():
    asked = list(runs([(10, 100, 0, 100, "gaussian"), (40, 1000, 5, 20_000, "gaussian")]))
    cut = list(packages(iter(asked), Pace(2)))
    assert cut[0].blocks[0].run.seed == 1
    assert cut[-1].blocks[-1].run.seed == 0
    ends = [block.first + block.count for package in cut for block in package.blocks if block.run.seed == 1]
    assert all(end % 16 == 0 for end in ends[:-1])


def test_packages_grow_to_a_second_and_shrink_at_the_end():
    (goal,) = runs([(40, 1000, 0, 200_000, "gaussian")])
    pace = Pace(2)
    sizes = []
    for package in packages([goal], pace):
        (block,) = package.blocks
        sizes.append(block.count * block.run.seconds)
        pace.finish()
    assert sizes[0] <= 0.05
    assert 0.9 <= max(sizes) <= 1.0
    assert sizes[-1] <= 0.05


def test_pace_learns_what_blocks_take():
    (goal,) = runs([(40, 1000, 0, 200_000, "uniform")])
    run = goal[0]
    pace = Pace(2)
    assert pace.factor(run) == 1.0
    for _ in range(10):
        pace.learn(run, 64, 3.0 * 64 * run.seconds)
    assert abs(pace.factor(run) - 3.0) < 1e-6
    pace.learn(run, 64, 3e-3 * 64 * run.seconds)
    assert 0.05 < pace.factor(run) < 0.2  # halfway, on a scale of logs
