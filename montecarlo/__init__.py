"""Monte Carlo of random residual networks: specifications, streams, engines, samples and estimates.

* `ResNet` specifies a network, `simulate` samples it, one row a network; `weights` returns one network's
  arrays.
* `Transformer` specifies a transformer, `simulate_tokens` samples it.
* `montecarlo.estimates` turns columns of log-ratios into numbers with intervals.
* `montecarlo.sequential` tests predictions on rows as they come, with a false alarm that holds at any time.
* `montecarlo.practice` records real models and checks how they depend on depth.
* `montecarlo.streams` holds the counter-based random streams, `montecarlo.laws` the weight laws.
"""

import importlib
from typing import TYPE_CHECKING

from montecarlo.common._errors import InvalidFieldError as InvalidFieldError
from montecarlo.engines._replay import ReplicaStates as ReplicaStates
from montecarlo.engines._replay import ReplicaWeights as ReplicaWeights
from montecarlo.engines._replay import final_states as final_states
from montecarlo.engines._replay import weights as weights
from montecarlo.engines._request import Request as Request
from montecarlo.networks._activations import Activation as Activation
from montecarlo.networks._specification import ResNet as ResNet
from montecarlo.networks._transformer import Transformer as Transformer
from montecarlo.networks._wide_transformer import predict_tokens as predict_tokens
from montecarlo.samples.depths._file import coupled_to_file as coupled_to_file
from montecarlo.samples.depths._file import read_coupled_sample as read_coupled_sample
from montecarlo.samples.depths._sample import CoupledSample as CoupledSample
from montecarlo.samples.depths._simulate import simulate_depths as simulate_depths
from montecarlo.samples.independent._file import sample_to_file as sample_to_file
from montecarlo.samples.independent._sample import LOG_RATIOS as LOG_RATIOS
from montecarlo.samples.independent._sample import Sample as Sample
from montecarlo.samples.independent._sample import read_sample as read_sample
from montecarlo.samples.independent._simulate import iter_blocks as iter_blocks
from montecarlo.samples.independent._simulate import make_request as make_request
from montecarlo.samples.independent._simulate import simulate as simulate
from montecarlo.samples.inputs._file import joint_to_file as joint_to_file
from montecarlo.samples.inputs._sample import JointSample as JointSample
from montecarlo.samples.inputs._sample import simulate_inputs as simulate_inputs
from montecarlo.samples.jacobians._file import jacobians_to_file as jacobians_to_file
from montecarlo.samples.jacobians._file import read_jacobian_sample as read_jacobian_sample
from montecarlo.samples.jacobians._sample import JacobianSample as JacobianSample
from montecarlo.samples.jacobians._sample import simulate_jacobians as simulate_jacobians
from montecarlo.samples.shared._file import read_shared_sample as read_shared_sample
from montecarlo.samples.shared._file import shared_to_file as shared_to_file
from montecarlo.samples.shared._sample import SharedSample as SharedSample
from montecarlo.samples.shared._sample import simulate_shared as simulate_shared
from montecarlo.samples.tokens._file import read_token_sample as read_token_sample
from montecarlo.samples.tokens._file import tokens_to_file as tokens_to_file
from montecarlo.samples.tokens._run import TokenRequest as TokenRequest
from montecarlo.samples.tokens._sample import TokenSample as TokenSample
from montecarlo.samples.tokens._sample import simulate_tokens as simulate_tokens

_PARTS = (
    "diagnosis", "estimates", "executors", "files", "practice", "processes", "runs", "sequential", "store",
    "streams", "sweeps", "training", "verification",
)  # fmt: skip

if TYPE_CHECKING:
    from montecarlo import diagnosis as diagnosis
    from montecarlo import estimates as estimates
    from montecarlo import executors as executors
    from montecarlo import files as files
    from montecarlo import practice as practice
    from montecarlo import processes as processes
    from montecarlo import runs as runs
    from montecarlo import sequential as sequential
    from montecarlo import store as store
    from montecarlo import streams as streams
    from montecarlo import sweeps as sweeps
    from montecarlo import training as training
    from montecarlo import verification as verification
else:

    def __getattr__(name):
        # `import montecarlo` is enough for `montecarlo.verification`, which takes its time only then.
        if name in _PARTS:
            return importlib.import_module(f"montecarlo.{name}")
        raise AttributeError(f"module 'montecarlo' has no attribute {name!r}")
