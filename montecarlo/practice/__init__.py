"""Real models beside theory: their residual streams recorded, their dependence on depth checked.

- `record` reads states, branch outputs, gradients and parameters a block from a PyTorch module by hooks, or
  from a function that returns its stream (JAX, numpy, anything).
- `depth_check` measures a model at several depths, says which class it is of (identity, critical, polynomial,
  exponential), and tests block by block whether it has the law that its specification promises.

No framework is imported unless the user's model is one.
"""

from montecarlo.practice._classes import Growth as Growth
from montecarlo.practice._depth_check import depth_check as depth_check
from montecarlo.practice._factory import find_object as find_object
from montecarlo.practice._fault import Fault as Fault
from montecarlo.practice._findings import Theory as Theory
from montecarlo.practice._frameworks import MissingFrameworkError as MissingFrameworkError
from montecarlo.practice._parameters import ParameterFacts as ParameterFacts
from montecarlo.practice._record import record as record
from montecarlo.practice._report import DepthCheck as DepthCheck
from montecarlo.practice._seeds import Measured as Measured
from montecarlo.practice._stream import Stream as Stream
from montecarlo.practice._structure import Structure as Structure
from montecarlo.practice._unlike_branches import Resolution as Resolution
from montecarlo.practice._users import UserCodeError as UserCodeError
