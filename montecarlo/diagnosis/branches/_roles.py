"""Roles: which parameters of the blocks are V, W, their biases and the branch's scale, and which are none."""

from __future__ import annotations

import re
from itertools import pairwise

from montecarlo.common._errors import InvalidFieldError
from montecarlo.diagnosis.branches._blocks import Blocks, Family, common_shape, is_matrix, of_common_shape
from montecarlo.diagnosis.branches._kinds import attends, find_kinds
from montecarlo.diagnosis.branches._norms import find_norm
from montecarlo.diagnosis.branches._orientation import Matrix, orient, own_bias
from montecarlo.diagnosis.branches._parameters import BranchParameters, Stack

_NOT_READ = {
    "attention": "adds to the stream, too", "convolution": "is no matrix", "embedding": "is not in a branch",
    "gate": "multiplies units", "expert": "is one of several branches",
}  # fmt: skip


def assign_roles(
    blocks: Blocks, *, pattern: re.Pattern[str] | None, width: int | None, matrices_per_block: int | None
) -> BranchParameters:
    """Return what every parameter of the blocks is; refuse where that cannot be known."""
    families, remarks = blocks.families, []
    if blocks.flat:
        families, remarks = _grouped(families, pattern, matrices_per_block)
    kinds = find_kinds(families)
    chosen = _chosen(families, kinds, pattern)
    names = list(chosen)
    _check_number(families, kinds, names, explicit=pattern is not None, asked=matrices_per_block)
    order = sorted(chosen[names[0]])
    said = []
    there = [name for name in kinds if is_matrix(families[name]) and set(order) & set(families[name])]
    if len(there) > len(names):
        said.append(f"{len(there)} matrices a block; took {' and '.join(names)}")
    between = [k for k in families[names[0]] if order[0] < k < order[-1] and k not in order]
    if between and pattern is None:
        said.append(
            f"not read: blocks {', '.join(map(str, between[:6]))}, where {names[0]} has another shape"
        )

    complete = [name for name, family in families.items() if set(order) <= set(family)]
    biases = [name for name in complete if kinds[name] == "bias"]
    own = {name: own_bias(name, names, biases) for name in names}
    beside = {max(common_shape(families[n]), default=0) for n, k in kinds.items() if k in ("norm", "scale")}
    if len(names) == 2 and (shared := own[names[0]]) is not None and shared == own[names[1]]:
        # One bias for both names (W, V and b): it is inside the branch, the other side is the stream.
        beside.add(sum(common_shape(chosen[names[0]])) - common_shape(families[shared])[0])
        found = [Matrix(name, common_shape(chosen[name])) for name in names]
    else:
        shared = None
        lengths = {name: 0 if bias is None else common_shape(families[bias])[0] for name, bias in own.items()}
        found = [Matrix(name, common_shape(chosen[name]), lengths[name]) for name in names]
    way, guesses = orient(found, beside=beside, outside=blocks.outside, width=width)
    v = names[way.v]
    w = names[1 - way.v] if len(names) == 2 else None
    if shared is not None:
        own[v] = None

    roles = {name: "another matrix" if kind == "matrix" else kind for name, kind in kinds.items()}
    roles |= {v: "V"} | ({} if w is None else {w: "W"})
    roles |= {bias: f"bias of {roles[name]}" for name, bias in own.items() if bias is not None}
    lengths_of_scales = {name: max(common_shape(families[name]), default=1) for name in complete}
    fitting = [name for name, n in lengths_of_scales.items() if n in (1, way.width)]
    scale = _scale(roles, v, fitting, said)
    gain, shift = find_norm(families, {name: roles[name] for name in complete}, names, way.width)

    def stack(name: str | None, rows_out: bool = True) -> Stack | None:
        return None if name is None else Stack([families[name][k] for k in order], rows_out=rows_out)

    return BranchParameters(
        v=Stack([families[v][k] for k in order], rows_out=way.rows_out), w=stack(w, way.rows_out),
        bias_v=stack(own[v]), bias_w=None if w is None else stack(own[w]), scale=stack(scale),
        gain=stack(gain), shift=stack(shift), names=(v,) if w is None else (v, w), roles=roles,
        warnings=(*said, *remarks, *guesses, *_unread(families, roles, blocks.others)),
    )  # fmt: skip


def _chosen(
    families: dict[str, Family], kinds: dict[str, str], pattern: re.Pattern[str] | None
) -> dict[str, Family]:
    """Return the candidates for V and W, in the blocks that have them: matrices, or what the pattern says."""
    chosen = {}
    for name, kind in kinds.items():
        if is_matrix(families[name]) and (kind == "matrix" or (pattern is not None and kind != "scale")):
            family = of_common_shape(families[name])
            chosen[name] = {k: p for k, p in family.items() if pattern is None or pattern.search(p.name)}
    numbers = [frozenset(family) for family in chosen.values() if family]
    if not numbers:
        return {}
    best = max(set(numbers), key=lambda own: (len(own) * numbers.count(own), len(own)))
    return {name: family for name, family in chosen.items() if frozenset(family) == best}


