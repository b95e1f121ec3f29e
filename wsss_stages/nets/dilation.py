"""Trade a network's strides for dilation, so that pretrained filters see the same context at a finer grid."""

from collections.abc import Iterable

from torch import nn


def dilate(blocks: Iterable[nn.Module], stride: int) -> None:
    """Change blocks, in the order of the data, so that their output stride is at most `stride`.

    Every stride beyond it becomes 1 and every later filter is dilated instead: the à trous equivalent, exact for the
    outputs that both networks have.
    """
    reached, dilation = 1, 1
    for block in blocks:
        trading = False
        for module in block.modules():
            if not isinstance(module, nn.Conv2d | nn.MaxPool2d):
                continue
            kernel, step = _first(module.kernel_size), _first(module.stride)
            if kernel > 1:
                _set_dilation(module, kernel, dilation)
            if step == 1:
                continue
            if kernel == 1:  # a shortcut beside a strided filter, which was met before
                if trading:
                    module.stride = (1, 1)
            elif reached * step > stride:
                module.stride = (1, 1)
                dilation *= step
                trading = True
            else:
                reached *= step


def _set_dilation(module: nn.Conv2d | nn.MaxPool2d, kernel: int, dilation: int) -> None:
    if dilation == 1:
        return
    padding = dilation * (kernel - 1) // 2
    if isinstance(module, nn.Conv2d):
        module.dilation, module.padding = (dilation, dilation), (padding, padding)
    else:
        module.dilation = dilation  # pools keep their padding, which may not exceed half their window
        module.padding = min(padding, kernel // 2)


def _first(size) -> int:
    return size[0] if isinstance(size, tuple) else size
