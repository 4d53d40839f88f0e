"""`verify` and `run_mutants`: the catalogue's experiments, and wrong variants of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from montecarlo.common._errors import InvalidFieldError, check_real
from montecarlo.verification._experiment import Experiment
from montecarlo.verification._mutant import Mutant
from montecarlo.verification._verdict import Verdict, Verification, Word
from montecarlo.verification._verify import VerificationInterrupted, run_experiments
from montecarlo.verification.experiments import experiments_of, mutants_of
from theory.catalogue import THEOREMS, find_theorem


def verify(
    ids: Iterable[str] | None = None,
    *,
    quick: bool = False,
    false_alarm: float = 1e-6,
    budget: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    on_verdict: Callable[[Verdict], None] | None = None,
    on_turn: Callable[[Experiment], None] | None = None,
) -> Verification:
    """Test theorems against simulation.

    Parameters
    ----------
    ids : iterable of str, optional
        Ids or names of theorems, such as "I2" or "second-moment"; default: all that have experiments.
    quick : bool, default False
        Whether to run the quick half alone: exact statements and inequalities, no limits.
    false_alarm, budget, seed, threads, on_verdict, on_turn
        As in `run_experiments`. The verdicts on a theorem depend on what is verified beside it only through
        its share of `false_alarm`.

    Returns
    -------
    Verification

    Raises
    ------
    InvalidFieldError
        A ValueError whose one line names the field, the value, the rule and the fix; for an unknown id, the
        nearest ones.
    VerificationInterrupted
        A KeyboardInterrupt with the verdicts so far.

    Examples
    --------
    >>> verification = verify(["I2"], seed=7)
    >>> verification.theorems
    {'I2': 'consistent'}
    >>> verify(["I22"])
    Traceback (most recent call last):
    ...
    montecarlo.InvalidFieldError: ID='I22': must be the id or the name of a theorem; did you ...
    """
    return run_experiments(
        chosen_experiments(ids, quick=quick), false_alarm=false_alarm, budget=budget, seed=seed,
        threads=threads, on_verdict=on_verdict, on_turn=on_turn,
    )  # fmt: skip


def chosen_experiments(ids: Iterable[str] | None = None, *, quick: bool = False) -> list[Experiment]:
    """Return the experiments of theorems, in the order of the catalogue.

    Parameters
    ----------
    ids : iterable of str, optional
        Ids or names of theorems; default: all.
    quick : bool, default False
        Whether to leave out what is not in the quick half.

    Raises
    ------
    InvalidFieldError
        If an id is unknown, or a theorem that was named has no experiment.
    """
    found = []
    named = None if ids is None else {_find(id): id for id in ids}
    for theorem in THEOREMS if named is None else [id for id in THEOREMS if id in named]:
        experiments = [e for e in experiments_of(theorem) if not quick or is_quick(e)]
        if named is not None and not experiments:
            raise _without_experiment(theorem, quick)
        found += experiments
    return found


def chosen_mutants(ids: Iterable[str] | None = None, *, quick: bool = False) -> list[Mutant]:
    """Return the mutants of theorems, in the order of the catalogue; arguments as in `chosen_experiments`.

    Raises
    ------
    InvalidFieldError
        As in `chosen_experiments`, and if there is none: an empty table would read as if none had survived.
    """
    theorems = list(dict.fromkeys(e.theorem for e in chosen_experiments(ids, quick=quick)))
    every = [mutant for theorem in theorems for mutant in mutants_of(theorem)]
    found = [mutant for mutant in every if not quick or is_quick(mutant.experiment)]
    if not found:
        raise InvalidFieldError("ID", " ".join(theorems), "has no mutant", "give another id")
    return found


def is_quick(experiment: Experiment) -> bool:
    """Return whether an experiment of the catalogue belongs to its quick half."""
    if experiment.quick is not None:
        return experiment.quick
    return THEOREMS[experiment.theorem].regime in ("exact", "inequality")


def _find(id: str) -> str:
    try:
        return find_theorem(id).id
    except ValueError as error:
        rule, fix = str(error).removeprefix(f"ID={id!r}: ").split("; ", 1)
        raise InvalidFieldError("ID", id, rule, fix) from None


def _without_experiment(theorem: str, quick: bool) -> InvalidFieldError:
    if quick and experiments_of(theorem):
        return InvalidFieldError("ID", theorem, "has no quick experiment", "leave quick=True out")
    known = ", ".join(id for id in THEOREMS if experiments_of(id))
    return InvalidFieldError("ID", theorem, "has no experiment", f"give one of {known}")


@dataclass(frozen=True)
class MutantOutcome:
    """Whether verification noticed what is wrong with a mutant.

    Parameters
    ----------
    theorem, experiment : str
        Id of the theorem, and name of the experiment that the mutant is a variant of.
    mutant : str
        What is wrong, in words.
    kind : {"theory", "simulator"}
        Where.
    verdict : {"consistent", "refuted", "undecided"}
        On the wrong variant.
    networks : int
        Networks sampled.
    seconds : float
        Wall-clock time.
    """

    theorem: str
    experiment: str
    mutant: str
    kind: Literal["theory", "simulator"]
    verdict: Word
    networks: int
    seconds: float

    @property
    def caught(self) -> bool:
        """Whether the wrong variant was refuted."""
        return self.verdict == "refuted"


@dataclass(frozen=True)
class MutantRun:
    """The outcomes of wrong variants, in the order of the catalogue.

    Parameters
    ----------
    outcomes : tuple of MutantOutcome
        One a mutant.
    seed : int
        The seed.
    seconds : float
        Wall-clock time.
    """

    outcomes: tuple[MutantOutcome, ...]
    seed: int
    seconds: float

    @property
    def missed(self) -> tuple[MutantOutcome, ...]:
        """The mutants that verification did not refute."""
        return tuple(outcome for outcome in self.outcomes if not outcome.caught)


class MutantsInterrupted(KeyboardInterrupt):
    """Ctrl-C during a run of mutants.

    Parameters
    ----------
    run : MutantRun
        The outcomes so far, with "undecided" for the rest.
    """

    def __init__(self, run: MutantRun) -> None:
        super().__init__("mutants interrupted")
        self.run = run


def run_mutants(
    ids: Iterable[str] | None = None,
    *,
    quick: bool = False,
    false_alarm: float = 1e-6,
    budget: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    on_verdict: Callable[[Verdict], None] | None = None,
    on_turn: Callable[[Experiment], None] | None = None,
) -> MutantRun:
    """Test wrong variants of theorems and of simulators, each of which should be refuted.

    Each has the share of `false_alarm` and the resolution that its experiment has in `verify` with the same
    `ids` and `quick`: what is caught here would be caught there.

    Parameters
    ----------
    ids, quick, false_alarm, budget, seed, threads, on_verdict, on_turn
        As in `verify`.

    Returns
    -------
    MutantRun

    Raises
    ------
    InvalidFieldError
        As in `verify`.
    MutantsInterrupted
        A KeyboardInterrupt with the outcomes so far.

    Examples
    --------
    >>> run_mutants(["I2"], seed=7).missed
    ()
    """
    false_alarm = check_real("false_alarm", false_alarm, 0.0, 0.5, 1e-6, open_low=True)
    ids = None if ids is None else tuple(ids)
    chosen = chosen_mutants(ids, quick=quick)
    # A name of its own: networks of its own, and a label that no other experiment has.
    wrong = [replace(m.experiment, name=f"{m.experiment.name}, {m.name}") for m in chosen]
    # Equal shares as in `verify`, however many mutants there are.
    total = min(0.5, false_alarm * len(wrong) / len(chosen_experiments(ids, quick=quick)))
    try:
        run = run_experiments(
            wrong, false_alarm=total, budget=budget, seed=seed, threads=threads, on_verdict=on_verdict,
            on_turn=on_turn,
        )  # fmt: skip
    except VerificationInterrupted as stop:
        raise MutantsInterrupted(_mutant_run(chosen, stop.verification)) from None
    return _mutant_run(chosen, run)


def _mutant_run(mutants: list[Mutant], run: Verification) -> MutantRun:
    outcomes = tuple(
        MutantOutcome(
            verdict.id, mutant.experiment.name, mutant.name, mutant.kind, verdict.verdict, verdict.networks,
            verdict.seconds,
        )
        for mutant, verdict in zip(mutants, run.verdicts, strict=True)
    )  # fmt: skip
    return MutantRun(outcomes, run.seed, run.seconds)
