"""The documentation's code prints what it says, its commands exist, and the examples draw figures."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from pages import (
    DOCS,
    PAGES,
    ROOT,
    blocks,
    broken_links,
    commands,
    name_of,
    printed_by,
    text_of,
    unknown_words,
)

from figures._catalogue import FIGURES as DRAWN
from figures._catalogue import TRAINED
from largedepth._cli import cli
from montecarlo.verification.experiments import experiments_of, mutants_of
from theory.catalogue import THEOREMS, markdown_table

SESSIONS = [page for page in PAGES if "```pycon" in page.read_text(encoding="utf-8")]
SNIPPETS = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")]
EXAMPLES = ("depth_scaling", "exact_law", "heat_map")


def _run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"MPLBACKEND": "agg", "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *arguments], check=False, cwd=cwd, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: str(page.relative_to(DOCS)))
def test_sessions_print_what_they_say(page: Path) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    name = str(page.relative_to(ROOT))
    session = doctest.DocTestParser().get_doctest("\n".join(blocks(page, "pycon")), {}, name, name, 0)
    report: list[str] = []
    done = doctest.DocTestRunner(optionflags=flags).run(session, out=report.append)
    assert done.attempted > 1
    assert done.failed == 0, "".join(report)


def test_sessions_were_found() -> None:
    assert len(SESSIONS) >= 7
    assert DOCS / "tutorial.md" in SESSIONS


def test_the_tutorial_ends_with_the_verdicts_that_it_prints(tmp_path: Path) -> None:
    (code,) = blocks(DOCS / "tutorial.md", "python")
    (printed,) = blocks(DOCS / "tutorial.md", "text")
    (tmp_path / "test_growth.py").write_text(code, encoding="utf-8")
    flags = ("-p", "no:cacheprovider", "-p", "largedepth.pytest_plugin", "-q")
    done = _run("-m", "pytest", *flags, "test_growth.py", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "FAILED test_growth.py::test_root_of_the_mean_square" in done.stdout
    shown = re.sub(r"^E +", "", done.stdout, flags=re.M)
    for line in printed.strip().splitlines():
        assert re.sub(r" in [\d.]+ s$", "", line.strip()) in shown, line


@pytest.mark.parametrize("page", SNIPPETS, ids=name_of)
def test_snippets_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code in blocks(page, "python"):
        printed_by(code)


def test_snippets_were_found() -> None:
    assert {"sequential.md", "simulate.md", "statements.md", "train.md"} <= {page.name for page in SNIPPETS}


@pytest.mark.parametrize(
    ("page", "command"),
    [(name_of(page), command) for page in [*PAGES, ROOT / "CONTRIBUTING.md"] for command in commands(page)],
)
def test_commands_and_their_options_exist(page: str, command: str) -> None:
    assert not unknown_words(command), page


def test_every_verb_is_on_the_page_of_the_command_line() -> None:
    found = commands(DOCS / "howto" / "command-line.md")
    assert {command.split()[1] for command in found} == set(cli.commands)


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md"], ids=name_of
)
def test_links_lead_somewhere(page: Path) -> None:
    assert not broken_links(page)


def test_figures_of_the_paper_stand_beside_it() -> None:
    text = text_of(DOCS / "evidence" / "figures.md")
    rows = re.findall(r"^\| (\d) \| `largedepth figures (\d)` \| .+ \| agrees.+ \|$", text, re.M)
    assert rows == [(str(n), str(n)) for n in range(1, 10)]


def test_no_figure_is_left_out() -> None:
    text = text_of(DOCS / "evidence" / "figures.md")
    assert set(re.findall(r"^\| .+? \| `largedepth figures (\S+)` \|", text, re.M)) == {*DRAWN, *TRAINED}


def test_pictures_are_small_and_shown() -> None:
    landing = text_of(DOCS / "index.md")
    pictures = sorted(DOCS.rglob("*.png"))
    assert len(pictures) >= 5
    for picture in pictures:
        assert picture.stat().st_size <= 60_000, picture.name
        assert picture.relative_to(DOCS).as_posix() in landing, picture.name
    assert not re.findall(r"!\[\s*\]", landing)  # each is described


def test_table_of_statements_is_up_to_date() -> None:
    text = text_of(DOCS / "theory" / "statements.md")
    first, last = (
        "<!-- theorems: written by `largedepth theorems --markdown` -->\n",
        "<!-- end of theorems -->",
    )
    assert text.count(first) == text.count(last) == 1
    assert text.split(first)[1].split(last)[0] == markdown_table()


def test_every_statement_has_its_verdict() -> None:
    text = text_of(DOCS / "evidence" / "verdicts.md")
    rows = re.findall(r"^\| `largedepth verify (\w+)` (\S+) \| (\d+) \| consistent \|", text, re.M)
    tested = {id: len(experiments_of(id)) for id in THEOREMS}
    assert rows == [(id, THEOREMS[id].name, str(count)) for id, count in tested.items()]
    assert f"{sum(tested.values())} experiments" in text
    assert f"runs {sum(len(mutants_of(id)) for id in THEOREMS)} wrong variants" in text


def test_diagnosis_is_what_the_command_prints() -> None:
    text = text_of(DOCS / "howto" / "diagnose.md")
    command, printed = re.findall(
        r"```console\n\$ largedepth (diagnose .*?)\n```\n\n```text\n(.*?)```", text, re.S
    )[0]
    done = CliRunner().invoke(cli, command.split(), env={"COLUMNS": "100"})
    assert done.exit_code == 0, done.output
    assert done.stdout == printed


@pytest.mark.parametrize("name", EXAMPLES)
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


def test_models_in_jax_have_the_classes_that_their_file_claims(tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="jax comes with the extra `training`")
    done = _run(str(ROOT / "examples" / "stream_in_jax.py"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = [line.split(";")[0] for line in done.stdout.splitlines()]
    assert found == [
        "mlp: critical, consistent", "pre_norm: polynomial, consistent", "post_norm: exponential, consistent"
    ]  # fmt: skip


def test_no_example_is_untested() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == {
        *EXAMPLES, "ternary_law", "stream_in_jax",
        "real_models",  # needs torch and transformers, which the tests do without
    }  # fmt: skip


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
    text = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "theory").glob("*.md"))
    proved = set(re.findall(r"^\(proof-(\w+)\)=$", text, re.M))
    chapters = {id[0].lower() for id in THEOREMS}  # the others have proofs and functions, and no records yet
    assert {id for id in proved if id[0] in chapters} <= {id.lower() for id in THEOREMS}
    ours = ("derived", "MFBV, sharpened")
    assert {id.lower() for id, theorem in THEOREMS.items() if theorem.source in ours} <= proved


def test_proofs_name_functions_of_theory() -> None:
    import theory

    text = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "theory").glob("*.md"))
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
