"""Parts of a diagnosis that need no statistics: regimes, float formats, text, records, refusals."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from montecarlo import Activation, InvalidFieldError, ResNet
from montecarlo.diagnosis import FORMATS, Prediction, diagnose
from montecarlo.diagnosis._check import choose_replicas
from montecarlo.diagnosis._find_regime import find_regime
from montecarlo.diagnosis._float_range import float_range
from montecarlo.diagnosis._numbers import number, percent
from montecarlo.diagnosis._predict import predict
from montecarlo.diagnosis._text import text
from montecarlo.processes import WeightProcess


@pytest.mark.parametrize(
    ("fields", "name", "critical"),
    [
        ({"beta": 0.25}, "explosion", 0.5),
        ({"beta": 0.5}, "critical", 0.5),
        ({"alpha": 0.1}, "critical", 0.5),
        ({"beta": 1.0}, "identity", 0.5),
        ({"beta": 0.7, "weights": "fbm:0.8"}, "explosion", 0.8),
        ({"beta": 0.8, "weights": "fbm:0.8"}, "critical", 0.8),
        ({"beta": 0.5, "weights": "fbm:0.2"}, "critical", 0.5),
        ({"beta": 0.9, "weights": "rbf:0.01"}, "explosion", 1.0),
        ({"beta": 1.0, "weights": "gaussian", "weights_w": "fbm:0.8"}, "identity", 0.5),
    ],
)
def test_regimes(fields: dict, name: str, critical: float) -> None:
    regime = find_regime(ResNet(width=16, depth=100, **fields))
    assert (regime.name, regime.critical_beta) == (name, critical)
    assert regime.suggested_alpha == pytest.approx(100**-critical)
    suggested = find_regime(
        ResNet(**({"width": 16, "depth": 100} | fields | {"beta": None, "alpha": regime.suggested_alpha}))
    )
    assert suggested.name == "critical"


def test_regimes_that_are_unknown_or_not_there() -> None:
    ar1 = WeightProcess.from_lags("ar1", lambda m, depth: 0.9**m)
    assert find_regime(ResNet(width=8, depth=20, beta=0.5, weights=ar1)).name == "unknown"
    assert "one layer" in find_regime(ResNet(width=8, depth=1, alpha=0.5)).words
    near = find_regime(ResNet(width=8, depth=10, beta=0.55))
    assert "still close to critical" in near.words
    assert (near.name, near.at_depth) == ("identity", "critical")


def test_formats_are_those_of_numpy() -> None:
    for name, kind in (("float16", np.float16), ("float32", np.float32)):
        info = np.finfo(kind)
        assert FORMATS[name].smallest == float(info.tiny)
        # What rounds to infinity, and what just does not.
        with np.errstate(over="ignore"):
            assert np.isinf(kind(FORMATS[name].largest))
        assert kind(np.nextafter(FORMATS[name].largest, 0)) == info.max
    assert FORMATS["bfloat16"].largest == pytest.approx(3.396e38, rel=1e-3)


@given(st.floats(-0.5, 0.9), st.floats(0.01, 1.0), st.floats(0.01, 5.0))
def test_crossings_of_brownian_motion(mean: float, std: float, b: float) -> None:
    prediction = Prediction("", "limit law", "", "", stats.norm(mean, std))
    end = float(prediction.exceeds(b, anywhere=False))
    anywhere = float(prediction.exceeds(b, anywhere=True))
    assert end == pytest.approx(stats.norm.sf(b, mean, std))
    assert end - 1e-12 <= anywhere <= 1
    if mean == 0:
        assert anywhere == pytest.approx(min(1.0, 2 * end))
    mirrored = Prediction("", "limit law", "", "", stats.norm(-mean, std))
    assert float(mirrored.falls_below(-b, anywhere=True)) == pytest.approx(anywhere)


def test_crossings_against_walks() -> None:
    # 2000 walks of 4000 steps: frequency within 6 deviations (2e-9), and the discrete walk's 0.58/√4000 late.
    rng = np.random.default_rng(1)
    steps = rng.normal(0.3 / 4000, 0.5 / math.sqrt(4000), (2000, 4000))
    highest = np.cumsum(steps, axis=1).max(axis=1)
    prediction = Prediction("", "limit law", "", "", stats.norm(0.3, 0.5))
    predicted = float(prediction.exceeds(0.8, anywhere=True))
    assert abs(float((highest > 0.8).mean()) - predicted) < 6 * 0.5 / math.sqrt(2000) + 0.01


def test_float_ranges_grow_with_what_makes_them_grow() -> None:
    def chance(**fields: float) -> float:
        depth = int(fields.pop("depth", 50))
        resnet = ResNet(width=64, depth=depth, beta=0.0, **fields)
        hidden, _ = predict(resnet)
        return float_range(
            resnet, hidden, FORMATS["float16"], direction="forward", gradient_norm=1.0, rows=None
        ).overflow

    assert chance() < chance(depth=60) < chance(depth=70)
    assert chance() < chance(input_scale=4.0)
    found = diagnose(ResNet(width=64, depth=50, beta=0.0), seconds=0, gradient_norm=1e4)
    low = diagnose(ResNet(width=64, depth=50, beta=0.0), seconds=0, gradient_norm=1.0)
    assert found.ranges[1].overflow > low.ranges[1].overflow
    tiny = diagnose(ResNet(width=64, depth=50, beta=1.0), seconds=0, gradient_norm=1e-4)
    assert tiny.ranges[1].underflow > 0.99
    assert tiny.ranges[3].underflow < 1e-9  # bfloat16


def test_simulated_shares_leave_out_lost_networks() -> None:
    resnet = ResNet(width=64, depth=50, beta=0.0)
    hidden, _ = predict(resnet)
    rows = np.array([0.0, 100.0, np.nan, -100.0])
    found = float_range(resnet, hidden, FORMATS["float16"], direction="forward", gradient_norm=1.0, rows=rows)
    assert found.simulated_overflow == pytest.approx(1 / 3)
    assert found.simulated_underflow == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "resnet",
    [
        ResNet(width=1, depth=5, beta=0.5, block="res-2", activation="tanh"),
        ResNet(width=8, depth=5, beta=0.5, weights=WeightProcess.from_kernel("bm", np.minimum)),
        ResNet(width=8, depth=5, beta=0.5, block="res-2", activation="softplus", weights="fbm:0.7"),
        ResNet(
            width=8, depth=400, beta=0.0, block="res-2",
            activation=Activation("square", lambda x: x * x, lambda x: 2.0 * x),
        ),
    ],
    ids=["one unit", "not stationary", "softplus", "superlinear"],
)  # fmt: skip
def test_without_theory_nothing_is_claimed(resnet: ResNet) -> None:
    hidden, _ = predict(resnet)
    assert hidden.kind == "nothing"
    assert math.isnan(hidden.log_median)
    found = diagnose(resnet, seconds=0)
    assert found.agrees is None
    assert "no theory" in str(found)
    json.dumps(found.record(), allow_nan=False)


def test_users_activation_has_the_law_of_its_twin() -> None:
    mine = Activation("mine", lambda x: 1.0 * math.tanh(x), lambda x: 1.0 - math.tanh(x) ** 2)
    common = {"width": 32, "depth": 10, "beta": 0.5, "block": "res-2"}
    own, named = (predict(ResNet(activation=a, **common)) for a in (mine, "tanh"))
    for one, other in zip(own, named, strict=True):
        assert one.log_median == pytest.approx(other.log_median, abs=1e-9)


def test_replicas_follow_from_the_cost_alone() -> None:
    cheap = choose_replicas(ResNet(width=8, depth=8, beta=0.5), 1.0)
    assert cheap[0] == 4096
    assert cheap[1].gradients
    deep = choose_replicas(ResNet(width=8192, depth=10_000, beta=0.5), 1.0)
    assert deep[1].dual
    assert deep[0] % 16 == 0
    hopeless = choose_replicas(ResNet(width=8192, depth=10_000, beta=0.5, weights="uniform"), 1.0)
    assert hopeless[0] == 0
    assert "not simulated" in hopeless[2]
    found = diagnose(ResNet(width=8192, depth=10_000, beta=0.5, weights="uniform"))
    assert found.check.replicas == 0
    assert "not simulated" in str(found)


@pytest.mark.parametrize(
    ("log", "shown"),
    [(0.0, "1"), (math.log(1234.4), "1234"), (1000 * math.log(10), "1.00e1000"), (-math.inf, "0"),
     (math.nan, "—"), (math.log(9.999e5), "1.00e6"), (-20.0, "2.06e-9")],
)  # fmt: skip
def test_numbers_far_out_of_range(log: float, shown: str) -> None:
    assert number(log) == shown


def test_percentages() -> None:
    assert [percent(p) for p in (0.0, 1e-5, 0.25, 0.9999999, 1.0, math.nan)] == [
        "0 %", "< 0.01 %", "25 %", "> 99.99 %", "100 %", "—",
    ]  # fmt: skip


def test_text_and_record_say_the_same() -> None:
    found = diagnose(ResNet(width=64, depth=70, beta=0.0), seed=1, seconds=0.1)
    shown = text(found, width=80)
    record = json.loads(json.dumps(found.record(), allow_nan=False))
    assert "explosion" in shown
    assert record["regime"]["name"] == "explosion"
    assert number(record["hidden"]["log_median"]) in shown
    assert f"{record['check']['replicas']:,} networks" in shown
    assert record["ranges"][0]["format"] == "float16"
    assert "exact law (I6)" in shown
    assert max(map(len, shown.splitlines())) <= 100
    page = found._repr_html_()
    assert "exact law (I6)" in page
    assert "explosion" in page
    assert page.count("<table>") == 3
    assert repr(found).startswith("Diagnosis(ResNet(")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"seconds": -1}, "seconds=-1"),
        ({"false_alarm": 0}, "false_alarm=0"),
        ({"gradient_norm": 0}, "gradient_norm=0"),
        ({"formats": ["float61"]}, "did you mean 'float16'"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_bad_input_is_refused(fields: dict, words: str) -> None:
    with pytest.raises(InvalidFieldError, match=words):
        diagnose(ResNet(width=8, depth=5, beta=0.5), **fields)
    with pytest.raises(InvalidFieldError, match="ResNet"):
        diagnose("res-3")  # type: ignore[arg-type]
