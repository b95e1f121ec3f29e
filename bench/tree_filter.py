"""The learnable tree filter, tree included, against its O(N²) definition; then what it costs a training step.

    python bench/tree_filter.py --help

Goal: at least 20 times as fast as the definition at stride 8, equal to 1e-4.
"""

import argparse
import statistics

import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from bench import Side, compare, machine, seconds
from wsss_stages.nets.tree_filter import spanning_forest, tree_filter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(375, 500), help="height and width, pixels")
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--groups", type=int, default=16, help="of the training step; the definition has one")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    print(f"{machine(args.device)}; {args.size[1]} x {args.size[0]} pixels, {args.channels} channels")
    for stride in (8, 4):
        x, embedding, guide = drawn(args, stride)

        def step(x=x, embedding=embedding, guide=guide):
            y = tree_filter(x.requires_grad_(), embedding.requires_grad_(), spanning_forest(guide), args.groups)
            y.sum().backward()

        times = [seconds(step, args.device) for _ in range(args.runs + 1)][1:]
        tree = [seconds(lambda guide=guide: spanning_forest(guide), args.device) for _ in range(args.runs)]
        print(
            f"stride {stride}, {len(spanning_forest(guide).levels) - 1} levels, {args.groups} groups: tree, forward and backward "
            f"{statistics.median(times):.3f} s, of which the tree {statistics.median(tree):.3f} s"
        )
    x, embedding, guide = drawn(args, 8)
    ours = Side("ours", lambda: (tree_filter(x, embedding, spanning_forest(guide), 1),), None)
    dense = Side("definition, N x N", lambda: (definition(x, embedding, spanning_forest(guide)),), 20.0)
    with torch.no_grad():
        compare([ours, dense], args.runs, args.device, tolerance=1e-4)


def drawn(args, stride: int):
    """Values, embeddings and guides of one image."""
    torch.manual_seed(0)
    size = [-(-side // stride) for side in args.size]
    x, embedding, guide = (torch.randn(1, args.channels, *size, device=args.device) for _ in range(3))
    return x, 0.05 * embedding, guide


def definition(x, embedding, forest):
    """y = S x / S 1 with S = exp(-lengths of all ways through the tree)."""
    nodes = len(forest.order)
    ends = forest.order, forest.order[forest.parent]
    e = embedding.flatten(2)[0]
    lengths = (e[:, ends[0]] - e[:, ends[1]]).square().sum(dim=0)
    tree = csr_array((lengths.double().cpu().numpy(), [end.cpu().numpy() for end in ends]), shape=(nodes, nodes))
    S = torch.exp(-torch.from_numpy(shortest_path(tree, "D", directed=False))).float().to(x.device)
    return (x.flatten(2) @ S / S.sum(dim=0)).view_as(x)


if __name__ == "__main__":
    main()
