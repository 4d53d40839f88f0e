"""Which engine `auto` takes, what each refuses and how it says so, and the dual columns.

The statistical tests share a false alarm of 1e-6; a seed may be changed once, with a reason.
"""

import numpy as np
import pytest

from montecarlo import Activation, InvalidFieldError, ResNet, simulate
from montecarlo.engines._registry import ENGINES, find_engine
from montecarlo.engines._request import Request
from montecarlo.estimates import law_distance, same_law
from montecarlo.laws import LAWS
from theory import ExactNormLaw, dual_column

pytestmark = pytest.mark.usefixtures("warm_kernels")

SEED = 20240911
FALSE_ALARM = 1e-6 / 40  # fewer than forty comparisons in this file
JOINT, NONE, DUAL = Request(), Request(gradients=False), Request(gradients=False, dual=True)
HIDDEN = ["log_hidden_ratio", "log_hidden_difference"]
GRADIENT = ["log_gradient_ratio", "log_gradient_difference"]
DUALS = ["log_gradient_ratio_dual", "log_gradient_difference_dual"]


def net(**options):
    return ResNet(**({"width": 4, "depth": 3, "beta": 0.5} | options))


LINEAR = Activation("mine", lambda x: x, lambda x: 1.0, negative_slope=1.0)
RES3, LINEAR_RES1, OWN_LINEAR_RES1 = (
    net(),
    net(block="res-1", activation="identity"),
    net(block="res-1", activation=LINEAR),
)
GAUSSIAN = [
    net(block="res-1"),
    net(block="res-1", activation="tanh"),
    net(block="res-1", activation="leaky-relu"),
    net(block="res-2"),
    net(block="res-2", activation="identity"),
    net(block="res-2", bias_std=0.1),
]
OTHERS = [
    net(weights=law, block=block) for law in sorted(set(LAWS) - {"gaussian"}) for block in ("res-1", "res-3")
]


@pytest.mark.parametrize("network", [RES3, LINEAR_RES1, OWN_LINEAR_RES1])
def test_radial_where_norms_are_enough(network):
    assert find_engine("auto", network, NONE).name == "radial"
    assert find_engine("auto", network, DUAL).name == "radial"
    assert find_engine("auto", network, Request(gradients=False, trajectories=True)).name == "radial"
    assert find_engine("auto", network, JOINT).name == "gaussian"
    assert find_engine("auto", network, Request(weight_gradients=True)).name == "gaussian"


@pytest.mark.parametrize("network", GAUSSIAN, ids=repr)
@pytest.mark.parametrize("request_", [JOINT, NONE])
def test_gaussian_for_other_gaussian_networks(network, request_):
    assert find_engine("auto", network, request_).name == "gaussian"


@pytest.mark.parametrize(
    "fields",
    [
        {"norm": "pre-layer", "hidden_width": 9},
        {"norm": "post-layer"},
        {"block": "post-activation", "skip": 0.5},
    ],
)
def test_gaussian_for_gradients_of_normalised_networks(fields):
    assert find_engine("auto", net(**fields), JOINT).name == "gaussian"
    assert find_engine("auto", net(**fields, weights="uniform"), JOINT).name == "dense"


@pytest.mark.parametrize("norm", ["pre-rms", "peri-rms", "post-rms"])
def test_radial_for_joint_gradients_behind_a_norm(norm):
    assert find_engine("auto", net(norm=norm, hidden_width=9), JOINT).name == "radial"
    assert find_engine("auto", net(norm=norm, norm_eps=1e-5), JOINT).name == "gaussian"


@pytest.mark.parametrize("network", OTHERS, ids=repr)
@pytest.mark.parametrize("request_", [JOINT, NONE])
def test_dense_for_other_weights(network, request_):
    assert find_engine("auto", network, request_).name == "dense"


