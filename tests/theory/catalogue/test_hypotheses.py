"""Hypotheses accept a typical network of each theorem and reject counterexamples to it."""

from dataclasses import replace

import attention_cases
import block_cases
import numpy as np
import plain_cases
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_facts import (
    CHANGING,
    CRITICAL,
    FINITE,
    LINEAR,
    LONG,
    PERI,
    PRE_RMS,
    RES_1,
    UNIFORM,
    fractional,
)

import theory
from theory.catalogue import THEOREMS, WeightFacts, applicable, find_theorem

CASES = plain_cases.CASES | block_cases.CASES | attention_cases.CASES
AROUND = [
    replace(FINITE, norm="pre-rms"),
    replace(FINITE, hidden_width=160),
    replace(FINITE, skip=0.5),
    replace(FINITE, schedule="vanishing"),
    replace(FINITE, block="post-activation"),
]
"""Networks whose layers are not h + α V g(h)."""


OF_OTHER_LAYERS = {"I1", "I2", "I3", "I4", "I4b", "I5", "I6", "I7"}
"""Statements that say what changes with b_k, a_k and M."""


@pytest.mark.parametrize("facts", AROUND)
def test_statements_on_plain_layers_are_claimed_of_them_alone(facts):
    claimed = {theorem.id for theorem in applicable(facts) if theorem.id[0] in "ISOF"}
    known = facts.norm == "none" and facts.block != "post-activation"
    assert claimed <= (OF_OTHER_LAYERS if known else set())
    assert ("I2" in claimed) == known


def test_every_theorem_has_its_cases():
    assert list(CASES) == list(THEOREMS)


@pytest.mark.parametrize("id", CASES)
def test_typical_networks_are_covered(id):
    for facts in CASES[id][0]:
        assert [hypothesis.text for hypothesis in find_theorem(id).applies(facts)] == []
        assert find_theorem(id) in applicable(facts)


@pytest.mark.parametrize("id", CASES)
def test_counterexamples_are_rejected_for_their_reason(id):
    for facts, words in CASES[id][1]:
        failing = [hypothesis.text for hypothesis in find_theorem(id).applies(facts)]
        assert any(words in text for text in failing), (facts, failing)
        assert find_theorem(id) not in applicable(facts)


@pytest.mark.parametrize("id", THEOREMS)
def test_each_hypothesis_can_fail(id):
    pool = [
        facts for typical, broken in CASES.values() for facts in [*typical, *(facts for facts, _ in broken)]
    ] + AROUND
    for hypothesis in find_theorem(id).hypotheses:
        assert any(not hypothesis.holds(facts) for facts in pool), hypothesis.text


@given(
    st.sampled_from(["res-1", "res-2", "res-3"]),
    st.sampled_from(["relu", "identity", "tanh"]),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from(["independent", "reversible", "other"]),
    st.booleans(),
)
def test_duality_is_claimed_where_theory_proves_it(block, activation, bias_std, layers, tie_free):
    activation = "relu" if block == "res-3" else activation
    bias_std = bias_std if block == "res-2" else 0.0
    law = {"independent": WeightFacts(), "reversible": LONG, "other": CHANGING}[layers]
    facts = replace(
        FINITE, block=block, activation=activation, bias_std=bias_std, v=law, tie_free=tie_free, beta=0.5
    )
    proved = theory.gradient_duality(
        block=block, activation=activation, bias_std=bias_std, layers=layers, tie_free=tie_free
    )
    claimed = any(not find_theorem(id).applies(facts) for id in ("I4", "I4b"))
    assert claimed == (proved == "hidden")


@given(st.floats(0.01, 0.99), st.floats(0.0, 2.0))
def test_formulas_refuse_what_the_hypotheses_refuse(hurst, beta):
    def accepts(function, **arguments):
        try:
            function(**arguments)
        except ValueError:
            return False
        return True

    law = fractional(hurst)
    linear = replace(LINEAR, v=law, beta=beta)
    contracts = accepts(theory.antipersistent_contraction, width=3, depth=9, hurst=hurst, beta=beta)
    assert (find_theorem("F3").applies(linear) == []) == contracts
    young = accepts(theory.young_log_error, width=3, depth=9, hurst=hurst)
    assert (find_theorem("F4b").applies(replace(linear, beta=hurst)) == []) == young
    relu = replace(CRITICAL, v=law, beta=beta)
    assert relu.critical_beta == theory.critical_scaling(hurst)
    identity = theory.regime(beta, hurst=hurst) == "identity"
    assert (find_theorem("F2b").applies(relu) == []) == identity
    bound = accepts(theory.identity_bound, depth=1000, alpha=1000**-beta, failure_probability=0.1)
    assert (find_theorem("I10").applies(replace(CRITICAL, beta=beta)) == []) == bound


@pytest.mark.parametrize("activation", ["relu", "identity", "leaky-relu", "gelu", "tanh"])
@pytest.mark.parametrize("norm", ["rms", "layer"])
def test_finite_means_of_gradients_are_those_of_theory(activation, norm):
    network = replace(PRE_RMS, block="res-2", activation=activation, norm=f"pre-{norm}")
    for width in range(8, 20):
        claimed = not find_theorem("N6" if norm == "rms" else "N6L").applies(replace(network, width=width))
        assert claimed == theory.gradient_mean_is_finite(width=width, activation=activation, norm=norm)


@pytest.mark.parametrize(
    ("activation", "units"), [("relu", 64), ("gelu", 12), ("tanh", 12), ("identity", 12)]
)
def test_peri_norm_is_claimed_where_its_means_are_finite(activation, units):
    network = replace(PERI, block="res-2", activation=activation, width=24, hidden_width=units)
    assert not find_theorem("N9b").applies(network)
    assert find_theorem("N9b").applies(replace(network, hidden_width=units - 1))
    slope = theory.peri_slope(width=24, hidden_width=units, activation=activation)
    assert 8 * slope * 23 <= 22**2  # N6's condition with c = 1


def test_ties_break_the_second_moment_of_gradients():
    # All 256 pairs of Rademacher matrices of width 2, h_0 = (1, 1): one layer, p_L of any direction.
    a, h, p = 0.7, np.ones(2), np.array([0.6, 0.8])
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 8)).reshape(8, -1).T.reshape(-1, 2, 2, 2) / np.sqrt(2)
    total = {"gradient": 0.0, "hidden": 0.0}
    for V, W in signs:
        active = W @ h > 0
        total["gradient"] += float(np.sum((p + a * W.T @ (active * (V.T @ p))) ** 2))
        total["hidden"] += float(np.sum((h + a * V @ (active * (W @ h))) ** 2)) / 2
    assert total["gradient"] / 256 == pytest.approx(1 + a * a / 4, rel=1e-12)
    assert total["hidden"] / 256 == pytest.approx(1 + a * a / 2, rel=1e-12)
    facts = replace(FINITE, width=2, depth=1, v=UNIFORM, tie_free=False)
    assert find_theorem("I3").applies(facts)
    assert not find_theorem("I2").applies(facts)


def test_res_1_with_relu_is_below_the_gain_of_one_half_somewhere():
    h = np.array([-1.0, -2.0, 0.5])
    assert np.sum(np.maximum(h, 0) ** 2) < np.sum(h**2) / 2
    assert RES_1.gain_bounds == (0.0, 1.0)
