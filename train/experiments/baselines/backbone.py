"""This project's backbone under a name by which anomalib's models can build it.

Their constructors take the name of an architecture that timm knows, and some fetch its weights from
the network. So the stages that Sequential PatchCore uses, with the weights of the installed
package, are registered with timm as an architecture of its own; its layers are stage numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from timm.models import FeatureInfo, register_model
from torch import Tensor

from stainless.dataset import Sample
from train.backbones import BACKBONES, Stages
from train.experiments.baselines.settings import BACKBONE

#: timm adds to it what it registers, or makes one that holds nothing else.
__all__ = ["ARCHITECTURE", "LAYERS", "read_picture"]

#: Of stride 8 and 16, as for Sequential PatchCore.
LAYERS = [3, 4]


@register_model
def stainless_stages(out_indices: Sequence[int] = tuple(LAYERS), **ignored: Any) -> Stages:
    """Build the stages for timm's `create_model`.

    Args:
        out_indices: stages counted from 1.
        ignored: what timm and anomalib say about pretrained weights and export.

    Raises:
        InputError: the weights are missing.
    """
    del ignored
    stages = Stages(BACKBONE, tuple(out_indices), None)
    rows = zip(stages.channels, sorted(out_indices), strict=True)
    described = [
        {"num_chs": channels, "reduction": 2**stage, "module": f"stage{stage}"}
        for channels, stage in rows
    ]
    stages.feature_info = FeatureInfo(described, tuple(range(len(described))))
    return stages


#: What anomalib's models are to be built with.
ARCHITECTURE = stainless_stages.__name__


def read_picture(sample: Sample, device: str) -> Tensor:
    """Return a picture as (1, 3, H, W), normalised as the backbone was trained, and no more.

    Raises:
        InputError: it cannot be read.
    """
    known = BACKBONES[BACKBONE]
    pixels = torch.from_numpy(sample.load()).to(device).permute(2, 0, 1)[None]
    mean = torch.tensor(known.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(known.std, device=device).view(1, 3, 1, 1)
    return ((pixels / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
