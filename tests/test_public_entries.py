"""Wrong arrays at the entries of public functions raise ValueError with what was found and what was wanted.

pytest checks shapes by an import hook before our own checks see them, and what they keep out ends the interpreter. So all calls are
made by one other process, which users' calls resemble: this file, run as a script, prints a line of JSON for every case.
"""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

H, W, RADIUS = 6, 8, 1
NEIGHBOURS = 9
CRF = {"gaussian_xy": 3, "gaussian_weight": 3, "bilateral_xy": 20, "bilateral_rgb": 8, "bilateral_weight": 3}


def entries() -> dict:
    """Return a function and good arguments for every entry; in `CASES` some of the arguments are replaced."""
    from wsss_stages.a2gnn.attention import Edges, affinity_attention
    from wsss_stages.a2gnn.fuse import fuse
    from wsss_stages.a2gnn.tight_boxes import touch_all_sides
    from wsss_stages.config import options
    from wsss_stages.labels.crf import DenseCrf
    from wsss_stages.labels.grabcut import foregrounds
    from wsss_stages.labels.levels import Levels
    from wsss_stages.labels.random_walk import random_walk
    from wsss_stages.labels.reliable import Mining, mined
    from wsss_stages.pairwise.potts import Potts
    from wsss_stages.pairwise.windows import offsets
    from wsss_stages.rrm.dense_energy import dense_energy

    window = offsets(RADIUS, "square")
    image = np.random.default_rng(0).integers(0, 256, (H, W, 3), np.uint8)
    label, owner = np.zeros((H, W), np.uint8), np.zeros((H, W), np.int16)
    boxes, classes = np.array([[1, 1, 5, 5]]), np.array([1], np.uint8)
    E, P = torch.rand(2, NEIGHBOURS, H, W), torch.full((2, 3, H, W), 1 / 3)
    edges, potts, crf = Edges(E, window, 1.0), Potts(E, window, torch.ones(2)), DenseCrf(image, **CRF)
    graph = {"P": P[0], "E": E[0], "window": window, "power": 2.0, "steps": 1}
    tight = {"P": P[0], "boxes": torch.tensor([[1, 1, 5, 5]]), "box_rows": torch.tensor([1]), "share": 1.0}
    energy = {
        "logits": P, "image": torch.rand(2, 3, H, W), "labels": torch.zeros(2, H, W, dtype=torch.uint8),
        "valid": torch.ones(2, H, W, dtype=torch.bool), "sigma_xy": 3.0, "sigma_rgb": 9.0, "scale": 1.0,
        "released_gradient": False,
    }  # fmt: skip
    merged = {"M_B": label, "M": label, "M_I": label, "owner": owner, "boxes": boxes, "classes": classes}
    cut = {"image": image, "boxes": boxes, "iterations": 1, "min_side": 2, "min_iou": 0.1, "seed": 0}
    return {
        "DenseCrf": (DenseCrf, {"image": image, **CRF}),
        "DenseCrf.infer": (crf.infer, {"P": P, "iterations": 1, "name": "img_7"}),
        "affinity_attention": (affinity_attention, {"H": torch.rand(2, H, W, 5), "w": torch.ones(2), "edges": edges}),
        "Edges": (Edges, {"E": E, "window": window, "beta": 1.0}),
        "fuse": (fuse, merged),
        "foregrounds": (foregrounds, cut),
        "mined": (
            mined,
            {
                "image": image,
                "cam": np.random.default_rng(1).random((1, H, W), np.float32),
                "classes": classes,
                "opt": options.Mining().fill(Mining),
                "levels": Levels(0.1, 0.4),
                "device": "cpu",
                "name": "img_7",
            },
        ),
        "random_walk": (random_walk, graph),
        "touch_all_sides": (touch_all_sides, tight),
        "Potts": (Potts, {"K": E, "window": window, "nodes": torch.ones(2)}),
        "Potts.energy": (potts.energy, {"P": torch.rand(2, H, W, 3)}),
        "dense_energy": (dense_energy, energy),
    }


def t(*shape, dtype=torch.float32, device="cpu"):
    return torch.zeros(shape, dtype=dtype, device=device)


def a(*shape, dtype="uint8"):
    return np.zeros(shape, dtype)


