"""Always-valid sequential tests and confidence sequences, fed in batches of i.i.d. rows in order.

A run may look whenever it likes and stop when it likes: if a prediction is right, the probability that it is
ever refuted is at most the stated false alarm. Every sequence has `update`, `n`, `interval`, `half_width`,
`refutes` and `result`, and a short proof of validity at the top of its module.

- rows with known bounds: `BoundedMean`, the tightest; `EmpiricalBernstein`, closed form
- events: `EventProbability`, for claims "at most" and "at least" too
- heavy tails, non-negative rows with a known bound of the second moment: `NonNegativeMean`
- sub-Gaussian rows with a known variance proxy: `SubGaussianMean`
- quantiles: `QuantileSequence`
- whole laws: `CdfBand` against a predicted one, `TwoSampleCdf` for equality of two
- several tests: `share_false_alarm`, `average_log_e`, `combine`

Rows that are not finite are counted and left out, so what is tested is the law given that a row is finite;
quantiles and laws keep −inf, the natural log of an exact zero. A batch that breaks the hypothesis (a row
outside the bounds, say) is refused as a whole and changes nothing.
"""

from montecarlo.sequential._bounded_mean import BoundedMean as BoundedMean
from montecarlo.sequential._cdf_band import CdfBand as CdfBand
from montecarlo.sequential._combine import Combined as Combined
from montecarlo.sequential._combine import average_log_e as average_log_e
from montecarlo.sequential._combine import combine as combine
from montecarlo.sequential._combine import share_false_alarm as share_false_alarm
from montecarlo.sequential._empirical_bernstein import EmpiricalBernstein as EmpiricalBernstein
from montecarlo.sequential._event_probability import EventProbability as EventProbability
from montecarlo.sequential._non_negative_mean import NonNegativeMean as NonNegativeMean
from montecarlo.sequential._quantile import QuantileSequence as QuantileSequence
from montecarlo.sequential._result import Claim as Claim
from montecarlo.sequential._result import Decision as Decision
from montecarlo.sequential._result import SequentialResult as SequentialResult
from montecarlo.sequential._sequence import Sequence as Sequence
from montecarlo.sequential._sub_gaussian_mean import SubGaussianMean as SubGaussianMean
from montecarlo.sequential._two_sample_cdf import TwoSampleCdf as TwoSampleCdf
