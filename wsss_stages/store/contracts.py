"""Every artifact of the pipeline: name, version, dtype, axes, meaning and maker. Their only home.

An artifact of an image lies at `<stage folder>/<split>/<contract name>/<image id><suffix>`; the shard's manifest
beside those folders names its images and their sha256. Sizes are the working size of data.index; only the results of
s6, rrm_label and s8, graph_label, pseudo, confidence, rrm_branch, rrm_label, prediction and detections, are as large
as the photograph.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One array: dtype, axes (equal letters are equal sizes within an artifact) and meaning."""

    dtype: str
    shape: str
    doc: str


@dataclass(frozen=True)
class Contract:
    """One artifact. A higher version makes every stage that reads it run again."""

    name: str
    version: int
    made_by: str
    fields: dict[str, Field]
    suffix: str = ".h5"


def _label_map(name: str, made_by: str, doc: str) -> Contract:
    fields = {"label": Field("uint8", "h w", f"{doc}: 0 background, 1..N class, 255 unknown")}
    return Contract(name, 1, made_by, fields, ".png")


CAM = Contract(
    "cam",
    1,
    "s2_cam",
    {
        "cam": Field("float16", "k h w", "P_fg of Eq. 2.3 at feature stride, in [0, 1], one row per class present"),
        "classes": Field("uint8", "k", "class index 1..N of each row; background is not stored"),
    },
)
MASKS = Contract(
    "masks",
    1,
    "s3_masks",
    {
        "packed": Field(
            "uint8", "k h b", "mask of each prompt on its own (Eq. 3.2), packbits along the width; boxes first"
        ),
        "substituted": Field(
            "bool", "k", "the source found no object: a box is foreground as a whole, another prompt has an empty mask"
        ),
        "confidence": Field("float16", "k", "the source's confidence in each mask, 0..1; 0 where it was substituted"),
        "classes": Field("uint8", "k", "class 1..N of each prompt"),
        "kind": Field("uint8", "k", "weak label of each prompt: 0 box, 1 scribble, 2 point, 3 tag"),
        "region": Field("int32", "k side", "x0 y0 x1 y1 of each soft mask; 0 0 0 0 where all masks are hard"),
        "P": Field(
            "uint8",
            "n",
            "probability of each prompt's object, 0..255 for 0..1, in its region: row by row, prompt by prompt; empty where "
            "all masks are hard",
        ),
    },
)
GRABCUT = _label_map("grabcut", "s3_seeds", "M_B of Eq. 3.3, of the mask source")
CAM_LABEL = _label_map("cam_label", "s3_seeds", "M_I of Eq. 3.1")
EXPANDED = _label_map(
    "expanded", "s3_seeds", "M_S or M_P, scribbles or clicks spread over superpixels (Sec. 3.6.1) or by masks"
)
SEEDS_FULL = _label_map("seeds_full", "s3_seeds", "M_F of Eq. 3.4")
SEEDS = _label_map("seeds", "s3_seeds", "M_g of Eq. 3.5")
OBJECTS = Contract(
    "objects",
    1,
    "s5_object_masks",
    {
        "P": Field(
            "uint8",
            "n",
            "probability of each box's object, 0..255 for 0..1, at the box's pixels: row by row, box by box",
        )
    },
)
OBJECT_LABEL = _label_map("object_label", "s5_object_masks", "most likely class by the soft masks of all boxes")
EDGES = Contract(
    "edges",
    1,
    "s5_graph",
    {"E": Field("float16", "n h w", "E of Eq. 3.14 to the n neighbours of pairwise.windows, 0 outside the image")},
)
WALK = Contract(
    "walk",
    1,
    "s5_graph",
    {"P": Field("float16", "c h w", "random walk's scores at the nodes, in [0, 1]: background, then the image's tags")},
)
RANDOM_WALK = _label_map("random_walk", "s5_graph", "seeds spread by random walk over E, the thesis's RW baseline")
GRAPH_LABEL = _label_map("graph_label", "s6_propagate", "argmax of O of Eq. 3.19 at full size, before the CRF")
PSEUDO = _label_map("pseudo", "s6_propagate", "pseudo label after the CRF")
CONFIDENCE = Contract(
    "confidence",
    1,
    "s6_propagate",
    {"confidence": Field("uint16", "h w", "probability of the pseudo label's class, 0..65535 for 0..1")},
    ".png",
)
RRM_BRANCH = _label_map("rrm_branch", "rrm_label", "argmax of P_net of Eq. 2.13 among the image's tags, before the CRF")
RRM_LABEL = _label_map("rrm_label", "rrm_label", "the same after the CRF, pseudo label of RRM's two-step variant")
MIDDLE = Contract(
    "middle",
    1,
    "scl_features",
    {
        "F": Field(
            "float16", "y x d", "the frozen backbone's maps of its last blocks but one and two, on the image's square"
        )
    },
)
DEEP = Contract(
    "deep",
    1,
    "scl_features",
    {"F": Field("float16", "y x d", "the frozen backbone's map of its last block, on the image's square")},
)
PREDICTION = _label_map("prediction", "s8_predict", "class predicted by the segmenter")
PREDICTION_KNOWN = _label_map(
    "prediction_known", "s8_predict", "the most likely of background and the image's classes, where it has any"
)
DETECTIONS = Contract(
    "detections",
    1,
    "s8_detect",
    {
        "box": Field(
            "float32", "k side", "x0 y0 x1 y1 of every detection in pixels of the photograph, the surest first"
        ),
        "score": Field("float32", "k", "the detector's confidence in [0, 1]"),
        "classes": Field("uint8", "k", "class 1..N"),
        "rle": Field("uint8", "n", "COCO's compressed run-length codes of all masks at full size, one after the other"),
        "ends": Field("int64", "k", "where each code ends in rle"),
    },
)

ALL = {
    c.name: c
    for c in (
        CAM, MASKS, CAM_LABEL, GRABCUT, EXPANDED, SEEDS_FULL, SEEDS, OBJECTS, OBJECT_LABEL, EDGES, WALK, RANDOM_WALK, GRAPH_LABEL, PSEUDO, CONFIDENCE, RRM_BRANCH, RRM_LABEL, MIDDLE, DEEP, PREDICTION, PREDICTION_KNOWN, DETECTIONS,
    )
}  # fmt: skip


def version_of(stage: str) -> str:
    """Return the versions of all artifacts that a stage makes of an image: a parameter of its rule, so that a new
    one reruns the stage.
    """
    made = [f"{contract.name} v{contract.version}" for contract in ALL.values() if contract.made_by == stage]
    if not made:
        raise ValueError(
            f"{stage} makes no artifact of an image; those that do: {sorted({c.made_by for c in ALL.values()})}"
        )
    return ", ".join(made)


FINAL = (PSEUDO, RRM_LABEL, CAM_LABEL, PREDICTION)
"""Final label maps of the roads on the training images: a road's result is the first of these that it makes."""

EPISODES_VERSION = 2
"""Version of episodes.json: see data.episodes."""
INDEX_VERSION = 6
"""Version of index.json: see data.index_file."""
CHECKPOINT_VERSION = 2
"""Version of a training's weights.safetensors and checkpoint.pt: see training."""
