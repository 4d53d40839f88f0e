"""pytest plugin: the fixture ``theory_claims`` tests claims of theory in your own test files,
``depth_claims`` how a real model of yours depends on its depth.

Loaded by pytest wherever largedepth is installed; ``-p no:largedepth.pytest_plugin`` leaves it out. What is
heavy is imported when a test asks for the fixture. Verdicts are properties of the test: pytest's own
``--junitxml`` has them as JSON, and they come back from the processes of pytest-xdist.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from montecarlo.verification import Verdict

_PROPERTY = "theory_claim"
_DEPTH_PROPERTY = "depth_claim"


class TheoryClaims:
    """Claims of one test: each method tests one and fails the test unless it is consistent.

    Networks are a function of the seed (``--theory-seed``), the test and the number of the claim in the test
    (or its `name`): no two claims share networks, and a run can be repeated, alone or among others, from any
    folder. A test is known by its file, the packages that the file is in, its class and its name. Two files
    of one name that are in no package share networks where their tests have one name, too; give their claims
    names.
    """

    def __init__(self, test: str, seed: int, record: Callable[[Verdict], None]) -> None:
        self._test, self._seed, self._record = test, seed, record
        self._names: set[str] = set()

    def mean(self, rows: Any, predicted: float, **options: Any) -> Verdict:
        """Claim a mean; arguments as in `montecarlo.verification.check_mean`."""
        __tracebackhide__ = True
        from montecarlo.verification import check_mean

        return self._check(check_mean, rows, predicted, **options)

    def probability(self, rows: Any, predicted: float, **options: Any) -> Verdict:
        """Claim a probability or a bound of one, as in `montecarlo.verification.check_probability`."""
        __tracebackhide__ = True
        from montecarlo.verification import check_probability

        return self._check(check_probability, rows, predicted, **options)

    def law(self, rows: Any, cdf: Any, **options: Any) -> Verdict:
        """Claim a whole law; arguments as in `montecarlo.verification.check_law`."""
        __tracebackhide__ = True
        from montecarlo.verification import check_law

        return self._check(check_law, rows, cdf, **options)

    def number(self, rows: Any, predicted: float, **options: Any) -> Verdict:
        """Claim any number; arguments as in `montecarlo.verification.check_number`."""
        __tracebackhide__ = True
        from montecarlo.verification import check_number

        return self._check(check_number, rows, predicted, **options)

    def _check(self, check: Callable[..., Verdict], *arguments: Any, **options: Any) -> Verdict:
        __tracebackhide__ = True
        from montecarlo import InvalidFieldError
        from montecarlo.verification import require_consistent

        name = options.pop("name", f"claim {len(self._names) + 1}")
        if name in self._names:
            raise InvalidFieldError("name", name, "must differ from those before it", "rename one claim")
        self._names.add(name)
        verdict = check(*arguments, name=f"{self._test} {name}", **{"seed": self._seed, **options})
        self._record(verdict)
        return require_consistent(verdict)


class DepthClaims:
    """Claims about how real models depend on depth; each fails the test unless it is consistent.

    Seeds are a function of ``--theory-seed`` and the test, so that a run can be repeated.
    """

    def __init__(self, test: str, seed: int, record: Callable[[Any], None]) -> None:
        self._test, self._seed, self._record = test, seed, record

    def check(self, factory: Any, expect: str | None = None, *, seeds: int = 8, **options: Any) -> Any:
        """Claim the class of a model, and what it promises; arguments as in
        `montecarlo.practice.depth_check`.

        `seeds` is their number. Returns the `DepthCheck`; raises AssertionError with its table unless its
        verdict is "consistent".
        """
        __tracebackhide__ = True
        import hashlib

        from montecarlo.practice import depth_check

        mark = hashlib.sha256(f"{self._seed} {self._test}".encode()).digest()
        first = int.from_bytes(mark[:4], "little")
        numbers = [first + i for i in range(seeds)]
        check = depth_check(factory, seeds=numbers, expect=expect, **options)
        self._record(check)
        if check.verdict != "consistent":
            raise AssertionError(f"depth check {check.verdict}\n{check}")
        return check


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--theory-seed``."""
    group = parser.getgroup("largedepth", "claims of theory (largedepth)")
    group.addoption(
        "--theory-seed", type=int, default=0, metavar="N",
        help="Seed of the networks that theory_claims samples (default: 0).",
    )  # fmt: skip


