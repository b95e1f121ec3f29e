"""COCO 2014 and 2017 as published, in miniature, and the episodes of both few-shot splits."""

import numpy as np
import pytest

from tests import miniatures
from tests.miniatures import coco, coco20i, pascal5i
from tests.miniatures.pictures import picture
from wsss_stages.config.options import SclEpisodes
from wsss_stages.data.few_shot.episodes import Settings as EpisodeSettings
from wsss_stages.data.few_shot.episodes import draw_fold
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers.kinds import KINDS, Settings

SMALL = SclEpisodes(min_pixels=64, shots=2, test_pairs=8, test_seeds=1, train_pairs=10, held_out=0.2, held_out_pairs=4)


def read(kind, root, train="train", val="val"):
    return KINDS[kind]("toy", root, root.parent / "truth", Settings(train, val, "", "", "", 0, 0, 0, 0))


@pytest.fixture(scope="module")
def pascal(tmp_path_factory):
    return read("voc2012", miniatures.write("pascal5i", tmp_path_factory.mktemp("pascal5i") / "data"), "train_sbd")


@pytest.fixture(scope="module")
def coco_2014(tmp_path_factory):
    return read("coco2014", miniatures.write("coco20i", tmp_path_factory.mktemp("coco20i") / "data"))


@pytest.mark.parametrize("year", ["2014", "2017"])
@pytest.mark.parametrize("given", ["", "year"])
def test_a_year_of_coco_has_80_classes_in_the_order_of_its_ids(year, given, tmp_path):
    root = miniatures.write(f"coco{year}", tmp_path / "coco")
    index = read(f"coco{year}", root, *(f"{name}{year if given else ''}" for name in ("train", "val")))
    assert index.classes == ["background", *coco.NAMES]
    names = {number: coco.file_name(number, f"train{year}").removesuffix(".jpg") for number in coco.TRAIN}
    assert index.splits["train"] == list(names.values()) and len(index.splits["val"]) == len(coco.VAL)
    for number, classes in coco.TRAIN.items():
        record, one = index.records[names[number]], picture(str(number), classes)
        boxes = np.array([one.box(k) for k in range(1, len(classes) + 1)])
        assert record.box_classes == list(classes) and np.abs(np.array(record.boxes) - boxes).max() <= 1
        labels = read_labels(index.root / record.truth)
        assert (labels == one.labels).mean() > 0.93 and (labels[:, :2] == 255).all() == (number == 9)


@pytest.mark.parametrize("fold", range(4))
def test_pascal_5i_trains_on_sbd_and_is_tested_on_vocs_val(fold, pascal):
    made = draw_fold(pascal, fold, SMALL.fill(EpisodeSettings))
    assert made.novel == [5 * fold + k for k in range(1, 6)]
    of = {f"{year}_{100 + 3 * n:06d}": pascal5i.shown(n) for year in range(2008, 2012) for n in range(20)}
    _check(made, of, {name for name in of if name.startswith("2011")}, {*made.novel})


@pytest.mark.parametrize("fold", range(4))
def test_coco_20i_tests_every_fourth_class(fold, coco_2014):
    made = draw_fold(coco_2014, fold, SMALL.model_copy(update={"order": "strides"}).fill(EpisodeSettings))
    assert made.novel == [cls for cls in range(1, 81) if (cls - 1) % 4 == fold]
    of = {}
    for first, name in ((9, "train2014"), (1000, "val2014")):
        for n in range(coco20i.PICTURES):
            of[coco.file_name(first + 2 * n, name).removesuffix(".jpg")] = coco20i.shown(n)
    _check(made, of, {name for name in of if "val2014" in name}, {*made.novel})


def _check(made, of, tested, novel):
    """Check that training asks for base classes of training images, and the test for novel ones of the others."""
    for part in (made.train, made.held_out):
        assert part.lists and not novel & set(part.lists)
        for cls, ids in part.lists.items():
            assert not tested & {*ids} and all(cls in of[name] for name in ids)
    assert {episode.cls for episode in made.test[0]} <= novel
    for episode in made.test[0]:
        assert {episode.query, *episode.supports} <= tested
        assert all(episode.cls in of[name] for name in (episode.query, *episode.supports))
