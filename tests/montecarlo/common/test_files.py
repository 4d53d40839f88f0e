"""Files on file systems that lack an operation: written whole, unlocked with a warning, nothing left behind.

The operations are replaced by ones that fail as such file systems do: a container has none of these.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from montecarlo import InvalidFieldError, ResNet, read_sample, sample_to_file
from montecarlo.common.files import check_writable, exclusive, replaced_file, sync_folder

MISSING = (errno.ENOSYS, errno.ENOLCK, errno.EBADF, errno.EOPNOTSUPP)


def failing(number: int) -> Callable[..., Any]:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", MISSING)
def test_without_locks_a_file_is_written_with_a_warning(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(number))
    target = tmp_path / "a.txt"
    words = r"a\.txt: cannot be locked on this file system .*; no second run"
    with pytest.warns(UserWarning, match=words), exclusive(target):
        target.write_text("done")
    assert os.listdir(tmp_path) == ["a.txt"]
    with pytest.warns(UserWarning, match=words), pytest.raises(KeyboardInterrupt), exclusive(target):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == ["a.txt"]


def test_numbers_of_files_that_change_end_the_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true, looks = os.fstat, [0]

    def fstat(descriptor: int) -> os.stat_result:
        looks[0] += 1
        found = true(descriptor)
        return os.stat_result((found.st_mode, found.st_ino + looks[0], *tuple(found)[2:]))

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.warns(UserWarning, match="no lasting numbers"), exclusive(tmp_path / "a.txt"):
        pass
    monkeypatch.undo()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.ENOTSUP])
def test_without_sync_and_permissions_a_file_is_whole(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", failing(number))
    monkeypatch.setattr(Path, "chmod", failing(number))
    target = tmp_path / "a.txt"
    with replaced_file(target) as temporary:
        temporary.write_text("done")
    sync_folder(tmp_path)
    assert (target.read_text(), os.listdir(tmp_path)) == ("done", ["a.txt"])


def test_a_folder_that_cannot_be_opened_is_not_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", failing(errno.EACCES))
    sync_folder(tmp_path)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fails_is_no_missing_operation(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", failing(number))
    target = tmp_path / "a.txt"
    target.write_text("before")
    with pytest.raises(OSError, match=os.strerror(number)), replaced_file(target) as temporary:
        temporary.write_text("after")
    with pytest.raises(OSError, match=os.strerror(number)):
        sync_folder(tmp_path)
    assert (target.read_text(), os.listdir(tmp_path)) == ("before", ["a.txt"])


def test_permissions_are_the_users_where_there_are_any(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with replaced_file(tmp_path / "a.txt"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


WRITER = (
    "import sys\nfrom pathlib import Path\nfrom montecarlo.common.files import replaced_file\n"
    "with replaced_file(Path(sys.argv[1])) as temporary:\n"
    "    temporary.write_text('half')\n    print('begun', flush=True)\n    sys.stdin.read()\n"
)


def test_what_a_killed_run_was_writing_goes_and_what_another_writes_stays(tmp_path: Path) -> None:
    target, others = tmp_path / "a.[x].txt", (".b.txt.abcdefgh.part", ".a.[x].txt.notes.part")
    for name in others:  # of another target, and nobody's
        Path(tmp_path, name).write_text("")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "begun\n"
    before = set(os.listdir(tmp_path))
    assert len(before) == 4
    writers[0].kill()
    writers[0].communicate()
    with exclusive(target), replaced_file(target) as temporary:
        temporary.write_text("whole")
    assert target.read_text() == "whole"
    left = set(os.listdir(tmp_path)) - {target.name, *others}
    assert len(left) == 1  # of the one that goes on
    assert left < before
    writers[1].communicate("")
    assert target.read_text() == "half"
    assert set(os.listdir(tmp_path)) == {target.name, *others}


def test_a_part_that_another_run_took_for_left_over_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, taken = fcntl.flock, []

    def flock(descriptor: int, operation: int) -> None:
        if not taken:  # between the file and its lock
            taken.extend(tmp_path.glob("*.part"))
            taken[0].unlink()
        true(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with replaced_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("done")
    assert len(taken) == 1
    assert (os.listdir(tmp_path), (tmp_path / "a.txt").read_text()) == (["a.txt"], "done")


def test_a_part_waits_for_the_run_that_takes_it_for_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true, removers = tempfile.mkstemp, []

    def mkstemp(**asked: Any) -> tuple[int, str]:
        descriptor, name = true(**asked)
        if not removers:  # another run has the lock first, and removes the file a little later
            lock = os.open(name, os.O_RDWR)
            fcntl.flock(lock, fcntl.LOCK_EX)

            def remove() -> None:
                os.unlink(name)
                os.close(lock)

            removers.append(threading.Timer(0.2, remove))
            removers[0].start()
        return descriptor, name

    monkeypatch.setattr(tempfile, "mkstemp", mkstemp)
    with replaced_file(tmp_path / "a.txt") as temporary:
        removers[0].join()
        temporary.write_text("done")
    assert (os.listdir(tmp_path), (tmp_path / "a.txt").read_text()) == (["a.txt"], "done")


def test_a_write_does_not_list_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*arguments: object) -> None:
        raise AssertionError("a folder of many files takes long to list")

    for module, name in ((os, "listdir"), (os, "scandir"), (Path, "glob")):
        monkeypatch.setattr(module, name, forbidden)
    with replaced_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("done")
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_name_that_is_too_long_for_its_part_is_refused_beforehand(tmp_path: Path) -> None:
    check_writable(tmp_path / ("a" * 200 + ".csv"))
    path = tmp_path / ("a" * 245 + ".csv")
    with pytest.raises(InvalidFieldError, match="choose a shorter name"):
        check_writable(path)
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("warm_kernels")
def test_a_sample_is_continued_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
    path, net = tmp_path / "s.parquet", ResNet(width=4, depth=3, beta=0.5)
    for replicas in (2, 5):
        with pytest.warns(UserWarning, match="cannot be locked"):
            sample_to_file(net, path, replicas=replicas, seed=1)
    assert len(read_sample(path)) == 5
    assert os.listdir(tmp_path) == ["s.parquet"]
