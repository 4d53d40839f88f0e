"""The index of shards: which rows of which run lie in which file, and how they are read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from montecarlo.common.rows import Columns
from montecarlo.store._errors import StoreError, leave_out
from montecarlo.store._folder import named_files
from montecarlo.store._shard import Cells, Shard, ShardError, read_footer

Range = tuple[int, int]
Request = tuple[str, int, int]

_CACHE_BYTES = 128 << 20
_BATCH_BYTES = 8 << 20


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Rows ``first ... stop - 1`` of a run, which begin at a row of a shard."""

    first: int
    stop: int
    shard: Shard
    row: int


class Index:
    """Shards of one or several folders, and the rows in them.

    Adding a shard reads its footer. Its checksum is compared before any of its rows are said to be held, and
    again whenever its bytes are read.
    """

    def __init__(self) -> None:
        self._shards: dict[Path, Shard] = {}
        self._stretches: dict[str, list[_Stretch]] = {}
        self._decoded: OrderedDict[Path, Columns] = OrderedDict()
        self._decoded_bytes = 0
        self._refused: set[Path] = set()

    @property
    def shards(self) -> list[Shard]:
        """All shards that have not been found damaged."""
        return list(self._shards.values())

    @property
    def keys(self) -> list[str]:
        """The runs that shards name."""
        return list(self._stretches)

    def scan(self, folder: Path) -> list[Shard]:
        """Add the shards of a folder that are new, and return them; warn of damaged and foreign files."""
        added = []
        for path in named_files(folder, "parquet"):
            if path not in self._shards and path not in self._refused:
                try:
                    added.append(read_footer(path))
                    self.add(added[-1])
                except ShardError as error:
                    self._refuse(path, error)
        return added

    def add(self, shard: Shard) -> None:
        """Add a shard; one that is there is replaced."""
        self._forget(shard.path)
        self._refused.discard(shard.path)
        self._shards[shard.path] = shard
        row = 0
        for key, first, count in shard.pieces:
            self._stretches.setdefault(key, []).append(_Stretch(first, first + count, shard, row))
            row += count

    def is_sound(self, shard: Shard) -> bool:
        """Whether a shard's checksum is right; if not, warn and leave it out from now on."""
        if self._shards.get(shard.path) is not shard:
            return False
        try:
            shard.check()
        except ShardError as error:
            self._refuse(shard.path, error)
            return False
        return True

    def held(self, key: str) -> list[Range]:
        """Return the rows of a run in sound shards, as sorted disjoint ranges."""
        sound = [s for s in self._stretches.get(key, ()) if self.is_sound(s.shard)]
        return merge([(s.first, s.stop) for s in sound])

    def rows(self, key: str) -> int:
        """Return how often rows of a run lie in shards, repeats counted."""
        return sum(s.stop - s.first for s in self._stretches.get(key, ()))

    def cells(self, key: str) -> Cells:
        """Return the shape of one row's cell in each column of a run."""
        return self._stretches[key][0].shard.cells

    def _row_bytes(self, key: str) -> int:
        """Return the memory of one row of a run."""
        return 8 * sum(int(np.prod(cell, dtype=np.int64)) for cell in self.cells(key).values())

    def batches(
        self, requests: Sequence[Request], size: int = _BATCH_BYTES
    ) -> Iterator[list[tuple[str, int, Columns]]]:
        """Yield held rows in the order of the requests, `size` bytes at a time, as (key, first, rows)."""
        batch: list[Request] = []
        room = size
        for key, first, stop in requests:
            width = self._row_bytes(key)
            start = first
            while start < stop:
                end = min(stop, start + max(1, room // width))
                batch.append((key, start, end))
                room -= (end - start) * width
                start = end
                if room < width:
                    yield self._read_batch(batch)
                    batch, room = [], size
        if batch:
            yield self._read_batch(batch)

    def _read_batch(self, batch: list[Request]) -> list[tuple[str, int, Columns]]:
        return [(key, first, rows) for (key, first, _), rows in zip(batch, self.read(batch), strict=True)]

    def read(self, requests: Sequence[Request]) -> list[Columns]:
        """Return the rows of several runs; each shard is read once.

        Raises
        ------
        StoreError
            For rows that are not held, or held twice with differing content.
        """
        results: list[Columns] = []
        wanted: dict[Path, list[tuple[int, _Stretch, list[_Stretch]]]] = {}
        for key, start, stop in requests:
            stretches = self._sound_stretches(key, start, stop)
            cells = stretches[0].shard.cells
            result = {name: np.empty((stop - start, *cell)) for name, cell in cells.items()}
            results.append(result)
            sharing = _rivals(stretches)
            for stretch in stretches:
                job = (len(results) - 1, stretch, sharing[stretch])
                wanted.setdefault(stretch.shard.path, []).append(job)
        done: set[tuple[int, _Stretch]] = set()
        for jobs in wanted.values():
            columns = self._load(jobs[0][1].shard)
            for i, stretch, rivals in jobs:
                # Rows that a rival has left already must be the same.
                before = [rival for rival in rivals if (i, rival) in done]
                _place(results[i], requests[i], stretch, columns, before)
                done.add((i, stretch))
        return results

    def check_repeats(self, key: str) -> None:
        """Raise `StoreError` if rows of a run lie in two shards with differing content."""
        stretches = sorted(self._stretches.get(key, ()), key=lambda s: s.first)
        twice, reached = [], -1
        for stretch in stretches:
            if stretch.first < reached:
                twice.append((stretch.first, min(reached, stretch.stop)))
            reached = max(reached, stretch.stop)
        for _ in self.batches([(key, start, stop) for start, stop in merge(twice)]):
            pass

    def _sound_stretches(self, key: str, start: int, stop: int) -> list[_Stretch]:
        held = self.held(key)
        if not any(first <= start and stop <= last for first, last in held):
            rows = ", ".join(f"{first} ... {last - 1}" for first, last in held) or "none"
            raise StoreError(f"run {key[:12]}...: rows {start} ... {stop - 1} are not all held; held: {rows}")
        inside = [s for s in self._stretches[key] if s.first < stop and s.stop > start]
        for stretch in inside:
            if stretch.shard.cells != inside[0].shard.cells:
                raise _conflict(key, inside[0], stretch, "have other columns")
        return sorted(inside, key=lambda s: s.first)

    def _load(self, shard: Shard) -> Columns:
        """Return a shard's rows, kept for a while: neighbouring runs lie side by side in one shard."""
        columns = self._decoded.pop(shard.path, None)
        if columns is None:
            try:
                columns = shard.load()
            except ShardError as error:
                self._refuse(shard.path, error)
                reason = f"was damaged while in use ({error})"
                raise StoreError(f"{shard.path}: {reason}; run again, and its rows are drawn anew") from error
            self._decoded_bytes += _size(columns)
        self._decoded[shard.path] = columns
        while self._decoded_bytes > _CACHE_BYTES and len(self._decoded) > 1:
            _, dropped = self._decoded.popitem(last=False)
            self._decoded_bytes -= _size(dropped)
        return columns

    def _refuse(self, path: Path, error: ShardError) -> None:
        self._forget(path)
        self._refused.add(path)
        leave_out(path, f"{error}; it is left out, and its rows count as missing")

    def _forget(self, path: Path) -> None:
        shard = self._shards.pop(path, None)
        self._decoded_bytes -= _size(self._decoded.pop(path, {}))
        for key in {key for key, _, _ in shard.pieces} if shard is not None else ():
            others = [s for s in self._stretches[key] if s.shard is not shard]
            if others:
                self._stretches[key] = others
            else:
                del self._stretches[key]


def merge(ranges: Sequence[Range]) -> list[Range]:
    """Return sorted disjoint ranges with the same members.

    Examples
    --------
    >>> merge([(4, 6), (0, 2), (2, 3), (5, 9)])
    [(0, 3), (4, 9)]
    """
    merged: list[Range] = []
    for first, stop in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        elif stop > first:
            merged.append((first, stop))
    return merged


def _size(columns: Columns) -> int:
    return sum(column.nbytes for column in columns.values())


def _rivals(stretches: list[_Stretch]) -> dict[_Stretch, list[_Stretch]]:
    """Return which of the stretches, sorted by their first rows, share rows with each of them."""
    rivals: dict[_Stretch, list[_Stretch]] = {stretch: [] for stretch in stretches}
    if all(after.first >= before.stop for before, after in pairwise(stretches)):
        return rivals
    for i, one in enumerate(stretches):
        for other in stretches[i + 1 :]:
            if other.first >= one.stop:
                break
            rivals[one].append(other)
            rivals[other].append(one)
    return rivals


def _place(
    result: Columns, request: Request, stretch: _Stretch, columns: Columns, before: list[_Stretch]
) -> None:
    """Copy the rows of a stretch to their places; those that are there must be the same, bit for bit."""
    key, start, stop = request
    low, high = max(start, stretch.first), min(stop, stretch.stop)
    for name, column in columns.items():
        rows = column[stretch.row + low - stretch.first : stretch.row + high - stretch.first]
        for rival in before:
            first, last = max(low, rival.first), min(high, rival.stop)
            # Bytes, not numbers: NaN equals itself.
            if first < last and (
                result[name][first - start : last - start].tobytes()
                != rows[first - low : last - low].tobytes()
            ):
                raise _conflict(key, rival, stretch, f"hold different {name} for its rows from {first} on")
        result[name][low - start : high - start] = rows


def _conflict(key: str, one: _Stretch, other: _Stretch, what: str) -> StoreError:
    return StoreError(
        f"{one.shard.path} and {other.shard.path}: {what} (run {key[:12]}...); "
        "rows are a function of run and replica, so one of the two is wrong: remove it"
    )
