"""The repeated blocks of a model: names that differ in one number, or arrays stacked over blocks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from montecarlo.common._errors import InvalidFieldError
from montecarlo.diagnosis.branches._tree import Parameter

_NUMBER = re.compile(r"(?<!\d)\d+(?=$|[_-])")
_LAYER = re.compile(r"\*(\.(weight|kernel|bias|scale|w|b|gamma|beta))?$")
Family = dict[int, Parameter]
"""The parameters of one name, by the number of their block."""


@dataclass(frozen=True)
class Blocks:
    """What repeats in a model.

    Parameters
    ----------
    families : dict
        Parameters by their name with `*` for the number of the block, and then by that number.
    flat : bool
        Whether a block is a lone matrix of a list, so that nothing says how many make a branch.
    others : tuple of str
        Families of matrices outside these blocks that repeat, too.
    outside : frozenset of int
        The lengths of arrays outside the blocks.
    """

    families: dict[str, Family]
    flat: bool = False
    others: tuple[str, ...] = ()
    outside: frozenset[int] = frozenset()


def common_shape(family: Family) -> tuple[int, ...]:
    """Return the shape that most blocks have; a first or last layer may have another."""
    return Counter(parameter.shape for parameter in family.values()).most_common(1)[0][0]


def of_common_shape(family: Family) -> Family:
    """Return the members of that shape."""
    shape = common_shape(family)
    return {index: p for index, p in family.items() if p.shape == shape}


def is_matrix(family: Family) -> bool:
    """Return whether the parameters of a family are matrices."""
    return len(common_shape(family)) == 2


def find_blocks(parameters: list[Parameter], pattern: re.Pattern[str] | None) -> Blocks:
    """Return the blocks that hold most matrices; the outermost ones, where numbers are nested."""
    containers = [*_numbered(parameters), *_stacked(parameters)]
    scored = [(_coverage(families, pattern), -depth, families) for depth, families in containers]
    scored = [entry for entry in scored if entry[0] > 1]
    if not scored:
        if any(len(p.shape) > 2 for p in parameters):
            rule = (
                "must have branches of matrices (found convolutions or other arrays of three axes and more)"
            )
        else:
            rule = (
                "must have two or more matrices of one shape whose names differ in the number of the "
                "block alone"
            )
        raise InvalidFieldError(
            "model", f"{len(parameters)} arrays", rule, "give the module that holds the blocks"
        )
    scored.sort(key=lambda entry: entry[:2], reverse=True)
    best = scored[0][2]
    own = {id(p) for family in best.values() for p in family.values()}
    others = []
    for _, _, families in scored[1:]:
        if any(id(p) in own for family in families.values() for p in family.values()):
            continue  # the same arrays under other numbers
        name = next(name for name, family in families.items() if is_matrix(family))
        if _depth(families) == _depth(best):
            rule = f"has several stacks of blocks, as deep as each other (another is {name})"
            raise InvalidFieldError("model", next(iter(best)), rule, "choose one with pattern=")
        others.append(name)
    outside = frozenset(n for p in parameters if id(p) not in own for n in p.shape)
    return Blocks(best, _is_flat(best), tuple(others), outside)


def _depth(families: dict[str, Family]) -> int:
    return max(len(of_common_shape(family)) for family in families.values() if is_matrix(family))


def _coverage(families: dict[str, Family], pattern: re.Pattern[str] | None) -> int:
    counts = [
        sum(pattern is None or bool(pattern.search(p.name)) for p in of_common_shape(family).values())
        for family in families.values()
        if is_matrix(family)
    ]
    return sum(count for count in counts if count > 1)


def _is_flat(families: dict[str, Family]) -> bool:
    alone = sum(map(is_matrix, families.values())) == 1
    return alone and all("*" in name and name[name.index("*") :].count(".") <= 1 for name in families)


def _numbered(parameters: list[Parameter]) -> Iterator[tuple[int, dict[str, Family]]]:
    """Yield (length of the path, families) for every place where names are numbered."""
    stems: dict[tuple[tuple[str, ...], str], dict[str, Family]] = defaultdict(lambda: defaultdict(dict))
    for p in parameters:
        for place, part in enumerate(p.path):
            for match in _NUMBER.finditer(part):
                stem = f"{part[: match.start()]}*{part[match.end() :]}"
                name = ".".join((*p.path[:place], stem, *p.path[place + 1 :]))
                stems[p.path[:place], stem][name].setdefault(int(match.group()), p)
    for p in parameters:  # Haiku's and Keras' first module has no number: linear, linear_1, …
        for place, part in enumerate(p.path):
            families = stems.get((p.path[:place], f"{part}_*"))
            name = ".".join((*p.path[:place], f"{part}_*", *p.path[place + 1 :]))
            if families is not None and name in families:
                families[name].setdefault(0, p)
    # Stems beside each other with the same numbers are parts of one block: V_*, W_*; Dense_*, LayerNorm_*.
    # So are lists of arrays or of single layers: V.*, W.*; linears.*.weight, norms.*.weight.
    grouped: dict[tuple[tuple[str, ...], frozenset[int]], dict[str, Family]] = defaultdict(dict)
    for (parent, stem), families in stems.items():
        numbers = frozenset(index for family in families.values() for index in family)
        plain = stem == "*" and parent and all(_LAYER.search(name) for name in families)
        if len(numbers) > 1:
            grouped[parent[:-1] if plain else parent, numbers].update(families)
    for (parent, _), families in grouped.items():
        yield len(parent), families


def _stacked(parameters: list[Parameter]) -> Iterator[tuple[int, dict[str, Family]]]:
    """Yield the families of arrays that hold all blocks along one axis, as Flax's `nn.scan` makes them."""
    big = [p for p in parameters if len(p.shape) == 3]
    repeats = Counter((re.sub(r"\d+", "*", p.name), p.shape) for p in big)
    if not big or max(repeats.values()) > 2 or any("conv" in p.name.lower() for p in big):
        return  # many arrays of three axes: convolutions, experts or heads in numbered blocks
    axes = [axis for axis in (0, 1, -1) if len({p.shape[axis] for p in big}) == 1]
    fitting = [axis for axis in axes if _fit([np.delete(p.shape, axis).tolist() for p in big])]
    if not axes:
        return
    axis = (fitting or axes)[0]
    depth = big[0].shape[axis]
    parent = big[0].path[:-2]
    while any(p.path[: len(parent)] != parent for p in big):
        parent = parent[:-1]
    families: dict[str, Family] = {}
    for p in parameters:
        fits = -1 <= axis < len(p.shape) > 0 and p.shape[axis] == depth
        if p.path[: len(parent)] == parent and fits:
            blocks = np.moveaxis(p.array(), axis, 0)
            families[p.name] = {k: Parameter(p.path, block, block.shape) for k, block in enumerate(blocks)}
    if depth > 1:
        yield len(parent), families


def _fit(shapes: list[list[int]]) -> bool:
    """Return whether matrices map states to themselves, or to units and back."""
    return all(shape[::-1] in shapes for shape in shapes)