@pytest.mark.parametrize("network", [RES3, LINEAR_RES1, *GAUSSIAN, *OTHERS], ids=repr)
@pytest.mark.parametrize("gradients", ["joint", "none"])
def test_the_sample_names_its_engine(network, gradients):
    sample = simulate(network, replicas=2, seed=1, gradients=gradients)
    request = JOINT if gradients == "joint" else NONE
    assert sample.engine == find_engine("auto", network, request).name
    assert list(sample.columns) == HIDDEN + (GRADIENT if gradients == "joint" else [])
    again = simulate(network, replicas=2, seed=1, gradients=gradients, engine=sample.engine)
    assert all(np.array_equal(again[name], column) for name, column in sample.columns.items())


def refused(network, **options):
    with pytest.raises(InvalidFieldError) as caught:
        simulate(network, replicas=1, seed=1, **options)
    error = caught.value
    assert error.rule
    assert error.fix
    assert str(error) == f"{error.field}={error.value!r}: {error.rule}; {error.fix}"
    assert "\n" not in str(error)
    return error


@pytest.mark.parametrize("name", ["densest", "RADIAL", "", None, 3, ["dense"]])
def test_unknown_engines(name):
    error = refused(RES3, engine=name)
    assert error.field == "engine"
    assert error.value == name
    assert all(known in error.rule for known in ("auto", *ENGINES))


@pytest.mark.parametrize("network", OTHERS, ids=repr)
@pytest.mark.parametrize(("engine", "gradients"), [("gaussian", "joint"), ("radial", "none")])
def test_other_weights_are_refused(network, engine, gradients):
    error = refused(network, engine=engine, gradients=gradients)
    assert (error.field, error.value) == ("engine", engine)
    assert network.weights in error.rule
    assert error.rule.startswith("must be dense")
    assert error.fix == "take engine='auto'"
    simulate(network, replicas=1, seed=1, engine="auto", gradients=gradients)  # the fix works


@pytest.mark.parametrize("network", GAUSSIAN, ids=repr)
def test_radial_refuses_what_norms_do_not_determine(network):
    error = refused(network, engine="radial", gradients="none")
    assert (error.field, error.value) == ("engine", "radial")
    if "bias" in network.words:
        assert "has no word 'bias'" in error.rule
    else:
        assert network.block in error.rule
        assert str(network.activation) in error.rule
    simulate(network, replicas=1, seed=1, engine="auto", gradients="none")


@pytest.mark.parametrize("network", [RES3, LINEAR_RES1])
def test_radial_refuses_joint_gradients(network):
    error = refused(network, engine="radial")
    assert (error.field, error.value) == ("engine", "radial")
    assert "joint gradients" in error.rule
    for gradients in ("dual", "none"):  # as the rule says
        assert f"'{gradients}'" in error.rule
        simulate(network, replicas=1, seed=1, engine="radial", gradients=gradients)


@pytest.mark.parametrize("engine", ["gaussian", "dense"])
def test_other_engines_refuse_dual_gradients(engine):
    error = refused(RES3, engine=engine, gradients="dual")
    assert (error.field, error.value) == ("engine", engine)
    assert "radial" in error.rule
    assert simulate(RES3, replicas=1, seed=1, gradients="dual").engine == "radial"


@pytest.mark.parametrize("network", [*GAUSSIAN, *OTHERS], ids=repr)
def test_dual_gradients_of_networks_that_are_not_radial(network):
    error = refused(network, gradients="dual")
    assert (error.field, error.value) == ("gradients", "dual")
    assert "Gaussian weights" in error.rule
    simulate(network, replicas=1, seed=1, gradients="joint")  # the fix works


@pytest.mark.parametrize("engine", ["dense", "gaussian", "radial"])
@pytest.mark.parametrize("network", [GAUSSIAN[0], OTHERS[0]], ids=repr)
def test_no_fix_that_is_refused_in_turn(network, engine):
    # engine='auto' cannot give the dual gradients of these networks either
    error = refused(network, engine=engine, gradients="dual")
    if error.fix == "take engine='auto'":
        find_engine("auto", network, DUAL)


