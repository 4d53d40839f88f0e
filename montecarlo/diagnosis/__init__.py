"""Diagnosis of one network for practitioners: what its initialisation does to norms, gradients and floats.

* `diagnose` predicts growth forward and backward from theory, says which theory, and checks it by simulation.
* `diagnose_tokens` does the same for a random transformer.
* `find_family` reads the exponent of a scaling from networks of several depths.
* `measure_branches` reads width, depth and weight scales from a PyTorch module or Flax parameters.
"""

from montecarlo.diagnosis._check import Check as Check
from montecarlo.diagnosis._check import RatioCheck as RatioCheck
from montecarlo.diagnosis._diagnose import diagnose as diagnose
from montecarlo.diagnosis._diagnosis import Diagnosis as Diagnosis
from montecarlo.diagnosis._family import Family as Family
from montecarlo.diagnosis._family import find_family as find_family
from montecarlo.diagnosis._float_range import FORMATS as FORMATS
from montecarlo.diagnosis._float_range import FloatFormat as FloatFormat
from montecarlo.diagnosis._float_range import FloatRange as FloatRange
from montecarlo.diagnosis._prediction import Prediction as Prediction
from montecarlo.diagnosis._regime import Regime as Regime
from montecarlo.diagnosis.branches._read import measure_branches as measure_branches
from montecarlo.diagnosis.branches._record import Branches as Branches
from montecarlo.diagnosis.tokens._critical import TokenRegime as TokenRegime
from montecarlo.diagnosis.tokens._critical import find_token_regime as find_token_regime
from montecarlo.diagnosis.tokens._diagnose import TokenDiagnosis as TokenDiagnosis
from montecarlo.diagnosis.tokens._diagnose import diagnose_tokens as diagnose_tokens
from montecarlo.diagnosis.tokens._findings import TokenFindings as TokenFindings
from montecarlo.diagnosis.tokens._findings import TokenRange as TokenRange
from montecarlo.diagnosis.tokens._findings import TokenRow as TokenRow
