"""Twenty small faults, each put into a copy of the project, which the test named beside it must notice: `python tests/mutants.py`.

Prints which of them are noticed, and ends with 1 where one survives. Words that follow choose those whose names have them.
"""

import importlib
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "wsss_stages"
NEEDED = (PACKAGE, "tests", "workflow", "Snakefile", "config.yaml", "pyproject.toml")
HEAVY = (
    "cv2",
    "matplotlib.pyplot",
    "numba",
    "pydantic",
    "scipy.sparse",
    "snakemake.utils",
    "torch",
    "torch_geometric.nn",
)
"""Libraries that are imported once for all forks."""
FAILED = 1
"""What pytest ends with where it ran and a test failed."""


class Mutant(NamedTuple):
    """A text of a file of the package, what stands in its place, and the test that notices."""

    name: str
    file: str
    old: str
    new: str
    test: str


LAYERS = "tests/test_layers.py::test_imports_go_one_way_down"
IMPORTS = "\nfrom wsss_stages."
"""Begins a file's imports of the package."""
MUTANTS = (
    # these eight were not noticed once
    Mutant("A²GNN without dropout", "a2gnn/propagate.py",
           "if dropout > 0:", "if dropout > 1:",
           "tests/a2gnn/test_propagate.py::test_dropout_takes_features_away_and_keeps_their_mean"),
    Mutant("views of one scale", "data/augment.py",
           "rng.uniform(scale_min, scale_max)", "rng.uniform(1.0, 1.0)",
           "tests/data/test_scenes_and_augment.py::test_scales_are_drawn_between_the_two_that_are_given"),
    Mutant("principal directions of any norm", "a2gnn/graph.py",
           "reduced = reduced / reduced.norm(dim=1).mean().clamp(min=1e-12)", "reduced = reduced + 0",
           "tests/a2gnn/test_nodes_and_pixels.py::test_principal_components_have_a_mean_row_norm_of_one"),
    Mutant("pictures faded to another grey", "evaluation/figures.py",
           "faded = 0.35 * image + 0.65 * 64", "faded = 0.35 * image + 0.65 * 96",
           "tests/evaluation/test_figures.py::test_labels_lie_over_a_faded_image_in_their_classes_colours"),
    Mutant("a stage imports a stage", "stages/s4_affinity.py",
           IMPORTS, f"\nfrom wsss_stages.stages import s3_seeds{IMPORTS}", LAYERS),
    Mutant("maths imports upwards by `import a.b.c`", "a2gnn/walk.py",
           IMPORTS, f"\nimport wsss_stages.roads.propagate{IMPORTS}", LAYERS),
    Mutant("nets import the store", "nets/backbones.py",
           IMPORTS, f"\nfrom wsss_stages.store import artifacts{IMPORTS}", LAYERS),
    Mutant("maths reads a file by NumPy", "labels/levels.py",
           "\nimport numpy as np\n", "\nimport numpy as np\n\nread = lambda path: np.load(path)\n",
           "tests/test_layers.py::test_maths_opens_no_file"),
    # these were
    Mutant("the multi-point loss without its features", "a2gnn/multi_point.py",
           " + total[:, 1] / total[:, 3].clamp(min=1)", "",
           "tests/a2gnn/test_losses.py::test_multi_point_loss_is_eq_3_26_and_its_gradient_is_exact"),
    Mutant("the larger foreground wins", "labels/grabcut.py",
           'np.argsort(-areas, kind="stable")', 'np.argsort(areas, kind="stable")',
           "tests/labels/test_seeds.py::test_the_smaller_foreground_wins"),
    Mutant("agreement that is never strict", "labels/reliable.py",
           "    if strict:\n", "    if False:\n",
           "tests/labels/test_seeds.py::test_confident_part_against_loops"),
    Mutant("tight boxes that only tie", "a2gnn/tight_boxes.py",
           "AHEAD = 1e-3", "AHEAD = 0.0",
           "tests/a2gnn/test_tight_boxes.py::test_an_object_below_one_half_appears_and_nothing_else"),
    Mutant("a schedule of another power", "training/schedule.py",
           "** opt.poly_power", "** 1.0",
           "tests/training/test_loop.py::test_learning_rate_is_poly"),
    Mutant("no warm-up", "training/schedule.py",
           "min(1.0, (done + 1) / warm_up)", "1.0",
           "tests/training/test_loop.py::test_a_warm_up_begins_small_and_takes_at_most_a_tenth_of_the_steps"),
    Mutant("a CRF of unclamped certainty", "labels/crf.py",
           "clamp(min=1e-5)", "clamp(min=1e-20)",
           "tests/labels/test_crf.py::test_a_probability_of_nothing_counts_as_one_in_a_hundred_thousand"),
    Mutant("consistency is never applied", "a2gnn/propagate.py",
           "seeds = torch.where(_keep(batch, H, points, counts, opt), seeds, -1)", "seeds = batch.seeds",
           "tests/a2gnn/test_propagate.py::test_every_loss_term_changes_the_result"),
    Mutant("the regulariser in the first stage", "a2gnn/propagate.py",
           "if second and opt.reg_weight > 0:", "if opt.reg_weight > 0:",
           "tests/a2gnn/test_propagate.py::test_the_first_stage_has_neither_regularised_loss_nor_consistency"),
    Mutant("a checkpoint without its optimizer", "training/checkpoints.py",
           '    optimizer.load_state_dict(content["optimizer"])\n', "",
           "tests/training/test_loop.py::test_a_killed_training_ends_with_the_same_bytes"),
    Mutant("a variant shares what others made differently", "config/dag.py",
           "own == of_base and all(map(same, reads(config, variant, stage, weak)))", "own == of_base",
           "tests/config/test_roads.py::test_a_variant_makes_what_it_changes_and_what_reads_it"),
    Mutant("an artifact that changed behind its manifest", "shards/manifest.py",
           "artifacts.sha256(path) != sha", 'artifacts.sha256(path) == ""',
           "tests/shards/test_manifest.py::test_bytes_are_compared_when_first_read"),
)  # fmt: skip


