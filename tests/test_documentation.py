"""The documentation's code prints what it says, its commands exist, and the examples draw figures."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from largedepth._cli import cli
from theory.catalogue import THEOREMS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
SESSIONS = [page for page in PAGES if "```pycon" in page.read_text(encoding="utf-8")]
FIGURES = ("depth_scaling", "exact_law", "heat_map")


def _run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"MPLBACKEND": "agg", "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *arguments], check=False, cwd=cwd, env=environment, capture_output=True, text=True
    )


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: str(page.relative_to(DOCS)))
def test_sessions_print_what_they_say(page: Path) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    name = str(page.relative_to(ROOT))
    session = doctest.DocTestParser().get_doctest("\n".join(_blocks(page, "pycon")), {}, name, name, 0)
    report: list[str] = []
    done = doctest.DocTestRunner(optionflags=flags).run(session, out=report.append)
    assert done.attempted > 1
    assert done.failed == 0, "".join(report)


def test_sessions_were_found() -> None:
    assert len(SESSIONS) >= 7
    assert DOCS / "tutorial.md" in SESSIONS


def test_the_tutorial_ends_with_the_verdicts_that_it_prints(tmp_path: Path) -> None:
    (code,) = _blocks(DOCS / "tutorial.md", "python")
    (printed,) = _blocks(DOCS / "tutorial.md", "text")
    (tmp_path / "test_growth.py").write_text(code, encoding="utf-8")
    flags = ("-p", "no:cacheprovider", "-p", "largedepth.pytest_plugin", "-q")
    done = _run("-m", "pytest", *flags, "test_growth.py", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "FAILED test_growth.py::test_root_of_the_mean_square" in done.stdout
    shown = re.sub(r"^E +", "", done.stdout, flags=re.M)
    for line in printed.strip().splitlines():
        assert re.sub(r" in [\d.]+ s$", "", line.strip()) in shown, line


def _commands() -> list[tuple[str, str]]:
    found = []
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for block in _blocks(page, "console"):
            lines = re.findall(r"^\$ (largedepth .*)$", block, re.M)
            found += [(str(page.relative_to(ROOT)), line.split("#")[0].strip()) for line in lines]
    return found


@pytest.mark.parametrize(("page", "command"), _commands())
def test_commands_and_their_options_exist(page: str, command: str) -> None:
    _, *words = command.split()
    if words == ["--version"]:
        return
    verb = cli.commands[words[0]]
    known = {name for parameter in verb.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= known | {"--help"}, page
    assert isinstance(verb, click.Command)


@pytest.mark.parametrize("name", FIGURES)
def test_examples_draw_their_figures(name: str, tmp_path: Path) -> None:
    out = tmp_path / "figure.png"
    done = _run(str(ROOT / "examples" / f"{name}.py"), str(out), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "refuted" not in done.stdout
    assert out.read_bytes().startswith(b"\x89PNG")


def test_the_weight_law_of_the_examples_has_the_mean_square_of_theory(tmp_path: Path) -> None:
    done = _run(str(ROOT / "examples" / "ternary_law.py"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout in (DOCS / "howto" / "weights.md").read_text(encoding="utf-8")
    low, high = map(float, re.search(r"\[(.*), (.*)\] \(", done.stdout).groups())
    assert low <= float(done.stdout.split()[-1]) <= high


def test_no_example_is_untested() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == {*FIGURES, "ternary_law"}


def test_every_package_with_public_names_is_in_the_reference() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.rst"))
    index = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\.\. public-names:: (.*)$", pages, re.M))
    for package in ("montecarlo", "theory", "figures"):
        for init in (ROOT / package).rglob("__init__.py"):
            name = ".".join(init.parent.relative_to(ROOT).parts)
            if re.search(r"^from .* import (\w+) as \1$", init.read_text(encoding="utf-8"), re.M):
                assert name in documented, name
    for page in (DOCS / "reference").glob("*.rst"):
        assert f"\n{page.stem}\n" in index, page


def test_every_derived_statement_has_a_proof() -> None:
    text = (DOCS / "theory" / "proofs.md").read_text(encoding="utf-8")
    proved = set(re.findall(r"^\(proof-(\w+)\)=$", text, re.M))
    assert proved <= {id.lower() for id in THEOREMS}
    assert {id.lower() for id, theorem in THEOREMS.items() if theorem.source == "derived"} <= proved


def test_proofs_name_functions_of_theory() -> None:
    import theory

    text = (DOCS / "theory" / "proofs.md").read_text(encoding="utf-8")
    names = re.findall(r"\{py:obj\}`~theory\.(\w+)`", text)
    assert len(names) > 40
    assert not [name for name in names if not hasattr(theory, name)]


def test_how_to_pages_name_files_that_exist() -> None:
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md"]:
        for name in re.findall(
            r"`((?:montecarlo|theory|figures|tests|examples|docs)/[\w/.-]+)`", page.read_text()
        ):
            assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_the_citation_has_the_version_of_the_package() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.*)"$', project, re.M)[1]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
