"""SuperSimpleNet (Rolih et al., ICPR 2024), anomalib's, unsupervised.

It tells features from the same ones with noise added. The noise is a share of the features'
standard deviation: anomalib's 0.015 is made for the features of a ResNet; of our backbone's, which
deviate by about 4, it would be less than a hundredth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from anomalib.models.image.supersimplenet.loss import SSNLoss
from anomalib.models.image.supersimplenet.torch_model import SupersimplenetModel
from torch import Tensor
from torch.optim import AdamW

from stainless.dataset import Sample
from stainless.errors import InputError
from train.detectors.anomalib.backbone import STAGES, OnOurBackbone, built_from
from train.detectors.anomalib.detector import Network
from train.detectors.anomalib.pictures import Reader
from train.detectors.anomalib.trained import Trained
from train.detectors.anomalib.trained_settings import SupersimplenetSettings
from train.training.loop import Update

#: Pictures from which the standard deviation of the features is taken.
MEASURED = 8

#: Side of a window in pixels at which anomalib's Perlin noise, up to 32 cells fine, no longer fits
#: into the feature map.
TOO_SMALL = 64


class Supersimplenet(OnOurBackbone[SupersimplenetSettings], Trained[SupersimplenetSettings]):
    """A small head on adapted features, trained on noise.

    Without `picture_head` the head that scores whole pictures is neither trained nor asked: no
    gradient of it reaches the anomaly map (anomalib stops it there when unsupervised), and it takes
    most of the time.

    Memory: half a gigabyte for 8 windows of 128 pixels.
    """

    NAME = "supersimplenet"

    def build(self) -> Network:
        """Build the model on this project's backbone."""
        known = self.settings
        self.criterion = SSNLoss()
        with built_from(known.backbone, self.context.weights):
            return SupersimplenetModel(
                perlin_threshold=known.threshold, backbone=STAGES, layers=sorted(known.stages)
            )

    def start(self, model: Network, samples: Sequence[Sample], read: Reader) -> None:
        """Measure how far the features spread.

        Raises:
            InputError: windows are too small.
        """
        side = min(self.window)
        if side <= TOO_SMALL:
            raise InputError(
                f"{self.NAME}: windows of {side} pixels, expected more than {TOO_SMALL} (of "
                f"--{self.NAME}.window and of the smallest nominal picture)"
            )
        with torch.no_grad():
            values = [
                model.feature_extractor(read(sample, index)).flatten()
                for index, sample in enumerate(samples[:MEASURED])
            ]
        model.anomaly_generator.noise_std = self.settings.noise * float(torch.cat(values).std())

    def optimisers(self, model: Network) -> dict[str, torch.optim.Optimizer]:
        """Return anomalib's AdamW."""
        rate = self.settings.learning_rate
        head = model.segdec if self.settings.picture_head else model.segdec.seg_head
        adam = AdamW(
            [
                {"params": model.adaptor.parameters(), "lr": rate},
                {"params": head.parameters(), "lr": 2 * rate, "weight_decay": 1e-5},
            ]
        )
        return {"adam": adam}

    def rate(self, start: float, step: int, total: int, per_epoch: int) -> float:
        """Fall twice, after 80 and after 90 percent of the steps."""
        for share in (0.8, 0.9):
            if step >= int(total * share):
                start *= 0.4
        return start

    def update(
        self, model: Network, batch: Tensor, step: int, update: Update
    ) -> Mapping[str, Tensor]:
        """Learn from anomalib's loss, or from those terms of it that train the anomaly map."""
        if self.settings.picture_head:
            labels = torch.zeros(len(batch), device=batch.device)
            loss = self.criterion(*model(batch, labels=labels))
        else:
            loss = map_loss(model, self.criterion, batch)
        update(loss)
        return {"loss": loss}

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map in [0, 1] and, where its head was trained, its value."""
        if self.settings.picture_head:
            found = model(picture)
            return found.anomaly_map, float(found.pred_score)
        return anomaly_map(model, picture), None


def map_loss(model: Any, criterion: SSNLoss, images: Tensor) -> Tensor:
    """Return those terms of anomalib's loss that train the anomaly map.

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


def anomaly_map(model: Any, images: Tensor) -> Tensor:
    """Return anomalib's (B, 1, H, W) anomaly map in [0, 1] of normalised (B, 3, H, W) images."""
    found = model.segdec.seg_head(model.adaptor(model.feature_extractor(images)))
    return model.anomaly_map_generator(found, final_size=images.shape[-2:]).sigmoid()
