"""anomalib's PatchCore and PaDiM: one pass over the pictures, then a fit.

What differs from anomalib's defaults, for both:

* EfficientNet-Lite0, stages of stride 8 and 16, instead of a wide ResNet-50 (PatchCore) or a
  ResNet-18 (PaDiM, three layers), and the normalisation which that backbone was trained with.
* Pictures at their own size instead of 256 x 256 pixels.

For PatchCore the ratio of its coreset (default 0.1) is set so that it ends with a given number of
members, and the pictures are thinned out (`BaselineSettings.every`). Borders are padded with zeros,
as in anomalib, where Sequential PatchCore mirrors the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from anomalib.models.image.padim.torch_model import PadimModel
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from torch import nn
from tqdm import tqdm

from stainless.dataset import Sample, image_size
from stainless.errors import InputError
from train.experiments.baselines.backbone import ARCHITECTURE, LAYERS, read_picture
from train.experiments.baselines.settings import BaselineSettings


def train_patchcore(
    samples: Sequence[Sample], settings: BaselineSettings, device: str
) -> PatchcoreModel:
    """Select `settings.size` members among the patches of the pictures.

    Memory: a third of a gigabyte for a hundred thousand patches.
    """
    model = PatchcoreModel(layers=LAYERS, backbone=ARCHITECTURE)
    _remember(model, samples, device)
    patches = sum(len(one) for one in model.embedding_store)
    # Half a member more, since anomalib rounds the product of ratio and count down.
    model.subsample_embedding(min(1.0, (settings.size + 0.5) / patches))
    return model


def train_padim(samples: Sequence[Sample], settings: BaselineSettings, device: str) -> PadimModel:
    """Fit a normal distribution at each place of the grid.

    Memory: three times places x features squared x 4 bytes beside the patches; 0.6 GB for pictures
    of 612 x 512 pixels and 100 features.

    Raises:
        InputError: more features than the stages have, or fewer than two pictures.
    """
    if len(samples) < 2:
        raise InputError(f"PaDiM: learns from {len(samples)} picture, expected 2 or more")
    try:
        model = PadimModel(ARCHITECTURE, LAYERS, n_features=settings.padim_features)
    except ValueError as error:
        raise InputError(f"baseline setting padim_features: {error}") from None
    _remember(model, samples, device)
    model.fit()
    return model


def require_one_size(samples: Sequence[Sample]) -> None:
    """Raise InputError for the first picture of another size than the first of all."""
    height, width = image_size(samples[0].image)
    for sample in samples:
        found = image_size(sample.image)
        if found != (height, width):
            raise InputError(
                f"{sample.image}: is {found[1]}x{found[0]} pixels, expected {width}x{height}: "
                "PaDiM needs pictures of one size"
            )


def _remember(model: nn.Module, samples: Sequence[Sample], device: str) -> None:
    """Let a model in training mode keep the embeddings of all pictures."""
    model.to(device).train()
    for sample in tqdm(samples, desc="features", unit="image", disable=None):
        with torch.no_grad():
            model(read_picture(sample, device))
