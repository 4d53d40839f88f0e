"""The residual branches of a model: width, depth and weight scales, read from its parameters.

A reader says which parameter has which role (`BranchParameters`), and `measure` makes the record of them.
"""

from montecarlo.diagnosis.branches._measure import measure as measure
from montecarlo.diagnosis.branches._parameters import BranchParameters as BranchParameters
