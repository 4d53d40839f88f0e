"""Verification: theorems as tests with a stated false-alarm probability and resolution.

* `verify` runs the catalogue's experiments, `run_experiments` any others; both return a `Verification`.
* An experiment binds a prediction to networks, an observable and a sequential test: `NumberExperiment`,
  `LawExperiment`, `SameLawExperiment`, `EstimateExperiment`.
* `experiments_of` returns the experiments of a theorem, `mutants_of` wrong variants that must be refuted.
"""

from montecarlo.verification._experiment import EstimateExperiment as EstimateExperiment
from montecarlo.verification._experiment import Experiment as Experiment
from montecarlo.verification._experiment import LawExperiment as LawExperiment
from montecarlo.verification._experiment import NumberExperiment as NumberExperiment
from montecarlo.verification._experiment import SameLawExperiment as SameLawExperiment
from montecarlo.verification._verdict import Verdict as Verdict
from montecarlo.verification._verdict import Verification as Verification
from montecarlo.verification._verify import run_experiments as run_experiments
