"""What is drawn, read back from the axes: lines and points by label, bands, meshes, histograms, legends."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import same_color
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure as Canvas
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from figures._figure import FigureDefinition
from figures._points import Samples
from figures._style import figure_style

Array = np.ndarray


def draw(definition: FigureDefinition, samples: Samples) -> Canvas:
    """Return the drawing of a figure; hold its legends against what they name, and draw it once more.

    The same samples must give the same picture. Small ones without a search for places show that as well.
    """
    with figure_style():
        canvas, again = (definition.draw(samples) for _ in range(2))
        assert _pixels(canvas) == _pixels(again)
    check_legends(canvas)
    return canvas


def _pixels(canvas: Canvas) -> bytes:
    canvas.set_layout_engine("none")
    canvas.set_dpi(40)
    agg = FigureCanvasAgg(canvas)
    agg.draw()
    pixels = np.asarray(agg.buffer_rgba())
    assert pixels.std() > 1.0  # something is there
    return pixels.tobytes()


def panels(canvas: Canvas) -> list[Any]:
    """Return the axes of the panels from left to right and top to bottom, without colour bars."""
    found = [axis for figure in (canvas, *canvas.subfigs) for axis in figure.axes]
    return [axis for axis in dict.fromkeys(found) if axis.get_label() != "<colorbar>"]


def lines(axis: Axes, label: str) -> list[tuple[Array, Array]]:
    """Return x and y of every line whose label starts so."""
    return [_points(line) for line in axis.lines if str(line.get_label()).startswith(label)]


def line(axis: Axes, label: str) -> tuple[Array, Array]:
    """Return x and y of the one line whose label starts so."""
    found = lines(axis, label)
    assert len(found) == 1, (label, [artist.get_label() for artist in axis.lines])
    return found[0]


def unnamed(axis: Axes, colour: str, style: str = "-") -> list[tuple[Array, Array]]:
    """Return x and y of the lines of a colour and a style that no legend names, markers apart."""
    return [
        _points(drawn)
        for drawn in axis.lines
        if str(drawn.get_label()).startswith("_")
        and same_color(drawn.get_color(), colour)
        and drawn.get_linestyle() == style
    ]


def points(axis: Axes, label: str) -> tuple[Array, Array, Array, Array]:
    """Return x, y and both ends of the error bars of the points whose label starts so."""
    found = [c for c in axis.containers if str(c.get_label()).startswith(label)]
    assert len(found) == 1, (label, [c.get_label() for c in axis.containers])
    bars = found[0]
    assert isinstance(bars, ErrorbarContainer)
    x, y = _points(bars.lines[0])
    ends = np.array([segment[:, 1] for segment in bars.lines[2][0].get_segments()])
    return x, y, ends.min(axis=1), ends.max(axis=1)


def band(axis: Axes) -> dict[float, tuple[float, float]]:
    """Return lower and upper end of the one band of a panel at every x."""
    (found,) = [c for c in axis.collections if isinstance(c, PolyCollection)]
    return _ends(found)


def bars(axis: Axes, label: str) -> tuple[Array, Array]:
    """Return edges and heights of a histogram, drawn as filled steps or as an outline of steps."""
    outline = [artist for artist in axis.lines if str(artist.get_label()).startswith(label)]
    if outline:
        (drawn,) = outline
        assert drawn.get_drawstyle() == "steps-post"
        x, y = _points(drawn)
        return x, y[:-1]
    (filled,) = [c for c in axis.collections if str(c.get_label()).startswith(label)]
    vertices = filled.get_paths()[0].vertices
    x = np.unique(vertices[:, 0])
    middles = (x[1:] + x[:-1]) / 2
    top = [_height(vertices, middle) for middle in middles]
    return x, np.array(top)


def mesh(axis: Axes) -> tuple[Array, Array, Array, QuadMesh]:
    """Return the middles of a map's columns and rows, its values of shape (rows, columns), and the mesh."""
    (found,) = [c for c in axis.collections if isinstance(c, QuadMesh)]
    corners = found.get_coordinates()
    x, y = corners[0, :, 0], corners[:, 0, 1]
    values = np.ma.filled(np.ma.asarray(found.get_array(), np.float64), np.nan)
    return (x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2, values.reshape(len(y) - 1, len(x) - 1), found


def level(drawn: tuple[Array, Array]) -> float:
    """Return the height of a horizontal line."""
    return float(np.unique(drawn[1]).item())


def place(drawn: tuple[Array, Array]) -> float:
    """Return where a vertical line stands."""
    return float(np.unique(drawn[0]).item())


def mass(x: Array, density: Array) -> float:
    """Return the area below a drawn density."""
    return float(np.trapezoid(density, x))


def check_legends(canvas: Canvas) -> None:
    """Hold every entry of every legend against an artist of that label and that colour."""
    for figure in (canvas, *canvas.subfigs):
        for legend in (*figure.legends, *(axis.get_legend() for axis in figure.axes)):
            if legend is not None:
                axes = [legend.axes] if legend.axes is not None else figure.axes
                _check_legend(legend, axes)


def _check_legend(legend: Legend, axes: list[Any]) -> None:
    named = {
        label: handle
        for axis in axes
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True):
        drawn = named[text.get_text()]
        assert same_color(_colour(handle), _colour(drawn)), text.get_text()


def _colour(artist: Any) -> Any:
    if isinstance(artist, ErrorbarContainer):
        artist = artist.lines[0] or artist.lines[2][0]
    if isinstance(artist, Line2D):
        return artist.get_color()
    found = artist.get_facecolor() if len(np.atleast_1d(artist.get_facecolor())) else artist.get_edgecolor()
    return np.atleast_2d(found)[0]


def _points(drawn: Line2D) -> tuple[Array, Array]:
    return np.asarray(drawn.get_xdata(), np.float64), np.asarray(drawn.get_ydata(), np.float64)


def _ends(drawn: PolyCollection) -> dict[float, tuple[float, float]]:
    vertices = drawn.get_paths()[0].vertices
    at = {float(x): vertices[vertices[:, 0] == x, 1] for x in np.unique(vertices[:, 0])}
    return {x: (float(y.min()), float(y.max())) for x, y in at.items()}


def _height(vertices: Array, x: float) -> float:
    """Return the top of a polygon of steps at x, where none of its edges is vertical."""
    left, right = vertices[:-1], vertices[1:]
    crossed = (np.minimum(left[:, 0], right[:, 0]) < x) & (np.maximum(left[:, 0], right[:, 0]) > x)
    return float(np.maximum(left[crossed, 1], right[crossed, 1]).max())
