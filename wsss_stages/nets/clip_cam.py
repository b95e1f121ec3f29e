r"""CAMs by words: which patches let CLIP say a class's name rather than another's or the background's.

The recipe of CLIP-ES (Lin et al., "CLIP is Also an Efficient Segmenter", CVPR 2023, and the authors' code): Grad-CAM on the input
of the last block's attention, of the softmax over the image's classes and a set of words for background, refined by the
attention of the last blocks (labels.attention_affinity). Nothing is trained.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from wsss_stages.labels.attention_affinity import refined
from wsss_stages.nets.inputs import Inputs, renormalise

PROMPT = "a clean origami {}."
"""The authors' prompt, chosen by how sharply it tells classes apart (their Sec. 3.3)."""
BACKGROUND = (
    "ground", "land", "grass", "tree", "building", "wall", "sky", "lake", "water", "river", "sea", "railway", "railroad", "keyboard",
    "helmet", "cloud", "house", "mountain", "ocean", "road", "rock", "street", "valley", "bridge", "sign",
)  # fmt: skip
"""The authors' words for what is no object of VOC (their Sec. 3.2)."""
Module = Any
"""A module of `transformers`, whose attributes type checkers cannot see."""
LAST_BLOCKS = 8
"""Blocks whose attention is averaged."""
MOST_NODES = 4096
"""Patches of an image at a scale, which bound the memory of the attention between them; a larger one is shrunk."""


@dataclass(frozen=True)
class Seen:
    """An image before the last block: all tokens, the class's first, and the sum of the attention of the blocks that count."""

    tokens: Float[Tensor, "1 n d"]
    attention: Float[Tensor, "n n"]
    blocks: int


