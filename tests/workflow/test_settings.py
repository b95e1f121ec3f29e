"""Settings and folders of users: what reaches the stages, and what is refused before anything runs."""

import re

from tests.messages import lacking, only


def test_a_users_folder_takes_real_defaults(project, voc):
    output = project.snakemake("-n", "-p", "--config", f"dataset_root={voc.root}", "backbone_weights=none")
    assert (
        "results/voc/index.json" in output
        and "--backbone '\"mobilenet_v2\"'" in output
        and "--kind '\"voc\"'" in output
    )


def test_an_error_in_the_dataset_is_in_the_log(project, voc):
    voc.boxes("a", ("cow", 2, 3, 10, 12))
    project.snakemake("results/voc/index.json", "--config", f"dataset_root={voc.root}", fails=True)
    assert not lacking((project.folder / "logs" / "voc" / "data.log").read_text(), "a.xml", "'cow'")
    assert not (project.folder / "results").exists() or not list((project.folder / "results").rglob("*.json"))


def test_missing_weak_labels_are_reported_before_anything_is_trained(project, voc):
    (voc.root / "Annotations" / "a.xml").unlink()
    output = project.snakemake(
        "--cores", "1", "--config", f"dataset_root={voc.root}", "backbone_weights=none", fails=True
    )
    log = project.folder / "logs" / "voc" / "box" / "weak_index.log"
    assert not lacking(log.read_text(), "a.jpg", "no boxes", "training image a")
    assert "Classifier on" not in output


def test_every_fault_of_a_config_is_one_line_before_anything_runs(project):
    (project.folder / "mine.yaml").write_text(
        "{seeds: {kep: 0.4, min_cam: 2}, sedes: {}, segment: {head: psp}, device: gpu}"
    )
    lines = project.snakemake("-n", "--configfile", "mine.yaml", "--config", "shards=0", fails=True).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("WorkflowError"))
    for words in (
        ("--config: shards: ", "0"),
        ("mine.yaml: device: ", "'gpu'"),
        ("mine.yaml: seeds.min_cam: ", "2"),
        ("mine.yaml: seeds.kep: ", "'kep' ... 'keep'"),
        ("mine.yaml: segment.head: ", "'psp'"),
        ("mine.yaml: sedes: ", "'sedes' ... 'seeds'"),
    ):
        assert only(lines[start + 1 : start + 7], *words)
    assert len(lines) < start + 10


def test_weights_whose_path_has_braces_are_watched_all_the_same(project, voc):
    weights = project.folder / "w{eights}.pth"
    settings = ("results/voc/s1_classifier/weights.safetensors", "--config", f"dataset_root={voc.root}")
    settings = (*settings, f"backbone_weights={weights}")
    assert not lacking(
        project.snakemake("-n", *settings, fails=True), "backbone_weights", str(weights), "'package', 'hub' or 'none'"
    )
    weights.write_bytes(b"1")
    project.pretend()
    assert f"--backbone-weights '{weights}'" in project.snakemake("-p", *settings)
    assert "Nothing to be done" in project.snakemake("-n", *settings)
    weights.write_bytes(b"other")
    assert "Classifier on" in project.snakemake("-n", *settings)


def test_the_segmenter_may_have_a_backbone_and_weights_of_its_own(project, voc):
    (project.folder / "more.yaml").write_text("segment: {backbone: resnet18, backbone_weights: gone.pth, head: pspnet}")
    settings = (
        "-n",
        "-p",
        "--configfile",
        "more.yaml",
        "--config",
        f"dataset_root={voc.root}",
        "backbone_weights=none",
    )
    assert re.search(
        r"Missing input files for rule s7_segment:.*gone\.pth", project.snakemake(*settings, fails=True), re.S
    )
    (project.folder / "gone.pth").touch()
    output = project.snakemake(*settings)
    (segment,) = [line for line in output.splitlines() if "stages.s7_segment" in line]
    (classifier,) = [line for line in output.splitlines() if "stages.s1_classifier" in line]
    assert "--backbone '\"resnet18\"'" in segment and "--backbone-weights '\"gone.pth\"'" in segment
    assert "--head '\"pspnet\"'" in segment
    assert "--backbone '\"mobilenet_v2\"'" in classifier and "--backbone-weights none" in classifier
