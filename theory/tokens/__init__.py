"""Tokens and attention: random transformers (T1 to T4)."""
