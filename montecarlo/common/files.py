"""Files that are written whole or not at all, and by one run at a time."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from montecarlo.common._errors import InvalidFieldError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_PART = ".part"
"""Ending of a file that is being written."""

_CANNOT = {
    errno.EACCES, errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP,
    errno.EPERM, errno.EROFS,
}  # fmt: skip
"""What network and user-space file systems say of an operation that they do not have: full disks and faulty
ones say otherwise."""

_MASK = threading.Lock()  # of the process's umask, which can be read by setting it alone

_LOCK_TRIES = 1000  # each is another run that ended


@contextmanager
def replaced_file(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success flush it to disk and rename it over the target.

    Whatever is raised inside leaves the target as it was.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replaced_file(Path(folder, "a.txt")) as temporary:
    ...         _ = temporary.write_text("done")
    ...     Path(folder, "a.txt").read_text()
    'done'
    """
    target = Path(os.path.realpath(target))  # a link stays one; what it points to is replaced
    with _part(target) as temporary:
        yield temporary
        with open(temporary, "rb+") as handle:
            _sync(handle.fileno())
        with _MASK:
            umask = os.umask(0)
            os.umask(umask)
        with contextlib.suppress(OSError):  # file systems of other systems have no permissions to set
            temporary.chmod(0o666 & ~umask)
        temporary.replace(target)


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    """Yield a new file beside the target, and remove it at the end if it still has its name."""
    descriptor, temporary = _new_part(target)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)


def _new_part(target: Path) -> tuple[int | None, Path]:
    """Return a new file beside the target, and the descriptor that keeps it locked where files can be."""
    while True:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=_PART, dir=target.parent)
        if fcntl is None:  # Windows, which renames no open files
            os.close(descriptor)
            return None, Path(name)
        # Whoever has the lock already takes the file for left over: it is gone when the lock is ours.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.path.exists(name):
            return descriptor, Path(name)
        os.close(descriptor)  # another run came before the lock, and took it for left over


def _remove_left_over(target: Path) -> None:
    """Remove what runs that were killed were writing to the target: nobody holds its lock."""
    if fcntl is None:
        return
    for part in target.parent.glob(f".{glob.escape(target.name)}.????????{_PART}"):
        with contextlib.suppress(OSError):
            descriptor = os.open(part, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part.unlink()
            finally:
                os.close(descriptor)


@contextmanager
def exclusive(target: Path) -> Iterator[None]:
    """Hold the right to write `target`; a second run waits until the first one is done.

    What runs that were killed had written of it goes.

    The lock is the system's (``flock`` on a hidden file beside the target) and ends with its process, however
    that ends. Where the system or the file system has none, nothing is locked; the latter is said in a
    warning.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with exclusive(Path(folder, "a.txt")):
    ...         found = os.listdir(folder)
    ...     found, os.listdir(folder)
    (['.a.txt.lock'], [])
    """
    if fcntl is None:
        yield
        return
    path = target.with_name(f".{target.name}.lock")
    for _ in range(_LOCK_TRIES):
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # The run that we waited for removes its file: then ours is not the one that others will find.
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(descriptor).st_ino == path.stat().st_ino:
                    break
        except OSError as error:
            _warn_unlocked(target, error.strerror or str(error))
            break
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    else:  # file numbers that change from one look to the next
        _warn_unlocked(target, "its files have no lasting numbers")
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        _remove_left_over(Path(os.path.realpath(target)))
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _warn_unlocked(target: Path, reason: str) -> None:
    warnings.warn(
        f"{target}: cannot be locked on this file system ({reason}); no second run may write it now",
        stacklevel=4,
    )


def _sync(descriptor: int) -> None:
    """Wait until a file or folder is on the disk, where the file system can tell."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise


def sync_folder(folder: Path) -> None:
    """Wait until the names of a folder's files are on the disk, where the system can tell."""
    if os.name == "nt":  # opens no folders
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def check_writable(
    path: Path,
    endings: tuple[str, ...] = (".parquet", ".csv"),
    *,
    field: str = "out",
    example: str = "sample.parquet",
) -> None:
    """Raise `InvalidFieldError` unless a file can be written to `path`; no endings allow every name."""
    if path == Path():
        raise InvalidFieldError(field, "", "must name a file", f"give {field}={example!r}")
    if endings and path.suffix not in endings:
        rule = f"must end in {' or '.join(endings)}"
        raise InvalidFieldError(field, str(path), rule, f"give {field}={example!r}")
    if path.is_dir():
        raise InvalidFieldError(field, str(path), "must be a file, and is a folder", "add a file name")
    folder = path.parent
    if not folder.is_dir():
        raise InvalidFieldError(field, str(path), "must lie in an existing folder", f"make {folder} first")
    try:
        # Trying is the only sure test: permissions say nothing of root, quotas or read-only mounts.
        with _part(path):
            pass
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            rule = "must have a name that the file system can hold beside the name of a part"
            raise InvalidFieldError(field, str(path), rule, "choose a shorter name") from error
        rule = f"must lie in a folder that can be written ({error.strerror})"
        raise InvalidFieldError(field, str(path), rule, "choose another folder") from error
