"""Gaussian weight processes along depth: every entry of √d V_k, k = 0..L-1, is a path of its own.

* `find_process` returns the process of a spelling such as ``"fbm:0.7"``, `WeightProcess` builds others.
* `sample_paths` draws paths as functions of a key, a role and a replica, `fill_lane_paths` those of many
  narrow networks at once.
* `PathFactor` is the linear map from independent normals to paths: an FFT, a small matrix or a recursion.
"""

from montecarlo.processes._draw import fill_lane_paths as fill_lane_paths
from montecarlo.processes._draw import normal_rows as normal_rows
from montecarlo.processes._draw import sample_paths as sample_paths
from montecarlo.processes._factor import PATH_LIMIT as PATH_LIMIT
from montecarlo.processes._factor import Fill as Fill
from montecarlo.processes._factor import PathFactor as PathFactor
from montecarlo.processes._lanes import LaneStream as LaneStream
from montecarlo.processes._names import PROCESSES as PROCESSES
from montecarlo.processes._names import find_process as find_process
from montecarlo.processes._process import WeightProcess as WeightProcess
