"""What a crash leaves: files are renamed into place, whole, and flushed before and after."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from store_examples import record, rows

from montecarlo import ResNet, simulate
from montecarlo.common.files import exclusive, replaced_file
from montecarlo.store import Piece, Store, combine

Event = tuple[str, int]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """Return what was flushed ("sync") and renamed ("rename"), by inode, in order, from now on."""
    found: list[Event] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        fsync(descriptor)
        found.append(("sync", os.fstat(descriptor).st_ino))

    def noted_replace(source: str | Path, target: str | Path) -> None:
        found.append(("rename", os.stat(source).st_ino))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    return found


def node(path: Path) -> int:
    return path.stat().st_ino


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, events: list[Event]) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with open(target) as reader:
        with replaced_file(target) as temporary:
            temporary.write_text("newer")
        assert reader.read() == "old"  # renamed: whoever reads the old one reads it whole
    assert target.read_text() == "newer"
    assert events == [("sync", node(target)), ("rename", node(target))]


def test_a_rename_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: object, target: object) -> None:
        raise PermissionError("the target is in use")

    target = tmp_path / "a.txt"
    target.write_text("old")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError), replaced_file(target) as temporary:
        temporary.write_text("newer")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def written_safely(path: Path, events: list[Event]) -> bool:
    """Whether a file was flushed, renamed, and its folder flushed after that."""
    order = [events.index(("sync", node(path))), events.index(("rename", node(path)))]
    after = [i for i, event in enumerate(events) if event == ("sync", node(path.parent)) and i > order[1]]
    return order[0] < order[1] and bool(after)


def test_names_in_a_results_folder_are_on_the_disk(tmp_path: Path, events: list[Event]) -> None:
    folder = tmp_path / "results"
    store = Store.open(folder)
    assert written_safely(folder / "largedepth.json", events)
    # Its parts, and its own name.
    for outer in (folder, tmp_path):
        assert events.count(("sync", node(outer))) >= 1
    for number in range(2):  # every file, not the first one alone
        events.clear()
        (key,) = store.add_runs([record(number)])
        (new,) = [path for path in (folder / "manifest").iterdir() if key in path.read_text()]
        assert written_safely(new, events)
        events.clear()
        before = set((folder / "shards").iterdir())
        store.write([Piece(key, 0, rows(0, 4, number))])
        (new,) = set((folder / "shards").iterdir()) - before
        assert written_safely(new, events)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables_and_samples_are_renamed_into_place(tmp_path: Path, events: list[Event], ending: str) -> None:
    store = Store.open(tmp_path / "results")
    (key,) = store.add_runs([record(columns={"x": []})])
    store.write([Piece(key, 0, {"x": rows(0, 4)["x"]})])
    sample = simulate(ResNet(width=2, depth=2, beta=1.0), replicas=2, seed=1, engine="gaussian")
    writers: dict[str, Callable[[Path], object]] = {
        "table": lambda path: combine([tmp_path / "results"], path, overwrite=True),
        "sample": sample.write,
    }
    for name, write in writers.items():
        path = tmp_path / f"{name}.{ending}"
        events.clear()
        write(path)
        assert events.index(("sync", node(path))) < events.index(("rename", node(path))), name


def test_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "a.txt", tmp_path / "b.txt"
    target.write_text("old")
    link.symlink_to(target)
    with replaced_file(link) as temporary:
        temporary.write_text("newer")
    assert link.is_symlink()
    assert target.read_text() == "newer"


def test_a_run_that_waited_holds_the_file_that_others_find(tmp_path: Path) -> None:
    # Each run removes its lock file at the end: the next one must not believe that the removed one counts.
    target, inside = tmp_path / "a.txt", []

    def hold() -> None:
        with exclusive(target):
            inside.append(os.stat(tmp_path / ".a.txt.lock").st_nlink)
            time.sleep(0.05)
            inside.append(-1)

    threads = [threading.Thread(target=hold) for _ in range(5)]
    with exclusive(target):
        for thread in threads:
            thread.start()
        time.sleep(0.1)  # all of them wait
    for thread in threads:
        thread.join()
    assert inside == [1, -1] * 5
