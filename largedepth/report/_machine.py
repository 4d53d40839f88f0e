"""Facts of the machine and the versions behind a run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from montecarlo.executors import available_threads

_PACKAGES = ("numpy", "numba", "scipy", "matplotlib")


def machine_facts() -> dict[str, str]:
    """Return versions and the machine, in the order in which they are read.

    Examples
    --------
    >>> list(machine_facts())[:3]
    ['largedepth', 'Python', 'numpy']
    """
    facts = {"largedepth": _version("largedepth"), "Python": platform.python_version()}
    facts |= {package: _version(package) for package in _PACKAGES}
    facts |= {"system": platform.platform(aliased=True, terse=True), "processor": _processor()}
    facts["cores"] = f"{available_threads()} of {os.cpu_count() or 1} may be used"
    commit = _commit()
    if commit:
        facts["commit"] = commit
    return facts


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return " ".join((names[0] if names else platform.processor() or platform.machine()).split())


def _commit() -> str | None:
    """Return the commit of a checkout, marked where files have changed since; None for an installed copy."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(here), *arguments], capture_output=True, text=True, check=False, timeout=10
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # An environment may lie inside another project's checkout: that one's commit is not ours.
    if git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return None
    commit = git("rev-parse", "--short=12", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no")
    return f"{commit}, with changes" if commit and changed else commit