class ClipCam:
    """CLIP of `transformers` and the words of a dataset's classes."""

    def __init__(self, model: Module, words: Float[Tensor, "n d"], background: Float[Tensor, "m d"], inputs: Inputs):
        """
        Args:
            model: a CLIPModel in eval mode.
            words, background: embeddings of length 1 of the classes' words, 1..N, and of the background's.
        """
        self.model: Module = model.requires_grad_(False)
        self.words, self.background = words, background
        shape = (1, 3, 1, 1)
        self.mean, self.deviation = (torch.tensor(v).view(shape) for v in (inputs.mean, inputs.deviation))
        self.patch: int = model.vision_model.embeddings.patch_size

    def to(self, device: str) -> "ClipCam":
        """Move model and words to a device."""
        self.model.to(device)
        for name in ("words", "background", "mean", "deviation"):
            setattr(self, name, getattr(self, name).to(device))
        return self

    def __call__(
        self, images: Float[Tensor, "b 3 h w"], classes: Float[Tensor, "k"] | Tensor
    ) -> Float[Tensor, "b k y x"]:
        """Return the refined CAM of every class of an image, in [0, 1] before the refinement.

        Args:
            images: of one photograph, as `nets.inputs.normalise` leaves it, at one size.  classes: of the photograph, 1..N.
        """
        text = torch.cat([self.words[classes - 1], self.background])
        size = [n * self.patch for n in nodes_of(images.shape[2], images.shape[3], self.patch)]
        images = F.interpolate(
            renormalise(images, self.mean, self.deviation), size, mode="bilinear", align_corners=False
        )
        return torch.stack([self._of_one(image[None], text, len(classes)) for image in images])

    def _of_one(self, image: Float[Tensor, "1 3 h w"], text: Float[Tensor, "t d"], k: int) -> Float[Tensor, "k y x"]:
        seen = before_last(self.model.vision_model, image)
        cams, attention = grad_cam(self.model, seen.tokens, text, k)
        mean = (seen.attention + attention) / (seen.blocks + 1)
        y, x = (n // self.patch for n in image.shape[2:])
        return refined(spread(cams).view(k, y, x), mean[1:, 1:])


def nodes_of(height: int, width: int, patch: int) -> tuple[int, int]:
    """Return the rows and columns of patches that an image is resized to: as many as hold it, and at most MOST_NODES."""
    shrink = max(1.0, math.sqrt(height * width / patch**2 / MOST_NODES))
    rows, columns = (max(1, math.ceil(n / patch / shrink)) for n in (height, width))
    return rows, min(columns, max(1, MOST_NODES // rows))


@torch.no_grad()
def before_last(vision: Module, image: Float[Tensor, "1 3 h w"]) -> Seen:
    """Return what the blocks but the last make of an image, whose positions are resampled to its size."""
    x = vision.pre_layrnorm(vision.embeddings(image, interpolate_pos_encoding=True))
    total, (*blocks, _) = torch.zeros((), device=x.device), vision.encoder.layers
    counted = min(len(blocks), LAST_BLOCKS - 1)
    for number, block in enumerate(blocks):
        normed = block.layer_norm1(x)
        out, P = attended(block.self_attn, normed, normed)
        x = x + out
        x = x + block.mlp(block.layer_norm2(x))
        if number >= len(blocks) - counted:
            total = total + P
    return Seen(x, total, counted)


def grad_cam(
    model: Module, tokens: Float[Tensor, "1 n d"], text: Float[Tensor, "t e"], k: int
) -> tuple[Float[Tensor, "k p"], Float[Tensor, "n n"]]:
    r"""Return :math:`\max(0, \sum_d w^c_d A_{id})` of the first k words at every patch i, and the last block's attention.

    A is the input of the last attention, and :math:`w^c_d` the mean over patches of the gradient of the word's probability.
    """
    block = model.vision_model.encoder.layers[-1]
    with torch.no_grad():
        A = block.layer_norm1(tokens)
        _, attention = attended(block.self_attn, A, A)
    with torch.enable_grad():
        copies = A.expand(k, -1, -1).clone().requires_grad_()
        P = probabilities(model, tokens[:, :1], copies, text)
        (gradient,) = torch.autograd.grad(P[:, :k].diagonal().sum(), copies)
    weights = gradient[:, 1:].mean(dim=1)  # k d
    return F.relu(weights @ A[0, 1:].T), attention


def probabilities(
    model: Module, first: Float[Tensor, "1 1 d"], normed: Float[Tensor, "b n d"], text: Float[Tensor, "t e"]
) -> Float[Tensor, "b t"]:
    """Return the softmax over words of what the class token is after the last block.

    Args:
        first: the class token before the last block.  normed: all tokens after that block's first norm.
    """
    vision, block = model.vision_model, model.vision_model.encoder.layers[-1]
    y = first + attended(block.self_attn, normed[:, :1], normed)[0]
    y = y + block.mlp(block.layer_norm2(y))
    features = F.normalize(model.visual_projection(vision.post_layernorm(y[:, 0])), dim=-1)
    return (model.logit_scale.exp() * features @ text.T).softmax(dim=-1)


def attended(
    attention: Module, queries: Float[Tensor, "b q d"], normed: Float[Tensor, "b n d"]
) -> tuple[Float[Tensor, "b q d"], Float[Tensor, "q n"]]:
    """Return the output of a block's attention for some of the tokens, and the mean of its weights over heads, of the first image."""
    q, k, v = (
        projected(x).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
        for projected, x in ((attention.q_proj, queries), (attention.k_proj, normed), (attention.v_proj, normed))
    )
    P = (attention.scale * q @ k.transpose(-1, -2)).softmax(dim=-1)  # b heads q n
    return attention.out_proj((P @ v).transpose(1, 2).flatten(2)), P[0].detach().mean(dim=0)


def spread(cams: Float[Tensor, "k p"]) -> Float[Tensor, "k p"]:
    """Return maps from 0 at their minimum to 1 at their maximum."""
    low, high = cams.amin(dim=1, keepdim=True), cams.amax(dim=1, keepdim=True)
    return (cams - low) / (high - low + 1e-7)
