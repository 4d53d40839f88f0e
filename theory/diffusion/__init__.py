"""Limits at the critical scaling of independent layers: diffusions, and wide networks (S1 to S6)."""
