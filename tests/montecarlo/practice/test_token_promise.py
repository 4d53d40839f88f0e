"""Promises of transformers, tested on their whole streams: kept, broken, and what a rank sum says."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from explicit_tokens import ExplicitNetworks

from montecarlo import InvalidFieldError, Transformer
from montecarlo.practice import DepthCheck, depth_check
from montecarlo.practice._token_promise import TokenPromise, rank_sum_log_probability

DEPTHS, SEEDS, FALSE_ALARM = (3, 4, 6), 20, 1e-6


def promise(depth: int) -> Transformer:
    return Transformer.preset("gpt2", width=32, depth=depth, heads=4, tokens=6)


def factory(change: Callable[[Transformer], Transformer]) -> Callable[[int, int], Any]:
    """Return models with explicit matrices in numpy, each its own embedding; a batch of two sequences."""

    def build(depth: int, seed: int) -> Any:
        net = change(promise(depth))

        def stream() -> list[np.ndarray]:
            drawn = ExplicitNetworks(net, 1, seed * 100 + depth)
            states = drawn.forward(drawn.embedding()).streams
            return [np.concatenate([h, 7.0 * h]) for h in states]

        return stream

    return build


def check(change: Callable[[Transformer], Transformer], **options: Any) -> DepthCheck:
    return depth_check(
        factory(change), DEPTHS, SEEDS, **{"promise": promise, "false_alarm": FALSE_ALARM, **options}
    )


def unscaled(net: Transformer) -> Transformer:
    """Return GPT-2 whose residual projections are not divided by √(2L)."""
    return dataclasses.replace(net, output_std=0.02, down_std=0.02)


@pytest.mark.statistical
def test_a_kept_promise_has_theory_beside_it_and_no_fault() -> None:
    found = check(lambda net: net)
    assert found.refuted == ()
    assert "first sequence of the batch" in " ".join(found.notes)
    for theory, level in zip(found.theory, found.stream.levels, strict=True):
        assert (theory.source, theory.kind) == ("T4b, J0", "wide limit")
        # Of 20 networks of width 32 and 6 tokens, about 1 % of standard error and as much of finite width.
        assert theory.stream == pytest.approx(level, abs=0.08)
        assert math.isfinite(theory.gradient)
    assert found.record()["promise"][0].startswith("Transformer(")


@pytest.mark.statistical
def test_residual_projections_without_their_scale_are_refuted_with_the_number() -> None:
    found = check(unscaled)
    assert found.verdict == "refuted"
    streams = [fault for fault in found.refuted if fault.kind == "stream"]
    assert [fault.depth for fault in streams] == list(DEPTHS)
    for fault in streams:
        assert fault.blocks == (1,)
        number = float(fault.words.split("branches add ")[1].split()[0])
        assert number == pytest.approx(math.sqrt(2 * fault.depth), rel=0.1)  # 20 networks, 2 % each
    assert any(fault.kind == "cosine" for fault in found.refuted)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda net: dataclasses.replace(net, token_std=0.024), "stream", "that enters the first block"),
        (lambda net: dataclasses.replace(net, value_std=0.2), "cosine", "mean cosine of"),
        (lambda net: dataclasses.replace(net, placement="post", alpha=0.1), "stream", "after block 1"),
    ],
)
def test_other_faults_are_seen_where_they_are(change: Any, kind: str, words: str) -> None:
    found = check(change)
    fault = next(fault for fault in found.refuted if fault.kind == kind)
    assert words in fault.words


@pytest.mark.statistical
def test_gradients_have_the_law_of_tangents() -> None:
    # Tangents of explicit networks by differences (J0) stand for gradients; those of twice the growth fail.
    net = promise(3)
    drawn = ExplicitNetworks(net, SEEDS, 5)
    grown = drawn.tangent_path(drawn.embedding())[:, -1]
    for factor, refuted in ((1.0, False), (2.0, True)):
        test = TokenPromise(net, FALSE_ALARM, SEEDS)
        test._rows["gradient"] = [np.array([factor * row]) for row in grown]
        faults = test.faults(None)  # type: ignore[arg-type]
        assert [fault.kind for fault in faults] == ["gradient"] * refuted
        if refuted:
            assert f"gradients grow {faults[0].found:.4g}-fold" in faults[0].words


def test_the_rank_sum_is_exact() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=7) * 10
    pairs = list(itertools.combinations(range(7), 3))
    sums = np.array([np.argsort(np.argsort(values))[list(chosen)].sum() for chosen in pairs])
    for chosen, total in zip(pairs, sums, strict=True):
        tail = min(np.mean(sums <= total), np.mean(sums >= total))
        rest = [place for place in range(7) if place not in chosen]
        found = rank_sum_log_probability(values[list(chosen)], values[rest])
        assert math.exp(found) == pytest.approx(min(1.0, 2 * tail))
    # What number formats round is no difference, and a stream that is lost is no evidence.
    ones = np.ones(20)
    assert rank_sum_log_probability(ones + 1e-4, ones) == 0.0
    assert rank_sum_log_probability(ones + 1e-2, np.ones(200)) < -20
    assert rank_sum_log_probability(np.full(4, np.nan), ones) == 0.0


def test_promises_that_do_not_fit_are_refused() -> None:
    for wrong, message in (
        (lambda depth: promise(depth + 1), "must have the model's depth 3, width 32 and 6 tokens"),
        (lambda depth: 3, "promise=3: must return a ResNet or a Transformer"),
    ):
        with pytest.raises(InvalidFieldError, match=message):
            check(lambda net: net, promise=wrong)
