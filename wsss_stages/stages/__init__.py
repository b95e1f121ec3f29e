"""One script per stage; each runs alone: `python -m wsss_stages.stages.s3_seeds --help`."""
