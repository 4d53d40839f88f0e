"""Figures whatever a user's matplotlib is told: a matplotlibrc, ``MPLBACKEND``, a style, the locale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure as Canvas

from figures import _matplotlib
from figures._style import figure_style, save_figure

SETTINGS = {
    "text.usetex": True, "savefig.bbox": "tight", "savefig.facecolor": "red", "savefig.transparent": True,
    "axes.formatter.use_locale": True, "font.size": 20.0, "path.sketch": (1.0, 100.0, 2.0),
    "axes.spines.top": False, "lines.linewidth": 5.0, "pdf.compression": 0, "image.cmap": "magma",
}  # fmt: skip


def drawn_bytes(stem: Path) -> list[bytes]:
    with figure_style():
        canvas = Canvas(figsize=(2.0, 1.5), layout="constrained")
        axes = canvas.subplots()
        axes.plot([0.0, 1.0], [0.0, 2.5], label="a line")
        axes.set_title("a title, $\\alpha$")
        axes.legend()
        return [path.read_bytes() for path in save_figure(canvas, stem)]


def test_settings_of_a_user_change_no_byte_and_stay(tmp_path: Path) -> None:
    plain = drawn_bytes(tmp_path / "plain")
    with mpl.rc_context(SETTINGS):
        assert drawn_bytes(tmp_path / "own") == plain
        assert mpl.rcParams["text.usetex"] is True
        assert mpl.rcParams["font.size"] == 20.0
    assert b"CreationDate" not in plain[0]


def run(code: str, folder: Path, **variables: str) -> None:
    environment = {**os.environ, **variables}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, env=environment)


def test_the_package_is_imported_from_a_notebooks_shell_in_an_unknown_locale(tmp_path: Path) -> None:
    # A matplotlibrc in the working directory is read before all others.
    Path(tmp_path, "matplotlibrc").write_text("axes.formatter.use_locale: True\ntext.usetex: True\n")
    backend = "module://matplotlib_inline.backend_inline"
    code = (
        "import figures, matplotlib, os\nfrom figures._style import figure_style\n"
        "assert matplotlib.rcParams['text.usetex'] is True\n"
        "with figure_style():\n    assert matplotlib.rcParams['text.usetex'] is False\n"
        f"assert os.environ['MPLBACKEND'] == {backend!r}"
    )
    run(code, tmp_path, MPLBACKEND=backend, LC_ALL="xx_YY")


@pytest.mark.parametrize(("asked", "found"), [("no such backend", None), ("svg", "svg")])
def test_a_backend_that_is_there_stays_the_users(tmp_path: Path, asked: str, found: str | None) -> None:
    # The file alone: the whole package takes seconds to import.
    code = (
        f"import runpy\nrunpy.run_path({_matplotlib.__file__!r})\nimport matplotlib\n"
        f"backend = matplotlib.rcParams._get('backend')\nassert {found!r} in (None, backend), backend"
    )
    run(code, tmp_path, MPLBACKEND=asked)
