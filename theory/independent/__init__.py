"""Independent layers at any depth, and what the scaling does to them (I1 to I11)."""
