"""Philox words of many counters at once, in LLVM's IR.

LLVM vectorises a loop over `philox` sixteen counters at a time and leaves the rest to narrow registers or to
scalar code: at a width of 40 that rest took half the time. Here several registers of eight counters are
interleaved, which hides the latency of the multiplications, and single ones finish.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, LANES
from montecarlo.streams._philox import MULTIPLIERS, ROUNDS, WEYL, philox

_FEATURES = getattr(config, "CPU_FEATURES", None) or llvmlite.binding.get_host_cpu_features().flatten()

INTERLEAVED = 4 if "+avx512f" in _FEATURES else 1
"""Blocks of eight counters in flight: as many as fit into the registers that numba compiles for."""

SIDES = 2 if "+avx512f" in _FEATURES else 1
"""Registers of eight float32 numbers that are worked on side by side, as one where it has room for them."""

WIDE = SIDES * LANES
"""Their lanes. No number depends on its neighbours, so this is the machine's affair."""

REPLICAS = 16
"""Replicas in lanes."""

_LONG = ir.IntType(64)
_VECTOR = ir.VectorType(_LONG, LANES)
_WORDS = ir.VectorType(ir.IntType(32), LANES)
_HALVES = ir.VectorType(ir.IntType(32), 2 * LANES)
_WIDE_WORDS = ir.VectorType(ir.IntType(32), WIDE)


class Table(NamedTuple):
    """A table inside a flat array: the array, and the element where it starts."""

    array: Any
    start: Any


def base_of(context: Any, builder: Any, kind: Any, value: Any) -> tuple[Any, Any]:
    """Return the address where an array, or a `Table` in one, begins, and the type of its elements."""
    if not isinstance(kind, types.NamedTuple):
        proxy = (
            context.make_array(kind) if isinstance(kind, types.Array) else cgutils.create_struct_proxy(kind)
        )
        return proxy(context, builder, value).data, kind.dtype
    array, start = cgutils.unpack_tuple(builder, value, 2)
    base, dtype = base_of(context, builder, kind.types[0], array)
    return builder.gep(base, [start]), dtype


def splat(builder: Any, scalar: Any, width: int = LANES) -> Any:
    """Return a vector of equal lanes."""
    kind = ir.VectorType(scalar.type, width)
    zero = ir.Constant(ir.IntType(32), 0)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, zero)
    return builder.shuffle_vector(
        single, single, ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    )


def _both(builder: Any, operation: Any, left: Any, right: Any) -> Any:
    """Apply an operation to two words, either of them a scalar that all lanes share or a vector."""
    if left.type != right.type:
        left, right = (splat(builder, word) if word.type == _LONG else word for word in (left, right))
    return operation(left, right)


def _constant(number: int, kind: Any) -> Any:
    return ir.Constant(kind, number if kind == _LONG else [number] * LANES)


def _rounds(builder: Any, states: list[list[Any]], keys: list[Any]) -> list[list[Any]]:
    """Return the states, four words in 64 bits each, after ten rounds; upper halves are garbage.

    A word that all lanes share comes as a scalar, and stays one as long as it can.
    """

    def product(word: Any, multiplier: int) -> Any:
        low = builder.and_(word, _constant(0xFFFFFFFF, word.type))
        return builder.mul(low, _constant(multiplier, word.type))

    def mixed(wide: Any, word: Any, key: Any) -> Any:
        high = builder.lshr(wide, _constant(32, wide.type))
        return _both(builder, builder.xor, _both(builder, builder.xor, high, word), key)

    def twice(word: Any) -> Any:
        wide = builder.zext(word, _LONG)
        return builder.or_(wide, builder.shl(wide, _constant(32, _LONG)))

    for round_ in range(ROUNDS):
        k0, k1 = (
            twice(builder.add(key, ir.Constant(key.type, round_ * weyl % 2**32)))
            for key, weyl in zip(keys, WEYL, strict=True)
        )
        products = [(product(c0, MULTIPLIERS[0]), product(c2, MULTIPLIERS[1])) for c0, _, c2, _ in states]
        states = [
            [mixed(right, c1, k0), right, mixed(left, c3, k1), left]
            for (left, right), (_, c1, _, c3) in zip(products, states, strict=True)
        ]
    return states


