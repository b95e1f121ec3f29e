"""DFR, chapter 4 of the thesis."""
