"""All benchmarks that fit into a few minutes: one table, kept as JSON, falls of more than 15 % flagged.

    python -m benchmarks [--peers ENVIRONMENT/bin/python] [--out build/benchmarks.json]

What the machine can do comes first, and all else is compared as a share of it; ratios to the peers come from
runs that take turns. Exits with 1 if a number fell by more than 15 % against the file that `--out` held; the
new numbers are then kept beside it, in a file ending in .new.json.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.correlated import narrow_rates, product_rates
from benchmarks.machine import machine_limits, matrix_product_rate, memory_rate
from benchmarks.record import FALL, Number, falls, load, save
from benchmarks.starts import start_times
from benchmarks.throughput import compare, engine_rates, weight_times


def main() -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peers", help="interpreter of an environment with torch and jax")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks.json"), help="JSON file")
    options = parser.parse_args()
    numbers = measure(options.peers, options.threads, options.repeats)
    before = load(options.out)
    for number in numbers:
        then = before.get(number.name)
        change = "" if then is None else f"{number.score / then.score - 1.0:+8.1%}"
        print(f"{number.name:66s} {number.value:12.4g} {number.unit:12s} {change}")
    fallen = falls(before, numbers)
    for number, change in fallen:
        print(f"FELL by more than {FALL:.0%}: {number.name} ({change:+.1%})", file=sys.stderr)
    target = options.out.with_suffix(".new.json") if fallen else options.out
    save(target, numbers)
    print(f"kept in {target}")
    return 1 if fallen else 0


def measure(peers: str | None, threads: int, repeats: int) -> list[Number]:
    """Return all numbers."""
    limits = machine_limits()
    words, normals = limits["Philox4x32-10 words/s"], limits["float32 normals/s"]
    numbers = [
        Number(f"machine, one core: {name[:-2]}", value, "/s", value) for name, value in limits.items()
    ]
    products, memory = matrix_product_rate(), memory_rate()
    numbers += [
        Number("machine: large float32 matrix product", products, "FLOP/s", products),
        Number("machine, one core: copy of memory", memory, "B/s", memory),
    ]
    for width in (40, 100):
        for row in compare(peers, width=width, depth=1000, threads=threads, repeats=repeats):
            if "ratio" in row:
                numbers.append(Number(f"d = {width}: dense engine over {row['peer']}", row["ratio"], "x"))
            else:
                numbers.append(Number(f"d = {width}: {row['peer']}", row["ours"], "networks/s", words))
    for row in engine_rates(threads):
        what = row.get("gradients", "none")
        name = f"d = {row['width']}: largedepth, {row['engine']}, gradients {what}"
        numbers.append(Number(name, row["networks/s"], "networks/s", normals))
    for row in product_rates():
        name = f"correlated, {row['name']}"
        numbers.append(Number(f"{name}, one core", row["rate"], "FLOP/s", products))
        numbers.append(Number(f"{name}, share of a large product", row["share"], ""))
    for row in narrow_rates(threads):
        name = f"d = 4: correlated, {row['name']}"
        numbers.append(Number(name, row["rows/s"], "networks/s", normals))
        numbers.append(Number(f"{name}, over one at a time", row["ratio"], "x"))
    for row in weight_times():
        name = f"d = {row['width']}: one {row['law']} weight, one core"
        numbers.append(Number(name, row["ns a weight"], "ns", 1e9 / words, lower=True))
    return numbers + start_times()


if __name__ == "__main__":
    sys.exit(main())
