"""Affinity attention (Eqs. 3.17-3.18) compiled, in tiles, as PyG message passing, and dense: three layers, both ways.

    python bench/attention.py --help

Goals: at least 20 times as fast as message passing and 6 times as fast as dense, equal to 1e-4.
"""

import argparse

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
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    window = offsets(args.radius, args.window)
    h, w = args.nodes
    torch.manual_seed(0)
    H = torch.rand(1, h, w, args.channels, device=args.device)
    E = torch.rand(1, len(window), h, w, device=args.device)
    E = E * (E > 0.3) * exists(h, w, window, args.device)
    E[:, window.index((0, 0))] = 1
    weights = torch.rand(LAYERS, 1, device=args.device)
    aim = torch.rand_like(H)
    print(
        f"{machine(args.device)}; {h} x {w} nodes, {args.channels} channels, {len(window)} neighbours, {LAYERS} layers"
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

    ours = {"in tiles": Edges(E, window, BETA, Tiles((h, w), window))}
    if args.device == "cpu":
        ours = {"compiled": Edges(E, window, BETA)} | ours
    index, strength = edge_list(E[0], window)
    passing = [AffinityAttention(BETA).to(args.device) for _ in range(LAYERS)]
    for layer, weight in zip(passing, weights, strict=True):
        layer.w.data = weight[0]

    def message_passing(x, number):
        return passing[number](x.view(h * w, -1), index, strength).view_as(x)

    dense_E = torch.zeros(h * w, h * w, device=args.device)
    dense_E[index[1], index[0]] = strength

    compare(
        [
            *(
                Side(
                    f"ours, {name}", both_ways(lambda x, n, edges=edges: affinity_attention(x, weights[n], edges)), None
                )
                for name, edges in ours.items()
            ),
            Side("PyG MessagePassing", both_ways(message_passing), 20.0),
            Side("dense N x N", both_ways(lambda x, n: dense(x, weights[n], dense_E)), 6.0),
        ],
        args.runs,
        args.device,
        tolerance=1e-4,
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
    H = x.flatten(0, 2)
    unit = torch.nn.functional.normalize(H, dim=1, eps=1e-7)
    cos = unit @ unit.T
    score = weight * cos + BETA * (cos > 0) * E
    return (score.masked_fill(E == 0, float("-inf")).softmax(dim=1) @ H).view_as(x)


if __name__ == "__main__":
    main()
