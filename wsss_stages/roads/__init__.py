"""The work of stages."""
