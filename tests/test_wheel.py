"""The wheel: built, installed into a fresh environment without a network, and used from there."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import site
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("montecarlo", "theory", "figures", "largedepth")
BACKEND = 77  # of setuptools, as pyproject.toml requires


def run(*command: object, cwd: Path) -> str:
    # Nothing of this checkout may be found by chance.
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    clean["NUMBA_DISABLE_JIT"] = "1"  # a fresh environment would compile for most of a minute
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        version = importlib.metadata.version("setuptools")
    except importlib.metadata.PackageNotFoundError:
        version = "0"
    if int(version.split(".")[0]) < BACKEND:
        pytest.skip(f"the wheel needs setuptools {BACKEND}, here is {version}: pip install '.[test]'")
    # A copy: the build leaves folders beside the sources.
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", out, source, cwd=source)
    (built,) = out.glob("*.whl")
    return built


def test_every_source_file_is_in_the_wheel(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".j2", ".css", ".js") or path.name == "py.typed"
    }
    assert packed == sources


def test_the_wheel_works_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "env"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=tmp_path)
    python = environment / "bin" / "python"
    install = ("install", "--quiet", "--no-index", "--no-deps", wheel)
    run(sys.executable, "-m", "pip", "--python", python, *install, cwd=tmp_path)
    # The dependencies are those of this environment, behind the wheel's own packages; a plain line in a .pth
    # file does not carry over its editable installs.
    (folder,) = (environment / "lib").glob("python*/site-packages")
    (folder / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    where = run(python, "-c", "import montecarlo; print(montecarlo.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(environment)
    command = ("simulate", "--width", 4, "--depth", 3, "--beta", 0.5, "--replicas", 2)
    table = run(environment / "bin" / "largedepth", *command, cwd=tmp_path)
    assert len(table.splitlines()) == 3
    (tmp_path / "verdicts.json").write_text("[]")
    page = run(environment / "bin" / "largedepth", "report", ".", cwd=tmp_path)
    assert (tmp_path / page.strip()).read_text(encoding="utf-8").startswith("<!doctype html>")
    version = run(environment / "bin" / "largedepth", "--version", cwd=tmp_path)
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] in version
