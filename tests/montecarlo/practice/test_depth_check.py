"""The class of a model's depth, what it is told from, and the words that say it."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
import stream_models as models
from hypothesis import given
from hypothesis import strategies as st

from montecarlo import InvalidFieldError
from montecarlo.practice import Stream, depth_check, record
from montecarlo.practice._classes import branch_growth, level_growth
from montecarlo.practice._structure import find_structure
from montecarlo.practice._student import interval_of, looks_of

DEPTHS = (6, 12, 24)
CLASSES = {
    "critical": (models.critical, "critical", "none"),
    "exponential": (models.exponential, "exponential", "none"),
    "identity": (models.identity, "identity", "none"),
    "polynomial": (models.polynomial, "polynomial", "before"),
    "post-norm": (models.post_norm, "exponential", "after"),
    "scaled pre-norm": (models.added(lambda depth: depth**-0.5), "critical", "before"),
    "double skip": (models.linear(lambda depth: depth**-0.5, skip=2.0), "exponential", "none"),
    "tiny branches": (models.linear(lambda depth: 1e-5), "identity", "none"),
}


@pytest.fixture(scope="module")
def checks():
    found = {}

    def check(name: str):
        if name not in found:
            found[name] = depth_check(CLASSES[name][0], DEPTHS, 16, false_alarm=1e-6)
        return found[name]

    return check


@pytest.mark.statistical
@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_those_of_theory(checks, name: str) -> None:
    _, expected, norm = CLASSES[name]
    found = checks(name)
    assert (found.found, found.structure.norm) == (expected, norm)
    assert found.verdict == "consistent"
    assert not found.faults


@pytest.mark.statistical
def test_another_class_is_refuted_and_few_seeds_are_undecided() -> None:
    refuted = depth_check(models.exponential, DEPTHS, 16, expect="critical", false_alarm=1e-6)
    assert refuted.verdict == "refuted"
    assert "'critical' was claimed; found exponential" in str(refuted)
    assert depth_check(models.critical, DEPTHS, 2, expect="critical", false_alarm=1e-6).verdict == "undecided"


@pytest.mark.statistical
def test_it_stops_when_it_is_decided(checks) -> None:
    said: list[str] = []
    found = depth_check(models.exponential, DEPTHS, 500, false_alarm=1e-3, progress=said.append)
    assert len(found.seeds) < 30
    assert said[-1] == f"seed {len(found.seeds)} of 500, depth 24"


@pytest.mark.statistical
def test_a_block_that_is_larger_than_those_around_it_is_named_and_refutes_nothing() -> None:
    factory = models.linear(lambda depth: depth**-0.5, larger={5: 1.66})
    found = depth_check(factory, DEPTHS, 16, expect="critical", false_alarm=1e-6)
    assert {(fault.kind, fault.blocks) for fault in found.faults} == {("outlier", (5,))}
    assert {fault.depth for fault in found.faults} >= {12, 24}
    assert found.faults[-1].found == pytest.approx(1.66, rel=0.1)
    assert found.verdict == "consistent"
    assert found.resolution.inside < 1.66
    assert found.resolution.words in " ".join(str(found).split())
    assert found.record()["resolution"]["depth"] == 24


@pytest.mark.statistical
def test_theory_stands_beside_the_measurement(checks) -> None:
    found = checks("critical")
    for theory, measured, back in zip(found.theory, found.stream.levels, found.gradient.levels, strict=True):
        assert theory.source == "I1, I4"
        assert theory.stream == pytest.approx(measured, abs=0.1)
        assert theory.gradient == pytest.approx(back, abs=0.1)
    promise = depth_check(models.critical, DEPTHS, 6, promise=models.promised)
    assert promise.verdict == "consistent"
    assert {theory.kind for theory in promise.theory} <= {"exact law", "limit law", "wide-network law"}


@pytest.mark.statistical
def test_branches_without_a_matrix_inside_are_held_to_their_promise() -> None:
    found = depth_check(models.critical, DEPTHS, 8, promise=models.broken, false_alarm=1e-6)
    assert {(fault.kind, fault.blocks) for fault in found.refuted} == {
        ("factor", tuple(range(1, L + 1))) for L in DEPTHS
    }
    assert all(fault.found == pytest.approx(0.5, rel=0.05) for fault in found.refuted)


def test_words_and_records_are_complete(checks) -> None:
    found = checks("polynomial")
    read = json.loads(json.dumps(found.record(), allow_nan=False))
    assert read["class"] == "polynomial"
    assert [len(curve["log_hidden"]) for curve in read["curves"]] == [L + 1 for L in DEPTHS]
    assert "| 24 |" in found.markdown()
    assert "### Depth check: consistent" in found.markdown()
    assert max(map(len, str(found).splitlines())) <= 110
    assert repr(found).startswith("DepthCheck('polynomial', depths=(6, 12, 24)")


def test_the_block_where_entries_leave_a_format_is_told(checks) -> None:
    found = str(depth_check(models.linear(lambda depth: 1.5), DEPTHS, 4))
    # √(1 + 1.5²) a block, and entries of a few deviations: 65504 is passed after 16 blocks or so
    assert re.search(r"range +with 24 blocks entries leave float16 at block 1[4-8]\n", found)
    assert "float32" not in found
    assert "range" not in str(checks("polynomial"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depths": (6, 12)}, r"depths=\[6, 12\]: must be three different depths at least"),
        ({"seeds": 1}, "seeds=1: must be a whole number of at least 2"),
        ({"seeds": [3, 3]}, "must be two different seeds at least"),
        ({"expect": "stable"}, "expect='stable': must be one of identity, critical, polynomial, exponential"),
        ({"false_alarm": 0.0}, "false_alarm=0.0: must be a finite number above 0"),
    ],
)
def test_bad_input_is_refused_in_a_line(options: dict, message: str) -> None:
    with pytest.raises(InvalidFieldError, match=message):
        depth_check(models.critical, **options)


def test_a_factory_that_ignores_its_depth_is_refused() -> None:
    message = "factory='12 blocks': must build models of three different depths at least, where depth is 6"
    with pytest.raises(InvalidFieldError, match=message):
        depth_check(lambda depth, seed: models.critical(12, seed), DEPTHS)


@given(st.floats(-1.5, 1.5), st.integers(3, 6))
def test_an_exact_power_of_depth_has_its_exponent(exponent: float, count: int) -> None:
    depths = tuple(5 * 2**j for j in range(count))
    rows = np.tile(exponent * np.log(depths), (4, 1))
    found = branch_growth(rows, depths, 1e-6, multiplied=True)
    assert found.exponent == pytest.approx(exponent, abs=1e-9)
    if abs(abs(exponent) - 0.25) > 1e-6:
        assert found.found == (
            "identity" if exponent < -0.25 else "critical" if exponent < 0.25 else "exponential"
        )


@given(st.floats(0.3, 2.0), st.floats(0.9, 2.0))
def test_powers_and_exponentials_of_depth_are_told_apart(power: float, rate: float) -> None:
    depths = np.array([6, 12, 24, 48])
    grown = level_growth("stream", np.tile(power * np.log(depths), (4, 1)), depths, 1e-6)
    assert (grown.found, round(grown.exponent, 6)) == ("polynomial", round(power, 6))
    for sign in (1.0, -1.0):
        exploding = level_growth("gradient", np.tile(sign * rate * depths**0.8, (4, 1)), depths, 1e-6)
        assert exploding.found == "exponential"
    still = level_growth("stream", np.tile(0.3 - 1.0 / depths, (4, 1)), depths, 1e-6)
    assert still.found == "critical"


@pytest.mark.statistical
def test_intervals_miss_as_often_as_they_say() -> None:
    rows = np.random.default_rng(9).normal(size=(4000, 6))
    missed = sum(not low <= 0.0 <= high for _, low, high in (interval_of(row, 0.05) for row in rows))
    assert 120 < missed < 290  # Binomial(4000, 0.05) leaves this with probability below 1e-6
    assert interval_of([1.0], 0.1)[1:] == (-math.inf, math.inf)


@given(st.integers(2, 400))
def test_looks_end_with_the_last_seed_and_are_few(seeds: int) -> None:
    looks = looks_of(seeds)
    assert looks[-1] == seeds
    assert list(looks) == sorted(set(looks))
    assert len(looks) <= 3 + 2 * math.log2(seeds)


@given(st.integers(0, 2**32), st.sampled_from([0.0, 1.0]))
def test_eulers_identity_finds_the_degree_of_any_branch(seed: int, degree: float) -> None:
    factory = models.linear(lambda depth: 0.3) if degree else models.added(lambda depth: 0.3)
    stream = record(*_flat(factory(4, seed)))
    found = find_structure([stream])
    assert found.degree == pytest.approx(degree, abs=1e-5)
    assert found.misfit < 1e-8


def _flat(made):
    model, inputs = made
    return model, *inputs


def _plain(depth: int, seed: int):
    """W_k relu(h): layers with no skip."""
    rng = np.random.default_rng([seed, depth])
    W = rng.normal(size=(depth, 64, 64)) * (2 / 64) ** 0.5

    def stream():
        states, gradients = [rng.normal(size=(16, 64))], [rng.normal(size=(16, 64))]
        for k in range(depth):
            states.append(np.maximum(states[-1], 0) @ W[k].T)
        for k in reversed(range(depth)):
            gradients.append((gradients[-1] @ W[k]) * (states[k] > 0))
        return {"hidden": states, "gradients": gradients[::-1]}

    return stream


def test_layers_without_a_skip_have_no_theory() -> None:
    found = depth_check(_plain, DEPTHS, 4)
    assert (found.structure.residual, found.structure.norm) == (False, "unknown")
    assert all(math.isnan(theory.stream) for theory in found.theory)
    assert "blocks     not residual: no block hands the stream on" in str(found)
    assert found.record()["structure"]["residual"] is False


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_blocks_with_a_skip_are_residual_however_large_their_branch(scale: float) -> None:
    for factory in (models.linear(lambda depth: scale), models.added(lambda depth: scale)):
        assert find_structure([record(*_flat(factory(8, 0)))]).residual


def test_branches_that_are_zero_are_the_identity() -> None:
    found = depth_check(models.linear(lambda depth: 0.0), DEPTHS, 4)
    assert (found.found, found.branches.found, found.verdict) == ("identity", "identity", "consistent")
    assert "nan" not in str(found)
    json.dumps(found.record(), allow_nan=False)


def test_a_stream_without_gradients_has_no_degree() -> None:
    stream = record(lambda: np.cumsum(np.random.default_rng(0).normal(size=(5, 4, 8)), axis=0))
    assert find_structure([stream]).norm == "unknown"
    assert isinstance(stream, Stream)
    assert math.isnan(stream.log_gradient[0])
