"""`Theorem`, the record of one statement, with its hypotheses and the resolution that a test of it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from theory.catalogue._facts import Facts
from theory.catalogue.claims._claim import Claim

Regime = Literal["exact", "large depth", "large width", "inequality"]
Kind = Literal["equality", "law", "inequality", "limit", "limit law", "rate"]
Scale = Literal["relative", "absolute", "distribution", "probability"]


@dataclass(frozen=True)
class Hypothesis:
    """One thing that must hold for a theorem to be claimed.

    Attributes
    ----------
    text : str
        The hypothesis in words, a clause without a full stop.
    holds : callable
        Facts to bool.
    """

    text: str
    holds: Callable[[Facts], bool]


@dataclass(frozen=True)
class Resolution:
    """The error of a prediction that a test of it must be able to catch.

    Attributes
    ----------
    value : float
        Its size.
    scale : {"relative", "absolute", "distribution", "probability"}
        "relative": a fraction of the predicted number. "absolute": in the units of the quantity, such as a
        slope against log L. "distribution": largest distance of two distribution functions. "probability":
        by how much a bound fails more often than it may.
    """

    value: float
    scale: Scale


@dataclass(frozen=True, kw_only=True)
class Theorem:
    r"""One statement: what it says, when, where it comes from and which functions compute it.

    Attributes
    ----------
    id : str
        Such as "I2"; a letter at the end ("I10b") marks a complement to the statement `extends`.
    name : str
        Slug, such as "second-moment".
    title : str
        A line of at most 40 characters.
    statement : str
        Plain words; logarithms are natural, ratios are of Euclidean norms.
    latex : str
        The formula, without dollar signs; matplotlib's mathtext renders it.
    source : str
        "MFBV" (arXiv:2206.06929), another paper, or "derived": whose the statement is, in a word.
    proof : str
        The idea for derived statements; what to know of the source's proof for the others.
    hypotheses : tuple of Hypothesis
        All must hold.
    regime : {"exact", "large depth", "large width", "inequality"}
        Whether it holds of every network, in a limit, or is a bound.
    kind : {"equality", "law", "inequality", "limit", "limit law", "rate"}
        What a test compares: two numbers; two laws; a frequency with the bound's; a number with its limit;
        a law with its limit; an exponent with a slope.
    quantity : str
        What is predicted.
    predicted : tuple of str
        Public functions of `theory` that compute it.
    resolution : Resolution
        What a test of it should resolve.
    extends : str, optional
        Id of the statement that this one completes; None for statements that stand alone.
    claims : tuple of Claim
        What publications say of its matter, and what it does with that: `theory.catalogue.CLAIMS`.
    """

    id: str
    name: str
    title: str
    statement: str
    latex: str
    source: str
    proof: str
    hypotheses: tuple[Hypothesis, ...]
    regime: Regime
    kind: Kind
    quantity: str
    predicted: tuple[str, ...]
    resolution: Resolution
    extends: str | None = None
    claims: tuple[Claim, ...] = ()

    def applies(self, facts: Facts) -> list[Hypothesis]:
        """
        Return the hypotheses that fail, in order; none if the theorem applies.

        Parameters
        ----------
        facts : Facts
            The network and what the experiment takes to infinity.

        Returns
        -------
        list of Hypothesis
            Empty where the theorem is claimed. A hypothesis that fails does not make the statement false.

        Examples
        --------
        >>> from theory.catalogue import Facts, find_theorem
        >>> facts = Facts(block="res-1", width=40, depth=100, beta=0.5)
        >>> [hypothesis.text for hypothesis in find_theorem("I2").applies(facts)]
        ['σ is the identity, or linear on either side of 0 behind a matrix W (res-2, res-3)']
        """
        return [hypothesis for hypothesis in self.hypotheses if not hypothesis.holds(facts)]

    def record(self) -> dict[str, Any]:
        """Return the theorem as plain values for JSON; hypotheses as their texts."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["hypotheses"] = [hypothesis.text for hypothesis in self.hypotheses]
        plain["predicted"] = list(self.predicted)
        plain["resolution"] = asdict(self.resolution)
        plain["claims"] = [claim.record() for claim in self.claims]
        return plain
