"""What an ensemble of features learns: the members' projections, and the discriminator of maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from train.detectors.discriminator import (
    discriminator,
    draw_weights,
    scores_of,
    truncated_loss,
)
from train.detectors.feature_ensemble.transformation import Placed, Transformation

#: Patches that go through the discriminator at a time when scoring.
CHUNK = 1 << 14


class Head(nn.Module):
    """Transformation and discriminator.

    Args:
        transformation: members' features to maps.
        hidden: width of the discriminator; None for two thirds of the number of maps.
    """

    def __init__(self, transformation: Transformation, hidden: int | None = None) -> None:
        super().__init__()
        self.transformation = transformation
        self.discriminator = discriminator(transformation.maps, hidden)
        draw_weights(self.discriminator)

    def loss(
        self,
        pictures: Sequence[Sequence[Placed]],
        patches: int | None,
        noise: float,
        margin: float,
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the truncated l1 loss of some pictures.

        Args:
            pictures: what the members give of each.
            patches: of a picture, drawn from torch's global generator; None for all.
            noise: standard deviation of what makes a patch anomalous.
            margin: score beyond which a patch costs nothing.

        Returns:
            The loss; the shares of nominal and of noisy patches beyond their margin, and the AUROC
            of the ones against the others.
        """
        rows = []
        for members in pictures:
            maps = self.transformation(members).flatten(0, 1)
            if patches is not None and len(maps) > patches:
                maps = maps[torch.randperm(len(maps))[:patches].to(maps.device)]
            rows.append(maps)
        nominal, noisy = scores_of(self.discriminator, torch.cat(rows), noise)
        loss, shares = truncated_loss(nominal, noisy, margin)
        return loss, {**shares, "auroc": auroc(nominal.detach(), noisy.detach())}

    @torch.inference_mode()
    def score(self, members: Sequence[Placed]) -> Tensor:
        """Return how anomalous the patches of a picture are: (h, w), higher is more."""
        maps = self.transformation(members)
        chunks = maps.flatten(0, 1).split(CHUNK)
        scores = torch.cat([-self.discriminator(chunk)[:, 0] for chunk in chunks])
        return scores.view(maps.shape[:2])


def auroc(higher: Tensor, lower: Tensor) -> float:
    """Return how often a first score is above a second one; equal ones count half."""
    ordered = lower.sort().values
    below = torch.searchsorted(ordered, higher) + torch.searchsorted(ordered, higher, right=True)
    return float(below.double().mean() / (2 * len(lower)))
