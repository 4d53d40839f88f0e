"""Estimates with intervals, and tests of laws, from i.i.d. rows.

Rows are one-dimensional columns, usually natural logs of ratios of norms: any size, -inf for an exact zero.
NaN and +inf are counted outcomes, never inside a mean.

- light-tailed rows: `mean`, `variance`, and `Moments` that pool over blocks
- rows with known bounds: `bounded_mean`
- any rows: `quantile`, `median`, `probability`
- expectations of ratios from their logs: `log_mean_exp`, which says when the tail makes them hopeless
- orders of convergence from coupled depths: `strong_order`, `weak_order`
- weights along depth: `path_regularity`, the Hurst or Hölder index of their sums
- laws: `law_distance`, `dkw_band`, `dkw_epsilon` for one sample, `same_law` for two
"""

from montecarlo.estimates._bounded_mean import bounded_mean as bounded_mean
from montecarlo.estimates._estimate import Estimate as Estimate
from montecarlo.estimates._heavy_tail import HeavyTailWarning as HeavyTailWarning
from montecarlo.estimates._law_distance import DkwBand as DkwBand
from montecarlo.estimates._law_distance import dkw_band as dkw_band
from montecarlo.estimates._law_distance import dkw_epsilon as dkw_epsilon
from montecarlo.estimates._law_distance import law_distance as law_distance
from montecarlo.estimates._law_test import LawTest as LawTest
from montecarlo.estimates._log_mean_exp import LogMeanExp as LogMeanExp
from montecarlo.estimates._log_mean_exp import log_mean_exp as log_mean_exp
from montecarlo.estimates._mean import mean as mean
from montecarlo.estimates._moments import Moments as Moments
from montecarlo.estimates._order import strong_order as strong_order
from montecarlo.estimates._order import weak_order as weak_order
from montecarlo.estimates._probability import probability as probability
from montecarlo.estimates._quantile import median as median
from montecarlo.estimates._quantile import quantile as quantile
from montecarlo.estimates._regularity import path_regularity as path_regularity
from montecarlo.estimates._same_law import same_law as same_law
from montecarlo.estimates._variance import variance as variance
