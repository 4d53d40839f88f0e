"""pytest plugin: the fixture ``theory_claims`` tests claims of theory in your own test files.

Loaded by pytest wherever largedepth is installed; ``-p no:largedepth.pytest_plugin`` leaves it out. What is
heavy is imported when a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from montecarlo.verification import Verdict

_VERDICTS = pytest.StashKey[list["Verdict"]]()


class TheoryClaims:
    """Claims of one test: each method tests one and fails the test unless it is consistent.

    Networks are a function of the seed (``--theory-seed``), the test's id and the number of the claim in the
    test (or its `name`): no two claims share networks, and a run can be repeated, alone or among others.
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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--theory-seed``."""
    group = parser.getgroup("largedepth", "claims of theory (largedepth)")
    group.addoption(
        "--theory-seed", type=int, default=0, metavar="N",
        help="Seed of the networks that theory_claims samples (default: 0).",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Start an empty list of verdicts."""
    config.stash[_VERDICTS] = []


@pytest.fixture
def theory_claims(request: pytest.FixtureRequest) -> TheoryClaims:
    """Test claims of theory by simulation: ``mean``, ``probability``, ``law`` and ``number``."""
    seed = request.config.getoption("--theory-seed")
    return TheoryClaims(request.node.nodeid, seed, request.config.stash[_VERDICTS].append)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how many claims were tested, and how likely it is that a right one was refuted."""
    verdicts = config.stash[_VERDICTS]
    if not verdicts:
        return
    words = [verdict.verdict for verdict in verdicts]
    counts = ", ".join(f"{words.count(word)} {word}" for word in ("consistent", "refuted", "undecided"))
    total = sum(verdict.false_alarm for verdict in verdicts)
    terminalreporter.write_sep("=", "claims of theory")
    terminalreporter.write_line(
        f"{counts}; probability that a right one is refuted: at most {total:.2g} in all"
    )
