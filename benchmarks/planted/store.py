"""Bugs of results folders and tables."""

from __future__ import annotations

from benchmarks.planted._bug import Bug

BUGS = (
    Bug(
        "montecarlo/store/_index.py",
        "merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))",
        "merged[-1] = (merged[-1][0], stop)",
        ("tests/montecarlo/store/test_conflicts.py",),
        "rows that are there are drawn again",
    ),
    Bug(
        "montecarlo/store/_shard.py",
        "sorted(pieces, key=lambda piece: (piece.key, piece.first_replica))",
        "sorted(pieces, key=lambda piece: piece.key)",
        ("tests/montecarlo/store/test_store.py::test_the_same_pieces_are_the_same_file",),
        "the same rows drawn twice are two files",
    ),
    Bug(
        "montecarlo/store/_shard.py",
        "shard = Shard(path, pieces, cells)\n",
        "shard = Shard(path, pieces, cells, checked=True)\n",
        ("tests/montecarlo/store/test_damage.py::test_shard_with_other_bytes",),
        "damaged rows count as held",
    ),
    Bug(
        "montecarlo/store/_combine.py",
        "    for key in held:\n        index.check_repeats(key)",
        "    for key in list(held)[:1]:\n        index.check_repeats(key)",
        ("tests/montecarlo/store/test_conflicts.py",),
        "differing rows of all runs but the first are pooled, silently",
    ),
    Bug(
        "montecarlo/store/_table.py",
        "        return (1, value)\n",
        "        return (1, str(value))\n",
        ("tests/montecarlo/store/test_tables.py",),
        "tables have depth 10 before depth 9",
    ),
    Bug(
        "montecarlo/store/_table.py",
        "all(-(2**63) <= value < 2**63 for",
        "all(-(2**63) <= value < 2**64 for",
        ("tests/montecarlo/store/test_tables.py",),
        "no table of runs with large seeds: an overflow error",
    ),
    Bug(
        "montecarlo/store/_folder.py",
        "24 * 3600.0",
        "24 * 60.0",
        ("tests/montecarlo/store/test_store.py::test_what_dead_processes_left_is_removed_in_time",),
        "a slow host's file is removed while it is written",
    ),
    Bug(
        "montecarlo/store/_manifest.py",
        "        and record_key(record) == key\n",
        "",
        ("tests/montecarlo/store/test_damage.py::test_edited_manifest",),
        "rows of an edited specification",
    ),
    Bug(
        "montecarlo/store/_store.py",
        "if not same_cells(piece.cells, self._runs[piece.key]):",
        "if False and not same_cells(piece.cells, self._runs[piece.key]):",
        ("tests/montecarlo/store/test_store.py::test_pieces_must_be_of_a_known_run_and_its_columns",),
        "columns that a run does not have",
    ),
    Bug(
        "montecarlo/common/files.py",
        "                if os.fstat(descriptor).st_ino == path.stat().st_ino:\n                    break",
        "                break",
        (
            "tests/montecarlo/store/test_durability.py",
            "tests/montecarlo/samples/test_sample.py::test_a_second_run_into_one_file_waits_and_is_refused",
        ),
        "two runs write one file at once, the third one hand in hand with the second",
    ),
    Bug(
        "montecarlo/common/files.py",
        "    target = Path(os.path.realpath(target))",
        "    target = Path(target)",
        (
            "tests/montecarlo/store/test_durability.py",
            "tests/montecarlo/samples/test_sample.py::test_a_second_run_into_one_file_waits_and_is_refused",
        ),
        "a link is replaced by a file, and what it points to stays old",
    ),
)
