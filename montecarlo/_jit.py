"""The one home of the project's numba decorators and of the two vector primitives.

Two rules make rows the same bits on every x86-64 CPU with AVX2 and FMA:

* products are fused explicitly (`fma`), never at the compiler's discretion;
* sums run over eight fixed lanes that are folded in a fixed tree (`fold_lanes`), so that their order
  does not depend on the width of the registers that LLVM chose.

Everything else in a kernel is elementwise, hence independent of the vector width. `fastmath` is off
everywhere: it would let LLVM reorder sums and drop the checks of non-finite values.
"""

from __future__ import annotations

import functools
import hashlib
import pathlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.core.errors import NumbaExperimentalFeatureWarning
from numba.extending import intrinsic

JIT_OFF = bool(getattr(config, "DISABLE_JIT", 0))

LANES = 8
"""Number of partial sums of a reduction; a property of the stream format, not of the machine."""

CHUNK = 256
"""Units that are reduced together; the scratch of a reduction holds ``LANES * CHUNK`` float32."""


def kernel(function: Callable[..., Any] | None = None, *, signature: Any = None) -> Any:
    """Compile a function that Python calls: cached on disk, without the GIL.

    With a `signature` it is compiled when its module is imported, else on its first call.

    Numba drops a cached kernel when the file that defines it changes, not when a helper in another file does.
    The stamp of the cache is therefore a digest of all the kernels' sources.
    """

    def decorate(python: Callable[..., Any]) -> Any:
        if JIT_OFF:
            return python
        compiled: Any = njit(nogil=True, error_model="numpy")(python)
        try:
            compiled.enable_caching()
        except RuntimeError:  # no folder that can be written: compiled afresh in each process
            pass
        else:
            cache_file = compiled._cache._cache_file
            if not hasattr(cache_file, "_source_stamp"):
                raise RuntimeError("this numba keeps its cache stamps elsewhere; stale kernels would be used")
            cache_file._source_stamp = _sources_digest()
        if signature is not None:
            with warnings.catch_warnings():
                # Functions as arguments are marked experimental; the engines' tests would notice a break.
                warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
                compiled.compile(signature)
            compiled.disable_compile()
        return compiled

    return decorate if function is None else decorate(function)


@functools.cache
def _sources_digest() -> str:
    package = pathlib.Path(__file__).parent
    files = [pathlib.Path(__file__)]
    for folder in ("kernels", "streams", "laws", "processes", "dense", "gaussian", "radial", "coupled"):
        files += sorted((package / folder).glob("*.py"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


helper = njit(nogil=True, error_model="numpy")
"""Decorator of a function that only kernels call."""

inline = njit(forceinline=True, error_model="numpy")
"""Decorator of a helper inside a hot loop.

LLVM must inline it before it looks at the loop: a call left standing stops vectorisation.
"""


def _fma_python(a, b, c):
    """Return ``a * b + c``, rounded once."""
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


def _fold_lanes_python(scratch, n, out, position):
    """Add the row sums of `scratch` to ``out[position:position + 8]``."""
    n, position = int(n), int(position)
    for row in range(LANES):
        values = scratch[row * CHUNK : row * CHUNK + n].reshape(-1, LANES)
        lanes = np.zeros(LANES, np.float32)
        for block in values:
            lanes = lanes + block
        while len(lanes) > 1:
            lanes = lanes[0::2] + lanes[1::2]
        out[position + row] += lanes[0]


def _fma_compiled(typingctx, a, b, c):
    """Return ``a * b + c``, rounded once (the fused multiply-add of the hardware)."""
    signature = types.float32(types.float32, types.float32, types.float32)

    def codegen(context, builder, sig, args):
        return builder.fma(*args)

    return signature, codegen


def _fold_lanes_compiled(typingctx, scratch, n, out, position):
    """Add the row sums of `scratch` to ``out[position:position + 8]``.

    `scratch` holds eight rows of `CHUNK` float32, of which the first `n` (a multiple of eight) of
    each row are summed: lane by lane over blocks of eight, then pairwise over neighbouring lanes.
    Written in LLVM's IR because neither the order of a reduction nor the shuffles can be said in
    Python.
    """
    signature = types.void(types.float32[::1], types.uint64, types.float32[::1], types.uint64)

    def codegen(context, builder, sig, args):
        vector = ir.VectorType(ir.FloatType(), LANES)
        source = context.make_array(sig.args[0])(context, builder, args[0]).data
        target = context.make_array(sig.args[2])(context, builder, args[2]).data
        size = args[1].type

        def pointer(base, index):
            return builder.bitcast(builder.gep(base, [index]), vector.as_pointer())

        sums = [cgutils.alloca_once(builder, vector) for _ in range(LANES)]
        zero = ir.Constant(vector, [0.0] * LANES)
        for lane_sum in sums:
            builder.store(zero, lane_sum)
        blocks = builder.udiv(args[1], ir.Constant(size, LANES))
        with cgutils.for_range(builder, blocks) as loop:
            first = builder.mul(loop.index, ir.Constant(size, LANES))
            for row, lane_sum in enumerate(sums):
                index = builder.add(first, ir.Constant(size, row * CHUNK))
                block = builder.load(pointer(source, index), align=4)
                builder.store(builder.fadd(builder.load(lane_sum), block), lane_sum)

        def mask(offset):
            return ir.Constant(
                ir.VectorType(ir.IntType(32), LANES), [2 * lane + offset for lane in range(LANES)]
            )

        rows = [builder.load(lane_sum) for lane_sum in sums]
        while len(rows) > 1:
            rows = [
                builder.fadd(
                    builder.shuffle_vector(left, right, mask(0)),
                    builder.shuffle_vector(left, right, mask(1)),
                )
                for left, right in zip(rows[0::2], rows[1::2], strict=True)
            ]
        total = pointer(target, args[3])
        builder.store(builder.fadd(builder.load(total, align=4), rows[0]), total, align=4)
        return context.get_dummy_value()

    return signature, codegen


# With NUMBA_DISABLE_JIT=1 the same kernels run as plain Python, for line coverage and index checks.
fma: Any = _fma_python if JIT_OFF else intrinsic(_fma_compiled)
fold_lanes: Any = _fold_lanes_python if JIT_OFF else intrinsic(_fold_lanes_compiled)
