"""Training episodes drawn afresh: what each holds, shares of several classes and of negative ones, how often classes are asked for."""

from collections import Counter

import numpy as np
import pytest

from wsss_stages.data.few_shot.episode_pools import Drawer, Pool

RULE = {"balanced": True, "several": 0.5, "negative": 0.25}
LISTS = {1: [f"a{n}" for n in range(20)] + ["both"], 2: ["b0", "b1", "both"], 3: ["c0", "c1"]}
SHOWN = {image: sorted(c for c, ids in LISTS.items() if image in ids) for ids in LISTS.values() for image in ids}
SHOWN["a0"] = [1, 2]  # a little of class 2, too little to ask for


@pytest.fixture
def pool():
    return Pool(LISTS, SHOWN, 7)


def drawn(pool, count=4000, **rule):
    drawer, rng = Drawer(pool, **RULE | rule), np.random.default_rng(0)
    return [drawer.draw(rng) for _ in range(count)]


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("several, negative", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.25)])
def test_supports_show_the_class_and_queries_do_or_not_at_all(pool, balanced, several, negative):
    negatives = 0
    for e in drawn(pool, balanced=balanced, several=several, negative=negative):
        (support,) = e.supports
        assert support != e.query and support in LISTS[e.cls]
        negatives += e.cls not in SHOWN[e.query]
        assert e.query in LISTS[e.cls] or e.cls not in SHOWN[e.query]
    assert negatives / 4000 == pytest.approx(negative, abs=0.03)


def test_every_class_is_as_often_asked_for_or_every_query_is(pool):
    classes = Counter(e.cls for e in drawn(pool, several=0.0, negative=0.0))
    assert all(classes[c] / 4000 == pytest.approx(1 / 3, abs=0.03) for c in LISTS)
    queries = Counter(e.query for e in drawn(pool, balanced=False, several=0.0, negative=0.0))
    assert all(queries[image] / 4000 == pytest.approx(1 / 25, abs=0.015) for image in SHOWN)
    both = Counter(e.cls for e in drawn(pool, several=0.0, negative=0.0) if e.query == "both")
    assert both[2] / both[1] == pytest.approx(21 / 3, rel=0.5)  # by the inverse of how many images show the class


def test_negative_queries_are_of_rare_classes_as_often_as_of_frequent_ones(pool):
    queries = Counter(SHOWN[e.query][0] for e in drawn(pool, several=0.0, negative=1.0) if e.cls == 3)
    assert queries[2] / queries[1] == pytest.approx((2 / 3) / (20 / 21 + 1 / 21 + 1 / 3), rel=0.15)


def test_queries_of_several_classes_where_there_are_such(pool):
    found = drawn(pool, several=1.0, negative=0.0)
    assert {e.query for e in found if e.cls in (1, 2)} == {"both"}
    assert {e.query for e in found if e.cls == 3} == {"c0", "c1"}
    assert {e.query for e in drawn(pool, balanced=False, several=1.0, negative=0.0)} == {"both"}
    alone = Pool({3: ["c0", "c1"]}, {"c0": [3], "c1": [3]}, 1)
    assert {e.query for e in drawn(alone, 50, several=1.0, negative=1.0)} == {"c0", "c1"}  # nothing is as asked for


def test_an_episode_depends_on_its_random_numbers_alone(pool):
    drawer, again = (Drawer(pool, **RULE) for _ in range(2))
    made = [drawer.draw(np.random.default_rng(n)) for n in range(50)]
    assert made[::-1] == [again.draw(np.random.default_rng(n)) for n in range(49, -1, -1)]
    assert len(set(made)) > 20


def test_a_pool_of_areas_leaves_out_classes_of_one_image():
    areas = {name: np.zeros(256, int) for name in "abc"}
    areas["a"][[0, 1, 255]] = 5, 9, 3
    areas["b"][[0, 1, 2]] = 5, 9, 1
    areas["c"][[0, 2]] = 5, 9
    pool = Pool.of_areas({1: ["a", "b"], 2: ["c"]}, areas, 4)
    assert pool == Pool({1: ["a", "b"]}, {"a": [1], "b": [1, 2]}, 4)
