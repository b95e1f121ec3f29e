"""The operations of pairwise.simd against plain Numba loops in their place: the product of the embedding, and the dense CRF.

    python bench/simd.py --help

Each side is a process of its own; they work in turn, and of each the fastest run counts, in seconds of a processor.
Goal: at least 1.3 times as fast, with the same result to 1e-4.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time

import numpy as np

SIZES = ((24, 32), (47, 63), (94, 126))
"""Nodes of the product's grid; the CRF works on four pixels for each, both ways."""
LABELS, HIDDEN, FEATURES, SHARE = 21, 64, 1024, 0.17
GOAL = 1.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    os.environ["NUMBA_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    sides = []
    for plain in (False, True):
        here, other_end = context.Pipe()
        os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp()  # both compile the same kernels, with other operations
        context.Process(target=serve, args=(other_end, plain), daemon=True).start()
        sides.append(here)
    failed = False
    for kind in ("product", "crf"):
        for size in SIZES:
            times = []
            for _ in range(args.runs + 1):
                for side in sides:
                    side.send((kind, size))
                    times.append(side.recv())
            ours, plain = (min(seconds for seconds, _ in times[2 + number :: 2]) for number in (0, 1))
            apart = float(np.abs(times[0][1] - times[1][1]).max())
            failed |= apart > 1e-4 or plain / ours < GOAL
            print(
                f"{kind} {size}: {ours:.4f} s, plain {plain:.4f} s, {plain / ours:.1f}x, goal {GOAL}x, apart {apart:.0e}"
            )
    for side in sides:
        side.send(None)
    sys.exit("a goal was missed, or the sides differ" if failed else 0)


def serve(connection, plain: bool) -> None:
    """Do what is asked for, and answer with its seconds and its result."""
    if plain:
        from wsss_stages.pairwise import simd

        simd.weighted_sum, simd.weighted_spread = plain_sum, plain_spread
    import torch

    from wsss_stages.a2gnn.embedding import Sparse
    from wsss_stages.labels.crf import DenseCrf

    torch.set_num_threads(1)
    works = {}
    while asked := connection.recv():
        kind, (h, w) = asked
        if asked not in works:
            rng = np.random.default_rng(0)
            if kind == "product":
                X = rng.random((1, h * w, FEATURES), np.float32)
                sparse = Sparse(torch.from_numpy(X * (X < SHARE)), HIDDEN)
                W = torch.from_numpy(rng.random((1, FEATURES, HIDDEN), np.float32))
                works[asked] = lambda sparse=sparse, W=W: sparse(W)
            else:
                image = rng.integers(0, 256, (h // 2, w // 2, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
                crf = DenseCrf(image, 3.0, 3.0, 80.0, 13.0, 10.0)
                P = torch.from_numpy(rng.random((1, LABELS, *image.shape[:2]), np.float32)).softmax(dim=1)
                works[asked] = lambda crf=crf, P=P: crf.infer(P, 5)
        start = time.process_time()
        result = works[asked]()
        connection.send((time.process_time() - start, result.numpy()))


def plain_sum(width: int):
    """Return what `weighted_sum` does, in plain Numba."""
    from numba import njit

    size = np.uint64(width)

    @njit(nogil=True, fastmath=True, error_model="numpy", inline="always")
    def add_up(out, i, weights, places, start, end, x, step, shift):
        to = out[np.uint64(i) : np.uint64(i) + size]
        for k in range(start, end):
            place = np.uint64(places[k]) * np.uint64(step) + np.uint64(shift)
            weight, row = weights[k], x[place : place + size]
            for c in range(width):
                to[c] += weight * row[c]

    return add_up


def plain_spread(width: int):
    """Return what `weighted_spread` does, in plain Numba."""
    from numba import njit

    size = np.uint64(width)

    @njit(nogil=True, fastmath=True, error_model="numpy", inline="always")
    def spread(x, i, weights, places, start, end, out, step, shift):
        row = x[np.uint64(i) : np.uint64(i) + size]
        for k in range(start, end):
            place = np.uint64(places[k]) * np.uint64(step) + np.uint64(shift)
            weight, to = weights[k], out[place : place + size]
            for c in range(width):
                to[c] += weight * row[c]

    return spread


if __name__ == "__main__":
    main()
