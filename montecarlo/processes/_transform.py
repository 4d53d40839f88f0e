"""Real inverse FFTs of eight or sixteen sequences at once, in the lanes of a register: scipy's, bit by bit.

scipy transforms what lies beside each other in registers of four numbers, and copies it there; called once
a network, it leaves the paths of narrow ones to Python. Here a kernel transforms in place what it has just
drawn, for lengths that have no prime factor above five. Operations and roots of unity are those of pocketfft
(`montecarlo.processes._butterflies`), so a path has the same bits whichever of the two made it.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, helper
from montecarlo.processes._butterflies import BUTTERFLIES, Butterfly, Pair
from montecarlo.streams._blocks import WIDE

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_VECTOR = ir.VectorType(ir.FloatType(), WIDE)
_INDEX = ir.IntType(64)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TWO, _THREE, _FOUR = (np.uint64(radix) for radix in (2, 3, 4))


class Plan(NamedTuple):
    """How to transform sequences of one length."""

    length: Any
    radices: Any
    """Of the passes, the first one first."""
    roots: Any
    """Roots of unity of all passes but the last, one pass after the other, each radix - 1 rows of pairs."""
    scale: Any
    """One number, 1 / length, for the results."""

    @classmethod
    def of(cls, length: int) -> Plan | None:
        """Return the plan of a length, or None where it has a prime factor above five.

        Examples
        --------
        >>> Plan.of(40).radices.tolist()
        [2, 4, 5]
        >>> Plan.of(14) is None
        True
        """
        radices = radices_of(length)
        if radices is None:
            return None
        return cls(
            np.uint64(length),
            np.array(radices, np.uint64),
            _roots(length, radices),
            np.array([1.0 / length], np.float32),
        )


def radices_of(length: int) -> list[int] | None:
    """Return the radices that pocketfft takes for a length, None where one of them is above five."""
    radices: list[int] = []
    left = length
    for radix in (4, 2, 3, 5):
        while left % radix == 0:
            radices.append(radix)
            left //= radix
    if 2 in radices:
        place = radices.index(2)
        radices[0], radices[place] = 2, radices[0]
    return radices if left == 1 else None


def _roots(length: int, radices: list[int]) -> Float32:
    found = []
    done = 1
    for radix in radices[:-1]:
        size = length // (done * radix)
        i = np.arange(1, (size - 1) // 2 + 1)
        for j in range(1, radix):
            # A row is size - 1 numbers, of which the last is idle where that is odd.
            row = np.zeros(size - 1, np.float32)
            row[: 2 * len(i)] = _unit_roots(length, j * done * i).ravel()
            found.append(row)
        done *= radix
    return np.concatenate([*found, np.zeros(1, np.float32)])


def _unit_roots(length: int, index: npt.NDArray[np.int64]) -> Float32:
    """Return cosine and sine of 2π index / length, index <= length / 2: shape (n, 2)."""
    fine, coarse, shift = _tables(length)
    first, second = fine[index & ((1 << shift) - 1)].T, coarse[index >> shift].T
    real = first[0] * second[0] - first[1] * second[1]
    imag = first[0] * second[1] + first[1] * second[0]
    return np.stack([real, imag], axis=1).astype(np.float32)


@functools.lru_cache(maxsize=4)
def _tables(length: int) -> tuple[Float64, Float64, int]:
    """Return two tables whose products are the roots, to double precision, and how many bits the first has.

    The C library's sine and cosine, as there: numpy's may differ in the last bit.
    """
    unit = float(np.longdouble("0.78539816339744830961566084581987572105") / length)
    values = (length + 2) // 2
    shift = 1
    while (1 << shift) ** 2 < values:
        shift += 1
    fine = np.array([_unit_root(i, length, unit) for i in range(1 << shift)])
    count = (values + (1 << shift) - 1) >> shift
    return fine, np.array([_unit_root(i << shift, length, unit) for i in range(count)]), shift


def _unit_root(index: int, length: int, unit: float) -> tuple[float, float]:
    x = 8 * index  # in eighths: from the nearest multiple of a quarter turn, where they are exact
    if x < 2 * length:
        if x < length:
            return math.cos(x * unit), math.sin(x * unit)
        return math.sin((2 * length - x) * unit), math.cos((2 * length - x) * unit)
    x -= 2 * length
    if x < length:
        return -math.sin(x * unit), math.cos(x * unit)
    return -math.cos((2 * length - x) * unit), math.sin((2 * length - x) * unit)


class _Lanes:
    """A register of float32 numbers, for the butterflies."""

    __array_ufunc__ = None  # numpy's scalars leave products with it to `__rmul__`

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.value = value

    def __add__(self, other: _Lanes) -> _Lanes:
        return _Lanes(self.builder, self.builder.fadd(self.value, other.value))

    def __sub__(self, other: _Lanes) -> _Lanes:
        return _Lanes(self.builder, self.builder.fsub(self.value, other.value))

    def __mul__(self, other: _Lanes | np.float32) -> _Lanes:
        factor = other.value if isinstance(other, _Lanes) else ir.Constant(_VECTOR, [float(other)] * WIDE)
        return _Lanes(self.builder, self.builder.fmul(self.value, factor))

    __rmul__ = __mul__


def _pass_compiled(butterfly: Butterfly, radix: int) -> Any:
    def radix_pass(typingctx, source, begin, target, end, size, count, roots, first_root):
        """Perform a pass on `count` times radix rows of `size` numbers in lanes.

        They begin at ``source[begin]``, the results at ``target[end]``, the roots at ``roots[first_root]``.
        """
        array, index = types.float32[::1], types.uint64
        signature = types.void(array, index, array, index, index, index, array, index)

        def codegen(context, builder, sig, args):
            source, target, roots = (
                context.make_array(sig.args[position])(context, builder, args[position]).data
                for position in (0, 2, 6)
            )
            _, begin, _, end, size, count, _, first_root = args
            source, target = builder.gep(source, [begin]), builder.gep(target, [end])
            roots = builder.gep(roots, [first_root])

            def constant(value: int) -> Any:
                return ir.Constant(_INDEX, value)

            def pointer(base: Any, row: Any, place: Any) -> Any:
                number = builder.add(builder.mul(row, size), place)
                start = builder.gep(base, [builder.mul(number, constant(WIDE))])
                return builder.bitcast(start, _VECTOR.as_pointer())

            def load(row: Any, place: Any) -> _Lanes:
                return _Lanes(builder, builder.load(pointer(source, row, place), align=4))

            def store(value: _Lanes, row: Any, place: Any) -> None:
                builder.store(value.value, pointer(target, row, place), align=4)

            def root(c: int, before: Any) -> Pair:
                row = builder.mul(constant(c - 1), builder.sub(size, constant(1)))
                numbers = []
                for part in (0, 1):
                    place = builder.add(row, builder.add(before, constant(part)))
                    single = builder.load(builder.gep(roots, [place]))
                    lane = builder.insert_element(
                        ir.Constant(_VECTOR, ir.Undefined), single, ir.Constant(ir.IntType(32), 0)
                    )
                    spread = ir.Constant(ir.VectorType(ir.IntType(32), WIDE), [0] * WIDE)
                    numbers.append(_Lanes(builder, builder.shuffle_vector(lane, lane, spread)))
                return Pair(*numbers)

            zero, last_place = constant(0), builder.sub(size, constant(1))
            even = builder.icmp_unsigned("==", builder.and_(size, constant(1)), zero)
            with cgutils.for_range(builder, count) as group:
                k = group.index
                rows = [builder.add(builder.mul(k, constant(radix)), constant(b)) for b in range(radix)]
                results = [builder.add(builder.mul(count, constant(c)), k) for c in range(radix)]

                def ends(part, place, rows=rows, results=results):
                    made = part(lambda b: load(rows[b], zero), lambda b: load(rows[b], last_place))
                    for c, value in enumerate(made):
                        store(value, results[c], place)

                ends(butterfly.head, zero)
                if butterfly.tail is not None:
                    with builder.if_then(even):
                        ends(butterfly.tail, last_place)
                pairs = builder.udiv(last_place, constant(2))
                with cgutils.for_range(builder, pairs) as loop:
                    before = builder.mul(loop.index, constant(2))
                    here = builder.add(before, constant(1))
                    there = builder.sub(builder.sub(last_place, before), constant(2))

                    def at(row, place):
                        return Pair(load(row, place), load(row, builder.add(place, constant(1))))

                    made = butterfly.middle(
                        lambda b, rows=rows, here=here: at(rows[b], here),
                        lambda b, rows=rows, there=there: at(rows[b], there),
                    )
                    for c, pair in enumerate(made):
                        turned = pair.turned(root(c, before)) if c else pair
                        store(turned.real, results[c], here)
                        store(turned.imag, results[c], builder.add(here, constant(1)))
            return context.get_dummy_value()

        return signature, codegen

    return intrinsic(radix_pass)


def _pass_python(butterfly: Butterfly, radix: int) -> Any:
    def radix_pass(source, begin, target, end, size, count, roots, first_root):
        begin, end, size, count, first_root = (int(x) for x in (begin, end, size, count, first_root))
        n = size * count * radix
        x = source[begin : begin + WIDE * n].reshape(count, radix, size, WIDE).transpose(1, 2, 0, 3)
        y = target[end : end + WIDE * n].reshape(radix, count, size, WIDE).transpose(0, 2, 1, 3)
        parts = [(butterfly.head, 0)]
        if butterfly.tail is not None and size % 2 == 0:
            parts.append((butterfly.tail, size - 1))
        for part, place in parts:
            for c, value in enumerate(part(lambda b: x[b, 0], lambda b: x[b, -1])):
                y[c, place] = value
        for here in range(1, size - 1, 2):
            there = size - 2 - here
            made = butterfly.middle(
                lambda b, here=here: Pair(x[b, here], x[b, here + 1]),
                lambda b, there=there: Pair(x[b, there], x[b, there + 1]),
            )
            for c, pair in enumerate(made):
                root = roots[first_root + (c - 1) * (size - 1) + here - 1 :][:2]
                y[c, here], y[c, here + 1] = pair.turned(Pair(*root)) if c else pair

    return radix_pass


_make = _pass_python if JIT_OFF else _pass_compiled
_pass_2, _pass_3, _pass_4, _pass_5 = (_make(butterfly, radix) for radix, butterfly in BUTTERFLIES.items())


@helper
def transform(plan, room, first, second):
    """Transform the sequences in lanes at ``room[first]``, without the scale.

    ``room[second]`` has as much room. Returns where the results are.
    """
    done, root = _ONE, _ZERO
    for position in range(plan.radices.size):
        radix = plan.radices[position]
        size = plan.length // (done * radix)
        if radix == _FOUR:
            _pass_4(room, first, room, second, size, done, plan.roots, root)
        elif radix == _TWO:
            _pass_2(room, first, room, second, size, done, plan.roots, root)
        elif radix == _THREE:
            _pass_3(room, first, room, second, size, done, plan.roots, root)
        else:
            _pass_5(room, first, room, second, size, done, plan.roots, root)
        root += (radix - _ONE) * (size - _ONE)
        done *= radix
        first, second = second, first
    return first
