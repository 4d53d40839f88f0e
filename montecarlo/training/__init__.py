"""Training of residual networks that start from our own random weights (needs the extra `training`).

* `TrainingItem` says which network is trained and how, `train_networks` trains some of one shape.
* `Outcome` holds accuracy, losses, divergence, log-ratios and regularity along depth, before and after.
* `run_items` trains many, on any executor; with a results folder the same call again trains what is missing.
* `TrainingRun` is the run of `montecarlo.runs` whose rows are outcomes.
* `load_data` finds data sets.

The training itself is in JAX, which is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from montecarlo.training._cost import training_seconds as training_seconds
from montecarlo.training._data import DataSet as DataSet
from montecarlo.training._data import make_data as make_data
from montecarlo.training._extra import MissingExtraError as MissingExtraError
from montecarlo.training._extra import need_training as need_training
from montecarlo.training._outcome import Measured as Measured
from montecarlo.training._outcome import Outcome as Outcome
from montecarlo.training._outcome import TrainedNetwork as TrainedNetwork
from montecarlo.training._plan import RATES as RATES
from montecarlo.training._plan import TrainingItem as TrainingItem
from montecarlo.training._plan import TrainingPlan as TrainingPlan
from montecarlo.training._run import TrainingRun as TrainingRun
from montecarlo.training._scaling import weight_scaling as weight_scaling
from montecarlo.training._sources import load_data as load_data
from montecarlo.training._sweep import count_held as count_held
from montecarlo.training._sweep import run_items as run_items
from montecarlo.training._sweep import train_item as train_item

if TYPE_CHECKING:
    from montecarlo.training._fit import train_networks as train_networks


def __getattr__(name: str) -> Any:
    if name == "train_networks":
        need_training("jax", "optax")
        from montecarlo.training._fit import train_networks

        return train_networks
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
