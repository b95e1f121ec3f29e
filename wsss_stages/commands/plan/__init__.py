"""What a run will cost on this machine, from a few images that go through its stages."""
