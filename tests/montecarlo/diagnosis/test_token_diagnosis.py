"""Diagnosis of transformers: regimes, the residual deviation of order one, texts and refusals."""

import dataclasses
import json

import numpy as np
import pytest
from command import command

from montecarlo import InvalidFieldError, ResNet, TokenRequest, Transformer, predict_tokens
from montecarlo.diagnosis import diagnose_tokens, find_token_regime
from montecarlo.diagnosis.tokens._diagnose import _row, prediction_error
from montecarlo.diagnosis.tokens._text import text
from montecarlo.networks._transformer_presets import PRESETS
from montecarlo.samples.tokens._run import TokenRun

SMALL = {"width": 64, "depth": 6, "heads": 4, "tokens": 4}


@pytest.mark.parametrize(
    ("name", "changes", "regime"),
    [
        ("gpt2", {"width": 768}, "polynomial"),
        ("bert", {}, "identity"),
        ("post-ln", {"depth": 12}, "collapse"),
        ("mup", {}, "critical"),
    ],
)
def test_regimes(name, changes, regime):
    net = Transformer.preset(name, **{**SMALL, **changes})
    found = find_token_regime(net)
    assert found.name == regime
    # with the deviations of the advice branches multiply the mean square by e
    taken = Transformer.preset(
        name, **{**SMALL, **changes}, output_std=found.output_std, down_std=found.down_std
    )
    assert predict_tokens(taken).added.sum() == pytest.approx(1.0, rel=0.02)
    assert net.output_std is not None
    assert found.output_std / net.output_std == pytest.approx(found.factor)


def test_advice_falls_like_one_over_the_root_of_depth():
    deviations = [
        find_token_regime(Transformer.preset("llama", **{**SMALL, "depth": depth})).down_std
        for depth in (8, 32)
    ]
    assert deviations[0] / deviations[1] == pytest.approx(2.0, rel=0.1)


def test_peri_norms_are_advised_a_factor_of_the_branch():
    net = Transformer.preset("gpt2", **SMALL, placement="peri")
    found = diagnose_tokens(net, seconds=0)
    assert "α = " in str(found)
    assert "output_std = " not in str(found)


@pytest.mark.statistical
def test_theory_and_simulation_agree():
    found = diagnose_tokens(
        Transformer.preset("gpt2", **{**SMALL, "width": 256}), seed=3, seconds=2.0, threads=1
    )
    assert found.replicas >= 8
    assert found.agrees
    assert "theory and simulation agree" in str(found)
    assert all(len(line) <= 80 for line in str(found).splitlines())
    assert json.loads(json.dumps(found.record(), allow_nan=False))["regime"]["name"] == found.regime.name


@pytest.mark.statistical
@pytest.mark.parametrize("width", [64, 256, 768])
@pytest.mark.parametrize("name", PRESETS)
def test_theory_is_as_near_as_it_says_at_every_width_and_no_nearer(name, width):
    """Predictions hold, and others that are off by three times the error are refuted: it hides little."""
    net = Transformer.preset(name, **{**SMALL, "width": width})
    found = diagnose_tokens(net, seed=4, seconds=0.25, threads=1)
    assert found.agrees, str(found)
    request = TokenRequest(tangent=True, attention=True)
    sample = TokenRun(net, 4, request).sample(0, found.replicas)
    columns = ("log_rms_path", "cosine_path", "log_tangent_path")
    for row, column in zip(found.rows, columns, strict=False):
        for side in (-1.0, 1.0):
            values = sample[column][:, -1]
            away = 3.0 * prediction_error(width) + 8.0 * values.std() / found.replicas**0.5
            wrong = row.predicted + side * (away + (values.var() if row.log else 0.0))
            assert _row(row.quantity, row.log, 0.0, wrong, values, net, 1e-6).agrees is False


@pytest.mark.statistical
def test_deep_post_norm_gradients_lie_below_the_log_of_their_mean_square():
    """The variance of the log grows with depth over width: a half of it is between the two means."""
    net = Transformer.preset("post-ln", **{**SMALL, "depth": 48})
    found = diagnose_tokens(net, seed=4, seconds=4.0, threads=1)
    assert found.agrees
    (row,) = (row for row in found.rows if row.quantity == "growth of gradients")
    assert row.simulated is not None
    assert row.predicted - row.simulated.value > 3.0 * prediction_error(64)
    words = text(found, width=300)
    assert "agrees: theory is the mean square, typical networks lie lower" in words
    assert "in all, before its norms." in words


