"""`depth_check`: a real model at several depths, measured, beside theory, with a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from montecarlo.common._errors import InvalidFieldError, check_real, check_seed, check_sequence, check_whole
from montecarlo.networks._specification import ResNet
from montecarlo.networks._transformer import Transformer
from montecarlo.practice._classes import CLASSES, STILL, Growth, branch_growth, level_growth, worst
from montecarlo.practice._factory import build
from montecarlo.practice._fault import Fault
from montecarlo.practice._promise import PromiseTest
from montecarlo.practice._record import record
from montecarlo.practice._report import DepthCheck
from montecarlo.practice._seeds import Measured, measure
from montecarlo.practice._stream import Stream
from montecarlo.practice._structure import Structure, find_structure
from montecarlo.practice._student import interval_of, looks_of
from montecarlo.practice._token_promise import TokenPromise
from montecarlo.practice._unlike import certain_faults, parameter_faults
from montecarlo.practice._unlike_branches import Resolution, branch_faults
from montecarlo.practice._users import name_of, users

_DEPTHS = (6, 12, 24, 48)
Say = Callable[[str], None]


def depth_check(
    factory: Callable[[int, int], Any],
    depths: Sequence[int] = _DEPTHS,
    seeds: int | Sequence[int] = 8,
    *,
    expect: str | None = None,
    promise: Callable[[int], ResNet | Transformer] | None = None,
    inputs: Any = None,
    blocks: str | Sequence[str] | None = None,
    false_alarm: float = 1e-3,
    progress: Say | None = None,
) -> DepthCheck:
    """Check how a model depends on its depth: growth of stream, branches and gradients, and its class.

    Right for any model whose depth is a parameter. Each seed is a model at every depth; after some of them
    it looks, and stops as soon as the class is decided and, given a promise, something is refuted or all
    seeds are in. How far a verdict may err is said in `DepthCheck.false_alarm`.

    Parameters
    ----------
    factory : callable
        `factory(depth, seed)` returns a model or a function that returns its stream (as `record` takes them),
        or a pair of it and its inputs. Generators of Python, numpy and PyTorch are set from the seed before.
    depths : sequence of int, default (6, 12, 24, 48)
        Three different ones at least; numbers of blocks as the factory counts them.
    seeds : int or sequence of int, default 8
        At most so many models a depth, or their seeds. 4 are the first look.
    expect : {"identity", "critical", "polynomial", "exponential"}, optional
        The class that is claimed.
    promise : callable, optional
        `promise(depth)` returns the `ResNet` that the model claims to be, and the law of every block is
        tested; or the `Transformer`, and its stream on the batch's first sequence is tested against
        `simulate_tokens`.
    inputs : optional
        What every model is called with: a tuple of arguments, or one. Common to all depths and seeds, which
        is what comparisons over depth want.
    blocks : str or sequence of str, optional
        As in `record`.
    false_alarm : float, default 1e-3
        Probability, at most, of a wrong class, and as much of a refuted promise that is kept.
    progress : callable, optional
        Is told a line now and then.

    Returns
    -------
    DepthCheck

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix.
    UserCodeError
        If the factory, its model or the promise raises; the line names it, the error and where it arose.

    Examples
    --------
    A residual stream whose blocks add independent vectors of length 1 grows like a power of depth:

    >>> def factory(depth, seed):
    ...     rng = np.random.default_rng([seed, depth])
    ...     def stream():
    ...         return np.cumsum(rng.normal(size=(depth + 1, 32, 64)), axis=0)
    ...     return stream
    >>> found = depth_check(factory, depths=(8, 16, 32), expect="polynomial")
    >>> found.verdict, round(found.stream.exponent, 1)
    ('consistent', 0.5)
    """
    depths = _check_depths(depths)
    numbers = _check_seeds(seeds)
    false_alarm = check_real("false_alarm", false_alarm, 0.0, 0.5, 1e-3, open_low=True)
    if expect is not None and expect not in CLASSES:
        raise InvalidFieldError(
            "expect", expect, f"must be one of {', '.join(CLASSES)}", "give 'critical', say"
        )
    if not callable(factory):
        raise InvalidFieldError(
            "factory", type(factory).__name__, "must be a function of depth and seed",
            "define build(depth, seed)",
        )  # fmt: skip
    looks = looks_of(len(numbers))
    share = false_alarm / (3 * len(looks))  # three quantities, each at every look
    promised = {L: _promised(promise, L) for L in depths} if promise else {}
    tests = {L: _test_of(promised[L], false_alarm / len(depths), len(looks)) for L in promised}
    measured: list[list[Measured]] = []
    last: dict[int, Stream] = {}
    faults: list[Fault] = []
    found = None
    for count, seed in enumerate(numbers, start=1):
        row = []
        for L in depths:
            if progress is not None:
                progress(f"seed {count} of {len(numbers)}, depth {L}")
            model, arguments = build(factory, L, seed, inputs)
            stream = record(model, *arguments, blocks=blocks, seed=seed, parameters=count == 1)
            row.append(measure(stream))
            last[L] = stream
            if count == 1:
                faults += certain_faults(stream)
                faults += parameter_faults(stream, false_alarm / len(depths))
            if L in tests and not faults_stop(faults, L):
                tests[L].update(stream)
        measured.append(row)
        if count == 1:
            _check_streams(last, depths)
        if count not in looks:
            continue
        structure = find_structure(list(last.values()))
        growths = _growths(measured, depths, structure, share)
        found_class = _class(measured, growths, share)
        certain = {fault.depth for fault in faults if fault.kind in ("overflow", "copy")}
        refuted = [
            fault for L in depths if L in tests and L not in certain for fault in tests[L].faults(structure)
        ]
        unlike, resolution = _outliers(
            measured, last, structure, false_alarm / len(looks), (*faults, *refuted)
        )
        found = DepthCheck(
            depths=depths, seeds=tuple(numbers[:count]), found=found_class, expect=expect,
            branches=growths[0], stream=growths[1], gradient=growths[2], structure=structure,
            faults=(*faults, *refuted, *unlike),
            measured=tuple(map(tuple, measured)), false_alarm=false_alarm,
            notes=_notes(last, tests, structure, faults),
            promise=tuple(promised.values()), resolution=resolution,
        )  # fmt: skip
        enough = not tests or bool(refuted) or bool(certain)
        if any(fault.kind == "overflow" for fault in faults) or (found.settled and enough):
            break
    assert found is not None  # the last seed is a look
    return found


def _promised(promise: Callable[[int], ResNet | Transformer], depth: int) -> ResNet | Transformer:
    with users(f"promise {name_of(promise)}", "define it with one argument, the depth"):
        return promise(depth)


def _test_of(promised: ResNet | Transformer, false_alarm: float, looks: int) -> PromiseTest | TokenPromise:
    if isinstance(promised, Transformer):
        return TokenPromise(promised, false_alarm / looks)
    if isinstance(promised, ResNet):
        return PromiseTest(promised, false_alarm)
    raise InvalidFieldError(
        "promise", promised, "must return a ResNet or a Transformer", "return ResNet(width=64, depth=depth, "
        "beta=0.5), say",
    )  # fmt: skip


def faults_stop(faults: Sequence[Fault], depth: int) -> bool:
    """Return whether a model of this depth has no numbers that could be tested."""
    return any(fault.kind == "overflow" and fault.depth == depth for fault in faults)


def _growths(
    measured: Sequence[Sequence[Measured]], depths: Sequence[int], structure: Structure, share: float
) -> tuple[Growth, Growth, Growth | None]:
    added = structure.norm == "before"
    multiplied = None if structure.norm == "unknown" else not added
    if multiplied is None:
        multiplied = _follows(measured, share)
        added = multiplied is False
    branches = np.array([[m.log_energy if added else m.log_turns for m in row] for row in measured])
    stream = np.array([[m.stream_growth for m in row] for row in measured])
    gradient = np.array([[m.gradient_growth for m in row] for row in measured])
    back = None if np.isnan(gradient).all() else level_growth("gradient", gradient, depths, share)
    return (
        branch_growth(branches, depths, share, multiplied=multiplied),
        level_growth("stream", stream, depths, share),
        back,
    )


def _follows(measured: Sequence[Sequence[Measured]], share: float) -> bool | None:
    """Return whether branches grow with the stream along the deepest model; None if that cannot be told."""
    slopes = np.array([row[-1].branch_degree for row in measured])
    _, low, high = interval_of(slopes, share)
    if high < 0.5:
        return False
    return True if low > 0.5 else None


def _class(
    measured: Sequence[Sequence[Measured]], growths: tuple[Growth, Growth, Growth | None], share: float
) -> str:
    still = np.array([[m.log_movement for m in row] for row in measured])
    if (still == -math.inf).all() or all(interval_of(column, share)[2] < STILL for column in still.T):
        return "identity"
    return worst(*growths)


def _outliers(
    measured: Sequence[Sequence[Measured]], last: dict[int, Stream], structure: Structure, false_alarm: float,
    faults: Sequence[Fault],
) -> tuple[list[Fault], Resolution | None]:  # fmt: skip
    """Return branches that are unlike those around them, at each depth without other faults; and what would
    be seen at the deepest.
    """
    multiplied = structure.norm == "none"
    found: list[Fault] = []
    resolution = None
    for j, (L, stream) in enumerate(last.items()):
        rows = [row[j] for row in measured]
        logs = np.stack([r.log_branch - (r.log_hidden[:-1] if multiplied else 0.0) for r in rows])
        unlike, seen = branch_faults(logs, stream.names, false_alarm / len(last))
        resolution = seen or resolution
        if not any(fault.depth in (L, stream.depth) for fault in faults):
            found += unlike
    return found, resolution


def _notes(
    last: dict[int, Stream],
    tests: dict[int, PromiseTest | TokenPromise],
    structure: Structure,
    faults: Sequence[Fault],
) -> tuple[str, ...]:
    found = [note for stream in last.values() for note in stream.notes]
    found += [test.note for test in tests.values() if test.note]
    for L, stream in last.items():
        if stream.depth != L:
            found.append(f"a model of depth {L} has a stream of {stream.depth} blocks")
    if any(fault.kind == "copy" for fault in faults):
        found.append("theory, and what classes mean, are those of blocks with independent weights")
    if not structure.residual:
        found.append(
            "blocks are not residual: theory is that of residual networks, and none stands beside them"
        )
    elif structure.norm == "unknown":
        found.append("blocks are not recognised: no theory beside the measurement")
    return tuple(dict.fromkeys(found))


def _check_streams(last: dict[int, Stream], depths: Sequence[int]) -> None:
    found = sorted({stream.depth for stream in last.values()})
    if len(found) < 3:
        blocks = " or ".join(map(str, found))
        raise InvalidFieldError(
            "factory", f"{blocks} blocks",
            f"must build models of three different depths at least, where depth is {str(depths)[1:-1]}",
            "build as many blocks as depth says, or say with blocks= which they are",
        )  # fmt: skip


def _check_depths(depths: Sequence[int]) -> tuple[int, ...]:
    listed = check_sequence("depths", depths, "give depths=[6, 12, 24], say")
    found = sorted({check_whole("depths", L, 1, 1_000_000, 12) for L in listed})
    if len(found) < 3:
        raise InvalidFieldError(
            "depths", listed, "must be three different depths at least", "give depths=[6, 12, 24], say"
        )
    return tuple(found)


def _check_seeds(seeds: int | Sequence[int]) -> list[int]:
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        return list(range(check_whole("seeds", seeds, 2, 100_000, 8)))
    found = [check_seed(seed) for seed in check_sequence("seeds", seeds, "give seeds=8, say")]
    if len(found) < 2 or len(set(found)) < len(found):
        raise InvalidFieldError("seeds", found, "must be two different seeds at least", "give seeds=8, say")
    return found
