"""Bugs of rows on their way: runs, samples, files, executors and sweeps."""

from __future__ import annotations

from benchmarks.planted._bug import Bug

BUGS = (
    Bug(
        "montecarlo/runs/_run.py",
        '            "seed": self.seed,\n',
        "",
        ("tests/montecarlo/runs/test_running.py::test_every_run_has_a_key_of_its_own",),
        "rows of another seed are read from a results folder",
    ),
    Bug(
        "montecarlo/runs/_rows.py",
        "held = complement(missing, first_replica, end)",
        "held = complement(missing, 0, end)",
        ("tests/montecarlo/runs/test_running.py::test_a_store_is_read_as_far_as_it_goes",),
        "a run of later replicas asks for rows that are not held",
    ),
    Bug(
        "montecarlo/samples/independent/_sample.py",
        "np.any([np.isnan(c) for c in scalars], axis=0)",
        "np.all([np.isnan(c) for c in scalars], axis=0)",
        ("tests/montecarlo/samples/test_sample.py::test_a_network_is_lost_where_any_number_of_it_is",),
        "networks that were lost on the way back are not counted",
    ),
    Bug(
        "montecarlo/samples/_sample.py",
        "if other.first_replica != self.first_replica + len(self):",
        "if other.first_replica < self.first_replica + len(self):",
        ("tests/montecarlo/samples/test_sample.py::test_pooling_refuses_what_does_not_belong_together",),
        "samples with a gap are pooled, and rows have wrong numbers",
    ),
    Bug(
        "montecarlo/samples/_sample.py",
        "return np.arange(self.first_replica, self.first_replica + len(self))",
        "return np.arange(len(self))",
        ("tests/montecarlo/samples/test_sample.py::test_parquet_gives_the_same_bits_back",),
        "tables name the wrong networks",
    ),
    Bug(
        "montecarlo/samples/_to_file.py",
        "                return found.head(replicas)\n",
        "                return found\n",
        ("tests/montecarlo/samples/test_sample.py::test_asking_for_fewer_rows_keeps_the_others",),
        "more networks than asked for",
    ),
    Bug(
        "montecarlo/runs/_rows.py",
        "            while leading in finished:",
        "            if leading in finished:",
        (
            "tests/montecarlo/samples/test_interrupted_files.py::test_blocks_that_come_in_any_order_are_kept_up_to_the_first_gap",
        ),
        "Ctrl-C keeps less than what is drawn",
    ),
    Bug(
        "montecarlo/samples/independent/_file.py",
        'asked = {"seed": run.seed, "engine": run.engine,',
        'asked = {"seed": run.seed, "engine": found.engine,',
        ("tests/montecarlo/samples/test_sample.py::test_a_sample_of_another_engine_is_not_mixed_in",),
        "a file of one engine is continued by another",
    ),
    Bug(
        "montecarlo/samples/_tables.py",
        "np.ascontiguousarray(array).ravel()",
        'np.asarray(array).ravel(order="F")',
        ("tests/montecarlo/samples/test_sample.py::test_parquet_gives_the_same_bits_back",),
        "paths of networks are mixed up in files",
    ),
    Bug(
        "montecarlo/samples/_tables.py",
        "if stream_format != STREAM_FORMAT:",
        "if stream_format < STREAM_FORMAT:",
        ("tests/montecarlo/samples/test_sample.py::test_rows_of_other_streams_are_refused",),
        "rows of a later version's streams are continued with this one's",
    ),
    Bug(
        "montecarlo/executors/_threads.py",
        "                if error is not None:\n                    raise error\n",
        "                if error is not None:\n                    continue\n",
        ("tests/montecarlo/executors/test_contract.py::test_errors_of_the_function_arrive_as_they_are",),
        "blocks that fail are left out, silently",
    ),
    Bug(
        "montecarlo/executors/_calls.py",
        "if theirs != STREAM_FORMAT:",
        "if theirs < STREAM_FORMAT:",
        ("tests/montecarlo/executors/test_contract.py::test_other_streams_are_refused",),
        "an older worker draws other rows",
    ),
    Bug(
        "montecarlo/sweeps/_run.py",
        "goals = [(turn.point, turn.seen, turn.look) for turn in turns]",
        "goals = [(turn.point, 0, turn.look) for turn in turns]",
        (
            "tests/montecarlo/sweeps/test_run.py::test_precision_stops_where_the_interval_is_short_whatever_happened",
        ),
        "rows counted again at each look: intervals too short",
    ),
    Bug(
        "montecarlo/sweeps/_run.py",
        "QuantileSequence(precision.quantile, false_alarm=precision.false_alarm)",
        "QuantileSequence(precision.quantile)",
        ("tests/montecarlo/sweeps/test_run.py::test_the_interval_is_that_of_the_precision",),
        "a precision's false alarm is ignored",
    ),
    Bug(
        "montecarlo/sweeps/_run.py",
        "QuantileSequence(precision.quantile, false_alarm",
        "QuantileSequence(0.5, false_alarm",
        ("tests/montecarlo/sweeps/test_run.py::test_the_interval_is_that_of_the_precision",),
        "the precision of a tail quantile is the median's",
    ),
    Bug(
        "montecarlo/sweeps/_read.py",
        'shared = {"seed": 0, "replicas": _DEFAULT_REPLICAS} | top | self._fields(self._kind.table)',
        'shared = {"seed": 0, "replicas": _DEFAULT_REPLICAS} | self._fields(self._kind.table) | top',
        (
            "tests/montecarlo/sweeps/test_read.py::test_a_network_s_own_seed_and_replicas_come_before_those_at_the_top",
        ),
        "a network's own seed and replicas are ignored",
    ),
    Bug(
        "montecarlo/sweeps/_plan.py",
        "lacking = point.replicas\n",
        "lacking = 0\n",
        ("tests/montecarlo/sweeps/test_run.py::test_what_is_missing_is_estimated",),
        "a dry run says that nothing is to be drawn",
    ),
)
