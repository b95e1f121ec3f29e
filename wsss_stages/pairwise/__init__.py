"""Everything about pairs of pixels (i, j)."""
