"""The theorems by id, and how to find them. A new one is a record in a file of statements."""

from __future__ import annotations

import difflib
from dataclasses import replace

from theory.catalogue import (
    _correlated,
    _diffusion,
    _inputs,
    _jacobians,
    _post_activation,
    _schedules,
    _smooth,
    _tokens,
    independent,
    normalised,
)
from theory.catalogue import _hypotheses as given
from theory.catalogue._facts import Facts
from theory.catalogue._theorem import Theorem
from theory.catalogue.claims import CLAIMS

_OF_PLAIN_LAYERS = (independent, _diffusion, _smooth, _correlated)
"""Chapters on h + α V g(h): their statements have that hypothesis, which their files leave out, or say what
holds of b_k h + a_k V g(h) and M units."""

_OF_OTHER_LAYERS = (normalised, _schedules, _post_activation, _jacobians, _inputs, _tokens)


def _of_plain_layers(theorem: Theorem) -> Theorem:
    if given.NO_NORM in theorem.hypotheses:
        return theorem
    return replace(theorem, hypotheses=(*theorem.hypotheses, given.PLAIN))


def _with_claims(theorem: Theorem) -> Theorem:
    return replace(theorem, claims=tuple(claim for claim in CLAIMS if claim.theorem == theorem.id))


THEOREMS: dict[str, Theorem] = {
    theorem.id: _with_claims(theorem)
    for theorem in (
        *(_of_plain_layers(theorem) for part in _OF_PLAIN_LAYERS for theorem in part.STATEMENTS),
        *(theorem for part in _OF_OTHER_LAYERS for theorem in part.STATEMENTS),
    )
}
"""Id to theorem: I1 to I11, S1 to S6, O1 to O4, F1 to F4, N1 to N12, G1 to G7, P1 to P3, J0 to J4, C1 to C4,
T1 to T4, each followed by its complements."""

_NAMES = {theorem.name: theorem for theorem in THEOREMS.values()}


def find_theorem(id: str) -> Theorem:
    """
    Return the theorem of an id or a name.

    Parameters
    ----------
    id : str
        Such as "I2" or "second-moment", in either case of letters.

    Returns
    -------
    Theorem

    Raises
    ------
    ValueError
        For an unknown one; the message names the nearest.

    Examples
    --------
    >>> find_theorem("i2").name
    'second-moment'
    >>> find_theorem("I22")
    Traceback (most recent call last):
    ...
    ValueError: ID='I22': must be the id or the name of a theorem; did you mean I2 or I2b?
    """
    by_key = {theorem.id.casefold(): theorem for theorem in THEOREMS.values()} | _NAMES
    key = id.strip().casefold()
    if key in by_key:
        return by_key[key]
    near = [by_key[match].id for match in difflib.get_close_matches(key, by_key, n=12, cutoff=0.5)]
    near.sort(key=lambda id: id[0].casefold() != key[:1])  # the statement's own chapter first
    unique = list(dict.fromkeys(near))[:3]
    if unique:
        fix = f"did you mean {' or '.join([', '.join(unique[:-1]), unique[-1]] if unique[1:] else unique)}?"
    else:
        fix = f"give one of {', '.join(THEOREMS)}"
    raise ValueError(f"ID={id!r}: must be the id or the name of a theorem; {fix}")


def applicable(facts: Facts) -> list[Theorem]:
    """
    Return the theorems whose hypotheses all hold, in the order of the catalogue.

    Parameters
    ----------
    facts : Facts
        The network and what the experiment takes to infinity.

    Returns
    -------
    list of Theorem

    Examples
    --------
    >>> facts = Facts(block="res-3", width=40, depth=100, beta=0.25)
    >>> [theorem.id for theorem in applicable(facts)]
    ['I1', 'I2', 'I2b', 'I3', 'I4', 'I5', 'I6', 'I7', 'O3', 'G1', 'G1b', 'G2', 'G3', 'G4', 'G5', 'J0', 'J1',
    'J3', 'J4', 'C3']
    """
    return [theorem for theorem in THEOREMS.values() if not theorem.applies(facts)]