def _identity(item: pytest.Item) -> str:
    """Return what a test is called wherever pytest starts: its id depends on that, and on pytest-xdist."""
    folder, file = item.path.parent, item.path.name
    while (folder / "__init__.py").is_file():
        folder, file = folder.parent, f"{folder.name}/{file}"
    inside = [node.name for node in item.listchain() if isinstance(node, (pytest.Class, pytest.Function))]
    return "::".join([file, *inside])


@pytest.fixture
def theory_claims(request: pytest.FixtureRequest) -> TheoryClaims:
    """Test claims of theory by simulation: ``mean``, ``probability``, ``law`` and ``number``."""
    properties = request.node.user_properties
    # A test that is run again, by pytest-rerunfailures say, tests the same claims on the same networks.
    properties[:] = [(name, value) for name, value in properties if name != _PROPERTY]

    def record(verdict: Verdict) -> None:
        properties.append((_PROPERTY, json.dumps(verdict.record(), ensure_ascii=False)))

    return TheoryClaims(_identity(request.node), request.config.option.theory_seed, record)


@pytest.fixture
def depth_claims(request: pytest.FixtureRequest) -> DepthClaims:
    """Test how a real model depends on depth: ``check(factory, expect="critical")``."""
    properties = request.node.user_properties
    properties[:] = [(name, value) for name, value in properties if name != _DEPTH_PROPERTY]

    def record(check: Any) -> None:
        properties.append((_DEPTH_PROPERTY, json.dumps(check.record(), ensure_ascii=False)))

    return DepthClaims(_identity(request.node), request.config.option.theory_seed, record)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was tested, what depth checks warn of, and how likely it is that a right claim was refuted."""
    claims = _recorded(terminalreporter, _PROPERTY)
    # Once each: a test that was run again has a report for every time.
    verdicts = [*{(test, verdict["id"]): verdict for test, _, verdict in claims}.values()]
    if verdicts:
        terminalreporter.write_sep("=", "claims of theory")
        total = sum(verdict["false_alarm"] for verdict in verdicts)
        _write_counts(terminalreporter, verdicts, f"that a right one is refuted: at most {total:.2g}")
    checks = {(test, place): check for test, place, check in _recorded(terminalreporter, _DEPTH_PROPERTY)}
    if checks:
        terminalreporter.write_sep("=", "depth checks")
        for (test, _), check in checks.items():
            expected = f", {check['expect']} claimed" if check["expect"] else ""
            terminalreporter.write_line(f"{test}: {check['verdict']}, {check['class']}{expected}")
            for fault in check["faults"]:
                terminalreporter.write_line(f"  {fault['words']}")
        # A promise has a probability of its own beside the class's.
        total = sum(check["false_alarm"] * (2 if check["promise"] else 1) for check in checks.values())
        _write_counts(terminalreporter, [*checks.values()], f"that one is wrong: at most {total:.2g}")


def _recorded(terminalreporter: Any, name: str) -> list[tuple[str, int, dict[str, Any]]]:
    """Return what tests recorded under a name, each with its test and its place there."""
    return [
        (report.nodeid, place, json.loads(value))
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "teardown"  # by then a test has all its properties
        for place, value in enumerate(value for key, value in report.user_properties if key == name)
    ]


def _write_counts(terminalreporter: Any, verdicts: list[dict[str, Any]], probability: str) -> None:
    words = [verdict["verdict"] for verdict in verdicts]
    counts = ", ".join(f"{words.count(word)} {word}" for word in ("consistent", "refuted", "undecided"))
    terminalreporter.write_line(f"{counts}; probability {probability} in all")
