"""Weak evidence to label maps; 255 is unknown."""
