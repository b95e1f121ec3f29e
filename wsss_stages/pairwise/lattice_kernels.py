"""Loops of the permutohedral lattice and of mean field over it, compiled by Numba when first used and cached on disk.

n points lie in n simplices of d + 1 vertices; m vertices are in use. Rows of values are padded to a multiple of 8 and lie in
flat arrays. Vertex m stands for all that are not in use; its row is 0.
"""

from typing import no_type_check

import numpy as np
from numba import njit, prange

from wsss_stages.pairwise.simd import WIDTH, weighted_spread, weighted_sum

COMPILED = {"nogil": True, "fastmath": True, "cache": True, "error_model": "numpy"}
BLOCK = 64
"""Points that are worked on together: their probabilities stay in the first cache."""
WIDE = 24
"""Numbers of a row that stay in registers over a point's vertices."""
_add_up, _add_up_wide = weighted_sum(WIDTH), weighted_sum(WIDE)
_spread, _spread_wide = weighted_spread(WIDTH), weighted_spread(WIDE)
ZERO, ONE, HALF = np.float32(0), np.float32(1), np.float32(0.5)
LOG2_E = np.float32(1.4426950408889634)


@no_type_check  # for those who check types at run time: Numba compiles the bare function
@njit(**COMPILED)
def find_simplices(features, factors, vertex, weights):
    """Return vertices (n, d+1) and barycentric weights of every point's simplex; the codes of the vertices in use.

    A vertex is known by a code, the sum of its coordinates times `factors`, random 64-bit numbers: two vertices share one
    with a probability of 2^-64.
    """
    n, d = features.shape
    scale = np.empty(d, np.float32)
    for i in range(d):
        scale[i] = (d + 1) * np.sqrt(2 / 3) / np.sqrt((i + 1.0) * (i + 2.0))
    inverse = np.float32(1 / (d + 1))
    all_factors = factors.sum()
    elevated, nearest = np.empty(d + 1, np.float32), np.empty(d + 1, np.float32)
    rank, at_rank = np.empty(d + 1, np.int64), np.empty(d + 1, np.int64)
    barycentric = np.empty(d + 2, np.float32)
    bits = 14
    table, codes, count = np.full(1 << bits, -1, np.int32), np.empty(1 << (bits - 1), np.uint64), 0
    last_code, last_vertex = np.zeros(d + 1, np.uint64), np.full(d + 1, -1, np.int64)
    for point in range(n):
        tail = np.float32(0)
        for i in range(d, 0, -1):  # onto the hyperplane of zero sum
            f = features[point, i - 1] * scale[i - 1]
            elevated[i] = tail - i * f
            tail += f
        elevated[0] = tail
        excess = 0
        for i in range(d + 1):
            whole = np.rint(elevated[i] * inverse)
            excess += np.int64(whole)
            nearest[i] = whole * (d + 1)
            elevated[i] -= nearest[i]
            rank[i] = 0
        for i in range(d + 1):
            for j in range(i + 1, d + 1):
                smaller = np.int64(elevated[i] < elevated[j])  # without a branch, for nothing foretells it
                rank[i] += smaller
                rank[j] += 1 - smaller
        barycentric[:] = 0
        code = np.uint64(0)
        for i in range(d + 1):
            rank[i] += excess
            turn = (d + 1) * ((rank[i] < 0) - np.int64(rank[i] > d))
            rank[i] += turn
            nearest[i] += turn
            offset = (elevated[i] - turn) * inverse
            barycentric[d - rank[i]] += offset
            barycentric[d + 1 - rank[i]] -= offset
            at_rank[rank[i]] = i
            if i < d:
                code += np.uint64(np.int64(nearest[i])) * factors[i]
        barycentric[0] += 1 + barycentric[d + 1]
        for corner in range(d + 1):
            if corner > 0:
                code += all_factors
                i = at_rank[d + 1 - corner]
                if i < d:
                    code -= np.uint64(d + 1) * factors[i]
            weights[point, corner] = barycentric[corner]
            if last_vertex[corner] < 0 or last_code[corner] != code:
                if 2 * (count + 1) >= len(table):
                    bits += 1
                    table, codes = _enlarged(codes, count, bits)
                place = _find(table, codes, code, bits)
                if table[place] < 0:
                    table[place], codes[count] = count, code
                    count += 1
                last_code[corner], last_vertex[corner] = code, table[place]
            vertex[point, corner] = last_vertex[corner]
    return codes[:count].copy()


