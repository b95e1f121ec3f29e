"""Images padded to few sizes for a network whose library plans every convolution anew for every size, with the results of the unpadded."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

SIDE = 64
"""Sides are padded to multiples of it, in pixels, on a GPU."""
STEPS = 8
"""Numbers of images are rounded up so that at most an eighth of a batch is added; up to sixteen they stay as they are."""
ALIKE = {"_to_copy", "clone", "detach", "alias", "copy", "view_as"}
"""Operations that keep every number at its place and have no tag that says so."""
NORMS = {"native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm"}
"""Batch norms, whose sixth argument says whether they look at the whole batch."""
FROZEN_NORMS = {"_native_batch_norm_legit_no_training", "_batch_norm_no_update"}
POOLS = {"max_pool2d", "max_pool2d_with_indices"}

Size = tuple[int, int]


class NotLocalError(Exception):
    """A network with an operation that looks at more than a window of places, or that is not known here."""


def in_buckets(maps_of: Callable[[Tensor], list[Tensor]], image: Tensor, side: int) -> list[Tensor]:
    """Return the maps of (b, d, h, w) images, computed on images whose sides are multiples of `side`.

    Convolutions and poolings see beyond the border of an image what they see without padding: the padding is cleared before
    each of them.

    Raises: NotLocalError for a network of other operations, which has to take images as they are.
    """
    b, _, h, w = image.shape
    grown = F.pad(image, (0, -w % side, 0, -h % side, 0, 0, 0, images_together(b) - b))
    if grown.shape == image.shape:
        return maps_of(image)
    with _RealSizes(grown, (h, w)) as sizes:
        maps = maps_of(grown)
    return [sizes.cropped(m)[:b] for m in maps]


def images_together(count: int) -> int:
    """Return the number of images that a batch of `count` is padded to.

    >>> [images_together(count) for count in (1, 7, 9, 17, 42, 64)]
    [1, 7, 9, 18, 44, 64]
    """
    step = max(1, (1 << (count - 1).bit_length()) // (2 * STEPS))
    return -(-count // step) * step


class _RealSizes(TorchDispatchMode):
    """The height and width of the real part of every map that comes from a padded image; what lies beyond is cleared before it is seen."""

    def __init__(self, image: Tensor, size: Size):
        super().__init__()
        self.sizes = WeakTensorKeyDictionary()
        self.sizes[image] = size

    def cropped(self, m: Tensor) -> Tensor:
        """Return the real part of a map. Raises NotLocalError for one that does not come from the image place by place."""
        if m not in self.sizes:
            raise NotLocalError("a map that does not come from the image place by place")
        h, w = self.sizes[m]
        return m[..., :h, :w]

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        maps = [value for value in _tensors(args) if value in self.sizes]
        size = self._after(func, args, maps) if maps else None
        result = func(*args, **(kwargs or {}))
        if size is not None:
            for made in _tensors(result if isinstance(result, Sequence) else (result,)):
                if made.ndim == 4:
                    self.sizes[made] = size
        return result

    def _after(self, func: Any, args: tuple, maps: list[Tensor]) -> Size:
        """Return the real size of an operation's result, and clear what it would see beyond the real part of its input."""
        name = func.overloadpacket.__name__.rstrip("_")
        size = self.sizes[maps[0]]
        if any(self.sizes[m] != size or m.shape[2:] != maps[0].shape[2:] for m in maps):
            raise NotLocalError(f"{name} of maps of several sizes")
        if name == "convolution" and not args[6]:
            self._clear(args[0], 0.0)
            return _moved(size, args[1].shape[2:], *args[3:6])
        if name in POOLS and not any(args[5:]):
            self._clear(args[0], float("-inf"))
            kernel, stride, padding, dilation = (*args[1:5], *([], 0, 1)[len(args) - 2 :])
            return _moved(size, kernel, stride or kernel, padding, dilation)
        if name == "constant_pad_nd" and len(args[1]) <= 4 and min(args[1]) >= 0 and not any(args[2:]):
            self._clear(args[0], 0.0)
            left, right, top, bottom = (*args[1], 0, 0)[:4]
            return size[0] + top + bottom, size[1] + left + right
        if _is_pointwise(func, name, args):
            return size
        raise NotLocalError(name)

    def _clear(self, m: Tensor, value: float) -> None:
        h, w = self.sizes[m]
        m[..., h:, :] = value
        m[..., :h, w:] = value


def _is_pointwise(func: Any, name: str, args: tuple) -> bool:
    """Return whether an operation looks at one place of its maps at a time."""
    if name == "cat":
        return len(args) > 1 and args[1] == 1
    if name in NORMS:
        return not args[5]
    return name in ALIKE | FROZEN_NORMS or torch.Tag.pointwise in func.tags


def _moved(size: Size, *how: Any) -> Size:
    """Return the size of a convolution's or pooling's result by kernel, stride, padding and dilation, one number or two each."""
    pairs = [(value, value) if isinstance(value, int) else (value[0], value[-1]) for value in how]
    h, w = (
        (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for n, kernel, stride, padding, dilation in zip(size, *pairs, strict=True)
    )
    return h, w


def _tensors(values: Any) -> Iterator[Tensor]:
    """Yield the tensors among values, and those in lists of them."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
