"""`read_sweep`: a TOML file to a `Sweep`, with errors that name file, key, value, rule and fix."""

from __future__ import annotations

import itertools
import math
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from montecarlo.common._errors import InvalidFieldError, check_real, unknown_name
from montecarlo.runs import Run
from montecarlo.sweeps._kinds import RESNETS, TRANSFORMERS, Fields
from montecarlo.sweeps._plan import Precision, Sweep, SweepPoint

POINT_LIMIT = 1_000_000

_TABLES = ("network", "transformer", "grid", "points", "precision")
_TOP = ("seed", "replicas", "max_seconds", *_TABLES)
_DEFAULT_REPLICAS = 1000


class SweepFileError(InvalidFieldError):
    """A sweep's file breaks a rule.

    Parameters
    ----------
    path : str
        The file.
    key, value, rule, fix
        As in `InvalidFieldError`; the key says in which table, ``grid.depth`` or ``points[2].beta``.
    """

    def __init__(self, path: str, key: str, value: object, rule: str, fix: str) -> None:
        super().__init__(key, value, rule, fix)
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.field, self.value, self.rule, self.fix)

    def __str__(self) -> str:
        given = "" if self.value is None else f" = {self.value!r}"
        return f"{self.path}: {self.field}{given}: {self.rule}; {self.fix}"


