"""I4 on the dense engine: the gradient ratios have the law of the hidden ones.

Two-sample tests between hidden columns of one half of the replicas and gradient columns of the other
half, which are independent networks. Their false alarm is guaranteed for every law (two-sample DKW).
Gaussian weights: the direction law of p_L and of h_0 is then the same. The seed may be changed once, with
a reason.
"""

import functools

import pytest

import montecarlo
from montecarlo import ResNet
from montecarlo.estimates import same_law

simulate = functools.partial(montecarlo.simulate, engine="dense")

pytestmark = [pytest.mark.usefixtures("warm_kernels"), pytest.mark.statistical]

SEED = 20240609
FALSE_ALARM = 1e-6
HALF = 15_000
PAIRS = [
    ("log_hidden_ratio", "log_gradient_ratio"),
    ("log_hidden_difference", "log_gradient_difference"),
]
SETTINGS = [(1, 6, 0.3), (4, 10, 0.25), (12, 20, 0.5), (30, 8, 0.0)]  # (d, L, beta)


@pytest.mark.parametrize(("width", "depth", "beta"), SETTINGS)
def test_gradients_have_the_law_of_the_hidden_states(width, depth, beta):
    sample = simulate(ResNet(width=width, depth=depth, beta=beta), replicas=2 * HALF, seed=SEED)
    for hidden, gradient in PAIRS:
        test = same_law(
            sample[hidden][:HALF], sample[gradient][HALF:], false_alarm=FALSE_ALARM / (2 * len(SETTINGS))
        )
        assert not test.refuted, f"{hidden}: {test}"
        assert test.threshold < 0.04


@pytest.mark.parametrize(("hidden", "gradient"), PAIRS)
def test_gradients_at_a_scaling_wrong_by_five_per_cent_are_refuted(hidden, gradient):
    net = ResNet(width=30, depth=8, alpha=1.0)
    mutant = ResNet(width=30, depth=8, alpha=1.05)
    ours = simulate(net, replicas=HALF, seed=SEED)[hidden]
    theirs = simulate(mutant, replicas=HALF, seed=SEED + 1)[gradient]
    assert same_law(ours, theirs, false_alarm=FALSE_ALARM).refuted
