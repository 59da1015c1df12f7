"""Layers of features on one scale, so that none of them outweighs the others in a distance.

The vector of a layer at a place is centred and brought to length 1 (a layer norm without weights,
over the square root of its length). Half the squared distance of two such vectors is then one minus
their correlation, which lies between 0 and 2 whatever network they come from, whatever the depth of
its layer and whatever the picture: nothing has to be measured on pictures first, so that features
of different fits stay comparable and can be melded. A transformer's tokens want it in any case:
their length grows from block to block and says little (its own last norm was learned for the last
block alone).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

#: Beneath the variance, for vectors of equal numbers.
EPSILON = 1e-6


def unit_layers(features: Tensor, channels: Sequence[int]) -> Tensor:
    """Return features whose layers are on one scale, of length 1 together.

    Args:
        features: (..., D).
        channels: numbers of each layer, D together.

    Returns:
        (..., D); each layer has length 1 over the root of their number.
    """
    layers = features.split(list(channels), dim=-1)
    scaled = [
        F.layer_norm(layer, (layer.shape[-1],), eps=EPSILON)
        / math.sqrt(layer.shape[-1] * len(layers))
        for layer in layers
    ]
    return torch.cat(scaled, dim=-1)
