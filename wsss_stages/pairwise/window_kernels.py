"""Loops over the windows of a grid, compiled by Numba when first used and cached on disk; `compiled` calls them.

Grids are (b, h, w, d). Windows are (b, h, w, n): one number for each of a node's n neighbours, row by row of its window.
`half[dy + r]` is how far row dy reaches to both sides, -1 where it has no neighbours, and `start[dy + r]` which of the n
numbers is the neighbour straight above or below. Nodes outside the grid are not touched. Three neighbours at a time share
what is loaded of a node: that keeps the arithmetic busy, and nothing is copied.
"""

from typing import no_type_check

import numpy as np
from numba import njit, prange

COMPILED = {"nogil": True, "fastmath": True, "cache": True, "error_model": "numpy", "parallel": True}
ZERO = np.float32(0)


@no_type_check  # for those who check types at run time: Numba compiles the bare function
@njit(**COMPILED)
def dot(A, B, alike, half, start, out):
    """Compute out_ij = A_i · B_j; if A and B are `alike`, one of two opposite neighbours is computed. `out` is 0 before."""
    images, h, w, d = A.shape
    r = len(half) // 2
    for line in prange(images * h):
        b, y = line // h, line % h
        for x in range(w):
            a, o = A[b, y, x], out[b, y, x]
            for v in range(y if alike else max(0, y - r), min(h, y + r + 1)):
                reach, k, mirror = half[v - y + r], start[v - y + r] - x, start[y - v + r] + x
                u, end = x if alike and v == y else max(0, x - reach), min(w, x + reach + 1)
                while u + 3 <= end:
                    b0, b1, b2 = B[b, v, u], B[b, v, u + 1], B[b, v, u + 2]
                    s0, s1, s2 = ZERO, ZERO, ZERO
                    for c in range(d):
                        s0 += a[c] * b0[c]
                        s1 += a[c] * b1[c]
                        s2 += a[c] * b2[c]
                    o[k + u], o[k + u + 1], o[k + u + 2] = s0, s1, s2
                    u += 3
                while u < end:
                    b0, s0 = B[b, v, u], ZERO
                    for c in range(d):
                        s0 += a[c] * b0[c]
                    o[k + u] = s0
                    u += 1
                if alike:
                    for u in range(x if v == y else max(0, x - reach), end):
                        out[b, v, u, mirror - u] = o[k + u]


@no_type_check
@njit(**COMPILED)
def gather(P, B, ahead, back, half, start, out):
    """Compute out_i = sum_j (ahead P_ij + back P_ji) B_j."""
    images, h, w, d = B.shape
    r = len(half) // 2
    for line in prange(images * h):
        b, y = line // h, line % h
        p = np.empty_like(P[b, y, 0])
        for x in range(w):
            o = out[b, y, x]
            o[:] = 0
            for v in range(max(0, y - r), min(h, y + r + 1)):
                reach, k, mirror = half[v - y + r], start[v - y + r] - x, start[y - v + r] + x
                u, end = max(0, x - reach), min(w, x + reach + 1)
                for j in range(u, end):
                    p[k + j] = ahead * P[b, y, x, k + j] + back * P[b, v, j, mirror - j]
                while u + 3 <= end:
                    p0, p1, p2 = p[k + u], p[k + u + 1], p[k + u + 2]
                    b0, b1, b2 = B[b, v, u], B[b, v, u + 1], B[b, v, u + 2]
                    for c in range(d):
                        o[c] += p0 * b0[c] + p1 * b1[c] + p2 * b2[c]
                    u += 3
                while u < end:
                    p0, b0 = p[k + u], B[b, v, u]
                    for c in range(d):
                        o[c] += p0 * b0[c]
                    u += 1