def tested(folder: Path, *tests: str) -> int:
    """Return what pytest ends with on a copy of the project, in a fork of this process, which has imported HEAVY."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    code = pytest.ExitCode.INTERNAL_ERROR
    try:
        imported = "ignore::pytest.PytestAssertRewriteWarning"  # of plugins that HEAVY brought before pytest
        code = pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-W", imported, "-m", "not slow", *tests])
    finally:  # whatever pytest itself raises is no failed test
        os._exit(code)


def outcome(folder: Path, mutant: Mutant) -> str:
    """Return "killed", "SURVIVES", or why neither can be said; the copy is afterwards what it was."""
    path = folder / PACKAGE / mutant.file
    text = path.read_text()
    if mutant.old not in text:
        return f"NOT MADE: no {mutant.old!r} in {mutant.file}"
    path.write_text(text.replace(mutant.old, mutant.new, 1))
    try:
        code = tested(folder, mutant.test)
    finally:
        path.write_text(text)
    return {0: "SURVIVES", FAILED: "killed"}.get(code, f"NOT TESTED: pytest ended with {code}")


def main(words: list[str]) -> int:
    """Print the table; return 1 unless every mutant is killed."""
    with warnings.catch_warnings(action="ignore"):
        for name in HEAVY:
            importlib.import_module(name)
    chosen = [mutant for mutant in MUTANTS if all(word in mutant.name for word in words)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in NEEDED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, folder / name)
        if code := tested(folder, *sorted({mutant.test for mutant in chosen})):
            print(f"without any mutant pytest ends with {code} on the tests of the table: mend that first")
            return 1
        outcomes = []
        for mutant in chosen:
            outcomes.append(outcome(folder, mutant))
            print(f"{mutant.name:48} {mutant.file:24} {outcomes[-1]}", flush=True)
    killed = outcomes.count("killed")
    print(f"{killed} of {len(outcomes)} killed")
    return int(killed < len(outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
