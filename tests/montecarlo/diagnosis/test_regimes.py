"""Constants and exponents: what is said of a scaling at one depth, and of a family of depths."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from montecarlo import Activation, InvalidFieldError, ResNet
from montecarlo.diagnosis import diagnose, find_family
from montecarlo.diagnosis._find_regime import find_regime
from montecarlo.diagnosis._text import scaling_words, text
from montecarlo.processes import WeightProcess

DEPTHS = (12, 24, 36, 48, 64, 96, 1000, 100_000)
CUBE_ROOT = Activation("sign-root", lambda x: math.copysign(abs(x) ** 0.5, x), lambda x: 0.5 / abs(x) ** 0.5)
STEP = Activation("step", lambda x: 1.0 if x > 0.0 else 0.0, lambda x: 0.0)


def verdicts(depths: tuple[int, ...], rule: float, power: float, **fields: object) -> set[tuple[str, float]]:
    """Return the verdicts and constants, to four digits, of α = rule·L^-power at every depth."""
    common: dict = {"width": 64} | fields
    found = [find_regime(ResNet(depth=L, alpha=rule * L**-power, **common)) for L in depths]
    assert all(r.name == r.at_depth for r in found)
    assert all(math.isnan(r.beta) for r in found)  # one depth has no exponent
    return {(r.name, round(r.constant, 4)) for r in found}


@pytest.mark.parametrize(
    ("rule", "constant"),
    [
        (2**-0.5, 0.7071),  # GPT-2: 1/√(2L); DeepNorm with β on one matrix: β/α = 1/(2√N), L = 2N
        (0.47, 0.47),  # T-Fixup
        (0.67**2 * 2**0.5, 0.6348),  # T-Fixup's encoder, V and W by 0.67 N^-1/4 each, L = 2N
        (1.0, 1.0),
    ],
)
def test_a_critical_rule_has_one_verdict_at_every_depth(rule: float, constant: float) -> None:
    assert verdicts(DEPTHS, rule, 0.5) == {("critical", constant)}


@pytest.mark.parametrize("digits", [2, 3, 4, 5])
def test_rounding_a_rule_changes_no_verdict(digits: int) -> None:
    for L in DEPTHS:
        regime = find_regime(ResNet(width=1024, depth=L, alpha=float(f"{(2 * L) ** -0.5:.{digits}g}")))
        assert regime.name == "critical"
        assert regime.constant == pytest.approx(2**-0.5, rel=10.0 ** (1 - digits))


def test_the_constant_of_a_typed_scaling() -> None:
    regime = find_regime(ResNet(width=512, depth=400, alpha=0.02357))  # 0.47/√L
    assert (regime.name, round(regime.constant, 4)) == ("critical", 0.4714)
    assert "β =" not in regime.words
    assert "move by 34 % of their norm" in regime.words  # √(e^(c²/2) − 1)


def test_deepnorm_on_both_matrices_is_close_to_the_identity_from_five_blocks_on() -> None:
    # α = (2N)^1/4 on the stream and β = (8N)^-1/4 on V and W: a branch of ½ L^-3/4, L = 2N.
    names = {find_regime(ResNet(width=64, depth=L, alpha=0.5 * L**-0.75)).name for L in DEPTHS}
    assert names == {"identity"}


@given(st.floats(0.02, 30.0), st.integers(12, 10**6), st.integers(12, 10**6))
def test_the_verdict_on_a_rule_does_not_depend_on_depth(rule: float, one: int, other: int) -> None:
    found = verdicts((one, other), rule, 0.5)
    assert len(found) == 1
    assert found.pop()[0] == ("identity" if rule < 0.28 else "critical" if rule < 3.03 else "explosion") or (
        min(abs(rule - 0.28), abs(rule - 3.03)) < 0.01
    )


@pytest.mark.parametrize(
    ("power", "fields"),
    [
        (0.8, {"weights": "fbm:0.8"}),
        (0.6, {"weights": "fbm:0.6", "block": "res-1", "activation": "tanh"}),
        (0.5, {"weights": "fbm:0.3"}),
        (1.0, {"weights": "rbf:0.01"}),
        (1.0, {"weights": "matern:1.5:0.2"}),
        (0.5, {"weights": "gaussian", "weights_w": "fbm:0.8"}),
        (0.5, {"block": "res-2", "activation": "gelu"}),
        (0.5, {"block": "res-2", "activation": "tanh", "bias_std": 0.2}),
        (0.5, {"block": "res-1", "activation": "identity"}),
        (0.5, {"block": "res-1", "activation": "relu", "weights": "uniform"}),
        (0.5, {"block": "res-2", "activation": "softplus"}),
        (0.5, {"block": "res-2", "activation": "sin"}),
    ],
)
def test_rules_of_other_networks_have_one_verdict(power: float, fields: dict) -> None:
    depths = (12, 100, 2000)
    assert verdicts(depths, 1.0, power, **fields) == {("critical", 1.0)}
    assert verdicts(depths, 0.7, power, **fields) == {("critical", 0.7)}
    assert verdicts(depths, 50.0, power, **fields) == {("explosion", 50.0)}
    assert verdicts(depths, 0.05, power, **fields) == {("identity", 0.05)}


def test_an_exponent_that_is_given_is_about_depth_and_the_constant_about_this_one() -> None:
    far = find_regime(ResNet(width=64, depth=10_000, beta=0.25))
    assert (far.name, far.at_depth, far.beta) == ("explosion", "explosion", 0.25)
    assert far.constant == pytest.approx(10.0)
    near = find_regime(ResNet(width=64, depth=20, beta=0.4))
    assert (near.name, near.at_depth) == ("explosion", "critical")
    assert "as depth grows, hidden states and gradients explode" in near.words
    assert "At depth 20 it is still close to critical" in near.words
    exact = find_regime(ResNet(width=64, depth=997, beta=0.5))
    assert (exact.name, exact.constant, exact.sharpness) == ("critical", 1.0, 1.0)


@pytest.mark.parametrize(
    ("activation", "states", "gradients"),
    [
        ("tanh", "as a power of it only", "gradients explode"),
        ("sin", "as a power of it only", "gradients explode"),
        (CUBE_ROOT, "as a power of it only", "gradients explode"),
        (STEP, "as a power of it only", "gradients do not move"),
        ("gelu", "hidden states and gradients explode", "gradients"),
        ("softplus", "hidden states and gradients explode", "gradients"),
    ],
)
def test_words_follow_the_growth_of_the_activation(
    activation: str | Activation, states: str, gradients: str
) -> None:
    words = find_regime(ResNet(block="res-2", activation=activation, width=64, depth=1000, beta=0.1)).words
    assert states in words
    assert gradients in words


def test_rough_linear_networks_contract() -> None:
    linear: dict = {"block": "res-1", "activation": "identity", "weights": "fbm:0.2", "width": 2}
    given_exponent = find_regime(ResNet(depth=1000, beta=0.3, **linear))
    assert given_exponent.name == "contraction"
    assert "contract, not explode (F3)" in given_exponent.words
    strong = find_regime(ResNet(depth=10_000, alpha=0.1, **linear))
    assert strong.name == "contraction"
    assert "shrink about" in strong.words
    assert find_regime(ResNet(depth=10_000, alpha=0.01, **linear)).name == "critical"
    # Where α exceeds L^-H only the limit is known, and a network may grow first.
    assert find_regime(ResNet(depth=100, alpha=0.9, **linear)).name == "unknown"


def test_advice_on_scalings() -> None:
    def advice(**fields: float) -> str:
        return scaling_words(diagnose(ResNet(width=64, **{"depth": 100} | fields), seconds=0))

    assert advice(beta=0.5) == "keep it: α = 0.1 (c = 1 in c·L^-0.5)"
    assert advice(alpha=0.07) == "keep it: a rule c·L^-0.5 is critical with any c of order one"
    assert advice(alpha=1.0) == "take α = 0.1 (c = 1 in c·L^-0.5), 0.1 times the present one"
    assert advice(beta=1.5) == "α = 0.1 (c = 1 in c·L^-0.5) would be critical, 100 times the present one"
    assert advice(beta=0.45).endswith("which hardly differs at this depth")
    assert advice(beta=0.3).endswith("the present one is of order one, too")
    assert advice(depth=1, alpha=0.3) == "no advice: one layer has no scaling in depth"


def test_the_text_of_a_rule() -> None:
    shown = " ".join(text(diagnose(ResNet(width=64, depth=64, alpha=128**-0.5), seconds=0)).split())
    assert (
        "critical: α = 0.7071·L^-0.5, and L^-0.5 is the critical scaling for independent layers (gaussian "
        "weights). The constant is of order one: a critical rule, at any depth. At depth 64, in root mean "
        "square, hidden states and gradients move by 53 % of their norm."
    ) in shown


def test_growth_is_said_of_norms_and_not_of_their_squares() -> None:
    net = ResNet(width=64, depth=20, alpha=1.0)  # E‖h_L‖²/‖h_0‖² = (3/2)^20 at every width
    assert (
        f"in root mean square, hidden states and gradients grow {1.5**10:.3g}-fold" in find_regime(net).words
    )


def test_a_family_of_depths_has_an_exponent() -> None:
    def family(rule: float, power: float, **fields: object):
        common: dict = {"width": 64} | fields
        # As typed, with three digits.
        return find_family(
            [ResNet(depth=L, alpha=float(f"{rule * L**-power:.3g}"), **common) for L in (12, 24, 36, 96)]
        )

    gpt = family(2**-0.5, 0.5)
    assert (gpt.name, round(gpt.constant, 2), round(gpt.beta, 2)) == ("critical", 0.71, 0.5)
    deepnorm = family(0.5, 0.75)
    assert (deepnorm.name, round(deepnorm.constant, 2), round(deepnorm.beta, 2)) == ("identity", 0.5, 0.75)
    assert family(1.0, 0.0).name == "explosion"
    assert family(3.0, 0.8, weights="fbm:0.8").name == "critical"
    assert family(3.0, 0.5, weights="fbm:0.8").name == "explosion"
    ar1 = WeightProcess.from_lags("ar1", lambda m, depth: 0.9**m)
    assert family(1.0, 0.5, weights=ar1).name == "unknown"
    bent = find_family([ResNet(width=8, depth=L, alpha=a) for L, a in ((10, 0.1), (20, 0.5), (40, 0.1))])
    assert bent.name == "unknown"
    assert "no power of depth" in bent.words


def test_a_family_is_refused() -> None:
    with pytest.raises(InvalidFieldError, match="two different depths"):
        find_family([ResNet(width=8, depth=10, alpha=0.1)] * 2)
    with pytest.raises(InvalidFieldError, match="alike in all but depth"):
        find_family([ResNet(width=8, depth=10, alpha=0.1), ResNet(width=9, depth=20, alpha=0.1)])
