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
    SMALL | {"weights": "uniform", "norm": "peri-layer", "norm_eps": 0.1},
    SMALL | {"weights": "uniform", "norm": "post-rms"},
    SMALL | {"weights": "uniform", "hidden_width": 9, "skip": 0.5, "schedule": [1.0, 0.0, 0.5]},
    SMALL | {"weights": "uniform", "block": "post-activation", "activation": "leaky-relu"},
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


OTHER_ENGINES = """
import json, sys
from montecarlo import ResNet, simulate
rows = []
for text in sys.argv[1:]:
    fields, options = json.loads(text)
    sample = simulate(ResNet(**fields), replicas=3, seed=3, threads=1, trajectories=True, **options)
    rows.append({name: column.ravel().tolist() for name, column in sample.columns.items()})
print(json.dumps(rows))
"""

CASES = [
    (SMALL, {"engine": "gaussian", "weight_gradients": True}),
    (SMALL | {"block": "res-2", "activation": "softplus", "bias_std": 0.5}, {"engine": "gaussian"}),
    (SMALL | {"beta": None, "alpha": 1e30, "depth": 9}, {"engine": "gaussian"}),
    (SMALL | {"norm": "peri-layer", "hidden_width": 5, "skip": 0.5}, {"engine": "gaussian"}),
    (SMALL | {"norm": "post-layer", "schedule": "power:1"}, {"engine": "gaussian"}),
    (
        SMALL | {"norm": "pre-rms", "norm_eps": 0.1, "block": "res-1", "activation": "tanh"},
        {"engine": "gaussian"},
    ),
    (SMALL | {"block": "post-activation", "norm": "pre-tanh:0.7"}, {"engine": "gaussian"}),
    (SMALL, {"engine": "radial", "gradients": "dual"}),
    (SMALL | {"width": 70}, {"engine": "radial", "gradients": "none"}),
    (SMALL | {"beta": None, "alpha": 1e30, "depth": 9}, {"engine": "radial", "gradients": "none"}),
    (
        SMALL | {"hidden_width": 70, "skip": -0.5, "schedule": "power:1"},
        {"engine": "radial", "gradients": "dual"},
    ),
    (SMALL | {"norm": "peri-rms"}, {"engine": "radial", "gradients": "dual"}),
    (SMALL | {"norm": "post-rms", "width": 7}, {"engine": "radial", "gradients": "dual"}),
    (SMALL | {"norm": "peri-rms"}, {"engine": "radial", "weight_gradients": True}),
    (SMALL | {"norm": "post-rms", "width": 7}, {"engine": "radial"}),
]


def test_the_other_engines_without_the_compiler():
    # numpy sums squares in another order, and libm's logarithm meets other roundings: equal to 1e-5.
    texts = [json.dumps(case) for case in CASES]
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-c", OTHER_ENGINES, *texts]
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    for (fields, options), plain in zip(CASES, json.loads(result.stdout), strict=True):
        sample = montecarlo.simulate(ResNet(**fields), replicas=3, seed=3, trajectories=True, **options)
        assert list(sample.columns) == list(plain)
        for name, column in sample.columns.items():
            np.testing.assert_allclose(plain[name], column.ravel(), rtol=1e-9, atol=1e-5, err_msg=str(fields))
