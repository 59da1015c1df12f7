"""GANomaly (Akcay et al., ACCV 2018), anomalib's: encodes, reconstructs, encodes again; no map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from anomalib.data.utils.image import pad_nextpow2
from anomalib.models.image.ganomaly.loss import DiscriminatorLoss, GeneratorLoss
from anomalib.models.image.ganomaly.torch_model import GanomalyModel
from torch import Tensor

from stainless.dataset import Sample
from train.detectors.anomalib.detector import Network
from train.detectors.anomalib.pictures import Preparation, Reader
from train.detectors.anomalib.trained import Trained
from train.detectors.anomalib.trained_settings import GanomalySettings
from train.training.loop import Update


class Ganomaly(Trained[GanomalySettings]):
    """A generator that must please a discriminator; scores by how its two codes differ."""

    NAME = "ganomaly"

    def prepare(self) -> Preparation:
        """Fit the picture into the square, whose rest anomalib leaves empty."""
        return Preparation(self.settings.side, longer=True)

    def build(self) -> Network:
        """Build generator and discriminator."""
        known = self.settings
        self.generator_loss = GeneratorLoss(known.adversarial, known.contextual, known.encoding)
        self.discriminator_loss = DiscriminatorLoss()
        return GanomalyModel(
            input_size=(known.side, known.side),
            num_input_channels=3,
            n_features=known.features,
            latent_vec_size=known.latent,
            extra_layers=known.extra_layers,
        )

    def common_window(self, samples: Sequence[Sample], read: Reader) -> tuple[int, int]:
        """Return the whole square."""
        return self.settings.side, self.settings.side

    def whole(self, picture: Tensor) -> Tensor:
        """Return the picture in its square, so that all are of one size."""
        return pad_nextpow2(picture)

    def optimisers(self, model: Network) -> dict[str, torch.optim.Optimizer]:
        """Return anomalib's two Adams."""
        known = self.settings
        halves = {"discriminator": model.discriminator, "generator": model.generator}
        return {
            name: torch.optim.Adam(half.parameters(), known.learning_rate, known.momenta)
            for name, half in halves.items()
        }

    def update(
        self, model: Network, batch: Tensor, step: int, update: Update
    ) -> Mapping[str, Tensor]:
        """Let the generator learn, then the discriminator, as anomalib does."""
        padded, fake, latent_in, latent_out = model(batch)
        real, _ = model.discriminator(padded)
        pleased, _ = model.discriminator(fake)
        generator = self.generator_loss(latent_in, latent_out, padded, fake, real, pleased)
        update(generator, "generator")
        real, _ = model.discriminator(padded)
        pleased, _ = model.discriminator(fake.detach())
        discriminator = self.discriminator_loss(real, pleased)
        update(discriminator, "discriminator")
        return {"generator": generator, "discriminator": discriminator}

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's value; there is no map."""
        return None, float(model(picture).pred_score)
