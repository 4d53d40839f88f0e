"""Figures: each draws saved samples with the theory over them; one file a figure.

`FIGURES` lists them; `draw_figure` simulates what a figure lacks, draws it, and writes PDF and PNG.
"""

import figures._matplotlib  # noqa: F401  # isort: split
from figures._catalogue import FIGURES as FIGURES
from figures._catalogue import TRAINED as TRAINED
from figures._catalogue import find_figure as find_figure
from figures._depth_check import draw_depth_check as draw_depth_check
from figures._diagnosis import draw_diagnosis as draw_diagnosis
from figures._draw import DrawnFigure as DrawnFigure
from figures._draw import SampledFigure as SampledFigure
from figures._draw import draw_figure as draw_figure
from figures._draw import sample_figure as sample_figure
from figures._figure import Check as Check
from figures._figure import Computed as Computed
from figures._points import Point as Point
from figures._record import read_record as read_record
