"""Experiments of S1 to S6."""
