"""Several inputs of one network (C1 to C4, N4)."""
