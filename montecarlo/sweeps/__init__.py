"""Sweeps: many specifications, described by a file, into a results folder that loses nothing."""

from montecarlo.sweeps._packages import Pace as Pace
from montecarlo.sweeps._plan import Precision as Precision
from montecarlo.sweeps._plan import Sweep as Sweep
from montecarlo.sweeps._plan import SweepPoint as SweepPoint
from montecarlo.sweeps._read import SweepFileError as SweepFileError
from montecarlo.sweeps._read import read_sweep as read_sweep
from montecarlo.sweeps._run import SweepResult as SweepResult
from montecarlo.sweeps._run import SweepWatch as SweepWatch
from montecarlo.sweeps._run import run_sweep as run_sweep
