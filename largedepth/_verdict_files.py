"""Verdicts as files: JSON and JUnit XML, each written whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from largedepth._targets import json_text

if TYPE_CHECKING:
    from junitparser import TestSuite

    from montecarlo.verification import MutantRun, Verification

_ORDER = ("consistent", "undecided", "refuted")


def verdicts_json(verification: Verification) -> str:
    """Return the verdicts as a JSON list, an object an experiment."""
    return json_text([verdict.record() for verdict in verification.verdicts])


def mutants_json(run: MutantRun) -> str:
    """Return the outcomes of mutants as a JSON list."""
    return json_text([{**vars(outcome), "caught": outcome.caught} for outcome in run.outcomes])


def verdicts_junit(verification: Verification) -> str:
    """Return JUnit XML: a test case a theorem, a failure if it is refuted, an error if it is undecided."""
    import junitparser

    from montecarlo.verification import explain
    from theory.catalogue import THEOREMS

    suite = junitparser.TestSuite("largedepth verify")
    for name, value in (("seed", verification.seed), ("false_alarm", verification.false_alarm)):
        suite.add_property(name, str(value))
    for theorem in verification.theorems:
        verdicts = [verdict for verdict in verification.verdicts if verdict.id == theorem]
        title = THEOREMS[theorem].title if theorem in THEOREMS else ""
        case = junitparser.TestCase(f"{theorem} {title}".strip(), "largedepth.verify")
        case.time = sum(verdict.seconds for verdict in verdicts)
        worst = max(verdicts, key=lambda verdict: _ORDER.index(verdict.verdict))
        if worst.verdict != "consistent":
            kind = junitparser.Failure if worst.verdict == "refuted" else junitparser.Error
            first_line = explain(worst).splitlines()[0]
            result = kind(first_line, worst.verdict)
            result.text = "\n\n".join(explain(v) for v in verdicts if v.verdict == worst.verdict)
            case.result = [result]
        case.system_out = "\n\n".join(explain(verdict) for verdict in verdicts)
        suite.add_testcase(case)
    return junit_text(suite)


def mutants_junit(run: MutantRun) -> str:
    """Return JUnit XML: a test case a mutant, a failure if it was missed."""
    import junitparser

    suite = junitparser.TestSuite("largedepth verify --mutants")
    suite.add_property("seed", str(run.seed))
    for outcome in run.outcomes:
        name = f"{outcome.theorem} {outcome.experiment}, {outcome.mutant}"
        case = junitparser.TestCase(name, "largedepth.mutants")
        case.time = outcome.seconds
        if not outcome.caught:
            message = f"{name}: {outcome.verdict}, although wrong on purpose ({outcome.kind})"
            case.result = [junitparser.Failure(message, "missed")]
        suite.add_testcase(case)
    return junit_text(suite)


def junit_text(suite: TestSuite) -> str:
    """Return one suite as JUnit XML."""
    import junitparser

    file = junitparser.JUnitXml()
    file.add_testsuite(suite)
    suite.update_statistics()
    file.update_statistics()
    text = file.tostring()
    return text.decode("utf-8") if isinstance(text, bytes) else text
