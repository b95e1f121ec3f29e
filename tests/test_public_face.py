"""The public face: lazy, with examples that run; what it computes is what plain loops say."""

import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import wsss_stages
from wsss_stages import losses, nn, pipeline
from wsss_stages.pairwise.windows import offsets


def test_every_public_name_is_there_and_listed():
    assert set(dir(wsss_stages)) == set(wsss_stages.__all__)
    for name in wsss_stages.__all__:
        assert getattr(wsss_stages, name) is not None
    for module in (losses, nn, pipeline):
        assert all(hasattr(module, name) for name in module.__all__)


def test_importing_the_package_loads_neither_torch_nor_numpy():
    code = "import sys, wsss_stages; assert not {'torch', 'numpy', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


EXPORTED = {
    name: thing
    for module in (wsss_stages, losses, nn, pipeline)
    for name in module.__all__
    if callable(thing := getattr(module, name))
}


@pytest.mark.parametrize("name", sorted(EXPORTED))
def test_an_example_runs(name):
    thing = EXPORTED[name]
    (found,) = doctest.DocTestFinder(recurse=False).find(thing, name, globs=dict(vars(sys.modules[thing.__module__])))
    assert doctest.DocTestRunner().run(found).failed == 0 and found.examples


@pytest.mark.parametrize("name", sorted(EXPORTED))
def test_a_docstring_says_source_shapes_and_errors(name):
    text = EXPORTED[name].__doc__
    assert re.search(r"Eqs?\. \d|Secs?\. \d|\(?\b(19|20)\d\d\b", text), "a source"
    assert re.search(r"^ +(Shapes|Args):", text, re.M) and re.search(r"^ +Raises: \w+Error for", text, re.M)
    if {"labels", "M", "M_p"} & set(inspect.signature(EXPORTED[name]).parameters):
        assert "255" in text, "what 255 means"


def test_the_api_page_shows_every_exported_name():
    page = (Path(__file__).parents[1] / "docs" / "api.md").read_text()
    assert set(EXPORTED) <= set(re.findall(r"^::: [\w.]+\.(\w+)$", page, re.M))


def test_potts_energy_is_the_mean_over_pixels_pair_by_pair():
    window = offsets(1, "square")
    K, P = torch.rand(1, len(window), 3, 4), torch.rand(1, 2, 3, 4).softmax(dim=1)
    K[:, window.index((0, 0))] = 0
    for n, (dy, dx) in enumerate(window):
        for y, x in np.ndindex(3, 4):
            if 0 <= y + dy < 3 and 0 <= x + dx < 4:
                K[0, window.index((-dy, -dx)), y + dy, x + dx] = K[0, n, y, x]
            else:
                K[0, n, y, x] = 0
    expected = 0.0
    for n, (dy, dx) in enumerate(window):
        for y, x in np.ndindex(3, 4):
            if K[0, n, y, x] > 0:
                expected += K[0, n, y, x].item() * (1 - (P[0, :, y, x] @ P[0, :, y + dy, x + dx]).item())
    assert losses.potts_energy(P, K, window).item() == pytest.approx(expected / 12, rel=1e-4)


@pytest.mark.parametrize(
    ("boxes", "classes", "words"),
    [
        ([[0, 0, 9, 9]], [1, 2], ["2", "1"]),
        ([[0, 0, 9, 9]], [255], ["255"]),
        ([[0, 0, 9, 99]], [1], ["99", "20x10"]),
        ([[5, 0, 5, 9]], [1], ["5 0 5 9"]),
    ],
)
def test_what_cannot_be_labelled_is_refused(boxes, classes, words):
    with pytest.raises(ValueError) as error:
        pipeline.pseudo_labels(np.zeros((10, 20, 3), np.uint8), np.array(boxes), classes)
    assert all(word in str(error.value) for word in words)


def test_a2gnn_attends_as_the_oracle_on_any_graph_does():
    from wsss_stages.a2gnn.attention import Edges
    from wsss_stages.a2gnn.graph_attention import AffinityAttention
    from wsss_stages.a2gnn.other_layers import grid_links

    window, E = offsets(1, "square"), torch.rand(9, 4, 5)
    E[window.index((0, 0))] = 1
    for n, (dy, dx) in enumerate(window):
        for y, x in np.ndindex(4, 5):
            if not (0 <= y + dy < 4 and 0 <= x + dx < 5):
                E[n, y, x] = 0
    layer, oracle, H = nn.AffinityAttention(), AffinityAttention(beta=10.0), torch.rand(1, 4, 5, 6)
    oracle.w.data = layer.w.data
    links = grid_links(E, window)
    expected = oracle(H[0].flatten(0, 1), links.edge_index, links.weight)
    torch.testing.assert_close(layer(H, Edges(E[None], window, 10.0))[0].flatten(0, 1), expected)
