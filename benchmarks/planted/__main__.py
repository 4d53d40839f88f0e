"""Do the tests notice a bug? Plants each bug of the tables in a copy of the tree, and runs its tests.

    python -m benchmarks.planted [AREA ...] [--jobs 1] [--only WORDS] [--sure]

An area is a module of this folder with a tuple `BUGS`, by default all of them. First the tests run without a
bug: they must pass. Then each bug is planted alone, and the table says which test caught it, or that none
did: such a bug needs a test. Exits with 1 if a bug survived, or could not be planted because the code has
changed. It takes a while: when a kernel is changed all are compiled again.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from benchmarks.planted._bug import Bug

ROOT = Path(__file__).parents[2]
_SECONDS = 900.0  # of the tests of one bug, which may make them hang


@dataclass(frozen=True)
class Outcome:
    """What became of a bug.

    Parameters
    ----------
    word : {"caught", "survived", "stale"}
        Stale: it could not be planted, or its tests are not there.
    by : str
        The test that failed, or what is wrong.
    seconds : float
        Time of the tests.
    """

    word: str
    by: str
    seconds: float


def areas() -> list[str]:
    """Return the names of the tables."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def bugs_of(area: str) -> tuple[Bug, ...]:
    """Return the bugs of a table."""
    return importlib.import_module(f"benchmarks.planted.{area}").BUGS


@contextmanager
def copied_tree() -> Iterator[Path]:
    """Yield a copy of what git tracks or would track, and of compiled kernels, in a temporary folder."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    compiled = "\0".join(
        str(path.relative_to(ROOT)) for path in (ROOT / "montecarlo").rglob("__pycache__/*.nb?")
    )
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        for name in filter(None, f"{names}\0{compiled}".split("\0")):
            if (ROOT / name).is_file():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(folder) / name)
        yield Path(folder)


def run_tests(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Return pytest's exit code and the first test that failed; the code is -1 where time ran out."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    # CI: hypothesis draws the same examples each time. The path: not the sources of an editable installation.
    environment = os.environ | {"CI": "1", "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1, f"no end within {_SECONDS:.0f} s"
    failed = re.findall(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", done.stdout, re.MULTILINE)
    lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
    return done.returncode, failed[0] if failed else lines[-1]


def try_bug(tree: Path, bug: Bug) -> Outcome:
    """Plant a bug in a copy of the tree, run its tests, and take it out again."""
    path = tree / bug.file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text.count(bug.old) != 1:
        return Outcome("stale", f"{bug.file} has the old text {text.count(bug.old)} times", 0.0)
    start = time.monotonic()
    path.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
    try:
        code, what = run_tests(tree, bug.tests)
    finally:
        path.write_text(text, encoding="utf-8")
    # 1: a test failed; 2: a module could not even be imported; 4 and 5: there are no such tests.
    word = {0: "survived", 1: "caught", 2: "caught", -1: "caught"}.get(code, "stale")
    return Outcome(word, what, time.monotonic() - start)


def main() -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(areas())}; default: all")
    parser.add_argument("--jobs", type=int, default=1, help="bugs at a time, each in a copy of its own")
    parser.add_argument("--only", default="", help="plant bugs whose file, texts or effect have these words")
    parser.add_argument("--sure", action="store_true", help="the tests are known to pass without a bug")
    options = parser.parse_args()
    unknown = set(options.areas) - set(areas())
    if unknown:
        parser.error(f"AREA={unknown.pop()!r}: must be one of {', '.join(areas())}")
    chosen = [
        (area, bug)
        for area in options.areas or areas()
        for bug in bugs_of(area)
        if options.only in "\n".join((bug.file, bug.old, bug.new, bug.seen))
    ]
    trees: SimpleQueue[Path] = SimpleQueue()
    words: list[str] = []

    def attempt(item: tuple[str, Bug]) -> tuple[str, Bug, Outcome]:
        tree = trees.get()
        try:
            return *item, try_bug(tree, item[1])
        finally:
            trees.put(tree)

    with copied_tree() as tree:
        if not options.sure:
            tests = tuple(dict.fromkeys(test for _, bug in chosen for test in bug.tests))
            code, what = run_tests(tree, tests)
            if code:
                print(f"the tests fail without a bug: {what}", file=sys.stderr)
                return 1
        trees.put(tree)
        for number in range(1, options.jobs):  # with the kernels that are compiled by now
            trees.put(
                shutil.copytree(tree, tree / f".copy-{number}", ignore=shutil.ignore_patterns(".copy-*"))
            )
        with ThreadPoolExecutor(options.jobs) as pool:
            for area, bug, outcome in pool.map(attempt, chosen):
                words.append(outcome.word)
                print(f"{outcome.word:8s} {area:10s} {outcome.seconds:5.0f} s  {bug.file}: {bug.seen}")
                print(f"{'':28s}{outcome.by}", flush=True)
    print(", ".join(f"{words.count(word)} {word}" for word in ("caught", "survived", "stale")))
    return 0 if set(words) <= {"caught"} else 1


if __name__ == "__main__":
    sys.exit(main())
