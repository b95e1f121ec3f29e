"""Print the folder of the workflow, for plain snakemake: its Snakefile, config.yaml, run files and profiles.

    wsss where
    snakemake --snakefile "$(wsss where)/Snakefile" --cores all --config dataset_root=photos
    snakemake --snakefile "$(wsss where)/Snakefile" --cores all --configfile "$(wsss where)/workflow/runs/lite2.yaml" --config dataset_root=photos
    cp -r "$(wsss where)/profiles/slurm" my_cluster        # to edit: --workflow-profile my_cluster

It is the repository of an editable installation, and lies inside the package else.
"""

import argparse
import sys

from wsss_stages.config import home


def main(argv: list[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(argv)
    sys.stdout.write(f"{home.snakefile().parent}\n")
