"""Dinomaly (Guo et al., CVPR 2025), anomalib's: a decoder that imitates DINOv2's middle layers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from anomalib.models.image.dinomaly.components import StableAdamW
from anomalib.models.image.dinomaly.lightning_model import TRAINING_CONFIG
from anomalib.models.image.dinomaly.lightning_model import Dinomaly as Lightning
from anomalib.models.image.dinomaly.torch_model import DINO_ARCHITECTURES, DinomalyModel
from torch import Tensor, nn

from stainless.errors import InputError
from train.detectors.anomalib.detector import Network
from train.detectors.anomalib.pictures import Preparation
from train.detectors.anomalib.trained import Trained
from train.detectors.anomalib.trained_settings import DinomalySettings
from train.detectors.anomalib.weights import OnWeightFile, hub_file, transformer_from
from train.training.loop import Update

#: Side of DINOv2's patches in pixels.
PATCH = 14


class Dinomaly(OnWeightFile[DinomalySettings], Trained[DinomalySettings]):
    """Scores patches that the decoder cannot imitate."""

    NAME = "dinomaly"
    FROZEN = ("encoder",)
    CLIP = 0.1

    def published(self) -> tuple[str, str]:
        """Return the encoder and its file.

        Raises:
            InputError: anomalib knows no layers of it.
        """
        option, name = f"--{self.NAME}.encoder", self.settings.encoder
        sizes = [size for size in DINO_ARCHITECTURES if size in name]
        if "dino" not in name or f"patch{PATCH}" not in name or not sizes:
            raise InputError(f"{option}: {name}, expected a DINOv2 transformer of timm's")
        return hub_file(option, name)

    def prepare(self) -> Preparation:
        """Continue pictures to whole patches."""
        return Preparation(self.settings.side, multiple=PATCH, least=2 * PATCH)

    def build(self) -> Network:
        """Build bottleneck and decoder on the transformer of the weight file."""
        known = self.settings
        with transformer_from(known.encoder, self.file) as name:
            model = DinomalyModel(
                encoder_name=name,
                bottleneck_dropout=known.dropout,
                use_context_recentering=known.recentering,
            )
        model.requires_grad_(False)
        learned = nn.ModuleList([model.bottleneck, model.decoder]).requires_grad_(True)
        Lightning._initialize_trainable_modules(learned)
        return model

    def optimisers(self, model: Network) -> dict[str, torch.optim.Optimizer]:
        """Return anomalib's StableAdamW."""
        rate = self.settings.learning_rate
        learned = nn.ModuleList([model.bottleneck, model.decoder])
        adam = StableAdamW(
            [{"params": learned.parameters()}], **{**TRAINING_CONFIG["optimizer"], "lr": rate}
        )
        return {"adam": adam}

    def rate(self, start: float, step: int, total: int, per_epoch: int) -> float:
        """Warm up along a line, then fall to a tenth along a cosine."""
        warmup = min(TRAINING_CONFIG["scheduler"]["warmup_iters"], total // 2)
        if step < warmup:
            return start * step / max(1, warmup - 1)
        progress = (step - warmup) / (total - warmup)
        return start * (0.1 + 0.45 * (1 + math.cos(math.pi * progress)))

    def update(
        self, model: Network, batch: Tensor, step: int, update: Update
    ) -> Mapping[str, Tensor]:
        """Learn from how far decoder and encoder point apart, the hardest places first."""
        loss = model(batch, global_step=step)
        update(loss)
        return {"loss": loss}

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map and its value, the mean of the largest hundredth."""
        found = model(picture)
        return found.anomaly_map, float(found.pred_score)
