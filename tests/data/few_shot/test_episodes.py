"""Folds and episodes: classes of PASCAL-5^i and COCO-20^i, what an episode may hold, seeds, files, what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from tests.messages import lacking, raises
from wsss_stages.config.options import SclEpisodes
from wsss_stages.data.few_shot import episodes
from wsss_stages.data.few_shot.episodes import (
    Episode,
    EpisodeError,
    Episodes,
    Settings,
    class_lists,
    draw,
    draw_fold,
    novel_classes,
)
from wsss_stages.data.importers.scenes import make_scenes
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.store import artifacts

SMALL = SclEpisodes(
    min_pixels=100,
    shots=2,
    test_pairs=9,
    test_seeds=2,
    train_pairs=20,
    held_out=0.3,
    held_out_pairs=6,
    test_images="all",
).fill(Settings)


def all_of(test):
    return [episode for of_seed in test for episode in of_seed]


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    root = tmp_path_factory.mktemp("scenes")
    make_scenes(root, 16, 6)
    return import_voc("scenes", root)


def test_folds_of_pascal_and_of_coco():
    assert [novel_classes(20, i, 4, "blocks") for i in (0, 3)] == [[1, 2, 3, 4, 5], [16, 17, 18, 19, 20]]
    assert novel_classes(80, 1, 4, "strides") == list(range(2, 81, 4))
    for order in ("blocks", "strides"):
        assert sorted(c for i in range(3) for c in novel_classes(7, i, 3, order)) == list(range(1, 8))


@pytest.mark.parametrize("fold", [-1, 4])
def test_a_fold_that_is_not_there(fold):
    with raises(EpisodeError, f"fold {fold}", "0..3", "scl_episodes.folds"):
        novel_classes(20, fold, 4, "blocks")


def test_fewer_classes_than_folds():
    with raises(EpisodeError, "3 classes", "4 folds", "scl_episodes.folds"):
        novel_classes(3, 0, 4, "blocks")


def test_an_image_counts_for_a_class_if_it_shows_enough_of_it_and_something_else():
    areas = {name: np.zeros(256, int) for name in "abc"}
    areas["a"][[0, 1]] = 50, 10
    areas["b"][[0, 1]] = 50, 9
    areas["c"][[255, 1]] = 50, 60  # nothing but the class and unknown pixels
    assert class_lists(areas, [1, 2], 10) == {1: ["a"], 2: []}


def test_episodes_of_a_fold_hold_what_they_say(index):
    made = draw_fold(index, 1, SMALL)
    assert made.novel == [2] and len(made.test) == 2
    assert [made.train.count, made.held_out.count, len(made.test[0])] == [20, 6, 9]
    truth = {image: r.truth_labels(index.root) for image, r in index.records.items()}
    for e in all_of(made.test):
        images = (e.query, *e.supports)
        assert len(set(images)) == 3 and e.cls == 2
        assert all((truth[image] == 2).sum() >= 100 for image in images)
    for pool in (made.train, made.held_out):
        for c, ids in pool.lists.items():
            assert c != 2 and len(ids) > 1 and all((truth[image] == c).sum() >= 100 for image in ids)
        assert sorted(pool.shown) == sorted({image for ids in pool.lists.values() for image in ids})
        for image, classes in pool.shown.items():
            assert 2 not in classes and classes == [c for c in range(1, 255) if (truth[image] == c).any()]
    assert not set(made.train.shown) & set(made.held_out.shown)
    assert {*made.train.shown, *made.held_out.shown} <= set(index.splits["train"])


def test_by_default_the_test_is_of_validation_images_and_training_may_show_its_classes(index):
    made = draw_fold(index, 0, replace(SMALL, test_images="val", shots=1))
    tested = {i for e in all_of(made.test) for i in (e.query, *e.supports)}
    assert tested <= set(index.splits["val"])
    (left_to_the_test,) = set(draw_fold(index, 1, SMALL).notes) - set(made.notes)
    assert not lacking(left_to_the_test, "training images", "test")
    assert any((index.records[i].truth_labels(index.root) == 1).any() for i in made.train.shown)


def test_another_class_is_the_next_episodes_whose_support_is_not_the_query():
    drawn = [Episode("a", ("b", "c"), 1), Episode("b", ("d",), 1), Episode("e", ("a",), 2), Episode("f", ("g",), 3)]
    assert episodes.of_another_class(drawn) == [
        Episode("a", ("g",), 3),  # the next one of another class has the query itself
        Episode("b", ("a",), 2),
        Episode("e", ("g",), 3),
        Episode("f", ("b",), 1),
    ]
    assert episodes.of_another_class(drawn[:2]) == [None, None]


def test_queries_take_turns_and_each_seed_has_its_own():
    lists = {1: list("abcd"), 2: list("cdefg")}
    made = draw(lists, 3, 14, 0, "test")
    assert made == draw(lists, 3, 14, 0, "test")
    assert sorted(e.query for e in made[:7]) == list("abcdefg")
    assert made != draw(lists, 3, 14, 1, "test") and made != draw(lists, 3, 14, 0, "train")
    assert {e.cls for e in made if e.query == "c"} <= {1, 2}


def test_more_images_of_other_classes_leave_a_querys_supports(index):
    """The draws of a query depend on that query alone."""
    before = draw({1: list("abcd")}, 2, 4, 0, "test")
    after = {e.query: e for e in draw({1: list("abcd")}, 2, 4, 0, "test")[::-1]}
    assert all(after[e.query] == e for e in before)


def test_k_of_zero_and_classes_with_too_few_images(index):
    with raises(EpisodeError, "0 supports", "at least 1"):
        draw({1: list("abc")}, 0, 1, 0, "test")
    with raises(EpisodeError, "class 1", "1 images", "query", "2 supports"):
        draw({1: list("ab")}, 2, 1, 0, "test")
    with raises(EpisodeError, "fold 1", "40 supports", "brick", "41", "100 pixels", "scl_episodes.shots"):
        draw_fold(index, 1, replace(SMALL, shots=40))
    with raises(EpisodeError, "base class", "fold 0", "train", "99999 pixels", "scl_episodes.min_pixels"):
        draw_fold(index, 0, replace(SMALL, min_pixels=99999))


def test_what_is_read_is_what_was_written(index, tmp_path):
    made = draw_fold(index, 2, SMALL)
    made.write(tmp_path / "a.json")
    assert Episodes.read(tmp_path / "a.json") == made
    assert isinstance(made.test[0][0], Episode)
    draw_fold(index, 2, SMALL).write(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_list_of_another_version_is_refused(tmp_path):
    artifacts.write_sealed(tmp_path / "a.json", {"episodes": episodes.EPISODES_VERSION + 1})
    with raises(
        artifacts.ContractError, "a.json", f"v{episodes.EPISODES_VERSION}", "snakemake --forcerun scl_episodes"
    ):
        Episodes.read(tmp_path / "a.json")
