"""anomalib's SuperSimpleNet, unsupervised: tells features from the same ones with noise added.

Model, anomaly generator, losses, optimiser and learning rates are anomalib's. What differs from its
defaults, mostly because a training of 300 epochs on two processor cores would take days:

* EfficientNet-Lite0, stages of stride 8 and 16, instead of a wide ResNet-50, and the normalisation
  which that backbone was trained with; to score, pictures at their own size.
* It trains for a number of steps, each on one random window of several pictures, instead of 300
  epochs of whole pictures shrunk to 256 x 256. It is therefore far from converged.
* The noise is a share of the features' standard deviation. anomalib's 0.015 is made for the
  features of a ResNet; of these, which deviate by about 4, it would be less than a hundredth.
* The head that scores whole images is neither trained nor asked: no gradient of it reaches the
  anomaly map (anomalib stops it there when unsupervised), and it takes most of the time.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from anomalib.models.image.supersimplenet.loss import SSNLoss
from anomalib.models.image.supersimplenet.torch_model import SupersimplenetModel
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import MultiStepLR
from tqdm import tqdm

from stainless.dataset import Sample, image_size
from stainless.errors import InputError
from train.experiments.baselines.backbone import ARCHITECTURE, LAYERS, read_picture
from train.experiments.baselines.settings import BaselineSettings

#: Pictures from which the standard deviation of the features is taken.
MEASURED = 8

#: Side of a window in pixels at which anomalib's Perlin noise, up to 32 cells fine, no longer fits
#: into the feature map.
TOO_SMALL = 64


def train_supersimplenet(
    samples: Sequence[Sample], settings: BaselineSettings, device: str
) -> SupersimplenetModel:
    """Train for `settings.steps` steps on windows of nominal pictures.

    Memory: half a gigabyte for 8 windows of 128 pixels.

    Raises:
        InputError: a picture cannot be read, or windows are too small.
    """
    side = min([settings.window, *(min(image_size(sample.image)) for sample in samples)])
    if side <= TOO_SMALL:
        raise InputError(
            f"SuperSimpleNet: windows of {side} pixels, expected more than {TOO_SMALL} (of the "
            "setting window and of the smallest nominal picture)"
        )
    model = SupersimplenetModel(backbone=ARCHITECTURE, layers=LAYERS).to(device)
    model.anomaly_generator.noise_std = settings.noise * _spread(model, samples, device)
    criterion = SSNLoss()
    optimizer = AdamW(
        [
            {"params": model.adaptor.parameters(), "lr": 1e-4},
            {"params": model.segdec.seg_head.parameters(), "lr": 2e-4, "weight_decay": 1e-5},
        ]
    )
    milestones = [int(settings.steps * 0.8), int(settings.steps * 0.9)]
    scheduler = MultiStepLR(optimizer, milestones=milestones, gamma=0.4)
    model.train()
    queue: list[int] = []
    for _ in tqdm(range(settings.steps), desc="SuperSimpleNet", unit="step", disable=None):
        while len(queue) < settings.batch:
            queue += torch.randperm(len(samples)).tolist()
        chosen, queue = queue[: settings.batch], queue[settings.batch :]
        windows = [_window(read_picture(samples[index], device), side) for index in chosen]
        loss = map_loss(model, criterion, torch.cat(windows))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return model


def map_loss(model: SupersimplenetModel, criterion: SSNLoss, images: Tensor) -> Tensor:
    """Return that part of anomalib's loss which trains the anomaly map.

    Args:
        model: in training mode.
        criterion: anomalib's.
        images: (B, 3, H, W), normalised and nominal.
    """
    adapted = model.adaptor(model.feature_extractor(images))
    nominal = torch.zeros_like(adapted[:, :1])
    labels = torch.zeros(len(images), device=images.device)
    _, noised, masks, _ = model.anomaly_generator(None, adapted, nominal, labels)
    found = model.segdec.seg_head(noised)
    return criterion.focal_loss(found, masks) + criterion.trunc_l1_loss(found, masks)


def anomaly_map(model: SupersimplenetModel, images: Tensor) -> Tensor:
    """Return anomalib's (B, 1, H, W) anomaly map in [0, 1] of normalised (B, 3, H, W) images."""
    found = model.segdec.seg_head(model.adaptor(model.feature_extractor(images)))
    return model.anomaly_map_generator(found, final_size=images.shape[-2:]).sigmoid()


def _window(picture: Tensor, side: int) -> Tensor:
    """Return a random (1, 3, side, side) window of (1, 3, H, W)."""
    height, width = picture.shape[-2:]
    top = int(torch.randint(height - side + 1, (1,)))
    left = int(torch.randint(width - side + 1, (1,)))
    return picture[..., top : top + side, left : left + side]


def _spread(model: SupersimplenetModel, samples: Sequence[Sample], device: str) -> float:
    """Return the standard deviation of the features of the first pictures."""
    with torch.no_grad():
        values = [
            model.feature_extractor(read_picture(sample, device)).flatten()
            for sample in samples[:MEASURED]
        ]
    return float(torch.cat(values).std())
