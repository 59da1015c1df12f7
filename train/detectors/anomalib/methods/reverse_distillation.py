"""Reverse Distillation (Deng and Li, CVPR 2022), anomalib's: a decoder that imitates an encoder."""

from __future__ import annotations

import torch
from anomalib.models.components.backbone import get_decoder
from anomalib.models.image.reverse_distillation.anomaly_map import AnomalyMapGenerationMode
from anomalib.models.image.reverse_distillation.loss import ReverseDistillationLoss
from anomalib.models.image.reverse_distillation.torch_model import ReverseDistillationModel
from torch import Tensor

from stainless.errors import InputError
from train.detectors.anomalib.detector import Network
from train.detectors.anomalib.pictures import Preparation
from train.detectors.anomalib.trained import Trained
from train.detectors.anomalib.trained_settings import ReverseDistillationSettings
from train.detectors.anomalib.weights import OnWeightFile, fill, hub_file

LAYERS = ("layer1", "layer2", "layer3")


class ReverseDistillation(
    OnWeightFile[ReverseDistillationSettings], Trained[ReverseDistillationSettings]
):
    """Scores places where the decoder cannot imitate the encoder."""

    NAME = "reverse_distillation"
    FROZEN = ("encoder",)

    def published(self) -> tuple[str, str]:
        """Return the encoder and its file.

        Raises:
            InputError: anomalib has no decoder for it.
        """
        option, name = f"--{self.NAME}.backbone", self.settings.backbone
        try:
            get_decoder(name)
        except ValueError:
            raise InputError(f"{option}: {name}, expected a ResNet, such as resnet18") from None
        return hub_file(option, name)

    def prepare(self) -> Preparation:
        """Five halvings."""
        return Preparation(self.settings.side, multiple=32, least=64)

    def build(self) -> Network:
        """Build encoder, bottleneck and decoder; the encoder from the weight file."""
        known = self.settings
        model = ReverseDistillationModel(
            backbone=known.backbone,
            input_size=(256, 256),
            layers=LAYERS,
            anomaly_map_mode=AnomalyMapGenerationMode(known.combine),
            pre_trained=False,
        )
        fill(model.encoder.feature_extractor, self.file, known.backbone)
        self.criterion = ReverseDistillationLoss()
        return model

    def optimisers(self, model: Network) -> dict[str, torch.optim.Optimizer]:
        """Return anomalib's Adam."""
        learned = [*model.decoder.parameters(), *model.bottleneck.parameters()]
        adam = torch.optim.Adam(learned, lr=self.settings.learning_rate, betas=(0.5, 0.99))
        return {"adam": adam}

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map; its value is the largest of it."""
        model.anomaly_map_generator.image_size = tuple(picture.shape[-2:])
        return model(picture).anomaly_map, None