@pytest.mark.parametrize("gradients", ["both", "", None, True, ["joint"]])
def test_unknown_gradients(gradients):
    error = refused(RES3, gradients=gradients)
    assert (error.field, error.value) == ("gradients", gradients)
    assert all(word in error.rule for word in ("joint", "none", "dual"))


@pytest.mark.parametrize("gradients", ["none", "dual"])
def test_weight_gradients_need_joint_gradients(gradients):
    error = refused(RES3, gradients=gradients, weight_gradients=True)
    assert error.field == "gradients"
    assert "joint" in error.rule


# --- dual columns -----------------------------------------------------------------------------------------


def test_names_of_the_dual_columns():
    sample = simulate(RES3, replicas=3, seed=1, gradients="dual", trajectories=True)
    assert list(sample.columns) == HIDDEN + DUALS + ["log_hidden_path"]
    for name in GRADIENT:
        with pytest.raises(KeyError, match=name):
            sample[name]
    assert [dual_column(name.removesuffix("_dual")) for name in DUALS] == HIDDEN


def test_dual_networks_are_no_hidden_ones():
    sample = simulate(net(width=100), replicas=2000, seed=1, gradients="dual")
    for hidden, dual in zip(HIDDEN, DUALS, strict=True):
        assert not np.isin(sample[dual], sample[hidden]).any()
        assert np.unique(sample[dual]).size == 2000


NETWORKS = [net(width=1, depth=6), net(width=2, depth=20, beta=0.25), net(width=40, depth=50),
            net(width=7, depth=9, block="res-1", activation="identity")]  # fmt: skip
REPLICAS = 40_000


@pytest.mark.statistical
@pytest.mark.parametrize("network", NETWORKS, ids=repr)
def test_dual_columns_have_the_law_of_gradients(network):
    radial = simulate(network, replicas=REPLICAS, seed=SEED, gradients="dual")
    joint = simulate(network, replicas=REPLICAS, seed=SEED + 1)
    for gradient, dual in zip(GRADIENT, DUALS, strict=True):
        test = same_law(radial[dual], joint[gradient], false_alarm=FALSE_ALARM)
        assert not test.refuted, f"{dual}: {test}"
    # of one network: ratio and difference belong together
    test = same_law(
        radial[DUALS[1]] - radial[DUALS[0]], joint[GRADIENT[1]] - joint[GRADIENT[0]], false_alarm=FALSE_ALARM
    )
    assert not test.refuted, str(test)
    if network.block == "res-3":
        law = ExactNormLaw(width=network.width, depth=network.depth, alpha=network.scaling)
        test = law_distance(radial[DUALS[0]], law.cdf, false_alarm=FALSE_ALARM)
        assert not test.refuted, str(test)


def own_partner_test(hidden, gradient):
    """Compare pairs of a row with pairs across rows: one law if the columns are independent."""
    half = len(hidden) // 2
    own = hidden[: half - 1] - gradient[: half - 1]
    across = hidden[half:-1] - gradient[half + 1 :]
    return same_law(own, across, false_alarm=FALSE_ALARM)


@pytest.mark.statistical
@pytest.mark.parametrize("network", NETWORKS[:3], ids=repr)
def test_dual_columns_are_independent_of_the_hidden_ones(network):
    radial = simulate(network, replicas=REPLICAS, seed=SEED, gradients="dual")
    test = own_partner_test(radial["log_hidden_ratio"], radial["log_gradient_ratio_dual"])
    assert not test.refuted, str(test)
    if network.width <= 2:  # joint gradients do depend on them, the more the narrower
        joint = simulate(network, replicas=REPLICAS, seed=SEED)
        assert own_partner_test(joint["log_hidden_ratio"], joint["log_gradient_ratio"]).refuted
