"""Configuration: every option, the variants and the tables of the thesis."""
