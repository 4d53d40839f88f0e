"""Schedules of scalings, factors of the stream, hidden widths, gates and one-matrix blocks (G1 to G7)."""
