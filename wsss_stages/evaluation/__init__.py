"""Scores of label maps and of instances, and the figures of the report."""
