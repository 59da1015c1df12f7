"""GANomaly (Akcay et al., ACCV 2018), anomalib's: encodes, reconstructs, encodes again; no map."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from anomalib.data.utils.image import pad_nextpow2
from anomalib.models.image.ganomaly.loss import DiscriminatorLoss, GeneratorLoss
from anomalib.models.image.ganomaly.torch_model import GanomalyModel
from torch import Tensor

from stainless.dataset import Sample
from train.detectors.anomalib.detector import Network
from train.detectors.anomalib.pictures import Preparation, Reader
from train.detectors.anomalib.trained import Optimiser, Trained
from train.detectors.anomalib.trained_settings import GanomalySettings


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

    def start(self, model: Network, samples: Sequence[Sample], read: Reader) -> None:
        """Nothing is measured before the training."""

    def common_window(self, samples: Sequence[Sample], read: Reader) -> tuple[int, int]:
        """Return the whole square."""
        return self.settings.side, self.settings.side

    def whole(self, picture: Tensor) -> Tensor:
        """Return the picture in its square, so that all are of one size."""
        return pad_nextpow2(picture)

    def optimisers(self, model: Network, total: int, per_epoch: int) -> list[Optimiser]:
        """Return anomalib's two Adams, the discriminator's first."""
        known = self.settings
        return [
            (torch.optim.Adam(half.parameters(), lr=known.learning_rate, betas=known.momenta), None)
            for half in (model.discriminator, model.generator)
        ]

    def update(
        self, model: Network, optimisers: Sequence[Optimiser], batch: Tensor, step: int
    ) -> float:
        """Update the generator, then the discriminator, as anomalib does."""
        (discriminator, _), (generator, _) = optimisers
        padded, fake, latent_in, latent_out = model(batch)
        real, _ = model.discriminator(padded)
        pleased, _ = model.discriminator(fake)
        loss = self.generator_loss(latent_in, latent_out, padded, fake, real, pleased)
        generator.zero_grad()
        loss.backward(retain_graph=True)
        generator.step()
        pleased, _ = model.discriminator(fake.detach())
        other = self.discriminator_loss(real, pleased)
        discriminator.zero_grad()
        other.backward()
        discriminator.step()
        return float(loss.detach())

    def judge(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's value; there is no map."""
        return None, float(model(picture).pred_score)