@no_type_check
@njit(**COMPILED)
def find_neighbours(codes, factors):
    """Return (d+1, 2, m) vertices on both sides of each along the d + 1 directions; m where there is none."""
    d, m = len(factors), len(codes)
    bits = 1
    while (1 << bits) < 2 * (m + 1):
        bits += 1
    table, codes = _enlarged(codes, m, bits)
    neighbours = np.empty((d + 1, 2, m), np.uint32)
    for direction in range(d + 1):
        step = factors.sum()
        if direction < d:
            step -= np.uint64(d + 1) * factors[direction]
        for v in range(m):
            for side in range(2):
                found = table[_find(table, codes, codes[v] + step if side else codes[v] - step, bits)]
                neighbours[direction, side, v] = found if found >= 0 else m
    return neighbours


@no_type_check
@njit(**COMPILED)
def _find(table, codes, code, bits):
    """Return the place of a code in the hash table, or the place where it would go."""
    mask = np.int64((1 << bits) - 1)
    place = np.int64((code * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - bits))
    while table[place] >= 0 and codes[table[place]] != code:
        place = (place + 1) & mask
    return place


@no_type_check
@njit(**COMPILED)
def _enlarged(codes, count, bits):
    """Return a hash table of 2^bits places that holds the first `count` codes, and room for as many as it can take."""
    table, room = np.full(1 << bits, -1, np.int32), np.empty(1 << bits, np.uint64)
    room[:count] = codes[:count]
    for v in range(count):
        table[_find(table, room, room[v], bits)] = v
    return table, room


@no_type_check
@njit(**COMPILED)
def normalise(vertex, weights, neighbours, weight):
    """Scale the weights in place, so that splat, blur and slice apply the kernel times `weight`, normalised symmetrically."""
    (n, corners), m = vertex.shape, neighbours.shape[2]
    rows = np.zeros(m + 1, np.float32)
    for i in range(n):
        for k in range(corners):
            rows[vertex[i, k]] += weights[i, k]
    for direction in range(corners):
        before, after = neighbours[direction]
        blurred = rows.copy()
        for v in range(m):
            blurred[v] += HALF * (rows[before[v]] + rows[after[v]])
        rows = blurred
    scale = 1 / (1 + 2.0 ** (1 - corners))
    for i in range(n):
        of_ones = np.float32(0)
        for k in range(corners):
            of_ones += rows[vertex[i, k]] * weights[i, k]
        factor = np.float32(np.sqrt(weight * scale / (scale * of_ones + 1e-20)))
        for k in range(corners):
            weights[i, k] *= factor


@no_type_check
@njit(**COMPILED)
def blur(tables, width, neighbours):
    """Turn splat values into values to slice: sum over bands, blur by (1/2, 1, 1/2) along every direction; set splat
    to 0.
    """
    m = neighbours.shape[2]
    rows, blurred = np.zeros((m + 1, width), np.float32), np.zeros((m + 1, width), np.float32)
    for band in range(len(tables)):
        table = tables[band].reshape(m + 1, 2, width)
        for v in range(m):
            for c in range(width):
                rows[v, c] += table[v, 1, c]
                table[v, 1, c] = 0
    for direction in range(len(neighbours)):
        before, after = neighbours[direction]
        for v in range(m):
            to, own, b, a = blurred[v], rows[v], rows[before[v]], rows[after[v]]
            for c in range(width):
                to[c] = own[c] + HALF * (b[c] + a[c])
        rows, blurred = blurred, rows
    for band in range(len(tables)):
        table = tables[band].reshape(m + 1, 2, width)
        for v in range(m + 1):
            for c in range(width):
                table[v, 0, c] = rows[v, c]


