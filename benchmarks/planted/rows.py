"""Bugs of rows on their way: runs, samples, files, executors and sweeps."""

from __future__ import annotations

from benchmarks.planted._bug import Bug

BUGS = (
    Bug(
        "montecarlo/runs/_run.py",
        '            "seed": self.seed,\n',
        "",
        ("tests/montecarlo/runs/test_running.py",),
        "rows of another seed are read from a results folder",
    ),
    Bug(
        "montecarlo/runs/_rows.py",
        "held = complement(missing, first_replica, end)",
        "held = complement(missing, 0, end)",
        ("tests/montecarlo/runs/test_running.py",),
        "a run of later replicas asks for rows that are not held",
    ),
    Bug(
        "montecarlo/_sample.py",
        "np.any([np.isnan(c) for c in scalars], axis=0)",
        "np.all([np.isnan(c) for c in scalars], axis=0)",
        ("tests/montecarlo/test_sample.py",),
        "networks that were lost on the way back are not counted",
    ),
    Bug(
        "montecarlo/_sample.py",
        "if other.first_replica != self.first_replica + len(self):",
        "if other.first_replica < self.first_replica + len(self):",
        ("tests/montecarlo/test_sample.py",),
        "samples with a gap are pooled, and rows have wrong numbers",
    ),
    Bug(
        "montecarlo/_sample.py",
        "return np.arange(self.first_replica, self.first_replica + len(self))",
        "return np.arange(len(self))",
        ("tests/montecarlo/test_sample.py",),
        "tables name the wrong networks",
    ),
    Bug(
        "montecarlo/_sample_file.py",
        "        return found.head(replicas)\n",
        "        return found\n",
        ("tests/montecarlo/test_sample.py",),
        "more networks than asked for",
    ),
    Bug(
        "montecarlo/_sample_file.py",
        "ordered = sorted(blocks, key=lambda block: block.first_replica)",
        "ordered = blocks",
        ("tests/montecarlo/test_sample.py",),
        "Ctrl-C keeps less than what is drawn",
    ),
    Bug(
        "montecarlo/_sample_file.py",
        'asked = {"seed": seed, "engine": engine,',
        'asked = {"seed": seed, "engine": found.engine,',
        ("tests/montecarlo/test_sample.py",),
        "a file of one engine is continued by another",
    ),
    Bug(
        "montecarlo/_tables.py",
        "np.ascontiguousarray(array).ravel()",
        'np.asarray(array).ravel(order="F")',
        ("tests/montecarlo/test_sample.py",),
        "paths of networks are mixed up in files",
    ),
    Bug(
        "montecarlo/_tables.py",
        "if stream_format != STREAM_FORMAT:",
        "if stream_format < STREAM_FORMAT:",
        ("tests/montecarlo/test_sample.py",),
        "rows of a later version's streams are continued with this one's",
    ),
    Bug(
        "montecarlo/executors/_threads.py",
        "                if error is not None:\n                    raise error\n",
        "                if error is not None:\n                    continue\n",
        ("tests/montecarlo/executors/test_contract.py",),
        "blocks that fail are left out, silently",
    ),
    Bug(
        "montecarlo/executors/_calls.py",
        "if theirs != STREAM_FORMAT:",
        "if theirs < STREAM_FORMAT:",
        ("tests/montecarlo/executors/test_contract.py",),
        "an older worker draws other rows",
    ),
    Bug(
        "montecarlo/sweeps/_run.py",
        "goals = [(turn.point, turn.seen, turn.look) for turn in turns]",
        "goals = [(turn.point, 0, turn.look) for turn in turns]",
        ("tests/montecarlo/sweeps/test_run.py",),
        "rows counted again at each look: intervals too short",
    ),
    Bug(
        "montecarlo/sweeps/_run.py",
        "QuantileSequence(precision.quantile, false_alarm=precision.false_alarm)",
        "QuantileSequence(precision.quantile)",
        ("tests/montecarlo/sweeps/test_run.py",),
        "a precision's false alarm is ignored",
    ),
    Bug(
        "montecarlo/sweeps/_run.py",
        "QuantileSequence(precision.quantile, false_alarm",
        "QuantileSequence(0.5, false_alarm",
        ("tests/montecarlo/sweeps/test_run.py",),
        "the precision of a tail quantile is the median's",
    ),
    Bug(
        "montecarlo/sweeps/_read.py",
        'shared = {"seed": 0, "replicas": _DEFAULT_REPLICAS} | top | self._fields("network")',
        'shared = {"seed": 0, "replicas": _DEFAULT_REPLICAS} | self._fields("network") | top',
        ("tests/montecarlo/sweeps/test_read.py",),
        "a network's own seed and replicas are ignored",
    ),
    Bug(
        "montecarlo/sweeps/_plan.py",
        "lacking = point.replicas\n",
        "lacking = 0\n",
        ("tests/montecarlo/sweeps/test_run.py",),
        "a dry run says that nothing is to be drawn",
    ),
)
