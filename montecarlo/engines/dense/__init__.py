"""The dense engine: any independent law, weights regenerated from their counters and never stored."""