@no_type_check
@njit(parallel=True, **COMPILED)
def mean_field_step(log_p, vertex_1, weights_1, tables_1, vertex_2, weights_2, tables_2, half, first, last, Q):
    """Run one iteration for all points: slice both lattices (not in the first), softmax, splat for the next (not in the last).

    A table holds for every vertex the row of `width` numbers that is sliced and beside it the row that is splat, which are
    used together. Each band of points has a table of its own, so that bands can run at once and the result does not depend
    on how many do. `log_p` and `Q`, which gets the last probabilities, are (n, width).
    """
    n, width = log_p.shape
    bands = len(tables_1)
    for band in prange(bands):
        x = np.empty(BLOCK * width, np.float32)
        end = (band + 1) * n // bands
        for start in range(band * n // bands, end, BLOCK):
            points = min(BLOCK, end - start)
            x[: points * width] = log_p[start : start + points].reshape(-1)
            if not first:
                _slice(vertex_1, weights_1, tables_1[band], start, points, width, x)
                _slice(vertex_2, weights_2, tables_2[band], start, points, width, x)
            _softmax(x, points, width, half)
            if last:
                Q[start : start + points] = x[: points * width].reshape(points, width)
            else:
                _splat(vertex_1, weights_1, x, start, points, width, tables_1[band])
                _splat(vertex_2, weights_2, x, start, points, width, tables_2[band])


@no_type_check
@njit(**COMPILED)
def _slice(vertex, weights, table, start, points, width, x):
    places, w, corners, wide = vertex.reshape(-1), weights.reshape(-1), vertex.shape[1], width // WIDE * WIDE
    for i in range(points):
        k, end = (start + i) * corners, (start + i + 1) * corners
        for c in range(0, wide, WIDE):
            _add_up_wide(x, i * width + c, w, places, k, end, table, 2 * width, c)
        for c in range(wide, width, WIDTH):
            _add_up(x, i * width + c, w, places, k, end, table, 2 * width, c)


@no_type_check
@njit(**COMPILED)
def _splat(vertex, weights, x, start, points, width, table):
    places, w, corners, wide = vertex.reshape(-1), weights.reshape(-1), vertex.shape[1], width // WIDE * WIDE
    for i in range(points):
        k, end = (start + i) * corners, (start + i + 1) * corners
        for c in range(0, wide, WIDE):
            _spread_wide(x, i * width + c, w, places, k, end, table, 2 * width, width + c)
        for c in range(wide, width, WIDTH):
            _spread(x, i * width + c, w, places, k, end, table, 2 * width, width + c)


@no_type_check
@njit(**COMPILED)
def _softmax(x, points, width, half):
    if half:
        for i in range(0, points * width, 4):
            top = max(max(x[i], x[i + 1]), max(x[i + 2], x[i + 3]))
            for j in range(4):
                x[i + j] -= top
    else:
        for i in range(0, points * width, width):
            row, top = x[i : i + width], x[i]
            for c in range(width):
                top = max(top, row[c])
            for c in range(width):
                row[c] -= top
    for i in range(points * width):
        x[i] = _exp(x[i])
    if half:
        for i in range(0, points * width, 4):
            inverse = ONE / ((x[i] + x[i + 1]) + (x[i + 2] + x[i + 3]))
            for j in range(4):
                x[i + j] *= inverse
    else:
        for i in range(0, points * width, width):
            row, total = x[i : i + width], ZERO
            for c in range(width):
                total += row[c]
            inverse = ONE / total
            for c in range(width):
                row[c] *= inverse


@no_type_check
@njit(**COMPILED)
def _exp(x):
    """Return e^x for x ≤ 0 to a relative 3e-6; 0 below -40, for sums of subnormal numbers are slow.

    Vectorised, unlike np.exp.
    """
    t = max(x, np.float32(-40)) * LOG2_E
    whole = np.floor(t + HALF)
    f = (t - whole) * np.float32(0.6931471805599453)
    p = np.float32(1 / 720)
    p = p * f + np.float32(1 / 120)
    p = p * f + np.float32(1 / 24)
    p = p * f + np.float32(1 / 6)
    p = p * f + np.float32(0.5)
    p = p * f + np.float32(1)
    p = p * f + np.float32(1)
    power = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    return p * power if x > -40 else np.float32(0)
