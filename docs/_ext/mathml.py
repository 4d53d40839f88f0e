"""Formulas as MathML, made by docutils when the pages are built: no script, and nothing from a network."""

from __future__ import annotations

import html
import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

_log = logging.getLogger(__name__)

# Bars of norms are as high as the line: of a stretched pair only the one without exponent would grow.
_BAR = re.compile(r'<mo>(‖)</mo>|<mo stretchy="false">(\|)</mo>')
_PLAIN_BAR = r'<mo stretchy="false" lspace="0" rspace="0">\1\2</mo>'


def _mathml(node: nodes.Element, *, as_block: bool) -> str:
    source = node.astext()
    try:
        return _BAR.sub(_PLAIN_BAR, latex2mathml.tex2mathml(source, as_block=as_block))
    except MathError as error:
        _log.warning("formula %r: %s", source, error, location=node)
        return f"<code>{html.escape(source)}</code>"


def _visit_inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(_mathml(node, as_block=False))
    raise nodes.SkipNode


def _visit_block(writer: Any, node: nodes.math_block) -> None:
    # A wide formula scrolls by itself instead of widening the page.
    writer.body.append(f'<div class="math" tabindex="0">{_mathml(node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
