"""Padding that depends on a picture's size, made constant where the sizes are known well enough.

TensorFlow's padding ("same") is computed from the size of each layer's input. On whole cells of all
strides it is the same for every size, and a traced network is four times smaller without it.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar

import torch.nn.functional as F
from torch import Tensor, nn

N = TypeVar("N", bound=nn.Module)


class PaddedConvolution(nn.Module):
    """A convolution behind constant padding.

    Args:
        convolution: of `Conv2dSame`, whose input's sides are multiples of its stride.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution
        sides: list[int] = []
        axes = zip(convolution.kernel_size, convolution.dilation, convolution.stride, strict=True)
        for kernel, dilation, stride in axes:
            total = max((kernel - 1) * dilation + 1 - stride, 0)
            # The last axis comes first.
            sides[:0] = total // 2, total - total // 2
        self.sides = tuple(sides)

    def forward(self, images: Tensor) -> Tensor:
        """Pad and convolve (B, C, H, W)."""
        known = self.convolution
        padded = F.pad(images, self.sides)
        return F.conv2d(
            padded, known.weight, known.bias, known.stride, 0, known.dilation, known.groups
        )


def with_static_padding(network: N) -> N:
    """Return a copy of a network that is only shown pictures of whole cells of all its strides."""
    from timm.layers import Conv2dSame

    copied = deepcopy(network)
    for name, module in list(copied.named_modules()):
        if isinstance(module, Conv2dSame):
            parent, _, child = name.rpartition(".")
            setattr(copied.get_submodule(parent), child, PaddedConvolution(module))
    return copied
