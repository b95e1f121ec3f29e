"""SCL's scores of episodes, and what does not belong together."""

import json

import pytest
import torch

from tests.messages import raises
from wsss_stages.config import options
from wsss_stages.data.few_shot.episodes import EpisodeError, Episodes, of_another_class
from wsss_stages.data.few_shot.squares import image_on_square
from wsss_stages.data.index import Index
from wsss_stages.nets import backbones
from wsss_stages.nets.grid import to_pixels
from wsss_stages.scl.head import Maps
from wsss_stages.scl.prototypes import at_nodes
from wsss_stages.shards.frozen_maps import Frozen
from wsss_stages.stages import scl_episodes
from wsss_stages.store import artifacts
from wsss_stages.training import networks


@pytest.mark.parametrize("name", ["canet", "pfenet"])
def test_scores_of_every_number_of_supports_and_fusion(run, tmp_path, name):
    found = run.evaluate(name, tmp_path / "scores.json")
    assert set(found["rows"]) == {"1-shot", "1-shot prototype", "3-shot average", "3-shot cross", "3-shot prototype"}
    for row in found["rows"].values():
        assert len(row["miou"]) == len(row["fb_iou"]) == 2 and set(row["iou"]) == {"brick"}
        assert row["iou"]["brick"] == row["miou"] and all(0 <= v <= 1 for v in row["miou"] + row["fb_iou"])
    assert found["unknown_ignored"] and found["pairs"] == 8
    assert run.evaluate(name, tmp_path / "again.json") == found
    assert len({repr(row) for row in found["rows"].values()}) >= (5 if name == "pfenet" else 3)


def test_the_score_is_that_of_episodes_answered_one_by_one(run, tmp_path):
    """1-shot, from the photographs themselves: intersection and union by hand."""
    found = run.evaluate("pfenet", tmp_path / "scores.json")
    network, _ = networks.restore_few_shot(run.weights["pfenet"], options.SclEvaluate())
    index, episodes = Index.read(run.index), Episodes.read(run.episodes)
    frozen = Frozen(index, [run.manifest("train"), run.manifest("val")], False)
    both = either = 0
    for e in episodes.test[0]:
        images = [index.records[i].image(index.root) for i in (e.query, e.supports[0])]
        query, support = (
            network.encode(backbones.normalise(torch.from_numpy(image_on_square(i, 64))[None])) for i in images
        )
        mask = torch.from_numpy(frozen.mask(e.supports[0], e.cls))[None]
        with torch.no_grad():
            logits = network(query, support, *at_nodes(mask, (8, 8), network.grid)).logits
        square = to_pixels(logits, network.grid, (64, 64))
        label = torch.nn.functional.interpolate(square, (160, 160), mode="bilinear")[0].argmax(dim=0).numpy()
        truth = index.records[e.query].truth_labels(index.root)
        known = truth != 255
        both += ((label == 1) & (truth == e.cls) & known).sum()
        either += (((label == 1) | (truth == e.cls)) & known).sum()
    assert 0.01 < both / either < 0.99 and found["rows"]["1-shot"]["miou"][0] == pytest.approx(both / either, abs=0.01)


def test_supports_of_another_class_are_a_control(run, tmp_path):
    """A fold of two classes has controls; one of a single class has none."""
    run.main(scl_episodes, "--fold", 1, "--episodes", tmp_path / "e.json", *run.EPISODES, "--folds", 2)
    found = run.evaluate("pfenet", tmp_path / "scores.json", "--episodes", tmp_path / "e.json")["rows"]
    assert {row for row in found if "another class" in row} == {
        "1-shot, another class",
        "1-shot prototype, another class",
    }
    network, _ = networks.restore_few_shot(run.weights["pfenet"], options.SclEvaluate())
    index, episodes = Index.read(run.index), Episodes.read(tmp_path / "e.json")
    frozen = Frozen(index, [run.manifest("train"), run.manifest("val")], True)
    maps = {
        i: network.prepared(Maps.stored(*(torch.from_numpy(m)[None] for m in frozen.maps(i).values())))
        for i in {image for e in episodes.test[0] for image in (e.query, e.supports[0])}
    }
    counts = {c: [0, 0] for c in episodes.novel}
    asked = [pair for pair in zip(episodes.test[0], of_another_class(episodes.test[0]), strict=True) if pair[1]]
    assert len(asked) > 4
    for e, other in asked:
        assert other.cls != e.cls
        mask = torch.from_numpy(frozen.mask(other.supports[0], other.cls))[None]
        with torch.no_grad():
            logits = network(maps[e.query], maps[other.supports[0]], *at_nodes(mask, (8, 8), network.grid)).logits
        square = to_pixels(logits, network.grid, (64, 64))
        label = torch.nn.functional.interpolate(square, (160, 160), mode="bilinear")[0].argmax(dim=0).numpy()
        truth = index.records[e.query].truth_labels(index.root)
        both, either = (label == 1) & (truth == e.cls), ((label == 1) | (truth == e.cls)) & (truth != 255)
        counts[e.cls] = [counts[e.cls][0] + both.sum(), counts[e.cls][1] + either.sum()]
    expected = sum(both / either for both, either in counts.values()) / 2
    assert found["1-shot, another class"]["miou"][0] == pytest.approx(expected, abs=0.01)


