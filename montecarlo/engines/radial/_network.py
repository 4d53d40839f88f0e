"""The radial engine's kernel: Gram entries of (h_0, h - h_0) instead of vectors.

In the frame of ``e = h_0/‖h_0‖`` and of the part of h orthogonal to it, one layer of res-3 with Gaussian
weights is (Bartlett decomposition of the image of V, I6)

    σ = α ‖h‖ √χ²_N / d,      N ~ Bin(d, 1/2),
    h·e  += σ Z₁,      ‖h_⊥‖² ← (‖h_⊥‖ + σ Z₂)² + σ² χ²_{d-2},

with Z₁, Z₂ standard normal and all variates independent; linear res-1 has σ = α ‖h‖/√d. The draws do not
depend on the state: they are made for a chunk of layers and sixteen networks at once, then the walk goes over
them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, helper, inline, kernel
from montecarlo.kernels._difference import ROUNDING
from montecarlo.kernels._lanes import NETWORKS, Rows
from montecarlo.streams._keys import ROLE_RADIAL_NORMALS, ROLE_RADIAL_WORDS
from montecarlo.streams._normals import box_muller
from montecarlo.streams._philox import philox

CHUNK_LAYERS = 32
"""Layers that are drawn at once."""

_NORMALS = np.uint32(ROLE_RADIAL_NORMALS << 28)
_WORDS = np.uint32(ROLE_RADIAL_WORDS << 28)
_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)
_F = np.float32
_LN2 = math.log(2.0)
_DUAL = np.uint32(0x80000000)  # in the counter's first word: the networks of the dual columns


@inline
def _draw_chunk(k0, k1, stream, first_layer, low, high, n, z1, z2, x1, x2, u1, u2, w1, w2):
    for i in range(_ZERO, n):
        lane = np.uint32(np.uint32(i) & np.uint32(15))
        layer = np.uint32(first_layer + np.uint32(np.uint32(i) >> np.uint32(4)))
        replica = np.uint32(low + lane)
        a0, a1, a2, a3 = philox(stream, np.uint32(layer | _NORMALS), replica, high, k0, k1)
        n0, n1 = box_muller(a0, a1)
        n2, n3 = box_muller(a2, a3)
        z1[i] = n0
        z2[i] = n1
        x1[i] = n2
        x2[i] = n3
    for i in range(_ZERO, n):
        lane = np.uint32(np.uint32(i) & np.uint32(15))
        layer = np.uint32(first_layer + np.uint32(np.uint32(i) >> np.uint32(4)))
        replica = np.uint32(low + lane)
        b0, b1, b2, b3 = philox(stream, np.uint32(layer | _WORDS), replica, high, k0, k1)
        u1[i] = b0
        u2[i] = b1
        w1[i] = b2
        w2[i] = b3


@inline
def _count_bits(word):
    word = np.uint32(word - (np.uint32(word >> np.uint32(1)) & np.uint32(0x55555555)))
    pairs = np.uint32(word & np.uint32(0x33333333))
    word = np.uint32(pairs + (np.uint32(word >> np.uint32(2)) & np.uint32(0x33333333)))
    word = np.uint32(np.uint32(word + np.uint32(word >> np.uint32(4))) & np.uint32(0x0F0F0F0F))
    return np.uint32(np.uint32(word * np.uint32(0x01010101)) >> np.uint32(24))


@helper
def _exact_chi_square(k0, k1, stream, layer, low, high, which, shape, scale, x, word):
    """Return a chi-square by Marsaglia and Tsang's test, from the first proposal on; float64.

    At least two degrees. A rejected proposal is replaced by those of further counters, never by a global
    generator's.
    """
    attempt = np.uint32(0)
    while True:
        v = 1.0 + scale * x
        if v > 0.0:
            v = v * v * v
            u = (np.float64(word) + 0.5) * 2.0**-32
            if math.log(u) < 0.5 * x * x + shape * (1.0 - v + math.log(v)):
                return 2.0 * shape * v
        attempt = np.uint32(attempt + np.uint32(1))
        counter = np.uint32(stream + np.uint32(np.uint32(2) * attempt + which))
        w0, w1, w2, _ = philox(counter, np.uint32(layer | _WORDS), low, high, k0, k1)
        z, _ = box_muller(w0, w1)
        x = np.float64(z)
        word = w2


@inline
def _propose(n, x, words, shape, scale, out, doubtful):
    """Store ``2 d (1 + c x)³`` where the squeeze accepts, and mark the rest; constant degrees."""
    for i in range(_ZERO, n):
        v = _F(1.0) + scale * x[i]
        x2 = x[i] * x[i]
        u = _F(np.int32(np.uint32(words[i] >> np.uint32(1)))) * _F(2.0**-31)
        fine = (u < _F(1.0) - _F(0.0331) * x2 * x2) and (v > _F(0.0))
        out[i] = _F(2.0) * shape * v * v * v
        doubtful[i] = np.uint32(0) if fine else np.uint32(1)


@inline
def _propose_table(n, active, x, words, shapes, scales, out, doubtful):
    """Store the same with degrees of freedom from `active`; none or one need no test."""
    for i in range(_ZERO, n):
        degrees = np.uint64(active[i])
        shape = shapes[degrees]
        v = _F(1.0) + scales[degrees] * x[i]
        x2 = x[i] * x[i]
        u = _F(np.int32(np.uint32(words[i] >> np.uint32(1)))) * _F(2.0**-31)
        fine = (u < _F(1.0) - _F(0.0331) * x2 * x2) and (v > _F(0.0))
        # The tabulated shape of less than two degrees is zero.
        out[i] = x2 if active[i] == np.uint32(1) else _F(2.0) * shape * v * v * v
        fine = fine or active[i] < np.uint32(2)
        doubtful[i] = np.uint32(0) if fine else np.uint32(1)


def _walk_python(z1, z2, active, rest, rows, factor, frozen, bend, frame, along, across, difference):
    n = int(rows) * NETWORKS
    for k in range(0, n, NETWORKS):
        lanes = slice(k, k + NETWORKS)
        square = (1.0 - frozen) * (along**2 + across**2) + frozen
        sigma_square = factor * square * active[lanes]
        sigma = np.sqrt(sigma_square)
        step = sigma * z1[lanes]
        moved = along + step
        along[:] = np.where(moved == 0.0, along * 2.0**-25, moved)
        difference += frame * step
        turned = across + bend * sigma * z2[lanes]
        across[:] = np.sqrt(turned**2 + sigma_square * rest[lanes])


def _walk_compiled(
    typingctx, z1, z2, active, rest, rows, factor, frozen, bend, frame, along, across, difference
):
    """Walk the lanes' Gram entries through `rows` layers of draws.

    `factor` is α²/d², α²/d for linear res-1; with `frozen` = 1 (else 0) the norm that scales a layer stays 1.
    """
    index, real = types.uint64, types.float64
    signature = types.void(z1, z2, active, rest, index, real, real, real, frame, along, across, difference)

    def codegen(context, builder, sig, args):
        lanes = Rows(context, builder, sig, args)
        double = lanes.double
        root_type = ir.FunctionType(double, [double])
        root = cgutils.get_or_insert_function(builder.module, root_type, f"llvm.sqrt.v{NETWORKS}f64")

        def spread(value):
            one = builder.insert_element(
                ir.Constant(double, ir.Undefined), value, ir.Constant(ir.IntType(32), 0)
            )
            mask = ir.Constant(ir.VectorType(ir.IntType(32), NETWORKS), [0] * NETWORKS)
            return builder.shuffle_vector(one, one, mask)

        def row_of(position, row):
            pointer = builder.gep(lanes.bases[position], [builder.mul(row, ir.Constant(row.type, NETWORKS))])
            vector = builder.load(builder.bitcast(pointer, lanes.single.as_pointer()), align=4)
            return lanes.widen(vector)

        factor, frozen, bend, frame = spread(args[5]), spread(args[6]), spread(args[7]), lanes.load(8)
        moving = builder.fsub(ir.Constant(double, [1.0] * NETWORKS), frozen)
        slots = []
        for position in (9, 10, 11):
            slot = cgutils.alloca_once(builder, double)
            builder.store(lanes.load(position), slot)
            slots.append(slot)
        with cgutils.for_range(builder, args[4]) as loop:
            along, across, difference = (builder.load(slot) for slot in slots)
            square = builder.fadd(builder.fmul(along, along), builder.fmul(across, across))
            square = builder.fadd(builder.fmul(moving, square), frozen)
            sigma_square = builder.fmul(builder.fmul(factor, square), row_of(2, loop.index))
            sigma = builder.call(root, [sigma_square])
            step = builder.fmul(sigma, row_of(0, loop.index))
            # A float32 normal may cancel the component exactly: 2**-25 of it is left (no law here has that
            # atom).
            moved = builder.fadd(along, step)
            rest_of = builder.fmul(along, ir.Constant(double, [2.0**-25] * NETWORKS))
            cancelled = builder.fcmp_ordered("==", moved, ir.Constant(double, [0.0] * NETWORKS))
            builder.store(builder.select(cancelled, rest_of, moved), slots[0])
            builder.store(builder.fadd(difference, builder.fmul(frame, step)), slots[2])
            turn = builder.fmul(builder.fmul(bend, sigma), row_of(1, loop.index))
            turned = builder.fadd(across, turn)
            total = builder.fadd(
                builder.fmul(turned, turned), builder.fmul(sigma_square, row_of(3, loop.index))
            )
            builder.store(builder.call(root, [total]), slots[1])
        for slot, position in zip(slots, (9, 10, 11), strict=True):
            lanes.store(builder.load(slot), position)
        return context.get_dummy_value()

    return signature, codegen


_walk: Any = _walk_python if JIT_OFF else intrinsic(_walk_compiled)


@helper
def _rescale(along, across, difference, exponents, frame, alive):
    """Keep ``(h·e, ‖h_⊥‖)`` near one, lane by lane.

    The difference along e is in the frame ``max(exponent, 0)``.
    """
    for lane in range(_ZERO, _SIXTEEN):
        peak = max(abs(along[lane]), across[lane])
        if 2.0**-60 < peak < 2.0**60 or peak == 0.0:
            continue
        if not peak < np.inf:
            alive[lane] = False
            along[lane] = 0.0
            across[lane] = 0.0
            continue
        shift = math.frexp(peak)[1]
        old = max(exponents[lane], 0)
        exponents[lane] += shift
        along[lane] = math.ldexp(along[lane], -shift)
        across[lane] = math.ldexp(across[lane], -shift)
        difference[lane] = math.ldexp(difference[lane], int(old - max(exponents[lane], 0)))
        frame[lane] = math.ldexp(1.0, int(max(min(exponents[lane], 0), -2000)))


@inline
def _log_ratio(along, across, exponent):
    square = along * along + across * across
    return 0.5 * math.log(square) + exponent * _LN2 if square > 0.0 else -np.inf


_MATRIX = types.float64[:, ::1]
_RUN_BLOCK = types.void(
    types.boolean, types.int64, types.int64, types.float64, types.int32[::1], types.uint32[::1],
    types.int64, types.float32[::1], types.float32[::1], types.int64, types.int64, types.boolean,
    types.uint32, types.uint32, types.uint64, _MATRIX, _MATRIX,
)  # fmt: skip


@kernel(signature=_RUN_BLOCK)
def run_block(
    linear, width, depth, alpha, outcomes, thresholds, bits, shapes, scales, chunk, rescaled, dual, k0, k1,
    first_replica, rows_out, path,
):  # fmt: skip
    """Sample (log hidden ratio, log hidden difference) of consecutive networks into `rows_out`, shape (n, 2).

    With a `path`, shape (n, L+1), the log ratio along depth is stored, and `chunk` must be 1. States are
    rescaled every `rescaled` layers, a multiple of `chunk`.
    """
    d = np.float64(width)
    # Below 2**-100 the norm of h stays 1 to the last digit, while squares of α would underflow: the
    # difference is then counted in units of a power of two near α.
    tiny = alpha < 2.0**-100
    unit = math.frexp(alpha)[1] if tiny else 0
    frozen = 1.0 if tiny else 0.0
    scaled = math.ldexp(alpha, -unit)
    factor = scaled * scaled / d if linear else scaled * scaled / (d * d)
    bend = 0.0 if width == 1 else 1.0
    rest_degrees = max(width - 2, 0)
    rest_shape = shapes[rest_degrees]
    rest_scale = scales[rest_degrees]
    stream = _DUAL if dual else np.uint32(0)
    low_mask = np.uint32(0xFFFFFFFF) if width >= 32 else np.uint32((1 << width) - 1)
    high_mask = np.uint32(0xFFFFFFFF) if width >= 64 else np.uint32((1 << max(width - 32, 0)) - 1)
    popcount = bits == 0

    size = np.uint64(chunk) * _SIXTEEN
    z1 = np.zeros(size, np.float32)
    z2 = np.zeros(size, np.float32)
    x1 = np.zeros(size, np.float32)
    x2 = np.zeros(size, np.float32)
    u1 = np.zeros(size, np.uint32)
    u2 = np.zeros(size, np.uint32)
    w1 = np.zeros(size, np.uint32)
    w2 = np.zeros(size, np.uint32)
    active = np.zeros(size, np.uint32)
    active_square = np.ones(size, np.float32)
    rest_square = np.zeros(size, np.float32)
    doubtful = np.zeros(size, np.uint32)
    along = np.zeros(NETWORKS, np.float64)
    across = np.zeros(NETWORKS, np.float64)
    difference = np.zeros(NETWORKS, np.float64)
    frame = np.ones(NETWORKS, np.float64)
    exponents = np.zeros(NETWORKS, np.int64)
    alive = np.ones(NETWORKS, np.bool_)

    replicas = np.uint64(rows_out.shape[0])
    begin = np.uint64(first_replica) // _SIXTEEN * _SIXTEEN
    for batch in range(begin, np.uint64(first_replica) + replicas, _SIXTEEN):
        low = np.uint32(np.uint64(batch) & np.uint64(0xFFFFFFFF))
        high = np.uint32(np.uint64(batch) >> np.uint64(32))
        along[:] = 1.0
        across[:] = 0.0
        difference[:] = 0.0
        frame[:] = 1.0
        exponents[:] = 0
        alive[:] = True
        for first_layer in range(0, depth, chunk):
            layers = np.uint64(min(chunk, depth - first_layer))
            n = layers * _SIXTEEN
            _draw_chunk(k0, k1, stream, np.uint32(first_layer), low, high, n, z1, z2, x1, x2, u1, u2, w1, w2)
            if not linear:
                if popcount:
                    for i in range(_ZERO, n):
                        active[i] = np.uint32(
                            _count_bits(np.uint32(w1[i] & low_mask))
                            + _count_bits(np.uint32(w2[i] & high_mask))
                        )
                else:
                    shift = np.uint32(32 - bits)
                    for i in range(_ZERO, n):
                        column = np.uint64(w1[i] >> shift)
                        second = np.uint64(w2[i] > thresholds[column])
                        active[i] = np.uint32(outcomes[np.uint64(2) * column + second])
                _propose_table(n, active, x1, u1, shapes, scales, active_square, doubtful)
                for i in range(_ZERO, n):
                    if doubtful[i] != np.uint32(0):
                        layer = np.uint32(np.uint32(first_layer) + np.uint32(i >> np.uint64(4)))
                        replica = np.uint32(low + np.uint32(i & np.uint64(15)))
                        degrees = np.int64(active[i])
                        active_square[i] = _F(
                            _exact_chi_square(
                                k0, k1, stream, layer, replica, high, np.uint32(0),
                                np.float64(shapes[degrees]), np.float64(scales[degrees]), np.float64(x1[i]),
                                u1[i],
                            )
                        )  # fmt: skip
            if rest_degrees < 2:
                for i in range(_ZERO, n):
                    rest_square[i] = _F(rest_degrees) * x2[i] * x2[i]
                    doubtful[i] = np.uint32(0)
            else:
                _propose(n, x2, u2, rest_shape, rest_scale, rest_square, doubtful)
            for i in range(_ZERO, n):
                if doubtful[i] != np.uint32(0):
                    layer = np.uint32(np.uint32(first_layer) + np.uint32(i >> np.uint64(4)))
                    replica = np.uint32(low + np.uint32(i & np.uint64(15)))
                    rest_square[i] = _F(
                        _exact_chi_square(
                            k0, k1, stream, layer, replica, high, np.uint32(1),
                            np.float64(rest_shape), np.float64(rest_scale), np.float64(x2[i]), u2[i],
                        )
                    )  # fmt: skip
            _walk(
                z1,
                z2,
                active_square,
                rest_square,
                layers,
                factor,
                frozen,
                bend,
                frame,
                along,
                across,
                difference,
            )
            # With a path, chunks have one layer, yet states are rescaled at the same layers: equal bits.
            done = first_layer + np.int64(layers)
            if not tiny and (done % rescaled == 0 or done == depth):
                _rescale(along, across, difference, exponents, frame, alive)
            if path.size > 0:
                for lane in range(_ZERO, _SIXTEEN):
                    row = np.uint64(batch) + lane - np.uint64(first_replica)
                    if row < replicas:
                        path[row, 0] = 0.0
                        log_ratio = _log_ratio(along[lane], across[lane], exponents[lane])
                        path[row, first_layer + 1] = math.ldexp(difference[lane], unit) if tiny else log_ratio
        for lane in range(_ZERO, _SIXTEEN):
            row = np.uint64(batch) + lane - np.uint64(first_replica)
            if row >= replicas:  # before the first replica, too: the subtraction wraps
                continue
            if not alive[lane]:
                rows_out[row, :] = np.nan
                continue
            if tiny:
                rows_out[row, 0] = math.ldexp(difference[lane], unit)
                rows_out[row, 1] = _log_ratio(difference[lane], across[lane], unit)
                continue
            common = max(exponents[lane], 0)
            sideways = math.ldexp(across[lane], int(max(exponents[lane] - common, -2000)))
            # The sum keeps the rounding of the largest state on the way (`montecarlo.kernels._difference`).
            end = math.ldexp(along[lane], int(max(exponents[lane] - common, -2000)))
            begin = math.ldexp(1.0, int(max(-common, -2000)))
            moved = end - begin
            largest = max(abs(end), sideways, begin)
            if not abs(moved - difference[lane]) > ROUNDING * largest:
                moved = difference[lane]
            rows_out[row, 0] = _log_ratio(along[lane], across[lane], exponents[lane])
            rows_out[row, 1] = _log_ratio(moved, sideways, common)