CASES = [
    ("DenseCrf", {"image": a(H, W)}, "image uint8 (6, 8)", "uint8 (h, w, 3)"),
    ("DenseCrf", {"image": a(H, W, 4)}, "image uint8 (6, 8, 4)", "uint8 (h, w, 3)"),
    ("DenseCrf", {"image": a(0, W, 3)}, "image uint8 (0, 8, 3)", "uint8 (h, w, 3)"),
    ("DenseCrf", {"image": a(H, W, 3, dtype="float32")}, "image float32 (6, 8, 3)", "uint8 (h, w, 3)"),
    ("DenseCrf", {"image": t(H, W, 3)}, "image Tensor", "uint8"),
    ("DenseCrf", {"bilateral_rgb": 0}, "bilateral_rgb 0", "0"),
    ("DenseCrf", {"step": 0}, "step 0", "0"),
    ("DenseCrf.infer", {"P": t(1, 3, H + 10, W)}, "P float32 (1, 3, 16, 8)", "(b, c, h, w) with h = 6, w = 8"),
    ("DenseCrf.infer", {"P": t(1, 3, H - 1, W)}, "P float32 (1, 3, 5, 8)", "(b, c, h, w) with h = 6, w = 8"),
    ("DenseCrf.infer", {"P": t(1, 3, W, H)}, "P float32 (1, 3, 8, 6)", "(b, c, h, w) with h = 6, w = 8"),
    ("DenseCrf.infer", {"P": t(3, H, W)}, "P float32 (3, 6, 8)", "(b, c, h, w)"),
    ("DenseCrf.infer", {"P": t(1, 0, H, W)}, "P float32 (1, 0, 6, 8)", "(b, c, h, w)"),
    ("DenseCrf.infer", {"P": t(1, 3, H, W, dtype=torch.int64)}, "P int64", "float32"),
    ("DenseCrf.infer", {"P": t(1, 3, H, W, device="meta")}, "P on meta", "on cpu"),
    ("DenseCrf.infer", {"P": a(1, 3, H, W, dtype="float32")}, "P ndarray", "float32"),
    ("DenseCrf.infer", {"iterations": -1}, "-1 iterations", "0"),
    ("affinity_attention", {"H": t(2, H, W)}, "H float32 (2, 6, 8)", "(b, h, w, d)"),
    ("affinity_attention", {"H": t(2, H + 40, W, 5)}, "H float32 (2, 46, 8, 5)", "b = 2, h = 6, w = 8"),
    ("affinity_attention", {"H": t(2, H, W, 5, dtype=torch.float64)}, "H float64", "float32"),
    ("affinity_attention", {"H": t(2, H, W, 5, device="meta")}, "H on meta", "on cpu"),
    ("affinity_attention", {"w": t(3)}, "w float32 (3,)", "b = 2"),
    ("Edges", {"E": t(NEIGHBOURS, H, W)}, "E float32 (9, 6, 8)", "(b, n, h, w)"),
    ("Edges", {"E": t(2, NEIGHBOURS + 1, H, W)}, "E float32 (2, 10, 6, 8)", "n = 9"),
    ("Edges", {"E": t(2, NEIGHBOURS, H, W, dtype=torch.bool)}, "E bool", "float32"),
    ("Edges", {"E": t(2, 2, H, W), "window": [(0, 1), (0, 2)]}, "window of 2 offsets", "windows.offsets"),
    ("fuse", {"M": a(H)}, "M uint8 (6,)", "(h, w) with h = 6, w = 8"),
    ("fuse", {"M_I": a(W, H)}, "M_I uint8 (8, 6)", "(h, w) with h = 6, w = 8"),
    ("fuse", {"M_B": a(H, W, dtype="float32")}, "M_B float32", "uint8"),
    ("fuse", {"classes": a(2)}, "classes uint8 (2,)", "(k) with k = 1"),
    ("fuse", {"owner": a(H, W, dtype="bool")}, "owner bool", "int16"),
    ("foregrounds", {"image": a(H, W)}, "image uint8 (6, 8)", "(h, w, 3)"),
    ("foregrounds", {"image": a(H, W, 1)}, "image uint8 (6, 8, 1)", "(h, w, 3)"),
    ("foregrounds", {"image": a(H, W, 3, dtype="float64")}, "image float64", "uint8"),
    ("foregrounds", {"boxes": a(1, 5, dtype="int64")}, "boxes int64 (1, 5)", "(k, 4)"),
    ("foregrounds", {"boxes": [[1, 1, 5, 5]]}, "boxes list", "int64"),
    ("mined", {"cam": a(H, W, dtype="float32")}, "cam float32 (6, 8)", "(k, h, w)"),
    ("mined", {"cam": a(1, H + 3, W, dtype="float32")}, "cam float32 (1, 9, 8)", "h = 6, w = 8"),
    ("mined", {"cam": a(1, H, W)}, "cam uint8", "float32"),
    ("mined", {"classes": a(2)}, "classes uint8 (2,)", "k = 1"),
    ("random_walk", {"P": t(H, W)}, "P float32 (6, 8)", "(c, h, w)"),
    ("random_walk", {"E": t(NEIGHBOURS, H, W + 1)}, "E float32 (9, 6, 9)", "n = 9, h = 6, w = 8"),
    ("random_walk", {"E": t(1, H, W)}, "E float32 (1, 6, 8)", "n = 9"),
    ("random_walk", {"E": t(NEIGHBOURS, H, W, dtype=torch.uint8)}, "E uint8", "float32"),
    ("random_walk", {"E": t(NEIGHBOURS, H, W, device="meta")}, "E on meta", "on cpu"),
    ("touch_all_sides", {"P": t(H, W)}, "P float32 (6, 8)", "(c, h, w)"),
    ("touch_all_sides", {"P": t(3, H, W, dtype=torch.int32)}, "P int32", "float32"),
    ("touch_all_sides", {"boxes": t(1, 5, dtype=torch.int64)}, "boxes int64 (1, 5)", "(k, 4)"),
    ("touch_all_sides", {"boxes": t(1, 4)}, "boxes float32", "int64"),
    ("touch_all_sides", {"box_rows": t(2, dtype=torch.int64)}, "box_rows int64 (2,)", "k = 1"),
    ("Potts", {"K": t(NEIGHBOURS, H, W)}, "K float32 (9, 6, 8)", "(b, n, h, w)"),
    ("Potts", {"K": t(2, 4, H, W)}, "K float32 (2, 4, 6, 8)", "n = 9"),
    ("Potts", {"K": t(2, NEIGHBOURS, H, W, dtype=torch.int64)}, "K int64", "float32"),
    ("Potts", {"nodes": t(3)}, "nodes float32 (3,)", "b = 2"),
    ("Potts.energy", {"P": t(2, H, W)}, "P float32 (2, 6, 8)", "(b, h, w, c)"),
    ("Potts.energy", {"P": t(2, 3, H, W)}, "P float32 (2, 3, 6, 8)", "b = 2, h = 6, w = 8"),
    ("Potts.energy", {"P": t(2, H, W, 3, dtype=torch.float64)}, "P float64", "float32"),
    ("Potts.energy", {"P": t(2, H, W, 3, device="meta")}, "P on meta", "on cpu"),
    ("dense_energy", {"logits": t(3, H, W)}, "logits float32 (3, 6, 8)", "(b, c, y, x)"),
    ("dense_energy", {"image": t(3, 3, H, W)}, "image float32 (3, 3, 6, 8)", "b = 2"),
    ("dense_energy", {"labels": t(2, H, W + 1, dtype=torch.uint8)}, "labels uint8 (2, 6, 9)", "b = 2, h = 6, w = 8"),
    ("dense_energy", {"labels": t(2, H, W, dtype=torch.int64)}, "labels int64", "uint8"),
    ("dense_energy", {"valid": t(2, H, W)}, "valid float32", "bool"),
    ("dense_energy", {"valid": t(2, H, W, dtype=torch.bool, device="meta")}, "valid on meta", "on cpu"),
]  # fmt: skip
GOOD = ("DenseCrf", "DenseCrf.infer", "affinity_attention", "Edges", "fuse", "foregrounds", "mined", "random_walk",
        "touch_all_sides", "Potts", "Potts.energy", "dense_energy")  # fmt: skip


