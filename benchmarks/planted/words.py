"""Bugs of what is said: units, rounding, order and counts in reports, tables and texts."""

from __future__ import annotations

from benchmarks.planted._bug import Bug

_REPORT = ("tests/largedepth/test_report_words.py",)
_TABLE = ("tests/largedepth/test_verdict_words.py",)
_DIAGNOSIS = ("tests/montecarlo/diagnosis/test_words.py",)
_ESTIMATES = ("tests/montecarlo/estimates/test_words.py",)
_TRAINING = ("tests/montecarlo/training/test_accuracy.py",)

BUGS = (
    Bug(
        "largedepth/report/_words.py",
        "number(100.0 * value, 2)",
        "number(value, 2)",
        _REPORT,
        "report: 2 % printed as 0.02 %",
    ),
    Bug(
        "largedepth/report/_data.py",
        "return verdict.resolution / (verdict.resolution_asked or 1.0)",
        "return verdict.resolution",
        _REPORT,
        "report: the weakest experiment by its absolute resolution",
    ),
    Bug(
        "montecarlo/training/_fit.py",
        "accuracy = float(np.mean(z.argmax(axis=1) == data.test_labels))",
        "accuracy = float(np.mean(np.asarray(run(arrays, np.float32(item.resnet.scaling), data.train_inputs))"
        ".argmax(axis=1) == data.train_labels))",
        _TRAINING,
        "train: accuracy on the training part",
    ),
    Bug(
        "largedepth/report/_words.py",
        'return f"{own}, {figure.networks_of_other_setting:,} in the {other} one"',
        'return f"{own}, {figure.networks:,} in the {other} one"',
        _REPORT,
        "report: networks of this setting as those of the other",
    ),
    Bug(
        "largedepth/report/_words.py",
        'SIGNS = {"at most": "≤ ", "at least": "≥ "}',
        'SIGNS = {"at most": "≥ ", "at least": "≤ "}',
        _REPORT,
        "report: bounds the wrong way round",
    ),
    Bug(
        "largedepth/report/_words.py",
        "agree = len(checks) - outside - undecided\n",
        "agree = len(checks) - outside\n",
        _REPORT,
        "report: undecided numbers counted among those that agree",
    ),
    Bug(
        "largedepth/report/_data.py",
        "return sum(verdict.networks for verdict in self.verdicts)",
        "return max((verdict.networks for verdict in self.verdicts), default=0)",
        _REPORT,
        "report: networks of the largest experiment for those of all",
    ),
    Bug(
        "largedepth/report/_data.py",
        '        return float("inf")\n    return verdict.resolution /',
        "        return 0.0\n    return verdict.resolution /",
        _REPORT,
        "report: an experiment that saw nothing is not the weakest",
    ),
    Bug(
        "largedepth/_verdict_table.py",
        'f"{verdict.resolution:.2g}" if verdict.resolution > 0',
        'f"{verdict.resolution_asked:.2g}" if verdict.resolution > 0',
        _TABLE,
        "verify: what was asked for in the column of what was reached",
    ),
    Bug(
        "largedepth/_verdict_table.py",
        'verification.seed}, "\n        f"false alarm {verification.false_alarm:.2g}',
        'verification.seed}, "\n        f"false alarm {verification.false_alarm:.1%}',
        _TABLE,
        "verify: a false alarm of 0.0 %",
    ),
    Bug(
        "largedepth/_reproduce.py",
        '_SIGNS = {"equals": "", "at most": "≤ ", "at least": "≥ "}',
        '_SIGNS = {"equals": "", "at most": "< ", "at least": "> "}',
        _TABLE,
        "summary.md: bounds as strict ones",
    ),
    Bug(
        "largedepth/_reproduce.py",
        'sum(point.networks for point in {"quick": quick, "paper": paper}[other])',
        'sum(point.networks for point in {"quick": quick, "paper": paper}[setting])',
        _TABLE,
        "summary.md: networks of this setting as those of the other",
    ),
    Bug(
        "montecarlo/diagnosis/_numbers.py",
        "math.floor(log / math.log(10))",
        "math.floor(log / math.log(2))",
        _DIAGNOSIS,
        "diagnose: e^20 as a power of two",
    ),
    Bug(
        "montecarlo/diagnosis/_text.py",
        "100 * math.expm1(check.sees)",
        "math.expm1(check.sees)",
        _DIAGNOSIS,
        "diagnose: agrees to 0.05 % for 5 %",
    ),
    Bug(
        "montecarlo/diagnosis/_text.py",
        "number(math.log(regime.suggested_alpha) - math.log(diagnosis.resnet.scaling))",
        "number(math.log(diagnosis.resnet.scaling) - math.log(regime.suggested_alpha))",
        _DIAGNOSIS,
        "diagnose: the inverse of the factor to take",
    ),
    Bug(
        "montecarlo/diagnosis/_text.py",
        "percent(r.simulated_overflow), percent(r.underflow),",
        "percent(r.simulated_overflow), percent(r.overflow),",
        _DIAGNOSIS,
        "diagnose: chances of overflow in the column of underflow",
    ),
    Bug(
        "montecarlo/diagnosis/_text.py",
        "(diagnosis.gradient, diagnosis.check.gradient),",
        "(diagnosis.gradient, diagnosis.check.hidden),",
        _DIAGNOSIS,
        "diagnose: the simulation of hidden states in the row of gradients",
    ),
    Bug(
        "montecarlo/diagnosis/_text.py",
        'return f"{number(check.low.value)} … {number(check.high.value)}"',
        'return f"{number(check.low.lower)} … {number(check.high.upper)}"',
        _DIAGNOSIS,
        "diagnose: ends of intervals for the 95 % range",
    ),
    Bug(
        "montecarlo/estimates/_estimate.py",
        'return f"{100.0 * confidence:.8g} %"',
        'return f"{confidence:.8g} %"',
        _ESTIMATES,
        "estimates: 0.99 %",
    ),
    Bug(
        "montecarlo/estimates/_estimate.py",
        "return max(0, 1 - math.floor(math.log10(half_width)))",
        "return max(0, -math.floor(math.log10(half_width)))",
        _ESTIMATES,
        "estimates: one digit too few",
    ),
    Bug(
        "montecarlo/estimates/_heavy_tail.py",
        "one row carries {100.0 * self.largest_share:.3g} % of the sum",
        "one row carries {self.largest_share:.3g} % of the sum",
        _ESTIMATES,
        "estimates: 0.9 % of the sum for 90 %",
    ),
    Bug(
        "montecarlo/estimates/_heavy_tail.py",
        "missing / math.log(10.0):.0f} decades",
        "missing:.0f} decades",
        _ESTIMATES,
        "estimates: natural logs counted as decades",
    ),
    Bug(
        "montecarlo/training/_data.py",
        "return (x[order[held:]], y[order[held:]]), (x[order[:held]], y[order[:held]])",
        "return (x[order], y[order]), (x[order[:held]], y[order[:held]])",
        _TRAINING,
        "train: test examples are in the training part, too",
    ),
    Bug(
        "montecarlo/training/_data.py",
        "        ((test_x - mean) / deviation).astype(np.float32),\n",
        "        ((test_x - test_x.mean()) / test_x.std()).astype(np.float32),\n",
        _TRAINING,
        "train: the test part is standardised by itself",
    ),
    Bug(
        "montecarlo/training/_fit.py",
        "accuracy = float(np.mean(z.argmax(axis=1) == data.test_labels))",
        "accuracy = float(np.mean(z.argmin(axis=1) == data.test_labels))",
        _TRAINING,
        "train: the least likely class counts as the answer",
    ),
    Bug(
        "montecarlo/training/_measure.py",
        'found["change"] = sizes(change).mean()',
        'found["change"] = sizes(change).max()',
        ("tests/montecarlo/training/test_fit.py::test_measured_numbers",),
        "train: the largest change as the mean one",
    ),
    Bug(
        "montecarlo/training/_scaling.py",
        "None if size is None else resnet.scaling * size",
        "size",
        ("tests/montecarlo/training/test_sweep.py::test_scaling_of_weights_in_depth",),
        "train: sizes of weights without the scaling",
    ),
    Bug(
        "montecarlo/training/_plan.py",
        "self.decay ** (e // self.decay_epochs)",
        "self.decay ** ((e + 1) // self.decay_epochs)",
        ("montecarlo/training/_plan.py",),
        "train: the rate falls an epoch too early",
    ),
)