def read_sweep(path: str | os.PathLike[str]) -> Sweep:
    """Read a sweep from a TOML file.

    ``[network]`` has what all specifications share: any option of ``largedepth simulate``, with ``-`` or
    ``_`` in names. For transformers ``[transformer]`` stands in its place: any field of `Transformer`, a
    ``preset``, and the columns ``tangent``, ``attention_columns`` and ``per_token``. ``[grid]`` has lists,
    whose product is taken; ``[[points]]`` are tables of fields that go together, and each is combined with
    the whole grid. ``seed``, ``replicas`` and ``max_seconds`` stand at the top, the first two wherever else a
    field may stand, too; ``[precision]`` has `Precision`'s fields.

    Parameters
    ----------
    path : path
        The file.

    Raises
    ------
    SweepFileError
        A ValueError whose one line names file, key, value, rule and fix.

    Examples
    --------
    >>> import tempfile
    >>> text = '''
    ... seed = 7
    ... replicas = 2000
    ... [network]
    ... width = 40
    ... [grid]
    ... depth = [100, 1000]
    ... beta = [0.25, 0.5]
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "sweep.toml"
    ...     _ = path.write_text(text)
    ...     sweep = read_sweep(path)
    >>> len(sweep.points), sweep.networks, sweep.points[1].run.resnet
    (4, 8000, ResNet(width=40, depth=100, beta=0.5))
    """
    name = os.fspath(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")  # some editors begin with a mark
        document = tomllib.loads(text)
    except OSError as error:
        rule = f"must be a file that can be read ({error.strerror})"
        raise SweepFileError(name, "file", None, rule, "check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SweepFileError(name, "file", None, f"must be TOML ({error})", "mend that line") from error
    return _Reader(name, document).sweep()


class _Reader:
    """One document with the name of its file, for errors."""

    def __init__(self, path: str, document: Mapping[str, Any]) -> None:
        self._path = path
        self._document = document
        self._kind = TRANSFORMERS if "transformer" in document else RESNETS

    def sweep(self) -> Sweep:
        for key in self._document:
            if key not in _TOP:
                if _plain(key) in self._kind.known:
                    rule = f"must stand in [{self._kind.table}] or [grid]"
                    raise self._error(key, self._document[key], rule, "move it")
                raise self._named(key, unknown_name(key, key, _TOP))
        if "transformer" in self._document and "network" in self._document:
            raise self._error("network", None, "must not stand beside [transformer]", "drop one of the two")
        top = {key: self._document[key] for key in ("seed", "replicas") if key in self._document}
        shared = {"seed": 0, "replicas": _DEFAULT_REPLICAS} | top | self._fields(self._kind.table)
        max_seconds = self._document.get("max_seconds")
        if max_seconds is not None:
            max_seconds = self._checked(
                "max_seconds", check_real, max_seconds, 0.0, 1e9, 3600.0, open_low=True
            )
        grid = self._grid()
        tables = self._points()
        size = max(1, len(tables)) * math.prod(len(values) for values in grid.values())
        if size > POINT_LIMIT:
            rule = f"must give at most {POINT_LIMIT:_} specifications, and gives {size:_}"
            raise self._error("grid", None, rule, "cut it into several files")
        points = [self._point(shared, *where) for where in self._combinations(grid, tables)]
        self._check_repeats(points)
        precision = self._precision(points)
        return Sweep(tuple(points), precision, max_seconds)

    def _combinations(self, grid: dict[str, list[Any]], tables: list[Fields]) -> Iterator[tuple[Fields, int]]:
        """Yield the fields of each specification, and the number of its table of points, -1 without."""
        for number, table in enumerate(tables) if tables else [(-1, {})]:
            for values in itertools.product(*grid.values()):
                yield table | dict(zip(grid, values, strict=True)), number

    def _point(self, shared: Fields, own: Fields, number: int) -> SweepPoint:
        given = shared | own
        try:
            for flag in self._kind.flags:
                if not isinstance(given.get(flag, False), bool):
                    fix = f"write {flag} = true"
                    raise InvalidFieldError(flag, given[flag], "must be true or false", fix)
            for needed in self._kind.needed(given):
                if needed not in given:
                    rule = f"must be given, in [{self._kind.table}], [grid] or [[points]]"
                    raise InvalidFieldError(needed, None, rule, self._kind.fix.format(needed))
            return self._kind.point(given)
        except InvalidFieldError as error:
            raise self._located(error, own, number) from None

    def _located(self, error: InvalidFieldError, own: Fields, number: int) -> SweepFileError:
        """Return an error of a specification that says where in the file its field stands."""
        name = error.field
        rule = error.rule
        if name in self._names("grid"):
            key = f"grid.{name}"
        elif number >= 0 and name in self._names("points", number):
            key = f"points[{number}].{name}"
        elif name in self._names(self._kind.table):
            key = f"{self._kind.table}.{name}"
        else:
            key = name
        # What else the specification has: the field alone may be right.
        others = ", ".join(f"{k} = {v!r}" for k, v in own.items() if k != name)
        if others and key.split(".")[0] != self._kind.table:
            rule = f"{rule} (with {others})"
        return SweepFileError(self._path, key, error.value, rule, error.fix)

    def _names(self, table: str, number: int | None = None) -> set[str]:
        found = self._document.get(table, {})
        return {_plain(key) for key in (found if number is None else found[number])}

    def _fields(self, table: str) -> Fields:
        """Return the fields of a table, spelt as in Python."""
        return self._spelt(self._table(table), table)

    def _spelt(self, given: Mapping[str, Any], where: str) -> Fields:
        found = {}
        for key, value in given.items():
            name = _plain(key)
            if name not in self._kind.known:
                error = unknown_name(key, key, self._kind.known)
                raise self._named(f"{where}.{key}", error)
            if name in found:
                raise self._error(f"{where}.{key}", value, "must stand there once", "drop one spelling")
            found[name] = value
        return found

    def _table(self, key: str) -> Mapping[str, Any]:
        table = self._document.get(key, {})
        if not isinstance(table, Mapping):
            raise self._error(key, table, "must be a table", f"write [{key}] and its fields below")
        return table

    def _grid(self) -> dict[str, list[Any]]:
        grid = self._fields("grid")
        for key, values in grid.items():
            if not isinstance(values, list):
                fix = f"write {key} = [{values!r}], or move it to [{self._kind.table}]"
                raise self._error(f"grid.{key}", values, "must be a list", fix)
            if not values:
                raise self._error(f"grid.{key}", values, "must not be empty", "give a value, or drop it")
        return grid

    def _points(self) -> list[Fields]:
        tables = self._document.get("points", [])
        if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
            fix = "write [[points]] and its fields below, as often as need be"
            raise self._error("points", None, "must be an array of tables", fix)
        found = [self._spelt(table, f"points[{number}]") for number, table in enumerate(tables)]
        both = self._names("grid").intersection(*([] if not found else [set().union(*found)]))
        if found and both:
            key = min(both)
            rule = "must not stand in [[points]], too"
            raise self._error(f"grid.{key}", None, rule, "drop it from one of the two")
        return found

    def _precision(self, points: list[SweepPoint]) -> Precision | None:
        if "precision" not in self._document:
            return None
        table = self._table("precision")
        known = [f.name for f in fields(Precision)]
        for key in table:
            if _plain(key) not in known:
                raise self._named(f"precision.{key}", unknown_name(key, key, known))
        given = {_plain(key): value for key, value in table.items()}
        if "half_width" not in given:
            rule = "must be given"
            raise self._error("precision.half_width", None, rule, "add half_width = 0.01, say")
        ranges: dict[str, tuple[float, float, float]] = {
            "half_width": (0.0, 1e9, 0.01), "quantile": (0.0, 1.0, 0.5), "false_alarm": (0.0, 0.5, 1e-6),
        }  # fmt: skip
        for key, (low, high, example) in ranges.items():
            if key in given:
                given[key] = self._checked(
                    f"precision.{key}", check_real, given[key], low, high, example, open_low=True
                )
        if given.get("quantile") == 1.0:
            rule = "must lie strictly between 0 and 1"
            raise self._error("precision.quantile", 1.0, rule, "give quantile = 0.5, say")
        precision = Precision(**given)
        for point in points:
            numbers = [name for name, cell in point.run.cells.items() if cell == ()]
            if precision.column not in numbers:
                raise self._named("precision.column", unknown_name("column", precision.column, numbers))
        return precision

    def _check_repeats(self, points: list[SweepPoint]) -> None:
        seen: set[Run] = set()
        for point in points:
            if point.run in seen:
                rule = f"must not give a specification twice, and gives {point.run.specification!r}"
                raise self._error("grid", None, rule, "drop one of the two")
            seen.add(point.run)

    def _checked(self, key: str, check: Any, value: object, *arguments: Any, **options: Any) -> Any:
        try:
            return check(key, value, *arguments, **options)
        except InvalidFieldError as error:
            raise self._named(key, error) from None

    def _named(self, key: str, error: InvalidFieldError) -> SweepFileError:
        return SweepFileError(self._path, key, error.value, error.rule, error.fix)

    def _error(self, key: str, value: object, rule: str, fix: str) -> SweepFileError:
        return SweepFileError(self._path, key, value, rule, fix)


def _plain(key: str) -> str:
    return key.replace("-", "_")