def test_prototypes_are_scored_without_what_was_trained(run, tmp_path):
    """5-shot means of the supports' nodes by hand, on the maps of the backbone; weights of another training change nothing."""
    rows = run.evaluate("canet", tmp_path / "scores.json")
    again = run.evaluate(run.train("canet", tmp_path / "w.safetensors", "--seed", 3), tmp_path / "again.json")
    assert rows["rows"]["1-shot"] != again["rows"]["1-shot"] and rows["threshold"] == again["threshold"]
    for row in ("1-shot prototype", "3-shot prototype"):
        assert rows["rows"][row] == again["rows"][row]
    network, _ = networks.restore_few_shot(run.weights["canet"], options.SclEvaluate())
    index, episodes = Index.read(run.index), Episodes.read(run.episodes)
    frozen = Frozen(index, [run.manifest("train"), run.manifest("val")], False)

    def nodes(image):
        middle = torch.from_numpy(frozen.maps(image)["middle"]).float().permute(2, 0, 1)
        return network.head.standard(middle[None])[0].flatten(1)

    def unit(vector):
        return vector / vector.norm()

    both = either = 0
    for e in episodes.test[0]:
        pairs = []
        for image in e.supports:
            M, known = (
                m.flatten() for m in at_nodes(torch.from_numpy(frozen.mask(image, e.cls))[None], (8, 8), network.grid)
            )
            pairs.append([unit(nodes(image)[:, kind].mean(dim=1)) for kind in (M & known, ~M & known)])
        foreground, background = (unit(sum(vectors)) for vectors in zip(*pairs, strict=True))
        cosines = torch.nn.functional.normalize(nodes(e.query), dim=0).T @ torch.stack([foreground, -background]).T
        square = to_pixels(cosines.sum(dim=1).view(1, 1, 8, 8), network.grid, (64, 64))
        found = torch.nn.functional.interpolate(square, (160, 160), mode="bilinear")[0, 0].numpy() > rows["threshold"]
        truth = index.records[e.query].truth_labels(index.root)
        both += (found & (truth == e.cls)).sum()
        either += ((found | (truth == e.cls)) & (truth != 255)).sum()
    assert 0.01 < both / either < 0.99
    assert rows["rows"]["3-shot prototype"]["miou"][0] == pytest.approx(both / either, abs=0.003)


def test_several_scales_of_the_query(run, tmp_path):
    one, several = (
        run.evaluate("pfenet", tmp_path / f"{s}.json", "--scales", s) for s in ("[1.0]", "[0.75, 1.0, 1.25]")
    )
    assert one["rows"] != several["rows"] and several["options"]["scales"] == [0.75, 1.0, 1.25]


def test_the_baseline_is_weighed_by_its_query_branch_only(run, tmp_path):
    with raises(ValueError, "support branch", "cross_path: query"):
        run.evaluate("baseline", tmp_path / "scores.json")
    assert "3-shot cross" in run.evaluate("baseline", tmp_path / "scores.json", "--cross-path", "query")["rows"]


def test_files_that_do_not_belong_together_are_reported(run, tmp_path):
    with raises(EpisodeError, "--shots [1, 4]", "1 ... 3"):
        run.evaluate("canet", tmp_path / "scores.json", "--shots", "[1, 4]")
    with raises(EpisodeError, "--shots [0]", "1 ... 3"):
        run.evaluate("canet", tmp_path / "scores.json", "--shots", "[0]")
    content = json.loads(run.episodes.read_text()) | {"fold": 2}
    artifacts.write_sealed(tmp_path / "episodes.json", content)
    with raises(
        artifacts.ContractError, str(run.weights["canet"]), "fold 1", str(tmp_path / "episodes.json"), "fold 2"
    ):
        run.evaluate("canet", tmp_path / "scores.json", "--episodes", tmp_path / "episodes.json")
    for split in ("train", "val"):
        run.features(split, tmp_path, side=48)
    other = ("--features", run.manifest("train", tmp_path), run.manifest("val", tmp_path))
    with raises(artifacts.ContractError, "'side': 48 ... 'side': 64", "snakemake --forcerun scl_features"):
        run.evaluate("canet", tmp_path / "scores.json", *other)
    mixed = ("--features", run.manifest("train"), run.manifest("val", tmp_path))
    with raises(artifacts.ContractError, "several", "snakemake --forcerun scl_features"):
        run.evaluate("canet", tmp_path / "scores.json", *mixed)


def test_a_fold_that_is_not_there_and_a_class_with_too_few_images(run, tmp_path):
    argv = ("--episodes", tmp_path / "e.json", *run.EPISODES)
    with raises(EpisodeError, "fold 4", "0..3", "scl_episodes.folds"):
        run.main(scl_episodes, "--fold", 4, *argv)
    with raises(EpisodeError, "fold 0", "30 supports", "coin", "scl_episodes.shots"):
        run.main(scl_episodes, "--fold", 0, *argv, "--shots", 30)
    assert not (tmp_path / "e.json").exists()
