"""A²GNN: one small graph network per image, trained on that image's seeds, many images at once (Secs. 3.3.3-3.3.4)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wsss_stages.a2gnn.attention import Edges, affinity_attention
from wsss_stages.a2gnn.consistency import consistent
from wsss_stages.a2gnn.embedding import embedding
from wsss_stages.a2gnn.multi_point import Boxes, choose, multi_point_loss, prototypes
from wsss_stages.a2gnn.other_layers import OTHERS, OtherLayers, grid_links
from wsss_stages.a2gnn.superpixel_graph import mean_of_parts, superpixel_links
from wsss_stages.pairwise.kernels import colour_position
from wsss_stages.pairwise.potts import Potts
from wsss_stages.pairwise.windows import offsets

LAYERS = 3
ABSENT = -1e4
"""Logit of a class that other images of the batch have, but this one lacks."""


@dataclass(frozen=True)
class Settings:
    """Network, training and losses of Sec. 3.4: widths, epochs, weights; shares in [0, 1]; radius and `sigma_xy` in nodes."""

    layer: str
    """affinity, edges (Table 3.7), or one of `other_layers.OTHERS`."""
    hidden: int
    edge_weight: float
    """beta of Eq. 3.18."""
    dropout: float
    epochs_first: int
    epochs_second: int
    stop_below: float
    lr: float
    weight_decay: float
    reg_weight: float
    """lambda_1 of Eq. 3.20."""
    reg_radius: int
    sigma_xy: float
    """sigma_xy of Eq. 3.13; like `sigma_rgb`, which is in units of the normalised image."""
    sigma_rgb: float
    mp_weight: float
    """Weight of the multi-point loss (Eq. 3.26)."""
    mp_choose: str
    """The score that Eq. 3.23 maximises: probability or logit."""
    consistency: str
    """Rule of Eq. 3.28, as `consistency.consistent` has it, or none."""
    balanced_ce: bool


@dataclass
class Graph:
    """One image as a graph, with its seeds and boxes. Classes are rows: 0 background, 1.. as the caller numbers them."""

    name: str
    X: Float[Tensor, "h w d"]
    E: Float[Tensor, "n h w"]
    colour: Float[Tensor, "3 h w"]
    """Normalised image at the resolution of the nodes."""
    seeds: Int[Tensor, "h w"]
    """Row of each node's class, -1 unknown."""
    boxes: Bool[Tensor, "k h w"]
    box_rows: Int[Tensor, "k"]
    rows: int
    """Classes to predict, with background."""
    seed: int
    parts: Int[Tensor, "h w"] | None = None
    """Superpixel of each place, numbered from 0, where superpixels are the nodes."""


@dataclass
class Trained:
    """The outputs of one image's network, and how many seeds of objects it rejects."""

    logits: Float[Tensor, "c h w"]
    object_seeds: int
    """Seeds of objects that the consistency check looks at: none without boxes or without a rule."""
    inconsistent: int
    """Number of these seeds that the network would drop (Eq. 3.28)."""


class DivergedError(ValueError):
    """A network whose loss is not finite; its image gets no label."""


def train(graphs: list[Graph], window: list[tuple[int, int]], opt: Settings) -> list[Trained]:
    """Train one network per graph and return every image's logits at its nodes, and how many of its seeds survive.

    Nothing is shared between images: losses add up, and every draw of an image comes from its own generator, so an
    image's result does not depend on the others of the batch.

    Raises: DivergedError, naming the images.
    """
    batch = _Batch(graphs, window, opt)
    networks = _Networks(batch, opt)
    optimizer = torch.optim.Adam(networks.parameters, lr=opt.lr, weight_decay=opt.weight_decay, fused=True)
    stop = _EarlyStop(batch, networks, opt.stop_below)
    for epoch in range(opt.epochs_first + opt.epochs_second):
        second = epoch >= opt.epochs_first
        H, logits = networks.forward(opt.dropout)
        losses = _losses(batch, H, logits, second, opt)
        total = losses.sum()
        if not torch.isfinite(total):
            bad = [g.name for g, loss in zip(graphs, losses.tolist(), strict=True) if not np.isfinite(loss)]
            raise DivergedError(
                f"the loss of {', '.join(bad)} is not finite in epoch {epoch}; no label was written. A lower "
                f"--lr than {opt.lr} helps. Check that the affinity network's weights are intact."
            )
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        if second and stop.all_settled(logits):
            break
    with torch.no_grad():
        stop.restore()
        H, logits = networks.forward(dropout=0.0)
        checked, dropped = _checked(batch, H, logits, opt)
    return [
        Trained(image[: g.X.shape[0], : g.X.shape[1], : g.rows].permute(2, 0, 1), *counts)
        for g, image, *counts in zip(graphs, logits, checked, dropped, strict=True)
    ]


