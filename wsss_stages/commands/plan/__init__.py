"""Estimates of a run's cost on this machine, from a few images that go through its stages."""
