"""What SimpleNet learns: an adapter of features, and a discriminator of nominal and noisy ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Slope of the discriminator's leaky ReLU below zero.
SLOPE = 0.2

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
        hidden = max(2 * dimension // 3, 1) if hidden is None else hidden
        self.adapter = nn.Linear(dimension, dimension)
        self.discriminator = nn.Sequential(
            nn.Linear(dimension, hidden),
            nn.BatchNorm1d(hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, 1, bias=False),
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)

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
        nominal = self.adapter(features)
        noisy = nominal + noise * torch.randn_like(nominal)
        scores = self.discriminator(torch.cat([nominal, noisy]))[:, 0]
        high, low = scores[: len(features)], scores[len(features) :]
        loss = (margin - high).clamp(min=0).mean() + (margin + low).clamp(min=0).mean()
        shares = {
            "nominal": float((high.detach() >= margin).float().mean()),
            "noisy": float((low.detach() < -margin).float().mean()),
        }
        return loss, shares

    @torch.inference_mode()
    def adapted(self, features: Tensor) -> Tensor:
        """Map (N, D) features into the space that noise was told apart in."""
        return torch.cat([self.adapter(chunk) for chunk in features.split(CHUNK)])

    @torch.inference_mode()
    def score(self, features: Tensor) -> Tensor:
        """Return how anomalous (N, D) features are: (N,), higher is more; in evaluation mode."""
        chunks = features.split(CHUNK)
        return torch.cat([-self.discriminator(self.adapter(chunk))[:, 0] for chunk in chunks])
