"""CPU kernels for the products of a grid with its windows; unlike tiles they touch only pairs inside a window, a third of the work."""

import numba
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.pairwise import window_kernels as kernels

# numba sets it at run time
THREADS: int = numba.config.NUMBA_NUM_THREADS  # pyright: ignore[reportAttributeAccessIssue, reportPrivateImportUsage]
"""As many as numba may start."""


class CompiledWindows:
    """The products of `Tiles`, with the n neighbours of each node as the last axis of all numbers of pairs."""

    def __init__(self, window: list[tuple[int, int]]):
        """Compile the loops of a window of `windows.offsets`, each row symmetric and without gaps.

        Raises ValueError for another.
        """
        counts = np.unique([dy for dy, _ in window], return_counts=True)[1]
        self.count, self.half = len(window), counts // 2
        self.start = counts.cumsum() - counts + self.half
        rows = enumerate(self.half.tolist(), -(len(self.half) // 2))
        if list(window) != [(dy, dx) for dy, half in rows for dx in range(-half, half + 1)]:
            raise ValueError(
                f"found a window of {len(window)} offsets from {tuple(window[0])} to {tuple(window[-1])} with gaps, or of one side; "
                "wanted one that windows.offsets makes, not half of it"
            )

    def layout(self, values: Float[Tensor, "b n h w"]) -> Float[Tensor, "b h w n"]:
        """Return numbers of pairs; 0 where the neighbour lies outside the grid."""
        return values.permute(0, 2, 3, 1).contiguous()

    def dot(self, A: Float[Tensor, "b h w d"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w n"]:
        """Return A_i · B_j."""
        return self._dot(A, B, False)

    def dot_self(self, A: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w n"]:
        """Return A_i · A_j."""
        return self._dot(A, A, True)

    def gather(self, P: Float[Tensor, "b h w n"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w d"]:
        r"""Return :math:`\sum_j P_{ij} B_j`."""
        return self._gather(P, B, 1, 0)

    def gather_back(self, P: Float[Tensor, "b h w n"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w d"]:
        r"""Return :math:`\sum_j P_{ji} B_j`."""
        return self._gather(P, B, 0, 1)

    def gather_both(self, P: Float[Tensor, "b h w n"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w d"]:
        r"""Return :math:`\sum_j (P_{ij} + P_{ji}) B_j`."""
        return self._gather(P, B, 1, 1)

    def _dot(self, A: Tensor, B: Tensor, alike: bool) -> Tensor:
        return self._run(kernels.dot, (A, B), (alike,), A.new_zeros(*A.shape[:3], self.count))

    def _gather(self, P: Tensor, B: Tensor, ahead: int, back: int) -> Tensor:
        return self._run(kernels.gather, (P, B), (ahead, back), B.new_empty(B.shape))

    def _run(self, kernel, inputs: tuple[Tensor, ...], options: tuple[int, ...], out: Tensor) -> Tensor:
        if out.dtype != torch.float32:
            raise TypeError(f"compiled windows work on float32; found {out.dtype}")
        numba.set_num_threads(min(torch.get_num_threads(), THREADS))
        arrays = (x.detach().contiguous().numpy() for x in inputs)
        kernel(*arrays, *options, self.half, self.start, out.numpy())
        return out
