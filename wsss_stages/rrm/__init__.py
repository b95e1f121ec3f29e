"""RRM, chapter 2 of the thesis."""
