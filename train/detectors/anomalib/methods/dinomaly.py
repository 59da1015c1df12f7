"""Dinomaly (Guo et al., CVPR 2025), anomalib's: a decoder that imitates DINOv2's middle layers."""

from __future__ import annotations

from collections.abc import Sequence

from anomalib.models.image.dinomaly.components import StableAdamW, WarmCosineScheduler
from anomalib.models.image.dinomaly.lightning_model import TRAINING_CONFIG
from anomalib.models.image.dinomaly.lightning_model import Dinomaly as Lightning
from anomalib.models.image.dinomaly.torch_model import DINO_ARCHITECTURES, DinomalyModel
from torch import Tensor, nn

from stainless.dataset import Sample
from stainless.errors import InputError
from train.detectors.anomalib.detector import Network
from train.detectors.anomalib.pictures import Preparation, Reader
from train.detectors.anomalib.trained import Optimiser, Trained, clip
from train.detectors.anomalib.trained_settings import DinomalySettings
from train.detectors.anomalib.weights import OnWeightFile, hub_file, transformer_from

#: Side of DINOv2's patches in pixels.
PATCH = 14


class Dinomaly(OnWeightFile[DinomalySettings], Trained[DinomalySettings]):
    """Scores patches that the decoder cannot imitate."""

    NAME = "dinomaly"
    FROZEN = ("encoder.",)

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

    def start(self, model: Network, samples: Sequence[Sample], read: Reader) -> None:
        """Nothing is measured before the training."""

    def optimisers(self, model: Network, total: int, per_epoch: int) -> list[Optimiser]:
        """Return anomalib's StableAdamW, warmed up and cooled down step by step."""
        rate = self.settings.learning_rate
        learned = nn.ModuleList([model.bottleneck, model.decoder])
        adam = StableAdamW(
            [{"params": learned.parameters()}], **{**TRAINING_CONFIG["optimizer"], "lr": rate}
        )
        warmup = min(TRAINING_CONFIG["scheduler"]["warmup_iters"], total // 2)
        return [(adam, WarmCosineScheduler(adam, rate, rate / 10, total, warmup))]

    def loss(self, model: Network, batch: Tensor, step: int) -> Tensor:
        """Return how far decoder and encoder point apart, the hardest places first."""
        return model(batch, global_step=step)

    def limit_gradient(self, model: Network) -> None:
        """Clip the norm, as anomalib's trainer does."""
        clip(nn.ModuleList([model.bottleneck, model.decoder]), 0.1)

    def judge(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map and its value, the mean of the largest hundredth."""
        found = model(picture)
        return found.anomaly_map, float(found.pred_score)
