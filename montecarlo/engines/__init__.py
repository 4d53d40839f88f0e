"""Engines: how networks are sampled. A request, the registry, and a room for each engine."""
