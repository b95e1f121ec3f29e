"""kill -9 at 10, 50 and 90 % of an image-wise stage, and the same command again: the bytes of an undisturbed run, nothing whole made twice."""

import signal
from collections import defaultdict

import pytest

from tests.messages import lacking

QUICK = ("s3_seeds", "s6_propagate")
"""Labels without a network, and a network for each image, many of them at once."""
STAGES = ("s2_cam", "s5_graph", "s5_object_masks", "s8_predict", "s8_detect", "rrm_label", "scl_features")
SHARES = (0.1, 0.5, 0.9)
NOT_COMPARED = (".made.json", ".lock")
"""Records differ from run to run; a killed run's lock file holds nothing."""


def files(folder):
    """Bytes of what a stage left, by path."""
    found = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {path: content for path, content in found.items() if not path.name.endswith(NOT_COMPARED)}


def whole_images(wrote, of_each):
    """Ids of the images of which every artifact was written."""
    counts = defaultdict(set)
    for path in wrote:
        counts[path.stem].add(path.parent.name)
    return {image_id for image_id, names in counts.items() if len(names) == of_each}


@pytest.mark.parametrize("stage", [*QUICK, *(pytest.param(stage, marks=pytest.mark.slow) for stage in STAGES)])
def test_a_killed_stage_goes_on_to_the_same_bytes(road, stage, tmp_path):
    undisturbed = files(road.make(stage).parent)
    manifest = road.out(stage, tmp_path)
    artifacts = [path for path in undisturbed if len(path.parts) > 1]
    images = {path.stem for path in artifacts}
    of_each = len({path.parent for path in artifacts})
    assert len(artifacts) == len(images) * of_each and len(images) >= 6

    done: set[str] = set()
    for share in SHARES:
        target = int(share * len(artifacts))
        at = 1 + target - len(done) * of_each
        ended = road.server.run(stage, road.argv(stage, tmp_path), at=at, fault="die")
        assert ended.code == -signal.SIGKILL and len(ended.wrote) == at - 1, ended.said
        assert not manifest.exists() and [p.name for p in tmp_path.rglob("*.partial")]
        again = done & {path.stem for path in ended.wrote}
        assert not again, "a whole image was made again"
        done |= whole_images(ended.wrote, of_each)
    assert 0 < len(done) < len(images)

    ended = road.server.run(stage, road.argv(stage, tmp_path))
    assert ended.code == 0, ended.said
    assert {path.stem for path in ended.wrote if path.parent.parent == manifest.parent} == images - done
    assert files(manifest.parent) == undisturbed


@pytest.mark.parametrize("stage", ["s2_cam", "s3_seeds"])
def test_a_stage_that_is_asked_to_stop_leaves_nothing_half_written(road, stage, tmp_path):
    undisturbed = files(road.make(stage).parent)
    manifest = road.out(stage, tmp_path)
    ended = road.server.run(stage, road.argv(stage, tmp_path), at=3, fault="stop")
    assert ended.code == 128 + signal.SIGTERM
    (line,) = [line for line in ended.said.splitlines() if "SIGTERM" in line]
    assert not lacking(line, "kept") and "Traceback" not in ended.said
    left = files(manifest.parent)
    assert len(left) == 2 and left.items() < undisturbed.items() and not list(tmp_path.rglob("*.lock"))
    assert road.server.run(stage, road.argv(stage, tmp_path)).code == 0
    assert files(manifest.parent) == undisturbed


def test_killed_while_it_writes_its_one_file_a_stage_begins_anew(road, tmp_path):
    stage = "s6_instance_masks"
    undisturbed = road.make(stage).read_bytes()
    out = road.out(stage, tmp_path)
    ended = road.server.run(stage, road.argv(stage, tmp_path), at=1, fault="die")
    assert ended.code == -signal.SIGKILL and not out.exists()
    assert road.server.run(stage, road.argv(stage, tmp_path)).code == 0
    assert out.read_bytes() == undisturbed and not list(tmp_path.rglob("*.partial"))
