"""The products X W of Eq. 3.16, for X that never changes: rectified feature maps are mostly zeros, and a CPU can skip them."""

from typing import no_type_check

import numba
import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float
from numba import njit, prange
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_stages.pairwise.compiled import THREADS
from wsss_stages.pairwise.simd import weighted_sum

SPARSE = 0.3
"""Share of numbers that are not 0 below which skipping zeros is faster; MobileNetV2's maps have 0.17."""
COLUMNS = 32
"""Columns of W worked on together: their sums stay in registers, and that part of W, laid out by itself, in the second
cache."""
_add_up = weighted_sum(COLUMNS)


def embedding(X: Float[Tensor, "b n d"], hidden: int) -> "Dense | Sparse":
    """Return the product of X with weights (b, d, hidden) that is fastest: sparse rows on a CPU where X is mostly zeros."""
    sparse = X.device.type == "cpu" and X.dtype == torch.float32 and float((X != 0).float().mean()) < SPARSE
    return Sparse(X, hidden) if sparse else Dense(X)


class Dense:
    """Matrix products."""

    def __init__(self, X: Float[Tensor, "b n d"]):
        self.X = X

    def __call__(self, W: Float[Tensor, "b d hidden"]) -> Float[Tensor, "b n hidden"]:
        """Return X W."""
        return self.X @ W


class Sparse:
    """Rows of X, and of its transpose for the gradient, without their zeros."""

    def __init__(self, X: Float[Tensor, "b n d"], hidden: int):
        self.hidden, self.extra = hidden, -hidden % COLUMNS
        matrices = [scipy.sparse.csr_array(x.numpy()) for x in X]
        self.rows = [(A.data, A.indices, A.indptr.astype(np.int64)) for A in matrices]
        self.columns = [(A.data, A.indices, A.indptr.astype(np.int64)) for A in (A.T.tocsr() for A in matrices)]

    def __call__(self, W: Float[Tensor, "b d hidden"]) -> Float[Tensor, "b n hidden"]:
        """Return X W."""
        return _Product.apply(W, self)

    def times(self, matrices: list[tuple[np.ndarray, ...]], B: Float[Tensor, "b m hidden"]) -> Tensor:
        """Return the product of each of `rows` or `columns` with the part of B that belongs to it."""
        numba.set_num_threads(min(torch.get_num_threads(), THREADS))
        parts = torch.nn.functional.pad(B, (0, self.extra)).unflatten(2, (-1, COLUMNS)).transpose(1, 2).contiguous()
        out = B.new_zeros(*parts.shape[:2], len(matrices[0][2]) - 1, COLUMNS)
        for (values, indices, ends), one, product in zip(matrices, parts, out, strict=True):
            _multiply(values, indices, ends, one.numpy(), product.numpy())
        return out.transpose(1, 2).flatten(2)[:, :, : self.hidden]


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, W: Tensor, X: Sparse) -> Tensor:
        ctx.X = X
        return X.times(X.rows, W.detach())

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        return ctx.X.times(ctx.X.columns, gradient), None


@no_type_check
@njit(nogil=True, fastmath=True, cache=True, error_model="numpy", parallel=True)
def _multiply(values, columns, starts, B, out):
    """Add the sum of values[k] times row columns[k] of B over row i's k to out_i; B and out are (parts, m, 32)."""
    for part in prange(len(B)):
        rows, sums = B[part].reshape(-1), out[part].reshape(-1)
        for i in range(len(starts) - 1):
            _add_up(sums, i * COLUMNS, values, columns, starts[i], starts[i + 1], rows, COLUMNS, 0)
