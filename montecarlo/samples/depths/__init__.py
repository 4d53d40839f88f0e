"""One network family at several depths on one path of weights: coupled runs and their errors (S1, O1, F4)."""
