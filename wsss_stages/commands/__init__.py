"""Commands that a person types besides snakemake."""
