"""The command line as a user meets it: exit codes, one-line messages, resumption, interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import command

from largedepth.__main__ import main
from montecarlo import ResNet, read_sample, simulate
from montecarlo.engines._registry import ENGINES
from montecarlo.laws import LAWS
from montecarlo.networks._norms import NORMS
from montecarlo.processes import PROCESSES

NETWORK = ("--width", "8", "--depth", "5", "--beta", "0.5")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own."""
    line = [sys.executable, "-m", "largedepth", *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)


def test_help_needs_no_heavy_import() -> None:
    code = (
        "import sys\nfrom largedepth.__main__ import main\n"
        "try: main(['simulate', '--help'])\nexcept SystemExit as end: assert end.code == 0\n"
        "assert not {'numpy', 'numba', 'matplotlib', 'pandas'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("simulate", "--width", "0", "--depth", "5", "--beta", "1"),
            ("--width 0", "at least 1", "--width 40"),
        ),
        (("simulate", "--width", "8", "--depth", "-3", "--beta", "1"), ("--depth -3", "at least 1", "1000")),
        (
            ("simulate", "--width", "8", "--depth", "5", "--beta", "nan"),
            ("--beta nan", "finite", "--beta 0.5"),
        ),
        (("simulate", "--width", "8", "--depth", "5"), ("--beta", "one of beta and alpha", "--beta 0.5")),
        (("simulate", *NETWORK, "--alpha", "1"), ("--alpha 1.0", "together with beta", "drop one")),
        (("simulate", *NETWORK, "--weights", "unifrom"), ("--weights unifrom", "rademacher", "'uniform'")),
        (("simulate", *NETWORK, "--block", "res-4"), ("--block res-4", "res-1, res-2, res-3", "'res-")),
        (("simulate", *NETWORK, "--activation", "tahn"), ("--activation tahn", "gelu", "'tanh'")),
        (("simulate", *NETWORK, "--activation", "tanh"), ("--activation tanh", "relu for res-3", "--block")),
        (("simulate", *NETWORK, "--bias-std", "1"), ("--bias-std 1.0", "must be 0 for res-3", "--block")),
        (("simulate", *NETWORK, "--engine", "dens"), ("--engine dens", "auto, correlated, dense", "'dense'")),
        (("simulate", *NETWORK, "--replicas", "0"), ("--replicas 0", "at least 1", "--replicas 1000")),
        (("simulate", *NETWORK, "--seed", "-1"), ("--seed -1", "at least 0", "--seed 7")),
        (("simulate", *NETWORK, "--threads", "0"), ("--threads 0", "at least 1", "--threads 2")),
        (("simulate", *NETWORK, "--width", "x"), ("--width x", "whole number", "--width 40")),
        (("simulate", *NETWORK, "--out", "a.txt"), ("--out a.txt", ".parquet or .csv", "--out")),
        (
            ("simulate", *NETWORK, "--out", "no/such/a.csv"),
            ("--out no/such/a.csv", "existing folder", "make"),
        ),
        (("simulate", "--depth", "5", "--beta", "1"), ("--width", "must be given", "--help")),
        (("simulate", *NETWORK, "--witdh", "3"), ("--witdh", "--width")),
        (("simulat",), ("simulat", "'simulate'")),
        (
            ("simulate", *NETWORK, "--weights", "fbm:2"),
            ("--weights fbm:2: must be", "--weights fbm:0.7,"),
        ),
        (
            ("simulate", *NETWORK, "--weights", "fbm:0.7", "--weights-w", "rbf:x"),
            ("--weights-w rbf:x: must be rbf:VARIANCE", "--weights-w rbf:0.01,"),
        ),
        (
            ("simulate", *NETWORK, "--weights", "fbm:0.7", "--weights-w", "uniform"),
            ("--weights-w uniform", "Gaussian law", "--weights-w gaussian"),
        ),
        (
            ("simulate", *NETWORK, "--weights-w", "gaussian"),
            ("--weights-w gaussian", "must be a process, or left out", "--weights-w fbm:0.8,"),
        ),
        (
            ("simulate", *NETWORK, "--weights", "fbm:0.7", "--engine", "dense"),
            ("--engine dense", "--engine auto"),
        ),
        (("simulate", *NETWORK, "--engine", "correlated"), ("--engine correlated", "along depth")),
        (
            ("simulate", *NETWORK, "--weights", "fbm:0.7", "--width", "20000"),
            ("--weights fbm:0.7: must not be correlated for depth * width**2", "--weights gaussian"),
        ),
        (("figures", "99"), ("NAME 99", "1, 2, 3")),
        (("simulate", *NETWORK, "--out", ""), ("--out ''", "must name a file", "sample.parquet")),
        (("figures", "1", "--out", ""), ("--out ''", "must name a folder", "results")),
        (("reproduce", "--out", ""), ("--out ''", "must name a folder", "results")),
        (("simulate", *NETWORK, "--width", ""), ("--width ''", "whole number", "--width 40")),
        (("simulate", *NETWORK, "--weights", ""), ("--weights ''", "rademacher", "'gaussian'")),
        (("simulate", *NETWORK, "--gradients", "dul"), ("--gradients dul", "joint, none", "'dual'")),
        (("simulate", *NETWORK, "--seed", str(2**128)), ("--seed", "at most 2**128 - 1", "--seed 7")),
        (("simulate", *NETWORK, "--block-size", "0"), ("--block-size 0", "at least 1", "64")),
        (("simulate", *NETWORK, "--input-dim", "100001"), ("--input-dim 100001", "at most 100,000", "64")),
        (("simulate", *NETWORK, "--input-scale", "inf"), ("--input-scale inf", "finite", "1")),
        (
            ("simulate", *NETWORK, "--engine", "radial"),
            ("--engine radial: needs --gradients none or --gradients dual", "--engine gaussian"),
        ),
        (("simulate", *NETWORK, "--trajectories"), ("--trajectories: needs Parquet", "--out sample.parquet")),
        (
            ("simulate", *NETWORK, "--weight-gradients", "--out", "s.csv"),
            ("--weight-gradients: needs Parquet", "--out sample.parquet"),
        ),
        (
            ("simulate", *NETWORK, "--weight-gradients", "--gradients", "none"),
            ("--gradients none", "must be joint for weight gradients"),
        ),
        (
            ("simulate", *NETWORK, "--gate-gradients", "--gradients", "none"),
            ("--gradients none", "must be joint for gate gradients"),
        ),
        (("simulate", *NETWORK, "--norm", "pre-rmz"), ("--norm pre-rmz", "peri-layer", "'pre-rms'")),
        (("simulate", *NETWORK, "--norm-eps", "0.1"), ("--norm-eps 0.1: must be 0", "take --norm pre-rms")),
        (("simulate", *NETWORK, "--norm", "pre-tanh:x"), ("--norm pre-tanh:x", "a gain between 0 and 1e6")),
        (("simulate", *NETWORK, "--skip", "x"), ("--skip x: must be a number", "--skip 0.9")),
        (("simulate", *NETWORK, "--schedule", "cosine"), ("--schedule cosine", "power:P", "power:0.5")),
        (("simulate", *NETWORK, "--hidden-width", "0"), ("--hidden-width 0", "at least 1", "160")),
        (
            ("simulate", *NETWORK, "--block", "res-1", "--hidden-width", "9"),
            ("--hidden-width 9: must be left out for res-1", "--block res-3"),
        ),
        (
            ("simulate", *NETWORK, "--norm", "pre-rms", "--skip", "1e-9", "--weights", "fbm:0.7"),
            ("--weights fbm:0.7: must not be correlated for a skip factor outside 2**-20", "change that"),
        ),
        (("figures", "1", "--seed", "-1"), ("--seed -1", "at least 0", "--seed 7")),
        (("figures", "1", "--threads", "0"), ("--threads 0", "at least 1", "--threads 2")),
        (("reproduce", "--seed", "x"), ("--seed x", "whole number", "--seed 7")),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...],
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = command(*arguments)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_another_specification_is_named_as_python_writes_it(tmp_path: Path) -> None:
    path = str(tmp_path / "s.parquet")
    assert command("simulate", *NETWORK, "--replicas", "3", "--out", path).returncode == 0
    done = command("simulate", "--width", "9", "--depth", "5", "--beta", "1", "--out", path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "ResNet(width=9, depth=5, beta=1.0)" in done.stderr
    assert "--overwrite" in done.stderr


def test_unwritable_folder(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("")
    done = command("figures", "1", "--out", str(target / "below"))
    assert done.returncode == 2
    assert "--out" in done.stderr
    assert "Traceback" not in done.stderr


def test_stdout_is_the_csv_table() -> None:
    done = run("simulate", *NETWORK, "--replicas", "4", "--seed", "3")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "replica,log_hidden_ratio,log_hidden_difference,log_gradient_ratio,log_gradient_difference"
    )
    assert [line.split(",")[0] for line in lines[1:]] == ["0", "1", "2", "3"]


def test_processes_along_depth_and_a_law_of_w_of_its_own(tmp_path: Path) -> None:
    path = str(tmp_path / "s.parquet")
    laws = ("--weights", "fbm:0.70", "--weights-w", "rbf:0.1")
    done = command("simulate", *NETWORK, *laws, "--replicas", "3", "--seed", "2", "--out", path)
    assert done.returncode == 0, done.stderr
    assert "3 rows (correlated engine)" in done.stderr
    net = ResNet(width=8, depth=5, beta=0.5, weights="fbm:0.7", weights_w="rbf:0.1")
    expected = simulate(net, replicas=3, seed=2)
    found = read_sample(path)
    assert found.resnet == net
    for name, column in expected.columns.items():
        np.testing.assert_array_equal(found[name], column)
    # Left out, W has the law of V: other networks.
    same_law = simulate(replace(net, weights_w=None), replicas=3, seed=2)
    assert not np.array_equal(same_law["log_hidden_ratio"], expected["log_hidden_ratio"])


def test_help_lists_the_processes_and_engines_that_there_are() -> None:
    text = " ".join(command("simulate", "--help").stdout.split()).replace(
        "- ", "-"
    )  # lines end at hyphens, too
    for name in (*LAWS, *PROCESSES, *ENGINES, *NORMS):
        assert name in text, name


def test_a_norm_and_its_epsilon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    path = str(tmp_path / "s.parquet")
    norm = ("--norm", "post-layer", "--norm-eps", "1e-5", "--replicas", "3", "--out", path)
    assert command("simulate", *NETWORK, *norm).returncode == 0
    found = read_sample(path)
    assert found.resnet.norm == "post-layer"
    assert found.resnet.norm_eps == 1e-5
    expected = simulate(found.resnet, replicas=3, seed=0)
    np.testing.assert_array_equal(found["log_gradient_ratio"], expected["log_gradient_ratio"])


def test_what_surrounds_a_branch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    path = str(tmp_path / "s.parquet")
    layer = ("--hidden-width", "5", "--skip", "-0.5", "--schedule", "power:0.5")
    sampled = command("simulate", *NETWORK, *layer, "--weights", "uniform", "--replicas", 3, "--out", path)
    assert sampled.returncode == 0
    found = read_sample(path)
    net = found.resnet
    assert (net.hidden_width, net.skip, net.schedule) == (5, -0.5, "power:0.5")
    expected = simulate(net, replicas=3, seed=0)
    np.testing.assert_array_equal(found["log_gradient_ratio"], expected["log_gradient_ratio"])


def test_parquet_equals_csv_and_is_continued(tmp_path: Path) -> None:
    parquet, csv = tmp_path / "s.parquet", tmp_path / "s.csv"
    for replicas in ("10", "300"):
        done = command("simulate", *NETWORK, "--replicas", replicas, "--seed", "3", "--out", str(parquet))
        assert done.returncode == 0, done.stderr
    arguments = ("--replicas", "300", "--seed", "3", "--threads", "1", "--block-size", "7", "--out", str(csv))
    assert command("simulate", *NETWORK, *arguments).returncode == 0
    left = pd.read_parquet(parquet)
    assert csv.read_text().splitlines()[0].split(",") == left.columns.tolist()
    np.testing.assert_array_equal(left.to_numpy(), np.loadtxt(csv, delimiter=",", skiprows=1))


def test_paths_and_weight_gradients_are_lists_that_continue(tmp_path: Path) -> None:
    path = str(tmp_path / "s.parquet")
    for replicas in ("3", "5"):
        done = command(
            "simulate",
            *NETWORK,
            "--trajectories",
            "--weight-gradients",
            "--replicas",
            replicas,
            "--out",
            path,
        )
        assert done.returncode == 0, done.stderr
    table = pd.read_parquet(path)
    assert len(table) == 5
    hidden, gradient = np.stack(table["log_hidden_path"]), np.stack(table["log_gradient_path"])
    assert hidden.shape == gradient.shape == (5, 6)
    np.testing.assert_array_equal(hidden[:, 0], 0.0)
    np.testing.assert_array_equal(hidden[:, -1], table["log_hidden_ratio"])
    np.testing.assert_array_equal(gradient[:, 0], table["log_gradient_ratio"])
    for name in ("log_weight_gradient_v", "log_weight_gradient_w"):
        assert np.isfinite(np.stack(table[name])).all()
        assert np.stack(table[name]).shape == (5, 5)


def test_rows_reused_and_rows_kept_are_told_apart(tmp_path: Path) -> None:
    path = str(tmp_path / "s.parquet")

    def said(replicas: int) -> str:
        return command("simulate", *NETWORK, "--replicas", replicas, "--out", path).stderr

    assert "0 rows reused, 30 sampled" in said(30)
    fewer = said(10)
    assert "10 rows reused, 0 sampled" in fewer
    assert f"{path} holds 30 rows" in fewer
    assert "30 rows reused, 5 sampled" in said(35)


def processor_seconds_of_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def wait_until_at_work(process: subprocess.Popen[str], seconds: float) -> None:
    """Wait until a process has had so much of a processor, however busy the machine is."""
    stat = Path(f"/proc/{process.pid}/stat")
    begun = time.monotonic()
    used = 0.0
    while used < seconds and process.poll() is None:
        time.sleep(0.05)
        if stat.exists():
            fields = stat.read_text().rpartition(")")[2].split()
            used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        else:  # not Linux
            used = time.monotonic() - begun
    assert process.poll() is None, "the run was to be longer than the test waits"


ENDS = ([signal.SIGINT], [signal.SIGINT, signal.SIGINT], [signal.SIGHUP, signal.SIGTERM])
"""Ctrl-C; twice, as `timeout -s INT` does, too; a terminal that closes."""


@pytest.mark.parametrize("ends", ENDS)
def test_interruption_keeps_finished_rows_and_continues(ends: list[signal.Signals], tmp_path: Path) -> None:
    path, whole = tmp_path / "s.parquet", tmp_path / "whole.parquet"
    network = ("--width", "40", "--depth", "400", "--beta", "0.5", "--weights", "uniform", "--seed", "5")
    line = [
        sys.executable,
        "-m",
        "largedepth",
        "simulate",
        *network,
        "--block-size",
        "5",
        "--out",
        str(path),
    ]
    command("simulate", *network, "--replicas", "1")  # kernels are compiled now, if they are not yet
    before = processor_seconds_of_children()
    run("simulate", *network, "--replicas", "1")
    start = processor_seconds_of_children() - before
    process = subprocess.Popen([*line, "--replicas", "200000"], stderr=subprocess.PIPE, text=True)
    wait_until_at_work(process, start + 1.0)
    for end in ends:
        process.send_signal(end)
        time.sleep(0.03)  # not one pending signal
    _, messages = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in messages
    assert "continues" in messages
    kept = len(pd.read_parquet(path))
    assert 0 < kept < 200_000
    assert f"{path} has {kept:,} finished rows" in messages
    assert os.listdir(tmp_path) == [path.name]
    assert command("simulate", *network, "--replicas", str(kept + 20), "--out", str(path)).returncode == 0
    assert command("simulate", *network, "--replicas", str(kept + 20), "--out", str(whole)).returncode == 0
    pd.testing.assert_frame_equal(pd.read_parquet(path), pd.read_parquet(whole), check_exact=True)


@pytest.mark.parametrize("out", [(), ("--out", "s.csv"), ("--out", "s.parquet")])
def test_an_interrupt_claims_no_rows_that_were_not_written(
    out: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    for name in ("simulate", "sample_to_file"):
        monkeypatch.setattr(f"montecarlo.{name}", interrupted)
    monkeypatch.setattr("os._exit", sys.exit)
    with pytest.raises(SystemExit) as end:
        main(["simulate", "--width", "8", "--depth", "4", "--beta", "0.5", *out])
    assert end.value.code == 130
    message = capsys.readouterr().err
    assert "no rows" in message
    assert "continue from" not in message
    monkeypatch.setattr("montecarlo.diagnosis.diagnose", interrupted)
    with pytest.raises(SystemExit):
        main(["diagnose", "--width", "8", "--depth", "4", "--beta", "0.5"])
    assert capsys.readouterr().err.strip() == "largedepth: interrupted"


def test_depth_of_a_million_at_the_worst_scaling() -> None:
    done = command("simulate", "--width", "8", "--depth", "1000000", "--beta", "0", "--replicas", "1")
    assert done.returncode == 0, done.stderr
    values = np.array(done.stdout.splitlines()[1].split(",")[1:], dtype=float)
    assert np.isfinite(values).all()
    # I6, I11: the norm grows like exp(L E log R / 2), far outside the range of floats.
    assert (values > 1e5).all()
