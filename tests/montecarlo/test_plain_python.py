"""With NUMBA_DISABLE_JIT=1 the kernels run as plain Python, index checks included, to the same rows."""

import functools
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import montecarlo
from montecarlo import ResNet

simulate = functools.partial(montecarlo.simulate, engine="dense")

pytestmark = pytest.mark.usefixtures("warm_kernels")

PROGRAM = """
import json, sys
from montecarlo import ResNet, simulate
rows = {}
for text in sys.argv[1:]:
    sample = simulate(ResNet(**json.loads(text)), replicas=2, seed=3, threads=1, engine="dense",
                      trajectories=True, weight_gradients=True)
    rows[text] = {name: [float(x).hex() for x in column.ravel()] for name, column in sample.columns.items()}
print(json.dumps(rows))
"""

SMALL = {"width": 3, "depth": 3, "beta": 0.5, "input_dim": 4}
SPECIFICATIONS = [
    SMALL | {"weights": "gaussian"},
    SMALL | {"weights": "rademacher", "block": "res-2", "activation": "leaky-relu"},
    SMALL | {"weights": "uniform", "block": "res-1", "activation": "identity"},
    SMALL | {"weights": "uniform:24", "block": "res-2", "activation": "relu", "bias_std": 0.5},
]


def test_same_rows_without_the_compiler():
    texts = [json.dumps(fields) for fields in SPECIFICATIONS]
    # numpy's scalars warn where 32-bit words wrap around on purpose
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-c", PROGRAM, *texts]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    plain = json.loads(result.stdout)
    for text, fields in zip(texts, SPECIFICATIONS, strict=True):
        sample = simulate(ResNet(**fields), replicas=2, seed=3, trajectories=True, weight_gradients=True)
        for name, column in sample.columns.items():
            if not name.startswith("log_weight_gradient"):
                assert plain[text][name] == [float(x).hex() for x in column.ravel()], (text, name)
            # the norm of a float32 array is summed in float32 here, and in float64 by the compiled code
            values = [float.fromhex(x) for x in plain[text][name]]
            np.testing.assert_allclose(values, column.ravel(), rtol=0.0, atol=1e-6, err_msg=name)
