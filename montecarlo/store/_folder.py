"""The folder itself: ``largedepth.json`` says that it is one, ``manifest`` and ``shards`` lie beside it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from montecarlo.common.files import replaced_file, sync_folder
from montecarlo.store._errors import StoreError, leave_out, written

MARK = "largedepth.json"
MANIFEST = "manifest"
SHARDS = "shards"

_FORMAT = "largedepth results"
_VERSION = 1
_LITTER = (
    r"\.git(keep|ignore|attributes)|\.keep|\.nfs.*|\.fuse_hidden.*|\.snapshot|lost\+found|@eaDir"
    r"|\.DS_Store|\._.*|\.localized|\.directory|Icon\r|Thumbs\.db|desktop\.ini"
    r"|\.?#.*|.*~|\..*\.sw[a-p]|\.ipynb_checkpoints"
)
_LEFT_OVER_SECONDS = 24 * 3600.0  # a file takes seconds to write; clocks of hosts may differ by hours


def open_folder(folder: Path, *, create: bool) -> None:
    """Check that a folder holds results; with `create`, make it one if it is empty or missing.

    Raises
    ------
    StoreError
        For a file, a folder of other things, a newer format, or one that cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder}: is a file, and must be a results folder; choose another name")
    mark = folder / MARK
    if mark.exists():
        _check_mark(mark)
    elif not create:
        what = f"has no {MARK}" if folder.is_dir() else "does not exist"
        raise StoreError(f"{folder}: is no results folder ({what}); give one that a sweep wrote")
    elif folder.is_dir() and not is_unused(folder) and not mark.exists():
        raise StoreError(
            f"{folder}: holds other things and no {MARK}; choose an empty folder or one that does not exist"
        )
    if create:
        with written(folder):
            folder.mkdir(parents=True, exist_ok=True)
            new = not mark.exists()
            if new:
                write_whole(mark, json.dumps({"format": _FORMAT, "version": _VERSION}).encode() + b"\n")
            for part in (MANIFEST, SHARDS):
                (folder / part).mkdir(exist_ok=True)
                # Trying is the only sure test: permissions say nothing of root, quotas or read-only mounts.
                with tempfile.NamedTemporaryFile(dir=folder / part, prefix=".", suffix=".part"):
                    pass
                _remove_left_over(folder / part)
            if new:
                sync_folder(folder)
                sync_folder(folder.resolve().parent)


def is_unused(folder: Path) -> bool:
    """Whether a folder does not exist or holds nothing, so that results could go there."""
    if not folder.exists():
        return True
    return folder.is_dir() and all(_is_part(name) or _is_litter(name) for name in os.listdir(folder))


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file whole or not at all, and wait until it is on the disk under its name."""
    with replaced_file(path) as temporary:
        temporary.write_bytes(content)
    sync_folder(path.parent)


def named_files(folder: Path, ending: str) -> Iterator[Path]:
    """Yield the files that are named by a SHA-256, in the order of their names; warn of foreign ones."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = Path(entry.path)
        if re.fullmatch(rf"[0-9a-f]{{64}}\.{ending}", entry.name) and entry.is_file():
            yield path
        elif not _is_part(entry.name) and not _is_litter(entry.name):
            leave_out(path, "was not written by largedepth, and is left out")


def _is_part(name: str) -> bool:
    """Whether a name is that of a file that is being written, or was when its process died."""
    return name.startswith(".") and name.endswith(".part")


def _is_litter(name: str) -> bool:
    """Whether a name is of what git, desktops, editors and file systems leave in any folder."""
    return re.fullmatch(_LITTER, name) is not None


def _remove_left_over(folder: Path) -> None:
    """Remove what processes that died were writing, long enough ago to be sure.

    Their age says so, not their locks as for a single file: hosts of a cluster write one folder, and not on
    every file system does one see the locks of another.
    """
    for name in filter(_is_part, os.listdir(folder)):
        with contextlib.suppress(OSError):
            if (folder / name).stat().st_mtime < time.time() - _LEFT_OVER_SECONDS:
                (folder / name).unlink()


def _check_mark(mark: Path) -> None:
    try:
        content = json.loads(mark.read_bytes())
        found, version = content["format"], content["version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        fix = json.dumps({"format": _FORMAT, "version": _VERSION})
        raise StoreError(f"{mark}: cannot be read; it should hold {fix}") from error
    if found != _FORMAT:
        raise StoreError(f"{mark}: is of a folder of {found!r}, not of {_FORMAT!r}; choose another folder")
    if version != _VERSION:
        raise StoreError(
            f"{mark}: the folder has format {version!r}, this version of largedepth reads {_VERSION}; "
            "use the version that wrote it"
        )
