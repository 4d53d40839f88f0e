"""Bugs of verification and diagnosis: seeds, shares, units and sides."""

from __future__ import annotations

from benchmarks.planted._bug import Bug

BUGS = (
    Bug(
        "montecarlo/verification/_experiment.py",
        'f"{seed}/{self.label}"',
        'f"{self.label}"',
        ("tests/montecarlo/verification/test_verdicts.py::test_no_two_experiments_share_a_seed",),
        "another seed, the same verdicts",
    ),
    Bug(
        "montecarlo/verification/_experiment.py",
        "confidence = 1.0 - self._false_alarm * 2.0**-self._looks",
        "confidence = 1.0 - self._false_alarm",
        (
            "tests/montecarlo/verification/test_verdicts.py::test_intervals_of_fixed_size_share_the_false_alarm_over_all_looks",
        ),
        "a false alarm at each look",
    ),
    Bug(
        "montecarlo/verification/_verdict.py",
        'for word in ("consistent", "undecided", "refuted"):',
        'for word in ("consistent", "refuted", "undecided"):',
        (
            "tests/montecarlo/verification/test_verdicts.py::test_the_worst_experiment_is_the_theorem_s_verdict_in_any_order",
        ),
        "a theorem with a refuted and an undecided experiment is undecided",
    ),
    Bug(
        "montecarlo/verification/_claims.py",
        "return fraction * abs(predicted), abs(predicted)",
        "return fraction * predicted, abs(predicted)",
        (
            "tests/montecarlo/verification/test_verdicts.py::test_relative_resolutions_of_numbers_of_either_sign",
        ),
        "claims of negative numbers are never resolved",
    ),
    Bug(
        "montecarlo/verification/_verify.py",
        "return min(waiting, key=lambda turn: turn.seconds)",
        "return max(waiting, key=lambda turn: turn.seconds)",
        ("tests/montecarlo/verification/test_verdicts.py::test_the_experiment_that_had_least_time_goes_on",),
        "one long experiment takes the time of all",
    ),
    Bug(
        "montecarlo/verification/experiments/independent/_moments.py",
        "resolution=0.01 * scale",
        "resolution=0.1 * scale",
        ("tests/montecarlo/verification/test_verdicts.py::test_means_are_verified_to_a_hundredth",),
        "means are verified to 10 % for 1 %",
    ),
    Bug(
        "montecarlo/verification/experiments/_rows.py",
        "return lambda sample: np.where(np.isnan(sample[name]), np.nan, sample[name] > threshold)",
        "return lambda sample: sample[name] > threshold",
        ("tests/montecarlo/verification/test_verdicts.py::test_lost_networks_are_no_events",),
        "lost networks count as small ones",
    ),
    Bug(
        "montecarlo/verification/_catalogue.py",
        "min(0.5, false_alarm * len(wrong) / len(chosen_experiments(ids, quick=quick)))",
        "min(0.5, false_alarm)",
        ("tests/montecarlo/verification/test_verdicts.py::test_mutants_have_the_share_of_their_experiments",),
        "mutants are held against another false alarm than their theorems",
    ),
    Bug(
        "montecarlo/diagnosis/_prediction.py",
        "special.log_ndtr((-b - mean) / std)",
        "special.log_ndtr((-b + mean) / std)",
        ("tests/montecarlo/diagnosis/test_float_range.py::test_chances_of_overflow_are_frequencies",),
        "chances of overflow on the way too large",
    ),
    Bug(
        "montecarlo/diagnosis/_diagnose.py",
        '("backward", gradient, 2))',
        '("backward", gradient, 1))',
        (
            "tests/montecarlo/diagnosis/test_float_range.py::test_simulated_chances_are_those_of_the_column_of_their_direction",
        ),
        "gradients' simulated overflow is that of hidden differences",
    ),
)
