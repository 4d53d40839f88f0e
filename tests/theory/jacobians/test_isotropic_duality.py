"""J0: tangents and gradients have one law in any network. False alarm 4e-8 a comparison of two samples."""

import math

import numpy as np
import pytest
from explicit_blocks import explicit_networks, isotropic
from scipy import stats

import theory

NETS = 25_000
H0 = np.array([0.3, -1.1, 0.7])  # no ties: ±0.3 ± 1.1 ± 0.7 is never 0


def far_apart(first, second):
    """Whether the two-sample Kolmogorov-Smirnov test refutes one law at 4e-8."""
    return stats.ks_2samp(first, second, method="asymp").pvalue < 4e-8


def sample_of(seed, **options):
    size = {"nets": NETS, "width": 3, "depth": 3, "alpha": 0.8, "h0": H0, "activation": "tanh"}
    return explicit_networks(np.random.default_rng([41, seed]), **{**size, **options})


@pytest.mark.statistical
@pytest.mark.parametrize("kind", ["none", "layer", "peri", "post-activation"])
def test_isotropic_directions_have_one_law(kind):
    sample = sample_of(1, kind=kind, law=("rademacher", "gaussian"))
    assert theory.isotropic_duality(tangent="isotropic", gradient="isotropic")
    assert not far_apart(np.log(sample.tangent), np.log(sample.gradient))
    assert not far_apart(sample.tangent_difference, sample.gradient_difference)


@pytest.mark.statistical
def test_a_fixed_tangent_has_another():
    sample = sample_of(2, kind="layer", tangent=np.ones(3) / math.sqrt(3))
    assert not theory.isotropic_duality(tangent="fixed", gradient="isotropic")
    assert far_apart(np.log(sample.tangent), np.log(sample.gradient))


@pytest.mark.statistical
def test_rotation_invariant_layers_need_an_isotropic_input_alone():
    rng = np.random.default_rng(43)
    e = np.eye(3)[0]
    # In one dimension less than the input: the tangent along a fixed axis, the gradient along another.
    sample = sample_of(3, kind="pre", h0=isotropic(rng, NETS, 3), tangent=e, p_last=np.eye(3)[2])
    free = {"input_isotropic": True, "rotation_invariant": True}
    assert theory.isotropic_duality(tangent="fixed", gradient="fixed", **free)
    assert not far_apart(np.log(sample.tangent), np.log(sample.gradient))
    aligned = sample_of(4, kind="pre", h0=e, tangent=e, p_last=np.eye(3)[2])
    assert not theory.isotropic_duality(tangent="fixed", gradient="fixed", rotation_invariant=True)
    assert far_apart(np.log(aligned.tangent), np.log(aligned.gradient))


@pytest.mark.parametrize("word", ["isotropic", "fixed"])
def test_what_depends_on_the_network_has_no_duality(word):
    assert not theory.isotropic_duality(
        tangent=word, gradient="depends on the network", input_isotropic=True, rotation_invariant=True
    )


def test_columns_and_words():
    assert set(theory.TANGENT_COLUMNS.values()) == {"log‖Jv‖/‖v‖", "log‖Jv − v‖/‖v‖"}
    with pytest.raises(ValueError, match=r"tangent='random': must be one of .*; choose one"):
        theory.isotropic_duality(tangent="random", gradient="isotropic")
