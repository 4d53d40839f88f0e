"""Bugs that the tests did not notice once."""

from __future__ import annotations

from benchmarks.planted._bug import Bug

BUGS = (
    Bug(
        "montecarlo/kernels/_difference.py",
        "if gap > ROUNDING * largest:",
        "if gap > largest / ROUNDING:",
        ("tests/montecarlo/engines/test_grown_and_collapsed.py",),
        "networks that grew and fell back: differences wrong by up to 100 nats",
    ),
    Bug(
        "montecarlo/engines/radial/_walk.py",
        "if not abs(moved - lanes.difference[lane]) > ROUNDING * max(abs(end), sideways, begin):",
        "if True:",
        ("tests/montecarlo/engines/test_grown_and_collapsed.py",),
        "the radial engine's differences wrong by up to 60 nats",
    ),
    Bug(
        "montecarlo/streams/_address.py",
        "(*key, replica & 0xFFFFFFFF, replica >> 32)",
        "(*key, replica & 0xFFFFFFFF, 0)",
        ("tests/montecarlo/engines/test_replica_words.py",),
        "correlated networks share inputs from replica 2**32 on",
    ),
    Bug(
        "montecarlo/samples/depths/_fill.py",
        "low, high = replica & 0xFFFFFFFF, replica >> 32",
        "low, high = replica & 0xFFFFFFFF, 0",
        ("tests/montecarlo/engines/test_replica_words.py",),
        "coupled depths begin at the same states again from replica 2**32 on",
    ),
    Bug(
        "montecarlo/common/files.py",
        "        temporary.replace(target)",
        "        target.write_bytes(temporary.read_bytes())",
        ("tests/montecarlo/store/test_durability.py",),
        "a torn file after a crash",
    ),
    Bug(
        "montecarlo/common/files.py",
        "            _sync(handle.fileno())",
        "            handle.flush()",
        ("tests/montecarlo/store/test_durability.py",),
        "an empty file after a crash",
    ),
    Bug(
        "montecarlo/store/_folder.py",
        "    sync_folder(path.parent)\n",
        "",
        ("tests/montecarlo/store/test_durability.py",),
        "a file without its name after a crash",
    ),
    Bug(
        "montecarlo/store/_index.py",
        "reached = max(reached, stretch.stop)",
        "reached = stretch.stop",
        ("tests/montecarlo/store/test_conflicts.py",),
        "combine leaves a folder behind where rows differ, with one of them",
    ),
    Bug(
        "montecarlo/verification/_experiment.py",
        "experiment.other_rows(self._seed + 1,",
        "experiment.other_rows(self._seed,",
        ("tests/montecarlo/verification/test_verdicts.py::test_a_network_is_held_against_other_networks",),
        "two samples that share their networks, and a void p-value",
    ),
    Bug(
        "montecarlo/verification/_experiment.py",
        "interval=(lower - experiment.allowance, upper + experiment.allowance)",
        "interval=(lower + experiment.allowance, upper - experiment.allowance)",
        ("tests/montecarlo/verification/test_verdicts.py::test_an_allowance_widens_what_is_not_refuted",),
        "a true limit refuted by a finer run",
    ),
    Bug(
        "montecarlo/sequential/_result.py",
        '"at most": above, "at least": below}[self.claim]',
        '"at most": below, "at least": above}[self.claim]',
        (
            "tests/montecarlo/verification/test_verdicts.py::test_resolutions_are_in_units_and_on_the_side_of_the_claim",
        ),
        "wrong resolutions of bounds (I9, I10)",
    ),
    Bug(
        "montecarlo/verification/_verdict.py",
        "experiment.resolution / unit, result.n_nonfinite",
        "experiment.resolution, result.n_nonfinite",
        (
            "tests/montecarlo/verification/test_verdicts.py::test_resolutions_are_in_units_and_on_the_side_of_the_claim",
        ),
        "resolutions asked for and reached in different units",
    ),
    Bug(
        "montecarlo/diagnosis/_float_range.py",
        "math.sqrt(0.25 * input_variance + variance) * special.ndtri(u)",
        "math.sqrt(0.25 * input_variance) * special.ndtri(u)",
        ("tests/montecarlo/diagnosis/test_float_range.py",),
        "wrong chances of overflow at small width",
    ),
    Bug(
        "montecarlo/sweeps/_run.py",
        "sum(turn.exhausted and not turn.precise for turn in turns)",
        "sum(turn.exhausted for turn in turns)",
        ("tests/montecarlo/sweeps/test_run.py::test_a_precision_that_the_last_look_reaches_is_reached",),
        "exit code 3 for a sweep that is finished",
    ),
)
