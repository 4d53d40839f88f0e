"""``public-names``: every public name of a module, first as a table and then in full."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any, ClassVar, get_origin

from docutils import nodes
from plain_bars import escape
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_NOT_OURS = {"TYPE_CHECKING", "annotations"}


def public_names(module: ModuleType) -> list[str]:
    """Return what a module offers: its own functions and classes, those that it re-exports, and constants."""
    names = []
    for name, value in vars(module).items():
        if name.startswith("_") or inspect.ismodule(value) or name in _NOT_OURS:
            continue
        home = getattr(value, "__module__", None) or ""
        if (_is_class(value) or inspect.isroutine(value)) and not f"{home}.".startswith(
            f"{module.__name__}."
        ):
            continue  # imported for its own use
        names.append(name)
    return sorted(names, key=lambda name: (name.isupper(), name.casefold()))


def _is_class(value: Any) -> bool:
    return inspect.isclass(value) and get_origin(value) is None  # dict[str, float] is an alias


def _kind(value: Any) -> str:
    if _is_class(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if inspect.isroutine(value) else "data"


def _summary(value: Any, kind: str) -> str:
    if kind == "data":
        return ""
    lines: list[str] = []
    for line in (inspect.getdoc(value) or "").splitlines():
        if not line.strip():
            break
        lines.append(line.strip())
    escaped = [" ".join(lines)]
    escape(escaped)
    return escaped[0]


class PublicNames(SphinxDirective):
    """Document the public names of a module."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Write reStructuredText and parse it."""
        name = self.arguments[0]
        module = importlib.import_module(name)
        source = getattr(module, "__file__", None)
        if source:
            self.env.note_dependency(source)
        lines = [f".. automodule:: {name}", "   :no-members:", ""]
        found = public_names(module)
        lines += [".. list-table::", "   :widths: 35 65", "   :class: names", ""]
        for each in found:
            value = getattr(module, each)
            lines += [f"   * - :py:obj:`~{name}.{each}`", f"     - {_summary(value, _kind(value))}"]
        lines.append("")
        for each in found:
            value = getattr(module, each)
            kind = _kind(value)
            if get_origin(value) is not None:  # autodoc would look for its signature
                lines += [f".. py:data:: {name}.{each}", "", f"   Type alias of ``{value!r}``.", ""]
                continue
            lines.append(f".. auto{kind}:: {name}.{each}")
            if kind in ("class", "exception"):
                lines.append("   :members:")
                # A base that is not public itself would have its members nowhere.
                if any(
                    base.__module__.startswith("montecarlo.") and base.__name__ not in found
                    for base in value.__mro__
                ):
                    lines.append("   :inherited-members:")
            if kind == "data":
                lines.append("   :no-value:")
            lines.append("")
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("public-names", PublicNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
