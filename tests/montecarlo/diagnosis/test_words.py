"""A diagnosis in words, character for character, from numbers that are all distinct."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest
from scipy import stats

from montecarlo import ResNet
from montecarlo.diagnosis import Diagnosis
from montecarlo.diagnosis._check import Check, RatioCheck
from montecarlo.diagnosis._find_regime import find_regime
from montecarlo.diagnosis._float_range import FloatRange
from montecarlo.diagnosis._prediction import Prediction
from montecarlo.diagnosis._regime import Regime
from montecarlo.diagnosis._text import check_words, number, percent, ratio_rows, scaling_words, text, verdict
from montecarlo.estimates import Estimate

NET = ResNet(width=1024, depth=100, beta=0.25, weights="uniform")


def near(ratio: float, share: float) -> Estimate:
    """Return an estimate of the log of a ratio, its interval a share to either side."""
    log = math.log(ratio)
    return Estimate(
        value=log,
        lower=log + math.log(1 - share),
        upper=log + math.log(1 + share),
        confidence=0.99,
        n=9,
        method="t",
    )


def ratio_check(scale: float, **given) -> RatioCheck:
    values = {"agrees": True, "sees": math.log(1.052), "reason": ""} | given
    return RatioCheck(near(scale, 0.1), near(scale / 4, 0.2), near(scale * 4, 0.2), **values)


HIDDEN = Prediction(
    "‖h_L‖/‖h_0‖", "exact law", "I6", "the law of this very network", stats.norm(math.log(12), 0.5)
)
GRADIENT = Prediction("‖p_0‖/‖p_L‖", "limit law", "I8", "of deep networks", stats.norm(25.0, 1.0))
FOUND = Diagnosis(
    resnet=NET,
    regime=find_regime(NET),
    hidden=HIDDEN,
    gradient=GRADIENT,
    ranges=(
        FloatRange("float16", "forward", 0.123, 0.0456, math.log(65_504), -9.0, 0.25, 0.5),
        FloatRange("float16", "backward", 1e-5, 0.9999999, 8.0, -9.0, math.nan, 0.0),
    ),
    check=Check(
        1_024, "dense", 3, 1e-6, ratio_check(13.0),
        ratio_check(2.0, agrees=False, reason="refuted: the median"),
    ),
    gradient_norm=1.5,
    sample=None,
)  # fmt: skip


def cells(line: str) -> list[str]:
    return re.split(r" {2,}", line.strip())


def test_a_diagnosis_word_for_word() -> None:
    lines = text(FOUND, width=100).splitlines()
    assert lines[0] == (
        "network    res-3 with relu, width 1,024, depth 100, uniform weights, α = 0.3162 (β = 0.25)"
    )
    assert lines[1].startswith("regime     explosion: ")
    assert "scaling    take α = 0.1 (c = 1 in c·L^-0.5), 0.3162 times the present one" in lines
    start = next(k for k, line in enumerate(lines) if line.startswith("ratio"))
    assert [cells(line) for line in lines[start : start + 8]] == [
        ["ratio", "median", "95 % of networks", "source or verdict"],
        ["─" * len(lines[start + 1])],
        ["‖h_L‖/‖h_0‖", "theory", "12", "4.504 … 31.97", "exact law (I6)"],
        ["simulated", "13 [11.7, 14.3]", "3.25 … 52", "agrees to 5.2 %"],
        ["‖p_0‖/‖p_L‖", "theory", "7.20e10", "1.01e10 … 5.11e11", "limit law (I8)"],
        ["simulated", "2 [1.8, 2.2]", "0.5 … 8", "refuted: the median"],
        ["‖h_L‖/‖h_0‖: the law of this very network."],
        ["‖p_0‖/‖p_L‖: of deep networks."],
    ]
    start = next(k for k, line in enumerate(lines) if line.startswith("leaves the range of"))
    assert cells(lines[start]) == ["leaves the range of", "overflow", "simulated", "underflow", "simulated"]
    assert [cells(line) for line in lines[start + 2 : start + 4]] == [
        ["float16", "forward", "12.3 %", "25 %", "4.56 %", "50 %"],
        ["backward", "< 0.01 %", "—", "> 99.99 %", "0 %"],
    ]
    below = " ".join(lines[start + 4 :])
    assert "(‖h‖ grows 6.55e4-fold for float16)" in below
    assert "‖p_L‖ = 1.5." in below


def test_numbers_by_hand() -> None:
    # 10^8.6859 and 10^-8.6859; either side of where digits become powers of ten.
    assert [number(x) for x in (20.0, -20.0, 8.99, -8.99)] == ["4.85e8", "2.06e-9", "8022", "0.0001247"]
    assert [percent(p) for p in (0.02, 0.0123, 0.5, 0.9951, 2e-4)] == [
        "2 %",
        "1.23 %",
        "50 %",
        "99.51 %",
        "0.02 %",
    ]


@pytest.mark.parametrize(
    ("sees", "words"),
    [(math.log(1.052), "agrees to 5.2 %"), (math.log(3.0), "agrees within a factor of 3"), (60.0, "agrees")],
)
def test_what_a_simulation_would_have_seen_is_in_per_cent(sees: float, words: str) -> None:
    assert verdict(ratio_check(2.0, sees=sees)) == words


@pytest.mark.parametrize(
    ("beta", "words"),
    [
        (0.25, "take α = 0.1 (c = 1 in c·L^-0.5), 0.3162 times the present one"),
        (1.0, "α = 0.1 (c = 1 in c·L^-0.5) would be critical, 10 times the present one"),
        (0.5, "keep it: α = 0.1 (c = 1 in c·L^-0.5)"),
        (0.45, "α = 0.1 (c = 1 in c·L^-0.5) would be critical, which hardly differs at this depth"),
    ],
)
def test_advice_on_the_scaling(beta: float, words: str) -> None:
    net = ResNet(width=8, depth=100, beta=beta)
    assert scaling_words(dataclasses.replace(FOUND, resnet=net, regime=find_regime(net))) == words
    unknown = Regime("unknown", beta, math.nan, math.nan, math.nan, math.nan, "")
    assert scaling_words(dataclasses.replace(FOUND, regime=unknown)).startswith("no advice")


def test_what_the_simulation_was_in_a_sentence() -> None:
    assert check_words(FOUND) == (
        "THEORY AND SIMULATION DISAGREE: 1,024 networks (dense engine, seed 3), false alarm 1e-06. "
        "In brackets: 99 % intervals."
    )
    right = dataclasses.replace(FOUND.check, gradient=ratio_check(2.0), n_nonfinite=4, note="dual")
    assert check_words(dataclasses.replace(FOUND, check=right)) == (
        "theory and simulation agree: 1,024 networks, 4 of which left the finite numbers (dense engine, "
        "seed 3), false alarm 1e-06; dual. In brackets: 99 % intervals."
    )


def test_rows_of_a_notebook_are_those_of_the_terminal() -> None:
    page = FOUND._repr_html_()
    for row in ratio_rows(FOUND):
        assert "".join(f"<td>{cell}</td>" for cell in row[2:4]) in page.replace(
            '<th scope="col">', "<td>"
        ).replace("</th>", "</td>")
