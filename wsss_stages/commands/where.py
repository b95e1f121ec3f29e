"""Print the folder of the workflow, for plain snakemake: its Snakefile, config.yaml, run files and profiles.

    wsss where                                             # the repository of an editable installation, or a folder inside the package
    snakemake --snakefile "$(wsss where)/Snakefile" --cores all --config dataset_root=photos
    snakemake --snakefile "$(wsss where)/Snakefile" --cores all --configfile "$(wsss where)/workflow/runs/lite2.yaml" --config dataset_root=photos
    cp -r "$(wsss where)/profiles/slurm" my_cluster        # to edit: --workflow-profile my_cluster

Settings and rules of the working copy count where the package was installed from it in editable mode.
"""

import argparse
import sys

from wsss_stages.config import home


def main(argv: list[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(argv)
    sys.stdout.write(f"{home.snakefile().parent}\n")
