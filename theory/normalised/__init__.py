"""Normalised blocks: norms before, around and behind the branch, and tanh in place of a norm (N1 to N12)."""
