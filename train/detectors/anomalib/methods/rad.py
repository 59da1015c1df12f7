"""RAD (arXiv 2601.22763), anomalib's: tokens of a picture against those of pictures like it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from anomalib.models.image.rad.torch_model import RadModel
from torch import Tensor

from stainless.dataset import Sample
from stainless.errors import InputError
from train.detectors.anomalib.detector import Limit, Network
from train.detectors.anomalib.memory import Remembering
from train.detectors.anomalib.memory_settings import RadSettings
from train.detectors.anomalib.pictures import Preparation, Reader
from train.detectors.anomalib.weights import OnWeightFile, hub_file, transformer_from
from train.detectors.detector import Metadata


class Rad(OnWeightFile[RadSettings], Remembering[RadSettings]):
    """Scores tokens by their cosine distance to those at the same place of similar pictures.

    Memory: all tokens of all blocks of all pictures, 6 MB for a picture of a base transformer.
    """

    NAME = "rad"
    FROZEN = ("feature_extractor",)

    def published(self) -> tuple[str, str]:
        """Return the encoder and its file."""
        return hub_file(f"--{self.NAME}.encoder", self.settings.encoder)

    def prepare(self) -> Preparation:
        """Resize to a square, since tokens are compared place by place."""
        return Preparation(self.settings.side, square=True)

    def build(self) -> Network:
        """Build the model on the transformer of the weight file."""
        known = self.settings
        with transformer_from(known.encoder, self.file) as name:
            return RadModel(
                backbone=name,
                layers=list(known.blocks),
                k_image=known.pictures,
                use_positional_bank=known.positions,
                pos_radius=known.radius,
                max_ratio=known.share,
                bank_dtype=torch.float16 if known.half else None,
            )

    def learn(self, model: Network, samples: Sequence[Sample], read: Reader) -> Metadata:
        """Remember the tokens of all pictures."""
        side, patch = self.settings.side, model.patch_size
        if side is None or side % patch:
            raise InputError(
                f"--{self.NAME}.side: {side}, expected a multiple of {patch}, the encoder's patch"
            )
        model.train()
        seen = 0
        for picture in self.pictures(samples, read, Limit(self.settings.minutes)):
            with torch.no_grad():
                model(picture)
            seen += 1
        model.build_memory_bank()
        self.context.report(f"{self.NAME}: {seen} pictures of {side // patch} x {side // patch}")
        return {"seen": seen}

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map and its value, the mean of the largest share."""
        found = model(picture)
        return found.anomaly_map, float(found.pred_score)
