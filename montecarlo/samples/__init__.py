"""Samples: what users draw, a room a kind: independent networks, shared weights, several inputs, depths."""
