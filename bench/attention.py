"""Affinity attention (Eqs. 3.17-3.18) as the pipeline computes it, in tiles, as PyG message passing, and dense: three layers, both ways.

    python bench/attention.py --help

Goals on a CPU: at least 20 times as fast as message passing and 6 times as fast as dense; on a GPU, in batches, twice as fast as
both. Equal to 1e-4 on a CPU, to TF32's 1e-2 on a GPU.
"""

import argparse
from pathlib import Path

import torch

from bench import Side, compare, machine
from wsss_stages.a2gnn.attention import Edges, affinity_attention
from wsss_stages.a2gnn.graph_attention import AffinityAttention
from wsss_stages.pairwise.tiles import Tiles
from wsss_stages.pairwise.windows import exists, offsets

LAYERS, BETA = 3, 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, nargs=2, default=(47, 63), help="height and width of the grid")
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--radius", type=int, default=5)
    parser.add_argument("--window", default="disc")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1, help="images at once")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tiny", action="store_true", help="few nodes and no goals: shows that it runs")
    parser.add_argument("--seconds", type=Path, help="not used: this benchmark measures no stage")
    args = parser.parse_args()
    goals: tuple[float | None, float | None] = (20.0, 6.0) if args.device == "cpu" else (2.0, 2.0)
    if args.tiny:
        args.nodes, args.channels, args.runs, goals = (9, 12), 16, 1, (None, None)
    window = offsets(args.radius, args.window)
    h, w = args.nodes
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("highest" if args.device == "cpu" else "high")  # as devices.pick sets it
    b = args.batch
    H = torch.rand(b, h, w, args.channels, device=args.device)
    E = torch.rand(b, len(window), h, w, device=args.device)
    E = E * (E > 0.3) * exists(h, w, window, args.device)
    E[:, window.index((0, 0))] = 1
    weights = torch.rand(LAYERS, 1, device=args.device).expand(LAYERS, b)
    aim = torch.rand_like(H)
    print(
        f"{machine(args.device)}; {b} images of {h} x {w} nodes, {args.channels} channels, {len(window)} neighbours, {LAYERS} layers"
    )

    def both_ways(layer):
        def run():
            x = H.clone().requires_grad_()
            out = x
            for number in range(LAYERS):
                out = layer(out, number)
            (out * aim).sum().backward()
            return out.detach(), x.grad

        return run

    chosen = Edges(E, window, BETA)
    ours = {type(chosen.products).__name__: chosen, "in tiles": Edges(E, window, BETA, Tiles((h, w), window))}
    lists = [edge_list(one, window) for one in E]
    index = torch.cat([places + number * h * w for number, (places, _) in enumerate(lists)], dim=1)
    strength = torch.cat([of_edges for _, of_edges in lists])
    passing = [AffinityAttention(BETA).to(args.device) for _ in range(LAYERS)]
    for layer, weight in zip(passing, weights, strict=True):
        layer.w.data = weight[0]

    def message_passing(x, number):
        return passing[number](x.view(b * h * w, -1), index, strength).view_as(x)

    dense_E = torch.zeros(b, h * w, h * w, device=args.device)
    for matrix, (places, of_edges) in zip(dense_E, lists, strict=True):
        matrix[places[1], places[0]] = of_edges

    compare(
        [
            *(
                Side(
                    f"ours, {name}", both_ways(lambda x, n, edges=edges: affinity_attention(x, weights[n], edges)), None
                )
                for name, edges in ours.items()
            ),
            Side("PyG MessagePassing", both_ways(message_passing), goals[0]),
            Side("dense N x N", both_ways(lambda x, n: dense(x, weights[n, 0], dense_E)), goals[1]),
        ],
        args.runs,
        args.device,
        tolerance=1e-4 if args.device == "cpu" else 1e-2,
    )


def edge_list(E, window):
    """(2, edges) of source and target, and their weights."""
    w = E.shape[2]
    n, y, x = E.nonzero().T
    step = torch.tensor([dy * w + dx for dy, dx in window], device=E.device)
    target = y * w + x
    return torch.stack([target + step[n], target]), E[n, y, x]


def dense(x, weight, E):
    """Return the attention of every node to every other, the unconnected masked out."""
    H = x.flatten(1, 2)
    unit = torch.nn.functional.normalize(H, dim=2, eps=1e-7)
    cos = unit @ unit.transpose(1, 2)
    score = weight * cos + BETA * (cos > 0) * E
    return (score.masked_fill(E == 0, float("-inf")).softmax(dim=2) @ H).view_as(x)


if __name__ == "__main__":
    main()
