r"""Formulas as SVG: the catalogue's LaTeX, drawn by matplotlib, so that it looks alike in every browser.

MathML would be smaller, but looks as the reader's fonts allow: without a mathematical one parentheses do not
grow and limits stand beside their operators. Formulas are paths in the colour of the text, a line of the SVG
for each relation that would not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

_SIZE = 10.0
"""Size of the letters in units of the drawing."""
_WIDEST = 34.0
"""Widest line in letter heights; longer formulas are broken before a relation."""
_RELATIONS = (r"\leq", r"\to", r"\sim", r"\approx", "=", "<")
_CODES = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}


@dataclass(frozen=True)
class _Line:
    path: str
    width: float
    ascent: float
    descent: float


@lru_cache(maxsize=256)
def formula_svg(latex: str) -> Markup:
    """Return a formula as inline SVG elements, one a line.

    The text for those who cannot see it is the LaTeX.

    Examples
    --------
    >>> print(formula_svg(r"e^{1/2} - 1")[:30])
    <svg class="formula" role="img
    """
    lines = [line for part in latex.split(r",\quad ") for line in _fitting(part)]
    return Markup("").join(_svg(line, label=latex if k == 0 else None) for k, line in enumerate(lines))


def _svg(line: _Line, label: str | None) -> Markup:
    height = line.ascent + line.descent
    size = Markup('viewBox="0 0 {:.1f} {:.1f}" style="width:{:.2f}em;height:{:.2f}em"').format(
        line.width, height, line.width / _SIZE, height / _SIZE
    )
    # The whole formula is read once, at its first line.
    heard = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="formula" {} {}><path d="{}"/></svg>').format(heard, size, line.path)


def _fitting(part: str) -> list[_Line]:
    whole = _draw(part)
    if whole.width / _SIZE <= _WIDEST:
        return [whole]
    for relation, at in _relations(part):
        if relation in ("=", r"\approx", r"\to") and at > 0:
            return [_draw(part[:at]), _draw(r"\quad " + part[at:])]
    return [whole]


def _relations(latex: str) -> Iterator[tuple[str, int]]:
    """Yield relations outside braces and parentheses with their places."""
    depth, at = 0, 0
    while at < len(latex):
        name = re.match(r"\\[a-zA-Z]+|.", latex[at:], re.DOTALL)
        token = name[0] if name else ""
        if token in ("{", "(", "[", r"\left"):
            depth += 1
        elif token in ("}", ")", "]", r"\right"):
            depth -= 1
        elif depth == 0 and token in _RELATIONS:
            yield token, at
        # The bracket after \left and \right belongs to it.
        at += len(token) + (token in (r"\left", r"\right"))


def display_fractions(latex: str) -> str:
    r"""Return LaTeX with the fractions outside scripts and other fractions at full size.

    Examples
    --------
    >>> print(display_fractions(r"\frac{a}{b} + e^{\frac{1}{2}}"))
    \dfrac{a}{b} + e^{\frac{1}{2}}
    """
    out, depth, at = [], 0, 0
    while at < len(latex):
        if depth == 0 and latex.startswith(r"\frac", at):
            out.append(r"\dfrac")
            at += 5
            continue
        depth += (latex[at] == "{") - (latex[at] == "}")
        out.append(latex[at])
        at += 1
    return "".join(out)


def _draw(latex: str) -> _Line:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(size=_SIZE, math_fontfamily="cm")
    text = f"${display_fractions(latex)}$"
    convert = TextToPath()
    vertices, codes = convert.get_text_path(font, text, ismath=True)
    width, height, descent = convert.get_text_width_height_descent(text, font, ismath=True)
    scale = _SIZE / convert.FONT_SCALE
    ascent = height - descent
    parts = []
    previous = None
    for (x, y), code in zip(vertices, codes, strict=True):
        letter = _CODES[int(code)]
        if letter == "Z":
            parts.append("Z")
        else:
            # Control points follow each other under one letter.
            same = letter == previous and letter in "QC"
            parts.append(f"{'' if same else letter}{scale * x:.2f} {ascent - scale * y:.2f}")
        previous = letter
    return _Line(" ".join(parts), width + 0.5, ascent, descent)
