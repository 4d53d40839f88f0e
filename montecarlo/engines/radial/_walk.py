"""The radial engine's walk: Gram entries of sixteen networks, from layer to layer on given draws."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import signature as signature_of
from numba.extending import intrinsic

from montecarlo.common._jit import JIT_OFF, allocating_helper, helper, inline
from montecarlo.engines.radial._step import INNER, UNIFORM
from montecarlo.kernels._difference import ROUNDING
from montecarlo.kernels._lanes import NETWORKS, Rows
from montecarlo.kernels._room import ones, zeros
from montecarlo.streams._blocks import base_of, splat

_ZERO = np.uint64(0)
_SIXTEEN = np.uint64(NETWORKS)
_LN2 = math.log(2.0)
_LARGE = (
    2.0**60
)  # norms, looked at once a chunk of layers: with what a chunk may add, squares stay in float64
_SMALL = 1.0 / _LARGE


class Lanes(NamedTuple):
    """The states of sixteen networks: ``2**exponent (h·e, ‖h_⊥‖)`` and ``(h - h_0)·e``."""

    along: Any
    across: Any
    difference: Any
    """In the frame ``2**max(exponent, 0)``."""
    frame: Any
    """Factor of steps of the difference."""
    exponents: Any
    alive: Any
    log_starts: Any
    """Logs of ‖h_0‖, where a norm gives the stream a scale."""


@allocating_helper
def build_lanes():
    """Return room for states."""
    return Lanes(
        zeros(NETWORKS, np.float64), zeros(NETWORKS, np.float64), zeros(NETWORKS, np.float64),
        ones(NETWORKS, np.float64), zeros(NETWORKS, np.int64), ones(NETWORKS, np.bool_),
        zeros(NETWORKS, np.float64),
    )  # fmt: skip


@inline
def start(lanes):
    """Begin at h_0."""
    for lane in range(_ZERO, _SIXTEEN):
        lanes.along[lane] = 1.0
        lanes.across[lane] = 0.0
        lanes.difference[lane] = 0.0
        lanes.frame[lane] = 1.0
        lanes.exponents[lane] = 0
        lanes.alive[lane] = True


def _walk_python(draws, first, rows, step, lanes):
    along, across = lanes.along, lanes.across
    for k in range(int(first) * NETWORKS, int(first + rows) * NETWORKS, NETWORKS):
        part = slice(k, k + NETWORKS)
        square = (1.0 - step.frozen) * (along**2 + across**2) + step.frozen
        sigma_square = step.factors[k // NETWORKS] * square * draws.active_square[part]
        sigma = np.sqrt(sigma_square)
        increment = sigma * draws.z1[part]
        lanes.difference[:] += lanes.frame * ((step.skip - 1.0) * along + increment)
        kept = step.skip * along
        moved = kept + increment
        along[:] = np.where(moved == 0.0, kept * 2.0**-25, moved)
        turned = step.skip * across + step.bend * sigma * draws.z2[part]
        across[:] = np.sqrt(turned**2 + sigma_square * draws.rest_square[part])


def _walk_compiled(typingctx, draws, first, rows, step, lanes):
    """Walk the lanes through `rows` layers of draws, from one on."""
    names = ("z1", "z2", "active_square", "rest_square"), ("along", "across", "difference", "frame")

    def codegen(context, builder, sig, args):
        kinds, values = [], []
        for position, chosen in zip((0, 4), names, strict=True):
            record = sig.args[position]
            for name in chosen:
                place = record.fields.index(name)
                kinds.append(record.types[place])
                values.append(builder.extract_value(args[position], place))
        tables = Rows(context, builder, signature_of(types.void, *kinds), values)
        _Z1, _Z2, _ACTIVE, _REST, _ALONG, _ACROSS, _DIFFERENCE, _FRAME = range(8)
        double = tables.double
        root_type = ir.FunctionType(double, [double])
        root = cgutils.get_or_insert_function(builder.module, root_type, f"llvm.sqrt.v{NETWORKS}f64")

        def row_of(position, row):
            base = tables.bases[position]
            pointer = builder.gep(base, [builder.mul(row, ir.Constant(row.type, NETWORKS))])
            vector = builder.load(builder.bitcast(pointer, tables.single.as_pointer()), align=4)
            return tables.widen(vector)

        def of_step(name):
            return builder.extract_value(args[3], sig.args[3].fields.index(name))

        skip, frozen, bend = (splat(builder, of_step(name), NETWORKS) for name in ("skip", "frozen", "bend"))
        kind = sig.args[3].types[sig.args[3].fields.index("factors")]
        factors, _ = base_of(context, builder, kind, of_step("factors"))
        frame = tables.load(_FRAME)
        one = ir.Constant(double, [1.0] * NETWORKS)
        moving, away = builder.fsub(one, frozen), builder.fsub(skip, one)
        states = (_ALONG, _ACROSS, _DIFFERENCE)
        slots = [cgutils.alloca_once(builder, double) for _ in states]
        for slot, position in zip(slots, states, strict=True):
            builder.store(tables.load(position), slot)
        with cgutils.for_range(builder, args[2]) as loop:
            row = builder.add(args[1], loop.index)
            along, across, difference = (builder.load(slot) for slot in slots)
            square = builder.fadd(builder.fmul(along, along), builder.fmul(across, across))
            square = builder.fadd(builder.fmul(moving, square), frozen)
            factor = splat(builder, builder.load(builder.gep(factors, [row])), NETWORKS)
            sigma_square = builder.fmul(builder.fmul(factor, square), row_of(_ACTIVE, row))
            sigma = builder.call(root, [sigma_square])
            increment = builder.fmul(sigma, row_of(_Z1, row))
            # A float32 normal may cancel the component exactly: 2**-25 of it is left (no law here has that
            # atom).
            kept = builder.fmul(skip, along)
            moved = builder.fadd(kept, increment)
            rest_of = builder.fmul(kept, ir.Constant(double, [2.0**-25] * NETWORKS))
            cancelled = builder.fcmp_ordered("==", moved, ir.Constant(double, [0.0] * NETWORKS))
            builder.store(builder.select(cancelled, rest_of, moved), slots[0])
            change = builder.fadd(builder.fmul(away, along), increment)
            builder.store(builder.fadd(difference, builder.fmul(frame, change)), slots[2])
            turn = builder.fmul(builder.fmul(bend, sigma), row_of(_Z2, row))
            turned = builder.fadd(builder.fmul(skip, across), turn)
            total = builder.fadd(builder.fmul(turned, turned), builder.fmul(sigma_square, row_of(_REST, row)))
            builder.store(builder.call(root, [total]), slots[1])
        for slot, position in zip(slots, states, strict=True):
            tables.store(builder.load(slot), position)
        return context.get_dummy_value()

    return types.void(draws, types.uint64, types.uint64, step, lanes), codegen


walk: Any = _walk_python if JIT_OFF else intrinsic(_walk_compiled)


@helper
def rescale(lanes):
    """Keep ``(h·e, ‖h_⊥‖)`` near one, lane by lane."""
    along, across, exponents = lanes.along, lanes.across, lanes.exponents
    for lane in range(_ZERO, _SIXTEEN):
        peak = max(abs(along[lane]), across[lane])
        if _SMALL < peak < _LARGE or peak == 0.0:
            continue
        if not peak < np.inf:
            lanes.alive[lane] = False
            along[lane] = 0.0
            across[lane] = 0.0
            continue
        shift = math.frexp(peak)[1]
        old = max(exponents[lane], 0)
        exponents[lane] += shift
        along[lane] = math.ldexp(along[lane], -shift)
        across[lane] = math.ldexp(across[lane], -shift)
        moved = int(old - max(exponents[lane], 0))
        lanes.difference[lane] = math.ldexp(lanes.difference[lane], moved)
        lanes.frame[lane] = math.ldexp(1.0, int(max(min(exponents[lane], 0), -2000)))


@inline
def _log_length(along, across, exponent):
    square = along * along + across * across
    return 0.5 * math.log(square) + exponent * _LN2 if square > 0.0 else -np.inf


@inline
def log_ratio(step, lanes, lane):
    """Return log ‖h‖/‖h_0‖ of a walk without a norm on the stream."""
    if step.norm in (INNER, UNIFORM):
        return log_moved(
            lanes.difference[lane], lanes.across[lane], step.unit * _LN2 - lanes.log_starts[lane]
        )
    if step.tiny:
        return math.ldexp(lanes.difference[lane], step.unit)
    return _log_length(lanes.along[lane], lanes.across[lane], lanes.exponents[lane])


@helper
def log_moved(along, across, log_unit):
    """Return the log-norm of ``e + exp(log_unit) (along e + across e')`` for orthonormal e and e'."""
    if along == 0.0 and across == 0.0:
        return 0.0
    if log_unit > 300.0:  # nothing is left of e
        return _log_length(along, across, 0) + log_unit
    unit = math.exp(log_unit)
    x, y = unit * along, unit * across
    more = x * (2.0 + x) + y * y
    return 0.5 * math.log1p(more) if abs(more) < 0.5 else _log_length(1.0 + x, y, 0)


@helper
def log_ends(step, lanes, lane, width):
    """Return log ‖h‖/‖h_0‖ and log ‖h - h_0‖/‖h_0‖ of a stream with a norm: √d times a direction."""
    along, across = lanes.along[lane], lanes.across[lane]
    if step.tiny:
        along, across = 1.0, math.ldexp(across, step.unit)
    length = math.hypot(along, across)
    if length == 0.0:
        return -np.inf, 0.0
    log_size = 0.5 * math.log(np.float64(width)) - lanes.log_starts[lane]
    along, across = along / length, across / length
    if log_size > 300.0:
        return log_size, log_size
    size = math.exp(log_size)
    return log_size, _log_length(size * along - 1.0, size * across, 0)


@inline
def log_difference(step, lanes, lane):
    """Return log ‖h - h_0‖/‖h_0‖ of a walk without a norm on the stream."""
    if step.tiny:
        return _log_length(lanes.difference[lane], lanes.across[lane], step.unit) - lanes.log_starts[lane]
    exponent = lanes.exponents[lane]
    common = max(exponent, 0)
    up = int(max(exponent - common, -2000))
    sideways = math.ldexp(lanes.across[lane], up)
    # The sum keeps the rounding of the largest state on the way (`montecarlo.kernels._difference`).
    end, begin = math.ldexp(lanes.along[lane], up), math.ldexp(1.0, int(max(-common, -2000)))
    moved = end - begin
    if not abs(moved - lanes.difference[lane]) > ROUNDING * max(abs(end), sideways, begin):
        moved = lanes.difference[lane]
    return _log_length(moved, sideways, common)