@pytest.fixture(scope="module")
def outcomes():
    """What became of every case, good calls first; fewer than there are where the process died."""
    done = subprocess.run([sys.executable, "-W", "ignore", __file__], capture_output=True, text=True)
    assert not done.returncode or done.stdout, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("number", range(len(GOOD)), ids=GOOD)
def test_good_arrays_are_taken(outcomes, number):
    assert outcomes[number] == ["", ""]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{name}-{found}" for name, _, found, _ in CASES])
def test_wrong_arrays_are_refused(outcomes, number):
    assert len(outcomes) > len(GOOD) + number, "the interpreter died of this case, or of one before"
    (kind, message), (name, _, found, wanted) = outcomes[len(GOOD) + number], CASES[number]
    before, there, after = message.partition(found)
    assert kind == "ValueError" and there and all(word in after for word in wanted.split(" with ")), message
    assert name in before or name == "Edges"  # its window is checked where it is used
    assert name not in ("DenseCrf.infer", "mined") or before.startswith("img_7: ")


if __name__ == "__main__":
    made = entries()
    for entry, replaced, *_ in [*((name, {}) for name in GOOD), *CASES]:
        function, arguments = made[entry]
        outcome = ["", ""]
        try:
            function(**(arguments | replaced))
        except Exception as error:
            outcome = [type(error).__name__, str(error)]
        print(json.dumps(outcome), flush=True)
