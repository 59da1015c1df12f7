"""What SimpleNet learns: an adapter of features, and a discriminator of nominal and noisy ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from train.detectors.discriminator import discriminator, draw_weights, scores_of, truncated_loss

#: Features that go through the networks at a time when scoring.
CHUNK = 1 << 14


class Head(nn.Module):
    """Adapter and discriminator (Liu et al., CVPR 2023, section 3.2 to 3.4).

    Args:
        dimension: length D of a feature.
        hidden: width of the discriminator; None for two thirds of D: 1024 of the published 1536.
    """

    def __init__(self, dimension: int, hidden: int | None = None) -> None:
        super().__init__()
        self.adapter = nn.Linear(dimension, dimension)
        self.discriminator = discriminator(dimension, hidden)
        draw_weights(self)

    def loss(
        self, features: Tensor, noise: float, margin: float
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the truncated l1 loss of a batch, and how many features it tells apart.

        Args:
            features: (N, D), nominal.
            noise: standard deviation of what makes an adapted feature anomalous.
            margin: th+ of the paper, and -th-.

        Returns:
            The loss; the shares of nominal and of noisy features beyond their margin.
        """
        scores = scores_of(self.discriminator, self.adapter(features), noise)
        return truncated_loss(*scores, margin)

    @torch.inference_mode()
    def adapted(self, features: Tensor) -> Tensor:
        """Map (N, D) features into the space that noise was told apart in."""
        return torch.cat([self.adapter(chunk) for chunk in features.split(CHUNK)])

    @torch.inference_mode()
    def score(self, features: Tensor) -> Tensor:
        """Return how anomalous (N, D) features are: (N,), higher is more; in evaluation mode."""
        chunks = features.split(CHUNK)
        return torch.cat([-self.discriminator(self.adapter(chunk))[:, 0] for chunk in chunks])
