"""Wrong arrays at the entries of public functions raise ValueError with what was found and what was wanted: all exported names, and others.

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
OTHERS = {"affinity_attention", "fuse", "foregrounds", "mined", "touch_all_sides", "Potts"}
"""Functions that are not exported, but documented."""
NEIGHBOURS = 9
CRF = {"gaussian_xy": 3, "gaussian_weight": 3, "bilateral_xy": 20, "bilateral_rgb": 8, "bilateral_weight": 3}


def entries() -> dict:
    """Return a function and good arguments for every entry; in `CASES` some of the arguments are replaced."""
    from wsss_stages import losses, nn, pseudo_labels
    from wsss_stages.a2gnn.attention import Edges, affinity_attention
    from wsss_stages.a2gnn.fuse import fuse
    from wsss_stages.a2gnn.multi_point import Boxes
    from wsss_stages.a2gnn.tight_boxes import touch_all_sides
    from wsss_stages.config import options
    from wsss_stages.labels.crf import DenseCrf
    from wsss_stages.labels.grabcut import foregrounds
    from wsss_stages.labels.levels import Levels
    from wsss_stages.labels.random_walk import random_walk
    from wsss_stages.labels.reliable import Mining, mined
    from wsss_stages.nets import backbones
    from wsss_stages.pairwise.potts import Potts
    from wsss_stages.pairwise.windows import offsets
    from wsss_stages.scl.head import Maps
    from wsss_stages.scl.standardise import Standardise

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
    X, D, pixels = torch.rand(2, H, W, 5), torch.rand(2, NEIGHBOURS, H, W), torch.tensor(48.0)
    points = {
        "log_P": torch.rand(2, H, W, 3), "H": X, "points": torch.zeros(1, 4, dtype=torch.int64),
        "counts": torch.ones(1, 4, dtype=torch.bool),
        "boxes": Boxes(torch.tensor([0]), torch.tensor([1]), torch.ones(1, H, W, dtype=torch.bool)),
    }  # fmt: skip
    pairs = {
        "features": torch.rand(2, 4, H, W), "labels": energy["labels"], "image": energy["image"], "valid": torch.ones(2, H, W),
        "window": window, "reg_weight": 1.0, "sigma_xy": 3.0, "sigma_rgb": 0.1,
    }  # fmt: skip
    given = {"channels": 8, "vectors": 1, "support_branch": True, "with_similarity": True, "dropout": 0.1}
    heads = {
        "CaNet": nn.CaNet(Standardise(12), **given, history_drop=0.5).eval(),
        "PfeNet": nn.PfeNet(Standardise(12), **given, bins=[1.0, 0.5], deep=False).eval(),
    }
    maps, F_s, V = Maps(torch.rand(2, 12, H, W)), torch.rand(2, 8, H, W), torch.rand(2, 1, 8)
    M_s = torch.ones(2, H, W, dtype=torch.bool)
    of_heads = {}
    for name, head in heads.items():
        hints = head.hints(maps, maps, M_s, M_s)
        of_heads |= {
            f"{name}.embed_support": (head.embed_support, {"middle": maps.middle}),
            f"{name}.support": (head.support, {"F_s": F_s, "V": V}),
            f"{name}.query": (head.query, {"query": maps, "V": V, "hints": hints}),
            f"{name}.hints": (head.hints, {"query": maps, "support": maps, "M_s": M_s, "known": M_s}),
        }
    return {
        **of_heads,
        "pseudo_labels": (pseudo_labels, {"image": image, "boxes": boxes, "classes": [1]}),
        "AffinityAttention": (nn.AffinityAttention(), {"H": X, "edges": edges}),
        "A2GNN": (nn.A2GNN(features=5, classes=3), {"X": X, "edges": edges}),
        "AffinityCnn": (
            nn.AffinityCnn(backbones.build("tiny", 8, False)).eval(),
            {"image": torch.rand(1, 3, 16, 16)},
        ),
        "ReweightedAttention": (nn.ReweightedAttention(4, 2, "printed"), {"m": torch.rand(2, 4, H, W)}),
        "affinity_losses": (losses.affinity_losses, pairs),
        "class_distance": (
            losses.class_distance,
            {"F_m": pairs["features"], "M_p": labels_of(2), "classes": 2, "reading": "printed"},
        ),
        "feature_distance_loss": (losses.feature_distance_loss, {"distance": D, "M": energy["labels"], "half": window}),
        "feature_regularised_loss": (losses.feature_regularised_loss, {"distance": D, "K_f": D, "pixels": pixels}),
        "multi_point_loss": (losses.multi_point_loss, points),
        "potts_energy": (losses.potts_energy, {"P": P, "K": E, "window": window}),
        "regularised_loss": (
            losses.regularised_loss,
            {"P": P, "K": E[:, :4], "half": offsets(RADIUS, "square", half=True), "pixels": pixels},
        ),
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
        "dense_energy": (losses.dense_energy, energy),
    }


def labels_of(images):
    return torch.zeros(images, H, W, dtype=torch.int64)


def t(*shape, dtype=torch.float32, device="cpu"):
    return torch.zeros(shape, dtype=dtype, device=device)


def a(*shape, dtype="uint8"):
    return np.zeros(shape, dtype)


def maps_of(*shape, **options):
    from wsss_stages.scl.head import Maps

    return Maps(t(*shape, **options))


def boxes_of(masks):
    from wsss_stages.a2gnn.multi_point import Boxes

    return Boxes(torch.tensor([0]), torch.tensor([1]), masks)


OF_HEADS = [
    ("embed_support", {"middle": t(2, H, W)}, "middle float32 (2, 6, 8)", "(b, m, y, x)"),
    ("embed_support", {"middle": t(2, 13, H, W)}, "middle float32 (2, 13, 6, 8)", "m = 12"),
    ("embed_support", {"middle": t(2, 12, H, W, dtype=torch.uint8)}, "middle uint8", "float32"),
    ("embed_support", {"middle": t(2, 12, H, W, device="meta")}, "middle on meta", "on cpu"),
    ("support", {"F_s": t(2, 9, H, W)}, "F_s float32 (2, 9, 6, 8)", "d = 8"),
    ("support", {"V": t(2, 8)}, "V float32 (2, 8)", "(b, n, d)"),
    ("support", {"V": t(3, 1, 8)}, "V float32 (3, 1, 8)", "b = 2"),
    ("support", {"V": t(2, 2, 8)}, "V float32 (2, 2, 8)", "n = 1"),
    ("query", {"V": t(2, 1, 8, dtype=torch.int64)}, "V int64", "float32"),
    ("query", {"hints": t(2, 5, H, W)}, "hints float32 (2, 5, 6, 8)", "b = 2"),
    ("query", {"query": lambda: maps_of(2, 12, H, W + 1)}, "hints float32", "x = 9"),
    ("query", {"query": lambda: maps_of(3, 12, H, W)}, "query.middle of 3 images", "2"),
    ("query", {"query": lambda: maps_of(2, 12, H, W, device="meta")}, "query.middle on meta", "on cpu"),
    ("hints", {"support": lambda: maps_of(3, 12, H, W)}, "M_s bool (2, 6, 8)", "b = 3"),
    ("hints", {"M_s": t(2, H, W)}, "M_s float32", "bool"),
    ("hints", {"known": t(2, H, W - 1, dtype=torch.bool)}, "known bool (2, 6, 7)", "x = 8"),
]  # fmt: skip
CASES = [
    *((f"{head}.{method}", *rest) for head in ("CaNet", "PfeNet") for method, *rest in OF_HEADS),
    ("pseudo_labels", {"image": a(H, W)}, "image uint8 (6, 8)", "(h, w, 3)"),
    ("pseudo_labels", {"image": a(H, W, 3, dtype="float32")}, "image float32", "uint8"),
    ("pseudo_labels", {"boxes": a(1, 5, dtype="int64")}, "boxes int64 (1, 5)", "(k, 4)"),
    ("pseudo_labels", {"boxes": a(1, 4, dtype="float32")}, "boxes float32", "int64"),
    ("pseudo_labels", {"boxes": t(1, 4, dtype=torch.int64)}, "boxes Tensor", "int64"),
    ("pseudo_labels", {"classes": [1, 2]}, "2 classes", "one"),
    ("AffinityAttention", {"H": t(2, H, W)}, "H float32 (2, 6, 8)", "(b, h, w, d)"),
    ("AffinityAttention", {"H": t(2, H + 1, W, 5)}, "H float32 (2, 7, 8, 5)", "h = 6"),
    ("AffinityAttention", {"H": t(2, H, W, 5, dtype=torch.float64)}, "H float64", "float32"),
    ("AffinityAttention", {"H": t(2, H, W, 5, device="meta")}, "H on meta", "on cpu"),
    ("A2GNN", {"X": t(2, H, W)}, "X float32 (2, 6, 8)", "(b, h, w, f)"),
    ("A2GNN", {"X": t(2, H, W, 6)}, "X float32 (2, 6, 8, 6)", "f = 5"),
    ("A2GNN", {"X": t(3, H, W, 5)}, "X float32 (3, 6, 8, 5)", "b = 2"),
    ("A2GNN", {"X": t(2, H, W, 5, dtype=torch.int64)}, "X int64", "float32"),
    ("A2GNN", {"X": t(2, H, W, 5, device="meta")}, "X on meta", "on cpu"),
    ("AffinityCnn", {"image": t(3, 16, 16)}, "image float32 (3, 16, 16)", "(b, 3, h, w)"),
    ("AffinityCnn", {"image": t(1, 4, 16, 16)}, "image float32 (1, 4, 16, 16)", "(b, 3, h, w)"),
    ("AffinityCnn", {"image": t(1, 3, 16, 16, dtype=torch.uint8)}, "image uint8", "float32"),
    ("AffinityCnn", {"image": t(1, 3, 16, 16, device="meta")}, "image on meta", "on cpu"),
    ("ReweightedAttention", {"m": t(2, 4, H)}, "m float32 (2, 4, 6)", "(b, d, y, x)"),
    ("ReweightedAttention", {"m": t(2, 5, H, W)}, "m float32 (2, 5, 6, 8)", "d = 4"),
    ("ReweightedAttention", {"m": t(2, 4, H, W, dtype=torch.int32)}, "m int32", "float32"),
    ("ReweightedAttention", {"m": t(2, 4, H, W, device="meta")}, "m on meta", "on cpu"),
    ("affinity_losses", {"features": t(4, H, W)}, "features float32 (4, 6, 8)", "(b, d, h, w)"),
    ("affinity_losses", {"labels": labels_of(2)}, "labels int64", "uint8"),
    ("affinity_losses", {"image": t(2, 1, H, W)}, "image float32 (2, 1, 6, 8)", "b = 2"),
    ("affinity_losses", {"valid": t(2, H, W + 1)}, "valid float32 (2, 6, 9)", "w = 8"),
    ("affinity_losses", {"valid": t(2, H, W, device="meta")}, "valid on meta", "on cpu"),
    ("class_distance", {"F_m": t(4, H, W)}, "F_m float32 (4, 6, 8)", "(b, d, y, x)"),
    ("class_distance", {"M_p": labels_of(3)}, "M_p int64 (3, 6, 8)", "b = 2"),
    ("class_distance", {"M_p": t(2, H, W)}, "M_p float32", "int64"),
    ("class_distance", {"M_p": t(2, H, W, dtype=torch.int64, device="meta")}, "M_p on meta", "on cpu"),
    ("class_distance", {"reading": "best"}, "'best'", "printed"),
    ("feature_distance_loss", {"distance": t(2, 4, H, W)}, "distance float32 (2, 4, 6, 8)", "n = 9"),
    ("feature_distance_loss", {"M": t(2, H, W, 1, dtype=torch.uint8)}, "M uint8 (2, 6, 8, 1)", "(b, h, w)"),
    ("feature_distance_loss", {"M": labels_of(2)}, "M int64", "uint8"),
    ("feature_distance_loss", {"M": t(2, H, W, dtype=torch.uint8, device="meta")}, "M on meta", "on cpu"),
    ("feature_regularised_loss", {"K_f": t(2, 4, H, W)}, "K_f float32 (2, 4, 6, 8)", "n = 9"),
    ("feature_regularised_loss", {"distance": t(H, W)}, "distance float32 (6, 8)", "(b, n, h, w)"),
    ("feature_regularised_loss", {"pixels": t(1)}, "pixels float32 (1,)", "()"),
    ("feature_regularised_loss", {"pixels": 48}, "pixels int", "float32"),
    ("feature_regularised_loss", {"K_f": t(2, NEIGHBOURS, H, W, device="meta")}, "K_f on meta", "on cpu"),
    ("multi_point_loss", {"log_P": t(H, W, 3)}, "log_P float32 (6, 8, 3)", "(b, h, w, c)"),
    ("multi_point_loss", {"H": t(2, H, W + 1, 5)}, "H float32 (2, 6, 9, 5)", "w = 8"),
    ("multi_point_loss", {"points": t(1, 4)}, "points float32", "int64"),
    ("multi_point_loss", {"counts": t(2, 4, dtype=torch.bool)}, "counts bool (2, 4)", "k = 1"),
    ("multi_point_loss", {"counts": t(1, 4, dtype=torch.bool, device="meta")}, "counts on meta", "on cpu"),
    ("multi_point_loss", {"boxes": lambda: boxes_of(t(2, H, W, dtype=torch.bool))}, "boxes.mask bool (2, 6, 8)", "k = 1"),
    ("potts_energy", {"P": t(2, H, W)}, "P float32 (2, 6, 8)", "(b, c, h, w)"),
    ("potts_energy", {"K": t(2, 4, H, W)}, "K float32 (2, 4, 6, 8)", "n = 9"),
    ("potts_energy", {"K": t(2, NEIGHBOURS, H, W, dtype=torch.bool)}, "K bool", "float32"),
    ("potts_energy", {"K": t(2, NEIGHBOURS, H, W, device="meta")}, "K on meta", "on cpu"),
    ("regularised_loss", {"P": t(3, H, W)}, "P float32 (3, 6, 8)", "(b, c, h, w)"),
    ("regularised_loss", {"K": t(2, NEIGHBOURS, H, W)}, "K float32 (2, 9, 6, 8)", "n = 4"),
    ("regularised_loss", {"P": t(2, 3, H, W, dtype=torch.uint8)}, "P uint8", "float32"),
    ("regularised_loss", {"K": t(2, 4, H, W, device="meta")}, "K on meta", "on cpu"),
    ("random_walk", {"held": t(H, W)}, "held float32", "bool"),
    ("random_walk", {"held": t(H, W + 1, dtype=torch.bool)}, "held bool (6, 9)", "w = 8"),
    ("random_walk", {"steps": -1}, "-1 steps", "0"),
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
GOOD = tuple(dict.fromkeys(entry for entry, *_ in CASES))


def test_every_exported_function_and_class_has_its_cases():
    import wsss_stages
    from wsss_stages import losses, nn, pipeline

    exported = {name for module in (wsss_stages, losses, nn, pipeline) for name in module.__all__}
    assert exported - {"UNKNOWN", "losses", "nn", "pipeline"} == {entry.split(".")[0] for entry in GOOD} - OTHERS


@pytest.fixture(scope="module")
def outcomes():
    """Return the outcome of every case, good calls first; there are fewer outcomes than cases where the process died."""
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
    before, matched, after = message.partition(found)
    assert kind == "ValueError" and matched and all(word in after for word in wanted.split(" with ")), message
    owner = {"AffinityAttention": "affinity_attention"}.get(name, name)
    assert owner in before or name == "Edges"  # its window is checked where it is used
    assert name not in ("DenseCrf.infer", "mined") or before.startswith("img_7: ")


if __name__ == "__main__":
    made = entries()
    for entry, replaced, *_ in [*((name, {}) for name in GOOD), *CASES]:
        function, arguments = made[entry]
        outcome = ["", ""]
        try:
            made_now = {name: value() if callable(value) else value for name, value in replaced.items()}
            function(**(arguments | made_now))
        except Exception as error:
            outcome = [type(error).__name__, str(error)]
        print(json.dumps(outcome), flush=True)
