"""Options of the mask sources: from weak labels to a mask of every box, click, scribble or tag (DESIGN, decision 11)."""

from typing import Literal

from pydantic import Field, model_validator

from wsss_stages.config.options.base import FilePath, Seeded

MASKED = ("box", "mixed")
"""Kinds of weak labels that always have masks; the others only of sources that need no boxes."""
PLACED = ("point", "tag", "mixed")
"""Kinds of weak labels whose prompts a promptable network takes from CAMs, or whose answers it chooses by them."""


class Masks(Seeded):
    """s3_masks: weak labels to a mask of every box (Eq. 3.2), click, scribble or tag."""

    source: Literal["grabcut", "sam", "folder"] = Field(
        "grabcut",
        description="maker of the masks: GrabCut (boxes only), a promptable network, or your own files; "
        "docs/mask_sources.md compares them",
    )
    model: FilePath = Field(
        "facebook/sam2.1-hiera-tiny",
        description="for sam: folder with a model of the families SAM, SAM-HQ, SAM 2 or SAM 3 tracker in safetensors, or the "
        "name of one on the Hugging Face hub",
    )
    folder: FilePath = Field(
        "",
        description="for folder: folder with ID/K.png, grey, or ID.json, COCO run-length codes, K being the number of the box, "
        "scribble or click from 0",
    )
    text_boxes_model: FilePath = Field(
        "",
        description="for sam and tags: folder or hub name of a Grounding DINO, whose boxes of the words of classes.txt are the "
        "prompts; empty = parts of the CAMs",
    )
    text_score: float = Field(0.25, ge=0, le=1, description="smallest score of a box that was found by words")
    grabcut_iterations: int = Field(5, ge=1, description="for grabcut: iterations per box (Eq. 3.2)")
    grabcut_min_side: int = Field(
        3, ge=1, description="for grabcut: smallest side of a box, pixels; smaller boxes are taken whole"
    )
    min_share: float = Field(
        0.15,
        ge=0,
        le=1,
        description="smallest share of a box that its mask fills, for grabcut and sam; below it the whole box is taken",
    )
    scribble_points: int = Field(
        6, ge=1, description="for sam: most points of a scribble that are prompts, inside and outside the object"
    )
    tag_parts: int = Field(3, ge=1, description="for sam and tags: most parts of a class's CAM that are prompts")
    tag_level: float = Field(
        0.5, gt=0, le=1, description="for sam and tags: share of a CAM's maximum above which a part is confident"
    )
    speck_share: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="for sam: parts and holes of a mask smaller than this share of it are removed; 0 = none",
    )
    prompts_at_once: int = Field(
        32, ge=1, description="for sam: prompts in a batch, which bound memory; halved where memory is short"
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="for sam: precision (autocast); auto = bfloat16 on a GPU and on CPUs with instructions for it, else float32",
    )

    @model_validator(mode="after")
    def _folder_is_given(self) -> "Masks":
        if self.source == "folder" and not self.folder:
            raise ValueError("source folder without folder; wanted the folder with the masks in `folder`")
        return self


def has_masks(source: str, weak: str) -> bool:
    """Return whether a source makes masks of this kind of weak label."""
    return weak in MASKED or source != "grabcut"


def by_network(source: str) -> bool:
    """Return whether a source runs a network, which a GPU speeds up; the others take a core alone."""
    return source == "sam"


def needs_cams(source: str, weak: str) -> bool:
    """Return whether a source's prompts of this kind of weak label come from CAMs, or its answers are chosen by them."""
    return source == "sam" and weak in PLACED
