"""The look shared by all figures, and files whose bytes depend on the drawing alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import seaborn as sns
from matplotlib import style
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Canvas

from montecarlo.common.files import replaced_file

NETWORKS = "#4477aa"
"""Colour of what was simulated."""
THEORY = "#cc3311"
"""Colour of exact theory; limits share it, dashed, where nothing else is near."""
LIMIT = "#111111"
"""Colour of a limit drawn over an exact curve: dark enough to be seen where the two coincide."""
OTHER = "#888888"
"""Colour of theory of other networks than the panel shows."""
OUTLINE = "#223366"
"""Colour of a second sample: drawn as an outline over the first, it must stand out against it."""

_MARKERS = "osD^vP"


def width_colours(count: int) -> list[tuple[float, float, float]]:
    """Return colours for increasing widths, dark to light: told apart in grey and by the colour-blind."""
    return [to_rgb(colour) for colour in mpl.colormaps["viridis"](np.linspace(0.0, 0.82, count))]


def width_markers(count: int) -> str:
    """Return as many markers, so that colour is never the only sign."""
    return _MARKERS[:count]


# Dates and program versions would make equal drawings differ.
_METADATA: dict[str, dict[str, str | None]] = {
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".png": {"Software": None},
}


def bin_edges(*samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return equal bins that cover several samples, so that their histograms can be compared bar by bar.

    As many as keep the noise of a bar of the smallest sample a few per cent of its peak.
    """
    low, high = min(float(rows.min()) for rows in samples), max(float(rows.max()) for rows in samples)
    smallest = min(samples, key=len)
    bins = max(8, round(1.7 * len(smallest) ** (1 / 3)))
    width = float(np.ptp(smallest)) / bins or 1.0
    return np.asarray(low + width * np.arange(max(1, int(np.ceil((high - low) / width))) + 1), np.float64)


@contextmanager
def figure_style() -> Iterator[None]:
    """Apply the style inside the block only: a user's own settings stay as they are, and do not count."""
    settings: Any = {
        "pdf.fonttype": 42,
        "savefig.dpi": 160,
        "font.family": "DejaVu Sans",
        "axes.titlesize": 11,
        "axes.titleweight": "normal",
        "figure.titlesize": 12,
        "axes.grid": True,
        "grid.alpha": 0.5,
        "legend.frameon": True,
        "legend.framealpha": 0.9,
    }
    with mpl.rc_context():
        style.use("default")  # not a matplotlibrc's fonts, TeX, margins or locale
        with sns.axes_style("whitegrid"), sns.plotting_context("paper", font_scale=1.1):
            mpl.rcParams.update(settings)
            yield


def save_figure(canvas: Canvas, stem: Path) -> list[Path]:
    """Write ``stem.pdf`` and ``stem.png``, each whole or not at all; return the paths."""
    paths = []
    for suffix in _METADATA:
        paths.append(save_drawing(canvas, stem.with_name(stem.name + suffix)))
        # The places that the first format found hold for the second: finding them takes most of the time.
        canvas.set_layout_engine(None)
    return paths


def save_drawing(canvas: Canvas, path: Path) -> Path:
    """Write a PDF or PNG, as the path ends, whole or not at all; return the path."""
    with replaced_file(path) as temporary:
        canvas.savefig(temporary, format=path.suffix[1:], metadata=_METADATA[path.suffix])
    return path
