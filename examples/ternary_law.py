"""A weight law in one file: entries -√2, 0, √2 with probabilities 1/4, 1/2, 1/4, one 32-bit word each.

Run it to register the law, simulate with it, and compare with the mean square that holds for every symmetric
law. To make a law part of the package, put the file into montecarlo/laws/ and the `WeightLaw` below into its
`LAWS`; tests/montecarlo/laws/test_laws.py then tests it.
"""

from __future__ import annotations

import numpy as np

from montecarlo.common._jit import CHUNK
from montecarlo.laws._interface import law_kernel
from montecarlo.laws._products import FLOATS, WORDS, Decoder, constant, generate, products

_SCALE = np.float32(np.sqrt(2.0))
_TWO = np.uint64(2)
_ZERO = np.uint64(0)
_EIGHT = np.uint64(8)
_CHUNK = np.uint64(CHUNK)
_WORDS = np.uint64(WORDS)
_NO_SHIFT = np.uint32(0)


# The law itself: the difference of a word's two highest bits, once for LLVM and once in plain Python (for
# runs without compiler). The scale is applied once a sum.
def _decode_compiled(builder, words, shift):
    def entry(word):
        first, second = builder.lshr(word, constant(31)), builder.lshr(word, constant(30))
        return builder.sitofp(builder.sub(first, builder.and_(second, constant(1))), FLOATS)

    return [entry(word) for word in words]


def _decode_plain(words, shift):
    one = np.uint32(1)
    bits = [(word >> np.uint32(31), (word >> np.uint32(30)) & one) for word in words]
    return [first.astype(np.float32) - second.astype(np.float32) for first, second in bits]


# A step is eight weights: eight words, the four of one counter and the four of the next.
_multiply, _add_rows = products(
    Decoder(tuple((w % 4, w // 4) for w in range(8)), _decode_compiled, _decode_plain)
)


@law_kernel
def project(address, layer_role, units, n, x, steps, scratch, out):
    """Rows times a vector; see `montecarlo.laws._interface`."""
    for i in range(_ZERO, n):
        out[i] = np.float32(0.0)
    for begin in range(_ZERO, n, _CHUNK):
        first = np.uint64(begin)
        m = min(_CHUNK, n - first)
        at_once = _WORDS // (_TWO * m)
        for begin_step in range(_ZERO, steps, at_once):
            step = np.uint64(begin_step)
            count = min(at_once, steps - step)
            generate(
                address, layer_role, units, first, m, np.uint32(_TWO * steps), np.uint32(_TWO * step),
                _TWO * count, scratch,
            )  # fmt: skip
            for s in range(_ZERO, count):
                _multiply(scratch, s * _TWO * m, m, _NO_SHIFT, x, (step + s) * _EIGHT, out, first)
    for i in range(_ZERO, n):
        out[i] *= _SCALE


@law_kernel
def combine(address, layer_role, units, n, x, steps, scratch, out):
    """Linear combination of rows; see `montecarlo.laws._interface`."""
    for j in range(_ZERO, steps * _EIGHT):
        out[j] = np.float32(0.0)
    for begin in range(_ZERO, n, _CHUNK):
        first = np.uint64(begin)
        m = min(_CHUNK, n - first)
        at_once = _WORDS // (_TWO * m)
        for begin_step in range(_ZERO, steps, at_once):
            step = np.uint64(begin_step)
            count = min(at_once, steps - step)
            generate(
                address, layer_role, units, first, m, np.uint32(_TWO * steps), np.uint32(_TWO * step),
                _TWO * count, scratch,
            )  # fmt: skip
            for s in range(_ZERO, count):
                _add_rows(scratch, s * _TWO * m, m, _NO_SHIFT, x, first, out, (step + s) * _EIGHT)
    for j in range(_ZERO, steps * _EIGHT):
        out[j] *= _SCALE


def main() -> None:
    """Register the law and test it."""
    import theory
    from montecarlo import ResNet, simulate, weights
    from montecarlo.estimates import log_mean_exp
    from montecarlo.laws import LAWS, WeightLaw

    LAWS["ternary"] = WeightLaw("ternary", __name__, 0.4, vanishes=True)
    net = ResNet(width=24, depth=20, alpha=0.3, weights="ternary")
    entries = np.sqrt(net.width) * weights(net, replica=0, seed=7).V
    print("entries:      ", np.unique(entries.round(5)))
    print("their square: ", round(float((entries**2).mean()), 3))
    print("log E‖h_L‖²:  ", log_mean_exp(simulate(net, replicas=20_000, seed=7)["log_hidden_ratio"]))
    print("theory (I2):  ", round(theory.log_hidden_second_moment(depth=net.depth, alpha=net.scaling), 4))


if __name__ == "__main__":
    main()
