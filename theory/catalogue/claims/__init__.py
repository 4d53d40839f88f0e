"""Who claims what: the publications beside each theorem, and what the theorem does with their claims."""

from theory.catalogue.claims import _independent, _jacobians, _limits, _normalised, _tokens
from theory.catalogue.claims._claim import Claim

CLAIMS: tuple[Claim, ...] = (
    *_independent.CLAIMS,
    *_limits.CLAIMS,
    *_normalised.CLAIMS,
    *_jacobians.CLAIMS,
    *_tokens.CLAIMS,
)
"""Every claim, by chapter."""
