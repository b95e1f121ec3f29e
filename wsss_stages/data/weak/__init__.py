"""Weak labels: read from the files of a folder, drawn from true masks, and checked for a run."""
