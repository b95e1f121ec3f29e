"""Every run file of the thesis's results: its header, its road, and, slowly, its way from data in miniature to its table."""

import csv
import re
from pathlib import Path

import pytest
import yaml

from tests.workflow import run_files
from tests.workflow.conftest import Project
from tests.workflow.jobs import planned
from tests.workflow.run_files import RESULTS, ROOT, TINY, Result
from wsss_stages.config import cards, dag, options, run_settings, variants

RUNS = ROOT / "workflow" / "runs"


def test_every_table_that_its_card_says_runs_on_the_miniature_is_made_here():
    made = {
        table for result in RESULTS.values() for table in (*result.tables, *result.targets) if table.startswith("table")
    }
    assert made == {name for name, card in cards.read()[1].items() if card.miniature}
    own = {path.stem for path in RUNS.glob("*.yaml") if re.match("voc12|context|coco|pascal5i", path.stem)}
    assert own == {*RESULTS, "voc12"}


@pytest.mark.parametrize("name", RESULTS)
def test_a_header_says_what_is_made_by_which_command_and_what_to_expect(name):
    text = (RUNS / f"{name}.yaml").read_text()
    header = text[: text.index("\n", text.rindex("\n#") + 1)]
    files = " ".join(f"workflow/runs/{run}.yaml" for run in RESULTS[name].runs)
    (command,) = run_files.commands(name)
    assert command.endswith(f"--cores all --configfile {files} --config dataset_root=FOLDER")
    assert "Not run by us" in header and ("To expect" in header or name == "coco_box")
    plan = (ROOT / "docs" / "plans.md").read_text()
    row = re.search(rf"^\| \[`{name.removesuffix('_saliency')}\.yaml`\]\S+ \| \d+ \| (\S+) \| (\S+) \|$", plan, re.M)
    assert f"{row[1]} hours, {row[2]} GB (docs/plans.md)" in header.replace("\n# ", " ")


@pytest.mark.parametrize("name", RESULTS)
def test_a_run_file_s_options_fit_and_its_road_is_the_chapter_s(name):
    runs = list(RESULTS[name].runs)
    config = run_settings.load(runs)
    road = (config, config["variant"], config["weak"])
    for section in options.SECTIONS:
        variants.section(config, section, config["variant"], config["weak"])
    trained = dag.trainings(*road)
    if "dfr" in name or "context" in name:
        assert trained == ["dfr_train"] and variants.section(config, "dfr", config["variant"])["backbone"].startswith(
            "swin_base"
        )
    elif "rrm" in name:
        assert trained == ["rrm_train", *(["s7_segment"] if "two_step" in name else [])]
    elif not name.startswith(("pascal5i", "coco20i")):
        segment = variants.section(config, "segment", config["variant"])
        assert trained == ["s4_affinity", "s7_segment"]
        assert (segment["head"], segment["backbone"], segment["loss_scales"]) == (
            "deeplab_v2",
            "resnet101",
            [0.75, 0.5],
        )
        assert config["classifier"]["method"] == "seam" and config["classifier"]["backbone"] == "resnet38"


class Small(Project):
    """A project in whose folder a result's data lie in miniature."""

    @classmethod
    def of(cls, name: str, folder: Path) -> "Small":
        project = cls(folder)
        for part in ("Snakefile", "envs", "profiles", "workflow", "config.yaml"):
            (folder / part).symlink_to(ROOT / part)
        project.root = run_files.write_data(name, folder)
        (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
        return project

    def make(self, result: Result, *targets: str, **options) -> str:
        files = [f"workflow/runs/{run}.yaml" for run in result.runs]
        settings = ["--configfile", *files, "tiny.yaml", "--config", f"dataset_root={self.root}"]
        return self.snakemake(*targets, *settings, **options)


@pytest.mark.slow
@pytest.mark.parametrize("name", RESULTS)
def test_a_run_file_makes_its_plan_on_the_miniature(name, tmp_path):
    result = RESULTS[name]
    jobs = planned(Small.of(name, tmp_path).make(result, "-n", *result.targets))
    assert jobs["data"] == 1 and len(jobs) > 4


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Projects by their data in miniature: results that read the same data share what comes before their own stages."""
    made: dict[tuple, Small] = {}

    def of(name: str) -> Small:
        key = (*RESULTS[name].data, "saliency" in name)
        if key not in made:
            made[key] = Small.of(name, tmp_path_factory.mktemp(name))
        return made[key]

    return of


CHECKED_ALWAYS = "voc12_box"
"""The result that `.ci/run` makes, which leaves out the others for the sake of time."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name == CHECKED_ALWAYS else pytest.param(name, marks=pytest.mark.miniature) for name in RESULTS]
)
def test_a_run_file_goes_from_nothing_to_its_table_on_the_miniature(name, projects):
    result, project = RESULTS[name], projects(name)
    project.make(result, *result.targets)
    for table in result.tables:
        for path in (project.folder / "results").rglob(f"{table}.csv"):
            path.unlink()
    if result.tables:
        project.make(result, *result.tables)
    made = [*result.tables, *(target for target in result.targets if target.startswith("table"))]
    for table in made:
        assert measured(project.folder / "results" / run_settings.load(list(result.runs))["dataset"], table), table


def measured(results: Path, table: str) -> list[float]:
    """Return the numbers of a table that were measured, in a comparison those of its rows `here`, else before the thesis's."""
    (path,) = results.rglob(f"{table}.csv")
    with path.open() as file:
        header, *rows = csv.reader(file)
    if "thesis" in header:
        cells = [cell for row in rows for cell in row[1 : header.index("thesis")]]
    else:
        cells = [cell for row in rows if row[0].endswith(", here") for cell in row[2:-1]]
    return [float(cell) for cell in cells if cell]
