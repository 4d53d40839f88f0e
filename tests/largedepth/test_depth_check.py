"""``largedepth depth-check`` and ``diagnose --model``: exit codes, files, errors of a line; the fixture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from command import command

from largedepth.pytest_plugin import DepthClaims
from montecarlo.practice import find_object

DEPTHS = ("--depths", "4,8,16")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a user's files into the current folder."""
    (tmp_path / "usersmodel.py").write_text(
        "import numpy as np\n"
        "from stream_models import critical, exponential, promised, broken\n"
        "def parameters():\n"
        "    rng = np.random.default_rng(0)\n"
        "    return {f'block.{k}.{name}.weight': rng.normal(0, 1 / 8, (64, 64))\n"
        "            for k in range(12) for name in ('fc1', 'fc2')}\n"
        "def raises(depth, seed):\n"
        "    return {}['width']\n"
        "def lacks(depth):\n"
        "    return critical(depth, 0)\n"
        "def fails(depth, seed):\n"
        "    def stream():\n"
        "        return np.ones(3) @ np.ones(4)\n"
        "    return stream\n"
        "def words(depth):\n"
        "    return 'res-3'\n"
        "def three():\n"
        "    return parameters() | {f'block.{k}.middle.weight': np.ones((64, 64)) for k in range(12)}\n"
        "def normed():\n"
        "    return parameters() | {f'block.{k}.norm.weight': np.ones(64) for k in range(12)}\n",
        encoding="utf-8",
    )
    (tmp_path / "needstorch.py").write_text("import no_such_torch\n", encoding="utf-8")
    (tmp_path / "nopython.py").write_text("def f(:\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("critical", "--expect", "critical", "--seeds", "16"), 0),
        (("critical", "--promise", "usersmodel:promised", "--seeds", "16"), 0),
        (("critical", "--promise", "usersmodel:broken"), 1),
        (("exponential", "--expect", "critical", "--seeds", "16"), 1),
        (("critical", "--expect", "critical", "--seeds", "2"), 3),
    ],
)
def test_exit_codes_are_verdicts(options: tuple[str, ...], code: int) -> None:
    done = command("depth-check", f"usersmodel:{options[0]}", *DEPTHS, *options[1:])
    assert done.returncode == code, done.stdout + done.stderr
    word = {0: "consistent:", 1: "REFUTED:", 3: "undecided:"}[code]
    assert word in done.stdout
    assert not done.stderr


@pytest.mark.statistical
def test_files_hold_what_is_printed(tmp_path: Path) -> None:
    names = {name: tmp_path / f"c.{name}" for name in ("json", "png", "junit", "summary")}
    names["summary"].write_text("before\n", encoding="utf-8")
    options = [f"--{name.replace('png', 'plot')}={path}" for name, path in names.items()]
    done = command("depth-check", "usersmodel:critical", *DEPTHS, "--promise", "usersmodel:broken", *options)
    assert done.returncode == 1
    read = json.loads(names["json"].read_text(encoding="utf-8"))
    assert read["verdict"] == "refuted"
    assert all(fault["words"] in " ".join(done.stdout.split()) for fault in read["faults"])
    assert names["png"].read_bytes().startswith(b"\x89PNG")
    assert names["summary"].read_text(encoding="utf-8").startswith("before\n### Depth check: refuted")
    suite = ElementTree.parse(names["junit"]).getroot()[0]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors")}["failures"] == "1"
    assert "times what is promised" in suite.find(".//failure").get("message")
    assert names["junit"].read_text(encoding="utf-8").count("quantity  exponent") == 1
    assert float(suite.find("testcase").get("time")) > 0.0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("usersmodel", *DEPTHS), "FACTORY usersmodel: must name a module and something in it"),
        (("nomodule:build", *DEPTHS), "FACTORY nomodule:build: must name a module that exists"),
        (("usersmodel:critcal", *DEPTHS), "must name something in usersmodel; did you mean 'critical'?"),
        (("needstorch:build", *DEPTHS), "this model needs no_such_torch: pip install no_such_torch"),
        (("usersmodel:critical", "--depths", "4,x"), "--depths 4,x: must be whole numbers with commas"),
        (("usersmodel:critical", "--depths", "4,8"), "must be three different depths at least"),
        (("usersmodel:critical", "--expect", "calm"), "--expect calm: must be one of identity, critical"),
        (("usersmodel:critical", "--plot", "c.gif"), "--plot c.gif: must end in"),
        ((), "FACTORY: must be given; see largedepth depth-check --help"),
        (
            ("usersmodel:raises",),
            "factory usersmodel:raises: must not raise, but did: KeyError: 'width' (usersm",
        ),
        (
            ("usersmodel:lacks",),
            "takes 1 positional argument but 2 were given; define it with two arguments, (de",
        ),
        (
            ("usersmodel:fails",),
            "model usersmodel:fails.<locals>.stream: must not raise, but did: ValueError: ",
        ),
        (
            ("nopython:f",),
            "FACTORY nopython:f: must not raise, but did: SyntaxError: invalid syntax (nopython.py",
        ),
        (("json:dumps",), "factory json:dumps: must not raise, but did: TypeError"),
        (("math:pi",), "FACTORY float: must be a function of depth and seed"),
        (
            ("usersmodel:critical", "--promise", "usersmodel:raises"),
            "promise usersmodel:raises: must not raise",
        ),
        (
            ("usersmodel:critical", "--promise", "usersmodel:words"),
            "--promise res-3: must return a ResNet or a ",
        ),
    ],
)
def test_bad_input_is_a_line(arguments: tuple[str, ...], line: str) -> None:
    done = command("depth-check", *arguments)
    assert done.returncode == 2
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


