"""Sphinx configuration. `make docs` builds with warnings as errors; nothing is fetched while it builds."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

project = "largedepth"
author = "the largedepth contributors"
project_copyright = author
version = release = installed_version("largedepth")

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_parser",
    "sphinx_click",
    "mathml",
    "plain_bars",
    "theorems",
    "public_names",
]
exclude_patterns = ["_ext", "README.md"]
smartquotes = False  # "--out" is no dash

# Docstrings put names and expressions in single backticks: a link where it is a name of ours, code elsewhere.
default_role = "py:obj"
autodoc_typehints = "none"  # the numpydoc sections say the types
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

html_theme = "furo"
html_title = f"largedepth {release}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