@pytest.mark.statistical
@pytest.mark.parametrize("wrong", [{"token_std": 0.024}, {"attention": "full"}, {"down_std": 0.03}], ids=str)
def test_another_theory_disagrees_with_the_simulation(monkeypatch, wrong):
    net = Transformer.preset("gpt2", **{**SMALL, "width": 512})
    other = predict_tokens(dataclasses.replace(net, **wrong))
    monkeypatch.setattr("montecarlo.diagnosis.tokens._diagnose.predict_tokens", lambda given: other)
    found = diagnose_tokens(net, seed=3, seconds=2.0, threads=1)
    assert found.agrees is False
    assert "DISAGREE" in str(found)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"query_std": 1.0, "key_std": 1.0}, "logit_deviation=64"),
        ({"norm": "none", "output_std": 10.0, "token_std": 1.0}, "logits of deviation"),
        ({"token_std": 0.0, "position_std": 0.0, "norm_eps": 0.0}, "gram: "),
    ],
)
def test_without_theory_the_simulation_stands_alone(changes, reason):
    net = Transformer.preset("gpt2", **SMALL, **changes)
    found = diagnose_tokens(net, seconds=0)
    assert (found.regime.name, found.rows, found.ranges, found.agrees) == ("unknown", (), (), None)
    assert reason in found.no_theory
    assert "not simulated: no seconds were given" in str(found)
    assert json.loads(json.dumps(found.record(), allow_nan=False))["no_theory"] == found.no_theory


def test_a_simulation_without_theory_refutes_nothing():
    net = Transformer.preset("gpt2", **SMALL, query_std=1.0, key_std=1.0)
    found = diagnose_tokens(net, seconds=1.0, threads=1)
    assert found.replicas >= 8
    assert found.agrees is None
    assert [row.simulated is not None for row in found.rows] == [True] * 4
    assert "simulated without theory" in str(found)


def test_networks_left_out_of_the_means_are_counted():
    whole = diagnose_tokens(Transformer.preset("gpt2", **SMALL), seconds=0.1, threads=1)
    path = whole.sample["log_rms_path"].copy()
    path[1:4] = np.nan
    lost = 3
    found = dataclasses.replace(whole, sample=whole.sample._with({"log_rms_path": path}))
    assert (found.record()["left_out"], whole.record()["left_out"]) == (lost, 0)
    assert "left out" not in str(whole)
    assert f"{found.replicas - lost:,} of {found.replicas:,} networks, {lost:,} left out as NaN" in str(found)


def test_advice_where_larger_factors_leave_the_range_of_theory():
    # without norms logits grow with the stream: the search for the critical factor meets such ones
    def stream(std):
        small = {**SMALL, "depth": 2, "token_std": 1.0, "query_std": std, "key_std": std}
        return Transformer.preset("gpt2", **small, norm="none")

    net = stream(0.3)
    found = find_token_regime(net)
    taken = dataclasses.replace(net, output_std=found.output_std, down_std=found.down_std)
    assert predict_tokens(taken).added.sum() == pytest.approx(1.0, rel=0.02)
    assert np.isnan(find_token_regime(stream(0.6)).factor)  # theory ends before branches add so much


def test_floats():
    small = Transformer.preset("gpt2", **SMALL, token_std=1e-7, position_std=0.0)
    found = diagnose_tokens(small, seconds=0, formats="float16")
    assert found.ranges[0].log_smallest < 0
    assert "loses digits" in str(found)
    large = Transformer.preset("gpt2", **SMALL, token_std=1e5)
    assert "overflows" in str(diagnose_tokens(large, seconds=0, formats=["float16"]))


def test_the_command(tmp_path):
    out = tmp_path / "d.json"
    arguments = ["--preset", "gpt2", "--depth", "4", "--width", "64", "--set", "heads=4", "--seconds", "0"]
    result = command("diagnose", *arguments, "--json", str(out))
    assert result.returncode == 0
    assert result.stdout.startswith("network")
    assert json.loads(out.read_text())["specification"]["depth"] == 4


def test_refusals():
    with pytest.raises(InvalidFieldError, match="must be a Transformer"):
        diagnose_tokens(ResNet(width=4, depth=2, beta=0.5))  # type: ignore[arg-type]
    with pytest.raises(InvalidFieldError, match="seconds=-1"):
        diagnose_tokens(Transformer.preset("gpt2", **SMALL), seconds=-1.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--depth", "96", "--set", "depth=3"), "--set depth=3: must not go with --depth 96"),
        (("--set", "tokens=4", "--set", "tokens=8"), "--set tokens=8: must not go with --set tokens=4"),
        (("--block", "res-2"), "--block res-2: must not go with --preset; leave --block out"),
        (("--norm", "pre-rms"), "--norm pre-rms: must not go with --preset; give --set norm=VALUE"),
        (("--set", "tokenz=1"), "did you mean 'tokens'?"),
        (("--set", "foo=1"), "--set foo=1: must name a field, one of activation, alpha"),
        (("--set", "tokens=abc"), "--set tokens=abc: must be a whole number of at least 1"),
        (("--set", "gated=maybe"), "--set gated=maybe: must be True or False; give --set gated=True"),
        (("--width", "100"), "--set heads=12: must divide --width 100"),
    ],
)
def test_options_of_presets_are_refused_in_their_own_words(arguments, words):
    result = command("diagnose", "--preset", "gpt2", "--seconds", "0", *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