def _losses(batch: "_Batch", H: Tensor, logits: Tensor, second: bool, opt: Settings) -> Float[Tensor, "b"]:
    """Return L_G of Eq. 3.20 per image: in the first stage L_ce + L_mp, in the second all with consistent seeds."""
    log_P = logits.log_softmax(dim=3)
    seeds = batch.seeds
    mp = torch.zeros((), device=log_P.device)
    if len(batch.boxes.row) and (opt.mp_weight > 0 or (second and opt.consistency != "none")):
        points, counts = _choose(batch, logits, log_P, opt)
        if opt.mp_weight > 0:
            mp = opt.mp_weight * multi_point_loss(log_P, H, points, counts, batch.boxes)
        if second:
            seeds = torch.where(_keep(batch, H, points, counts, opt), seeds, -1)
    loss = seed_entropy(log_P, seeds, opt.balanced_ce) + mp
    if second and opt.reg_weight > 0:
        loss = loss + opt.reg_weight * batch.potts.energy(log_P.exp())
    return loss


def _choose(batch: "_Batch", logits: Tensor, log_P: Tensor, opt: Settings) -> tuple[Tensor, Tensor]:
    score = logits if opt.mp_choose == "logit" else log_P  # the logarithm has its maximum where P has
    return choose(batch.boxes.own_class(score.detach()), batch.boxes)


@torch.no_grad()
def _keep(batch: "_Batch", H: Tensor, points: Tensor, counts: Tensor, opt: Settings) -> Bool[Tensor, "b h w"]:
    centres = prototypes(H, points, counts, batch.boxes)
    return consistent(H, centres, batch.seeds, batch.boxes, opt.consistency)


def _checked(batch: "_Batch", H: Tensor, logits: Tensor, opt: Settings) -> tuple[list[int], list[int]]:
    """Return, for every image, the number of object seeds that the consistency check examines and the number that it
    drops.
    """
    boxed = torch.zeros(len(batch.seeds), dtype=torch.bool, device=batch.seeds.device)
    objects = torch.zeros_like(batch.seeds, dtype=torch.bool)
    keep = ~objects
    if len(batch.boxes.row) and opt.consistency != "none":
        boxed[batch.boxes.image] = True
        objects = (batch.seeds > 0) & boxed[:, None, None]
        keep = _keep(batch, H, *_choose(batch, logits, logits.log_softmax(dim=3), opt), opt)
    return objects.sum(dim=(1, 2)).tolist(), (objects & ~keep).sum(dim=(1, 2)).tolist()


def seed_entropy(log_P: Float[Tensor, "b h w c"], seeds: Int[Tensor, "b h w"], balanced: bool) -> Float[Tensor, "b"]:
    """Return L_ce of Eq. 3.21 per image; `balanced` adds background's and foreground's mean. A mean of nothing is 0."""
    known = seeds >= 0
    entropy = -log_P.gather(3, seeds.clamp(min=0).unsqueeze(3)).squeeze(3)
    groups = (known & (seeds == 0), seeds > 0) if balanced else (known,)
    means = [(entropy * g).sum(dim=(1, 2)) / g.sum(dim=(1, 2)).clamp(min=1) for g in groups]
    return torch.stack(means).sum(dim=0)


class _Batch:
    """Graphs of different sizes on one grid, padded at the right and the bottom."""

    def __init__(self, graphs: list[Graph], window: list[tuple[int, int]], opt: Settings):
        self.graphs = graphs
        sizes = [g.X.shape[:2] for g in graphs]
        h, w = max(s[0] for s in sizes), max(s[1] for s in sizes)
        device = graphs[0].X.device
        features = [g.X if g.parts is None else mean_of_parts(g.X, g.parts) for g in graphs]
        X = torch.stack([_grow(x.permute(2, 0, 1), h, w, 0.0) for x in features])
        self.shape = (len(graphs), h, w)
        self.channels = X.shape[1]
        self.embed = embedding(X.permute(0, 2, 3, 1).flatten(1, 2), opt.hidden)
        self.links = None
        if opt.layer in OTHERS or graphs[0].parts is not None:
            self.links = [
                grid_links(g.E, window) if g.parts is None else superpixel_links(x, g.parts)
                for g, x in zip(graphs, features, strict=True)
            ]
        else:
            self.edges = Edges(torch.stack([_grow(g.E, h, w, 0.0) for g in graphs]), window, opt.edge_weight)
        self.seeds = torch.stack([_grow(g.seeds, h, w, -1) for g in graphs])
        self.rows = max(g.rows for g in graphs)
        absent = (
            torch.arange(self.rows, device=device) >= torch.tensor([g.rows for g in graphs], device=device)[:, None]
        )
        self.absent = (ABSENT * absent)[:, None, None]
        if opt.reg_weight > 0:
            around = offsets(opt.reg_radius, "square")
            kernels = [colour_position(g.colour[None], around, opt.sigma_xy, opt.sigma_rgb)[0] for g in graphs]
            nodes = torch.tensor([float(a * b) for a, b in sizes], device=device)
            self.potts = Potts(torch.stack([_grow(K, h, w, 0.0) for K in kernels]), around, nodes)
        self.boxes = Boxes(
            torch.tensor([i for i, g in enumerate(graphs) for _ in g.box_rows], dtype=torch.long, device=device),
            torch.cat([g.box_rows for g in graphs]),
            torch.cat([_grow(g.boxes, h, w, False) for g in graphs]),
        )