def test_diagnose_reads_a_model() -> None:
    done = command("diagnose", "--model", "usersmodel:parameters", "--seconds", "0", "--format", "float16")
    assert done.returncode == 0, done.stderr
    assert "read from usersmodel:parameters: 12 branches of block.*.fc2.weight" in done.stdout
    assert "width 64, depth 12" in done.stdout
    assert command("diagnose", "--depth", "3").stderr.startswith("largedepth: --width: must be given")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("three", "must have one or two matrices a block, has 3; let the factory return a dictionary of the"),
        ("raises", "factory usersmodel:raises: must not raise, but did: KeyError: 'width' (usersmodel.py:"),
    ],
)
def test_diagnose_says_what_can_be_done_from_the_command_line(name: str, line: str) -> None:
    done = command("diagnose", "--model", f"usersmodel:{name}", "--depth", "4", "--seconds", "0")
    assert done.returncode == 2
    assert line in done.stderr
    assert "pattern=" not in done.stderr
    assert "--pattern" not in done.stderr


def test_diagnose_is_told_where_a_models_norm_stands() -> None:
    options = ("diagnose", "--model", "usersmodel:normed", "--seconds", "0", "--format", "float16")
    plain, told = command(*options), command(*options, "--norm", "pre-rms")
    assert "warning: block.*.norm.weight looks like a normalisation" in plain.stdout
    assert "unless norm='pre-rms', say, tells where it stands" in plain.stdout
    assert told.returncode == 0, told.stderr
    assert "norm pre-rms" in told.stdout
    assert "exact law (N1)" in told.stdout
    assert "looks like" not in told.stdout


def _claims(kept: list[Any]) -> DepthClaims:
    return DepthClaims("test_mine.py::test", 0, kept.append)


@pytest.mark.statistical
def test_claims_in_a_users_tests_fail_with_the_table() -> None:
    kept: list[Any] = []
    exponential = find_object("usersmodel:exponential")
    found = _claims(kept).check(exponential, "exponential", seeds=16, depths=(4, 8, 16))
    assert found.verdict == "consistent"
    assert found.seeds == _claims([]).check(exponential, seeds=16, depths=(4, 8, 16)).seeds
    with pytest.raises(AssertionError, match="depth check refuted\nclass      exponential"):
        _claims(kept).check(exponential, "identity", seeds=16, depths=(4, 8, 16))
    assert len(kept) == 2


def test_the_fixture_is_there(depth_claims: DepthClaims) -> None:
    assert isinstance(depth_claims, DepthClaims)