def _grouped(
    families: dict[str, Family], pattern: re.Pattern[str] | None, asked: int | None
) -> tuple[dict[str, Family], list[str]]:
    """Return the families of a list of lone matrices, in pairs where shapes or the user say so."""
    name = next(name for name, family in families.items() if is_matrix(family))
    shape = common_shape(families[name])
    square = shape[0] == shape[1]
    members = [(k, p) for k, p in sorted(families[name].items()) if pattern is None or pattern.search(p.name)]
    kept = [k for k, p in members if p.shape in (shape, shape[::-1])]
    if square and asked is None:
        words = f"{name}: a list of {len(kept)} square matrices does not say whether a branch has one or two"
        return families, [f"{words}: took one; matrices_per_block= says it"]
    if square and asked == 1:
        return families, []
    shapes = [families[name][k].shape for k in kept]
    alternate = all(a != b for a, b in pairwise(shapes))
    if len(kept) % 2 or not (square or alternate):
        rule = f"must have square matrices, or W and V in turn (there are {len(kept)} of these shapes)"
        raise InvalidFieldError("model", f"{name} {shape}", rule, "choose them with pattern=")
    place = {k: divmod(number, 2) for number, k in enumerate(kept)}
    paired: dict[str, Family] = {}
    for each, family in families.items():
        for half in (0, 1):
            part = {place[k][0]: p for k, p in family.items() if k in place and place[k][1] == half}
            paired |= {each.replace("*", f"*[{half}::2]", 1): part} if part else {}
    return paired, []


def _check_number(
    families: dict[str, Family], kinds: dict[str, str], names: list[str], *, explicit: bool, asked: int | None
) -> None:
    """Refuse what is not one or two matrices a block."""
    others = {kind: name for name, kind in reversed(kinds.items()) if is_matrix(families[name])}
    shapes = [common_shape(families[name]) for name in names]
    gated = len(names) == 3 and len(set(shapes)) == 2 and len({tuple(sorted(shape)) for shape in shapes}) == 1
    listed = ", ".join(f"{name} {shape}" for name, shape in zip(names, shapes, strict=True))
    if not explicit and "expert" in others:
        value, rule = (
            others["expert"],
            "must not have experts: what a token passes through is not in parameters",
        )
    elif not explicit and ("gate" in others or gated):
        value = others.get("gate", listed)
        rule = "must not have gated branches (a product of two linear maps), which this theory leaves out"
    elif not names:
        value, rule = (
            ", ".join(list(kinds)[:4]),
            "must have branches of one or two matrices; these are others",
        )
    elif len(names) > 2 or (asked is not None and len(names) != asked):
        value = listed if len(listed) < 400 else f"{listed[:400]} …"
        rule = f"must have {asked or 'one or two'} matrices a block, has {len(names)}"
    else:
        return
    raise InvalidFieldError("model", value, rule, "choose one or two matrices with pattern=")


def _scale(roles: dict[str, str], v: str, fitting: list[str], said: list[str]) -> str | None:
    """Return the factor in front of the branch of V; name the others' roles and say what was chosen."""
    found = [name for name, role in roles.items() if role == "scale"]
    roles |= {name: "unread" for name in found if name not in fitting}
    roles |= {name: "scale of attention" for name in found if attends(name) and not attends(v)}
    found = [name for name in found if roles[name] == "scale"]
    if not found:
        return None

    def shared(name: str) -> int:
        parts = zip(name.split("."), v.split("."), strict=False)
        return next((n for n, (a, b) in enumerate(parts) if a != b), 99)

    # Attention stands before the matrices: of several as near to V as each other, the last is V's.
    best = [name for name in found if shared(name) == max(map(shared, found))][-1]
    roles |= {name: "scale of another branch" for name in found if name != best}
    if len(found) > 1:
        said.append(f"{len(found)} scales a block: took {best} for the branch of {v}")
    return best


def _unread(families: dict[str, Family], roles: dict[str, str], others: tuple[str, ...]) -> list[str]:
    """Return what is said of parameters that were not used."""
    said = []
    for kind, why in _NOT_READ.items():
        names = [
            name for name, role in roles.items() if role == kind and len(common_shape(families[name])) > 1
        ]
        said += [f"not read: {names[0]} ({kind}) {why}"] if names else []
    rest = [name for name, role in roles.items() if role in ("unread", "another matrix", "bias")] + list(
        others
    )
    return [*said, f"not read: {', '.join(rest[:6])}{' …' if len(rest) > 6 else ''}"] if rest else said
