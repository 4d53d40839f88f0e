"""Twelve planted faults, each to be found with its block and number, and 200 checks of each right model.

python -m benchmarks.practice.planted [CHECKS]    (with an interpreter that has torch)
"""

from __future__ import annotations

import sys
import time

from benchmarks.practice.models import FAULTS, RIGHT
from montecarlo.practice import depth_check

DEPTHS, SEEDS = (6, 12, 24), 40
SHALLOW, FEW = (4, 8, 16), 8  # of the right models, which are checked many times


def faults() -> int:
    """Print what was found of each fault; return how many were missed."""
    missed = 0
    print("| planted | found | seeds | in words |\n| --- | --- | --- | --- |")
    for name, (plan, kind) in FAULTS.items():
        check = depth_check(plan, DEPTHS, SEEDS, promise=plan.promise)
        found = [fault for fault in check.refuted if fault.kind == kind]
        missed += not found
        words = found[-1].words if found else "MISSED"
        print(f"| {name} | {kind if found else '-'} | {len(check.seeds)} | {words} |", flush=True)
    return missed


def right(checks: int) -> int:
    """Print how many checks of right models refuted anything, or named a wrong class; return their sum."""
    alarms = 0
    for name, plan in RIGHT.items():
        expect = "identity" if "schedule" in name else "critical"
        wrong = open_ones = 0
        for number in range(checks):
            seeds = range(1000 + number * FEW, 1000 + (number + 1) * FEW)
            check = depth_check(plan, SHALLOW, seeds, expect=expect, promise=plan.promise)
            bad = check.verdict == "refuted" or bool(check.faults)
            wrong += bad
            open_ones += check.verdict == "undecided"
            if bad:
                print(f"  {name}, seeds {seeds}: {check.found} {[fault.words for fault in check.faults]}")
        alarms += wrong
        print(f"right: {name}: {wrong} false alarms in {checks} checks, {open_ones} undecided", flush=True)
    return alarms


if __name__ == "__main__":
    start = time.process_time()
    failed = faults() + right(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
    print(f"{time.process_time() - start:.0f} s of processor time")
    sys.exit(bool(failed))
