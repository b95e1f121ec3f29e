"""Configuration: every option, the variants made of them, and the tables of the thesis."""
