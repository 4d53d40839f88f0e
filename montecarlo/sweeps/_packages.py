"""`Pace` and packages: blocks of about a second of work, whatever their specifications cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from montecarlo.runs import Block, Drawn, Run, draw_block

_SECONDS = 1.0
_FIRST_SECONDS = 0.05
_LEAST_SECONDS = 0.02
_BYTES = 32 << 20
_WEIGHT = 0.5  # of the last measurement


@dataclass(frozen=True)
class Package:
    """Blocks that one worker draws in one go: part of a long specification, or many short ones.

    Parameters
    ----------
    blocks : tuple of Block
        The blocks.
    """

    blocks: tuple[Block, ...]


def draw_package(package: Package) -> list[Drawn]:
    """Draw the blocks of a package; what an executor runs."""
    return [draw_block(block) for block in package.blocks]


class Pace:
    """What rows cost on these workers: the engines' estimates, put right by what blocks took.

    Parameters
    ----------
    workers : int
        Packages that run at the same time.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._factors: dict[tuple[str, ...], float] = {}
        self._finished = 0

    def factor(self, run: Run) -> float:
        """Return the time of rows over the estimated one."""
        return self._factors.get(run.family, 1.0)

    def learn(self, run: Run, rows: int, seconds: float) -> None:
        """Take in what a block took."""
        lanes = -(-rows // run.lanes) * run.lanes
        measured = max(seconds, 1e-9) / (lanes * run.seconds)
        family = run.family
        before = self._factors.get(family, measured)
        self._factors[family] = before ** (1.0 - _WEIGHT) * measured**_WEIGHT

    def finish(self) -> None:
        """Count a package that is done: packages grow with them up to a second."""
        self._finished += 1

    def target(self, remaining: float) -> float:
        """Return the seconds a package, given those of all the rows to come on one worker."""
        # Small ones at the start, where estimates are rough, and at the end, for workers to finish together.
        ramp = _FIRST_SECONDS * 2.0 ** min(self._finished / self.workers, 10.0)
        return max(_LEAST_SECONDS, min(_SECONDS, ramp, remaining / (2 * self.workers)))


def packages(goals: Iterable[tuple[Run, int, int]], pace: Pace) -> Iterator[Package]:
    """Cut rows ``start ... stop - 1`` of runs into packages, the longest runs first, when asked for one."""
    # The longest first, so that nothing long begins when the others are done.
    costs = [(run.seconds, run, start, stop) for run, start, stop in goals if stop > start]
    costs.sort(key=lambda goal: goal[0] * (goal[2] - goal[3]))
    remaining = sum(cost * (stop - start) for cost, _, start, stop in costs)
    blocks: list[Block] = []
    seconds = size = 0.0
    for cost, run, first, stop in costs:
        run.prepare()
        lanes, row_bytes = run.lanes, run.row_bytes
        start = first
        while start < stop:
            factor = pace.factor(run)
            target = pace.target(remaining * factor)
            room = min((target - seconds) / (cost * factor), (_BYTES - size) / row_bytes)
            rows = int(room) // lanes * lanes
            if rows < 1 and blocks:
                yield Package(tuple(blocks))
                blocks, seconds, size = [], 0.0, 0.0
                continue
            # Blocks end at multiples of the lanes.
            rows = min(stop - start, max(rows, lanes) - start % lanes)
            blocks.append(Block(run, start, rows))
            seconds += rows * cost * factor
            size += rows * row_bytes
            remaining -= rows * cost
            start += rows
    if blocks:
        yield Package(tuple(blocks))
