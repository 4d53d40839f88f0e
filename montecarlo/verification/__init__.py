"""Verification: theorems as tests with a stated false-alarm probability and resolution.

* `verify` runs the catalogue's experiments, `run_experiments` any others; both return a `Verification`.
* `run_mutants` runs wrong variants of theorems and simulators, which must be refuted.
* `check_mean`, `check_probability`, `check_law` and `check_number` test a claim of yours on the networks of a
  specification (`rows_of`) or the rows of any simulator; in pytest, ask for the fixture ``theory_claims``.
* An experiment binds a prediction to networks, an observable and a sequential test: `NumberExperiment`,
  `LawExperiment`, `SameLawExperiment`, `EstimateExperiment`.
* `explain` says all that is known of a `Verdict`.
"""

from montecarlo.verification._catalogue import MutantOutcome as MutantOutcome
from montecarlo.verification._catalogue import MutantRun as MutantRun
from montecarlo.verification._catalogue import MutantsInterrupted as MutantsInterrupted
from montecarlo.verification._catalogue import chosen_experiments as chosen_experiments
from montecarlo.verification._catalogue import chosen_mutants as chosen_mutants
from montecarlo.verification._catalogue import run_mutants as run_mutants
from montecarlo.verification._catalogue import verify as verify
from montecarlo.verification._claims import ClaimError as ClaimError
from montecarlo.verification._claims import ClaimRefuted as ClaimRefuted
from montecarlo.verification._claims import ClaimUndecided as ClaimUndecided
from montecarlo.verification._claims import check_law as check_law
from montecarlo.verification._claims import check_mean as check_mean
from montecarlo.verification._claims import check_number as check_number
from montecarlo.verification._claims import check_probability as check_probability
from montecarlo.verification._claims import require_consistent as require_consistent
from montecarlo.verification._experiment import EstimateExperiment as EstimateExperiment
from montecarlo.verification._experiment import Experiment as Experiment
from montecarlo.verification._experiment import LawExperiment as LawExperiment
from montecarlo.verification._experiment import NumberExperiment as NumberExperiment
from montecarlo.verification._experiment import SameLawExperiment as SameLawExperiment
from montecarlo.verification._explain import explain as explain
from montecarlo.verification._mutant import Mutant as Mutant
from montecarlo.verification._row_source import RowSource as RowSource
from montecarlo.verification._row_source import rows_of as rows_of
from montecarlo.verification._verdict import Verdict as Verdict
from montecarlo.verification._verdict import Verification as Verification
from montecarlo.verification._verify import VerificationInterrupted as VerificationInterrupted
from montecarlo.verification._verify import run_experiments as run_experiments
