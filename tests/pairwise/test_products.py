"""Products of a grid with its windows: compiled loops, tiles and matrices of all pairs against plain loops over pairs."""

import itertools

import pytest
import torch

from tests.messages import raises
from wsss_stages.pairwise import dense, windows
from wsss_stages.pairwise.compiled import CompiledWindows
from wsss_stages.pairwise.dense import Dense
from wsss_stages.pairwise.products import products
from wsss_stages.pairwise.tiles import Tiles

SIZES = [
    ((8, 16), 2, "square"),
    ((11, 13), 4, "square"),
    ((5, 20), 5, "disc"),
    ((3, 2), 4, "disc"),
    ((1, 1), 1, "square"),
]


@pytest.fixture(params=["compiled", "tiles", "dense"])
def make(request):
    ways = {"compiled": lambda _, window: CompiledWindows(window), "tiles": Tiles, "dense": Dense}
    return ways[request.param]


def pairs(size, window):
    """(number of the offset, node, neighbour) of all pairs on the grid."""
    for (number, (dy, dx)), y, x in itertools.product(enumerate(window), range(size[0]), range(size[1])):
        if 0 <= y + dy < size[0] and 0 <= x + dx < size[1]:
            yield number, (y, x), (y + dy, x + dx)


@pytest.mark.parametrize("channels", [3, 8, 19])
@pytest.mark.parametrize(("size", "radius", "kind"), SIZES)
def test_products_are_sums_over_pairs(make, size, radius, kind, channels):
    window = windows.offsets(radius, kind)
    by = make(size, window)
    generator = torch.Generator().manual_seed(0)
    A, B = (torch.randn(2, *size, channels, generator=generator) for _ in range(2))
    P = torch.randn(2, len(window), *size, generator=generator) * windows.exists(*size, window, "cpu")
    dot, dot_self = torch.zeros_like(P), torch.zeros_like(P)
    ahead, back = torch.zeros_like(B), torch.zeros_like(B)
    for number, i, j in pairs(size, window):
        dot[:, number, i[0], i[1]] = (A[:, i[0], i[1]] * B[:, j[0], j[1]]).sum(dim=1)
        dot_self[:, number, i[0], i[1]] = (A[:, i[0], i[1]] * A[:, j[0], j[1]]).sum(dim=1)
        P_ij = P[:, number, i[0], i[1], None]
        ahead[:, i[0], i[1]] += P_ij * B[:, j[0], j[1]]
        back[:, j[0], j[1]] += P_ij * B[:, i[0], i[1]]
    inside = by.layout(windows.exists(*size, window, "cpu").float().expand(2, -1, -1, -1))  # tiles fill what is outside
    torch.testing.assert_close(by.dot(A, B) * inside, by.layout(dot))
    torch.testing.assert_close(by.dot_self(A) * inside, by.layout(dot_self))
    P = by.layout(P)
    torch.testing.assert_close(by.gather(P, B), ahead)
    torch.testing.assert_close(by.gather_back(P, B), back)
    torch.testing.assert_close(by.gather_both(P, B), ahead + back)


def test_a_scattered_tensor_is_the_same_as_a_whole_one(make):
    window = windows.offsets(2, "square")
    by, x = make((6, 7), window), torch.randn(1, 3, 6, 7).permute(0, 2, 3, 1)
    torch.testing.assert_close(by.dot_self(x), by.dot_self(x.contiguous()))
    P = by.dot_self(x)
    torch.testing.assert_close(by.gather(P, x), by.gather(P, x.contiguous()))


def test_other_numbers_than_float32_are_refused():
    by = CompiledWindows(windows.offsets(1, "square"))
    with raises(TypeError, "float32", "torch.float64"):
        by.dot_self(torch.zeros(1, 4, 4, 2, dtype=torch.float64))


def test_numbers_of_nodes_come_back_from_tiles():
    tiles, x = Tiles((11, 13), windows.offsets(2, "square")), torch.randn(2, 11, 13, 3)
    torch.testing.assert_close(tiles.grid(tiles.of_nodes(x)), x)


def test_float32_on_a_cpu_gets_compiled_loops():
    window = windows.offsets(1, "square")
    assert isinstance(products((4, 4), window, torch.zeros(1)), CompiledWindows)
    assert isinstance(products((4, 4), window, torch.zeros(1, dtype=torch.float64)), Tiles)
    assert isinstance(products((4, 4), window, torch.zeros(1, device="meta")), Tiles)


@pytest.mark.parametrize(
    "size, images, left, way",
    [
        (
            (47, 63),
            8,
            12 * 10**9,
            Dense,
        ),  # 20 matrices of 2961 x 2961 x 8 bytes, eight times: 11.2 GB in double precision
        ((47, 63), 8, 11 * 10**9, Tiles),
        ((63, 63), 1, 2**40, Dense),
        ((64, 64), 1, 2**40, Tiles),
    ],
)
def test_few_nodes_get_matrices_of_all_pairs_where_a_gpu_has_memory_for_them(monkeypatch, size, images, left, way):
    monkeypatch.setattr(dense, "memory_left", lambda device: left)
    like = torch.zeros(images, 1, dtype=torch.float64)
    assert isinstance(products(size, windows.offsets(1, "square"), like), way)


def test_a_gpus_memory_counts_what_torch_keeps_and_does_not_use(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 50)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 20)
    assert dense.memory_left(torch.device("cuda")) == 130 and dense.memory_left(torch.device("cpu")) == 0
