"""Schedules of scalings, factors of the stream, hidden widths and gates, without norms (G1 to G6)."""
