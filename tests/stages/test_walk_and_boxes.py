"""The walk that a run chooses, the affinity at outlines, and boxes that keep their objects, in a toy run."""

import numpy as np

from tests.messages import raises
from wsss_stages.data.index import Index
from wsss_stages.nets.grid import Grid, labels_at_nodes
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import s5_graph, s5_walk, s6_propagate
from wsss_stages.store import contracts


def given(toy, stage, root, **changed):
    """The command line of a stage with other values of some flags."""
    argv = toy.argv(stage, root)
    for flag, value in changed.items():
        argv[argv.index(f"--{flag.replace('_', '-')}") + 1] = str(value)
    return argv


def test_the_walk_with_the_largest_agreement_is_written_beside_the_others(toy):
    chosen = toy.read(toy.root / "s5_walk" / "walk.json")
    tried = {(one["power"], one["steps"]): one["miou"] for one in chosen["agreements"]}
    assert set(tried) == {(2, 0), (2, 3), (8, 0), (8, 3)} and tried[2, 0] == tried[8, 0]
    assert tried[chosen["power"], chosen["steps"]] == max(tried.values()) > tried[2, 0]
    outlines = chosen["outlines"]
    assert chosen["images"] == 8 and outlines["pairs_inside"] > outlines["pairs_across"] > 0


def test_the_graph_takes_the_walk_that_was_chosen_and_its_manifest_names_it(toy, tmp_path):
    several = {"walk_powers": "[2, 8]", "walk_steps": "[0, 3]"}
    with raises(ValueError, "--walk-powers [2.0, 8.0]", "--walk-steps [0, 3]", "walk.json of s5_walk"):
        s5_graph.main(given(toy, "s5_graph", tmp_path, **several))
    file = toy.root / "s5_walk" / "walk.json"
    s5_graph.main([*given(toy, "s5_graph", tmp_path / "a", **several), "--walk", str(file)])
    chosen = toy.read(file)
    fixed = {"walk_powers": f"[{chosen['power']}]", "walk_steps": f"[{chosen['steps']}]"}
    s5_graph.main(given(toy, "s5_graph", tmp_path / "b", **fixed))
    of_choice, of_numbers = (Manifest([toy.manifest("s5_graph", root=tmp_path / part)]) for part in "ab")
    assert of_choice.options == of_numbers.options and of_choice.options[0]["walk_steps"] == [chosen["steps"]]
    for image in of_choice.items:
        walked = (m.read(image, contracts.WALK)["P"] for m in (of_choice, of_numbers))
        np.testing.assert_array_equal(*walked)


def test_held_seeds_stay_what_they_are(toy, tmp_path):
    hold = ["--walk-hold", "true", "--seeds", "seeds"]
    s5_graph.main([*toy.argv("s5_graph", tmp_path), *hold])
    held = Manifest([toy.manifest("s5_graph", root=tmp_path)])
    grid = Grid(8, held.options[0]["offset"])
    for record in Index.read(toy.index).split("train"):
        seeds = Manifest([toy.manifest("s3_seeds")]).read(record.id, contracts.SEEDS)["label"]
        seeds = labels_at_nodes(seeds, grid)
        P = held.read(record.id, contracts.WALK)["P"]
        for row, c in enumerate([0, *record.tags]):
            assert (P[row][seeds == c] == 1).all()


def test_a_walk_from_cams_is_chosen_by_the_cams(toy, tmp_path):
    with raises(ValueError, "--seeds cam", "--cams", "s2_cam"):
        s5_walk.main([*toy.argv("s5_walk", tmp_path), "--seeds", "cam"])
    cams = ["--seeds", "cam", "--cams", str(toy.manifest("s2_cam"))]
    s5_walk.main([*toy.argv("s5_walk", tmp_path), *cams])
    chosen, of_seeds = (toy.read(root / "s5_walk" / "walk.json") for root in (tmp_path, toy.root))
    assert [one["steps"] for one in chosen["agreements"]] == [0, 3, 0, 3]
    assert chosen["agreements"] != of_seeds["agreements"] and chosen["outlines"] != of_seeds["outlines"]


def test_the_report_shows_the_affinity_at_outlines_and_every_walk(toy):
    text = (toy.root / "report" / "affinity.html").read_text()
    assert "<td>train: truth</td>" in text and "<td>seeds</td>" in text
    assert text.count("random walk</td>") == 4 and text.count("(chosen)") == 1
    scores = toy.read(toy.root / "s9_evaluate" / "train" / "scores.json")["outlines"]
    assert 0 < scores["across"] <= 1 and 0 < scores["inside"] <= 1


def test_pseudo_labels_show_every_box_even_where_the_crf_wipes_objects_out(toy, tmp_path):
    strong = ["--crf.gaussian-weight", "60", "--crf.gaussian-xy", "12", "--objects-share", "0", "--tight-share", "0"]
    for share in ("0", "0.1"):
        s6_propagate.main([*toy.argv("s6_propagate", tmp_path / share), *strong, "--keep-share", share])
    wiped, kept = (toy.manifest("s6_propagate", root=tmp_path / share) for share in ("0", "0.1"))
    assert toy.read(wiped)["notes"]["boxes_without_object"] > 0
    notes = toy.read(kept)["notes"]
    assert notes["boxes_without_object"] == 0 < notes["boxes_without_object_before"]
    for record in Index.read(toy.index).split("train"):
        label = Manifest([kept]).read(record.id, contracts.PSEUDO)["label"]
        for (x0, y0, x1, y1), c in zip(*record.box_arrays(), strict=True):
            assert (label[y0:y1, x0:x1] == c).mean() >= 0.1 - 1e-9
