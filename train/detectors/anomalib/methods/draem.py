"""DRAEM (Zavrtanik et al., ICCV 2021), anomalib's: reconstructs, and tells where it had to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from anomalib.data.utils.generators.perlin import PerlinAnomalyGenerator
from anomalib.models.image.draem.loss import DraemLoss
from anomalib.models.image.draem.torch_model import (
    DiscriminativeSubNetwork,
    DraemModel,
    ReconstructiveSubNetwork,
)
from torch import Tensor, nn

from stainless.dataset import list_images
from stainless.errors import InputError
from train.detectors.anomalib.detector import Network
from train.detectors.anomalib.pictures import Preparation
from train.detectors.anomalib.trained import Trained
from train.detectors.anomalib.trained_settings import DraemSettings
from train.training.loop import Update

#: Weight of the self-supervised block's own loss, and epochs after which the learning rate falls.
SSPCAB_WEIGHT, MILESTONES = 0.1, (400, 600)


class Networks(DraemModel):
    """anomalib's pair of networks, as wide as one likes."""

    def __init__(self, width: int, sspcab: bool) -> None:
        nn.Module.__init__(self)
        self.reconstructive_subnetwork = ReconstructiveSubNetwork(base_width=width, sspcab=sspcab)
        self.discriminative_subnetwork = DiscriminativeSubNetwork(
            in_channels=6, out_channels=2, base_width=width // 2
        )


class Draem(Trained[DraemSettings]):
    """An autoencoder that removes artificial anomalies, and a network that marks them."""

    NAME = "draem"

    def prepare(self) -> Preparation:
        """Five halvings; intensities stay as they are."""
        return Preparation(self.settings.side, (0.0,) * 3, (1.0,) * 3, multiple=32)

    def build(self) -> Network:
        """Build both networks and what makes anomalies.

        Raises:
            InputError: the folder of textures holds no picture.
        """
        known = self.settings
        folder = Path(known.textures) if known.textures is not None else None
        if folder is not None and not list_images(folder, deep=True):
            raise InputError(f"--{self.NAME}.textures: {folder}, expected a folder with pictures")
        self.spoil = PerlinAnomalyGenerator(folder, blend_factor=known.blend)
        self.spoil.anomaly_source_paths.sort()
        self.criterion = DraemLoss()
        self.block: dict[str, Tensor] = {}
        model = Networks(known.width, known.sspcab)
        if known.sspcab:
            encoder = model.reconstructive_subnetwork.encoder
            encoder.mp4.register_forward_hook(lambda *a: self.block.update(input=a[2]))
            encoder.block5.register_forward_hook(lambda *a: self.block.update(output=a[2]))
        return model

    def optimisers(self, model: Network) -> dict[str, torch.optim.Optimizer]:
        """Return anomalib's Adam."""
        return {"adam": torch.optim.Adam(model.parameters(), lr=self.settings.learning_rate)}

    def rate(self, start: float, step: int, total: int, per_epoch: int) -> float:
        """Fall to a tenth at each of anomalib's milestones."""
        return start * 0.1 ** sum(step >= epoch * per_epoch for epoch in MILESTONES)

    def update(
        self, model: Network, batch: Tensor, step: int, update: Update
    ) -> Mapping[str, Tensor]:
        """Learn from anomalib's loss of a batch with artificial anomalies."""
        spoilt, masks = self.spoil(batch)
        reconstruction, prediction = model(spoilt)
        loss = self.criterion(batch, reconstruction, masks, prediction)
        if self.settings.sspcab:
            block = nn.functional.mse_loss(self.block["input"], self.block["output"])
            loss = loss + SSPCAB_WEIGHT * block
        update(loss)
        return {"loss": loss}

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map; its value is the largest of it."""
        return model(picture).anomaly_map[:, None], None