class _Networks:
    """Embedding, three attention layers and output, weights (b, ...): one network per image of a batch."""

    def __init__(self, batch: _Batch, opt: Settings):
        self.batch, hidden = batch, opt.hidden
        device, d = batch.absent.device, batch.channels
        self.generators = [torch.Generator(device).manual_seed(g.seed) for g in batch.graphs]
        W_in, w, W_out = [], [], []
        for g, generator in zip(batch.graphs, self.generators, strict=True):
            W_in.append(_xavier(d, hidden, generator, device))
            w.append(torch.rand(LAYERS, generator=generator, device=device))
            W_out.append(_grow(_xavier(hidden, g.rows, generator, device)[None], hidden, batch.rows, 0.0)[0])
        self.kept = torch.zeros(*batch.shape, hidden, device=device)
        self.cosine = opt.layer != "edges"
        self.others = None
        parameters = [torch.stack(p) for p in (W_in, w, W_out)]
        if batch.links is not None:
            seeds = [g.seed for g in batch.graphs]
            self.others = OtherLayers(opt.layer, hidden, LAYERS, opt.edge_weight, batch.links, seeds, device)
            parameters += self.others.parameters
        self.parameters = [p.requires_grad_() for p in parameters]

    def forward(self, dropout: float) -> tuple[Float[Tensor, "b h w d"], Float[Tensor, "b h w c"]]:
        """Return features of the last attention layer and logits (Eqs. 3.16-3.19)."""
        W_in, w, W_out, *others = self.parameters
        H = self.batch.embed(W_in).relu().view(*self.batch.shape, -1)  # Eq. 3.16
        if dropout > 0:
            H = H * self._kept(dropout)
        if self.others is not None:
            H = self.others(H, others)
        else:
            share = w if self.cosine else torch.zeros_like(w)
            for layer in range(LAYERS):
                H = affinity_attention(H, share[:, layer], self.batch.edges)
        logits = (H.flatten(1, 2) @ W_out).view(*self.batch.shape, -1)
        return H, logits + self.batch.absent

    def _kept(self, dropout: float) -> Tensor:
        for g, generator, kept in zip(self.batch.graphs, self.generators, self.kept, strict=True):
            kept[: g.X.shape[0], : g.X.shape[1]].uniform_(generator=generator).ge_(dropout)
        return self.kept.div_(1 - dropout)


class _EarlyStop:
    """A store of the weights that a network has when its image's labels stop changing from one epoch to the next."""

    def __init__(self, batch: _Batch, networks: _Networks, below: float):
        self.networks, self.below = networks, below
        self.nodes = torch.tensor([g.seeds.numel() for g in batch.graphs], device=batch.seeds.device)
        self.exists = torch.stack([_grow(torch.ones_like(g.seeds), *batch.shape[1:], 0) for g in batch.graphs]) > 0
        self.labels: Tensor | None = None
        self.settled = torch.zeros_like(self.nodes, dtype=torch.bool)
        self.kept = [p.detach().clone() for p in networks.parameters]

    def all_settled(self, logits: Float[Tensor, "b h w c"]) -> bool:
        """Return whether every image has had an epoch that changed less than the share `below` of its nodes' labels."""
        if self.below == 0:
            return False
        labels, before = logits.detach().argmax(dim=3), self.labels
        self.labels = labels
        if before is None:
            return False
        changed = ((labels != before) & self.exists).sum(dim=(1, 2)) / self.nodes
        now = (changed < self.below) & ~self.settled
        for kept, parameter in zip(self.kept, self.networks.parameters, strict=True):
            kept[now] = parameter.detach()[now]
        self.settled |= now
        return bool(self.settled.all())

    def restore(self) -> None:
        """Restore the weights that the settled networks had when they settled."""
        for kept, parameter in zip(self.kept, self.networks.parameters, strict=True):
            parameter[self.settled] = kept[self.settled]


def _xavier(rows: int, columns: int, generator: torch.Generator, device) -> Tensor:
    bound = (6 / (rows + columns)) ** 0.5
    return (2 * torch.rand(rows, columns, generator=generator, device=device) - 1) * bound


def _grow(x: Tensor, height: int, width: int, fill: float | int) -> Tensor:
    return torch.nn.functional.pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2]), value=fill)
