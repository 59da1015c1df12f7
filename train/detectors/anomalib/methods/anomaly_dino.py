"""AnomalyDINO (Damm et al., WACV 2025), anomalib's: a memory of DINOv2's patch tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from anomalib.models.image.anomaly_dino.torch_model import AnomalyDINOModel
from torch import Tensor

from stainless.dataset import Sample
from stainless.errors import InputError
from train.detectors.anomalib.detector import Limit, Network
from train.detectors.anomalib.memory import Remembering
from train.detectors.anomalib.memory_settings import AnomalyDinoSettings
from train.detectors.anomalib.pictures import Preparation, Reader
from train.detectors.anomalib.weights import OnWeightFile, hub_file, transformer_from
from train.detectors.detector import Metadata


class AnomalyDino(OnWeightFile[AnomalyDinoSettings], Remembering[AnomalyDinoSettings]):
    """Scores patches by their cosine distance to all those of the nominal pictures."""

    NAME = "anomaly_dino"
    FROZEN = ("feature_encoder",)

    def published(self) -> tuple[str, str]:
        """Return the encoder and its file."""
        return hub_file(f"--{self.NAME}.encoder", self.settings.encoder)

    def prepare(self) -> Preparation:
        """Resize with a cubic filter, as anomalib does for this method."""
        return Preparation(self.settings.side, mode="bicubic", least=28)

    def build(self) -> Network:
        """Build the model on the transformer of the weight file."""
        known = self.settings
        with transformer_from(known.encoder, self.file) as name:
            return AnomalyDINOModel(
                num_neighbours=known.neighbours,
                encoder_name=name,
                masking=known.masking,
                coreset_subsampling=known.ratio is not None,
                sampling_ratio=known.ratio or 1.0,
            )

    def learn(self, model: Network, samples: Sequence[Sample], read: Reader) -> Metadata:
        """Remember the tokens of all pictures."""
        model.train()
        for picture in self.pictures(samples, read, Limit(self.settings.minutes)):
            with torch.no_grad():
                model(picture)
        seen = len(model.embedding_store)
        try:
            model.fit()
        except ValueError as error:
            raise InputError(f"--{self.NAME}.ratio: {self.settings.ratio}: {error}") from None
        members = len(model.memory_bank)
        if members == 0:
            raise InputError(f"--{self.NAME}.masking: true, but all patches look like background")
        if members < self.settings.neighbours:
            raise InputError(
                f"--{self.NAME}.neighbours: {self.settings.neighbours}, expected at most the "
                f"{members} members"
            )
        self.context.report(f"{self.NAME}: {members} members from {seen} pictures")
        return {"seen": seen, "members": members}

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map and its value, the mean of the largest hundredth."""
        found = model(picture)
        return found.anomaly_map, float(found.pred_score)