def _fill_python(k0, k1, c1, c2, c3, counters, n, out, plane):
    for i in range(-(-int(n) // LANES) * LANES):
        counter = np.float32(counters.array[int(counters.start) + i]).view(np.uint32)
        for w, word in enumerate(philox(counter, c1, c2, c3, k0, k1)):
            out.array[int(out.start) + w * int(plane) + i] = np.uint32(word).view(np.float32)


def _fill_compiled(typingctx, k0, k1, c1, c2, c3, counters, n, out, plane):
    """Store word w of counter i at ``w * plane + i`` in the table `out` for i < n, rounded up to eights.

    The counter is ``(counters[i], c1, c2, c3)``. Both tables are float32 and hold the bits of words, so that
    one scratch serves words and floats.
    """
    word, index = types.uint32, types.uint64
    signature = types.void(word, word, word, word, word, counters, index, out, index)

    def codegen(context, builder, sig, args):
        source, target = (base_of(context, builder, sig.args[at], args[at])[0] for at in (5, 7))
        upper = [builder.zext(args[position], _LONG) for position in (2, 3, 4)]
        n, plane = args[6], args[8]

        def pointer(base, place):
            return builder.bitcast(builder.gep(base, [place]), _WORDS.as_pointer())

        def block(first, registers):
            states, places = [], []
            for register in range(registers):
                place = builder.add(first, ir.Constant(first.type, register * LANES))
                counter = builder.load(pointer(source, place), align=4)
                halves = ir.Constant(_HALVES, [lane // 2 for lane in range(2 * LANES)])
                counter = builder.shuffle_vector(counter, counter, halves)
                states.append([builder.bitcast(counter, _VECTOR), *upper])
                places.append(place)
            for place, state in zip(places, _rounds(builder, states, [args[0], args[1]]), strict=True):
                behind = place
                for value in state:
                    builder.store(builder.trunc(value, _WORDS), pointer(target, behind), align=4)
                    behind = builder.add(behind, plane)

        size = n.type
        eights = builder.udiv(builder.add(n, ir.Constant(size, LANES - 1)), ir.Constant(size, LANES))
        many = builder.udiv(eights, ir.Constant(size, INTERLEAVED))
        with cgutils.for_range(builder, many) as loop:
            block(builder.mul(loop.index, ir.Constant(size, INTERLEAVED * LANES)), INTERLEAVED)
        done = builder.mul(many, ir.Constant(size, INTERLEAVED))
        if INTERLEAVED > 1:
            with cgutils.for_range(builder, builder.sub(eights, done)) as loop:
                block(builder.mul(builder.add(done, loop.index), ir.Constant(size, LANES)), 1)
        return context.get_dummy_value()

    return signature, codegen


def _fill_replicas_python(k0, k1, layer_role, low, high, groups, out):
    for group in range(int(groups)):
        for lane in range(REPLICAS):
            replica = np.uint32(low + np.uint32(lane))
            for w, word in enumerate(philox(np.uint32(group), layer_role, replica, high, k0, k1)):
                place = (w * int(groups) + group) * REPLICAS + lane
                out.array[int(out.start) + place] = np.uint32(word).view(np.float32)


def _fill_replicas_compiled(typingctx, k0, k1, layer_role, low, high, groups, out):
    """Store word w of counter g at ``16 (w * groups + g) + lane`` in a table for sixteen replicas in lanes.

    The counter is ``(g, layer_role, low + lane, high)``. The first two rounds cost little: most of their
    words are shared by the lanes, or by all the counters.
    """
    word, index = types.uint32, types.uint64
    signature = types.void(word, word, word, word, word, index, out)

    def codegen(context, builder, sig, args):
        target, _ = base_of(context, builder, sig.args[6], args[6])
        layer_role, low, high = (builder.zext(args[position], _LONG) for position in (2, 3, 4))
        groups = args[5]
        starts = range(0, REPLICAS, LANES)
        replicas = [
            builder.add(splat(builder, low), ir.Constant(_VECTOR, list(range(first, first + LANES))))
            for first in starts
        ]
        plane = builder.mul(groups, _constant(REPLICAS, _LONG))

        def block(first, count):
            states, places = [], []
            for offset in range(count):
                group = builder.add(first, _constant(offset, _LONG))
                row = builder.mul(group, _constant(REPLICAS, _LONG))
                for lane, replica in zip(starts, replicas, strict=True):
                    states.append([group, layer_role, replica, high])
                    places.append(builder.add(row, _constant(lane, _LONG)))
            for place, state in zip(places, _rounds(builder, states, [args[0], args[1]]), strict=True):
                for w, value in enumerate(state):
                    behind = builder.add(place, builder.mul(plane, _constant(w, _LONG)))
                    pointer = builder.bitcast(builder.gep(target, [behind]), _WORDS.as_pointer())
                    builder.store(builder.trunc(value, _WORDS), pointer, align=4)

        many = max(INTERLEAVED * LANES // REPLICAS, 1)
        pairs = builder.udiv(groups, _constant(many, _LONG))
        with cgutils.for_range(builder, pairs) as loop:
            block(builder.mul(loop.index, _constant(many, _LONG)), many)
        if many > 1:
            done = builder.mul(pairs, _constant(many, _LONG))
            with cgutils.for_range(builder, builder.sub(groups, done)) as loop:
                block(builder.add(done, loop.index), 1)
        return context.get_dummy_value()

    return signature, codegen


def _fill_layers_python(words: int) -> Any:
    def fill_layers(k0, k1, counter, layer_role, low, high, layers, out, plane):
        for layer in range(int(layers)):
            for place in range(WIDE):
                side, lane = divmod(place, LANES)
                t_role, replica = np.uint32(layer_role + np.uint32(layer)), np.uint32(low + np.uint32(lane))
                own = philox(np.uint32(counter + np.uint32(side)), t_role, replica, high, k0, k1)
                for w, word in enumerate(own[:words]):
                    out[w * int(plane) + layer * WIDE + place] = np.uint32(word).view(np.float32)

    return fill_layers


def _fill_layers_compiled(words: int) -> Any:
    def fill_layers(typingctx, k0, k1, counter, layer_role, low, high, layers, out, plane):
        """Store the first words of consecutive layers for eight replicas in lanes, `SIDES` counters each.

        Word w of layer t is at ``w * plane + WIDE * t + 8 * side + lane``, from the counter
        ``(counter + side, layer_role + t, low + lane, high)``. The first three rounds cost little: lanes,
        layers or sides share most of their words.
        """
        word, index = types.uint32, types.uint64
        signature = types.void(word, word, word, word, word, word, index, types.float32[::1], index)

        def codegen(context, builder, sig, args):
            target, _ = base_of(context, builder, sig.args[7], args[7])
            low, high = (builder.zext(args[position], _LONG) for position in (4, 5))
            counter, layer_role, layers, plane = args[2], args[3], args[6], args[8]
            sides = [
                builder.zext(builder.add(counter, ir.Constant(counter.type, side)), _LONG)
                for side in range(SIDES)
            ]
            replicas = builder.add(splat(builder, low), ir.Constant(_VECTOR, list(range(LANES))))

            def block(first, rows):
                states, places = [], []
                for row in range(rows):
                    layer = builder.add(first, _constant(row, _LONG))
                    t_role = builder.zext(
                        builder.add(layer_role, builder.trunc(layer, ir.IntType(32))), _LONG
                    )
                    # In both halves: LLVM takes what counts up for one of 64 bits, and multiplies so.
                    t_role = builder.or_(t_role, builder.shl(t_role, _constant(32, _LONG)))
                    states += [[side, t_role, replicas, high] for side in sides]
                    places.append(builder.mul(layer, _constant(WIDE, _LONG)))
                made = _rounds(builder, states, [args[0], args[1]])
                states = [state[:words] for state in made]
                for row, place in enumerate(places):
                    behind = place
                    for value in zip(*states[row * SIDES : (row + 1) * SIDES], strict=True):
                        pointer = builder.bitcast(builder.gep(target, [behind]), _WIDE_WORDS.as_pointer())
                        builder.store(_beside(builder, value), pointer, align=4)
                        behind = builder.add(behind, plane)

            at_once = max(INTERLEAVED // SIDES, 1)
            many = builder.udiv(layers, _constant(at_once, _LONG))
            with cgutils.for_range(builder, many) as loop:
                block(builder.mul(loop.index, _constant(at_once, _LONG)), at_once)
            if at_once > 1:
                done = builder.mul(many, _constant(at_once, _LONG))
                with cgutils.for_range(builder, builder.sub(layers, done)) as loop:
                    block(builder.add(done, loop.index), 1)
            return context.get_dummy_value()

        return signature, codegen

    return intrinsic(fill_layers)


def _beside(builder: Any, states: tuple[Any, ...]) -> Any:
    """Return the lower halves of one register, or of two side by side."""
    if len(states) == 1:
        return builder.trunc(states[0], _WORDS)
    left, right = (builder.bitcast(state, _HALVES) for state in states)
    # One permutation; as two narrowings it would take four.
    return builder.shuffle_vector(left, right, ir.Constant(_HALVES, list(range(0, 4 * LANES, 2))))


_fill_layers: Any = _fill_layers_python if JIT_OFF else _fill_layers_compiled
fill_two_words, fill_four_words = _fill_layers(2), _fill_layers(4)
fill_words: Any = _fill_python if JIT_OFF else intrinsic(_fill_compiled)
fill_replica_words: Any = _fill_replicas_python if JIT_OFF else intrinsic(_fill_replicas_compiled)
