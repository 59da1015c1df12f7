"""What Sequential PatchCore computes, as one module that can be traced for other runtimes."""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import Tensor, nn

from train.anomaly_map import anomaly_map
from train.backbones.static_padding import with_static_padding
from train.detectors.sequential_patchcore.scoring.patches import PatchScores
from train.features import FeatureExtractor

#: Members compared at a time; bounds the table of products, which has a row for each patch.
MEMBERS = 512


class PicturesToScores(nn.Module):
    """Pictures to scores, maps, distances and nearest members.

    Args:
        extractor: of the features.
        members: (M, D) float32.
        patch_scores: how patches are scored; None for plain distances.
        top_share: as for `picture_value`.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        members: Tensor,
        patch_scores: PatchScores | None = None,
        top_share: float = 0.0,
    ) -> None:
        super().__init__()
        self.patch_scores = patch_scores
        self.top_share = Fraction(repr(top_share))
        self.network = with_static_padding(extractor.network).cpu()
        self.first, self.pitch = extractor.first_centre, extractor.pitch
        exact = members.double().cpu()
        centre = exact.mean(0).float()
        centred = exact - centre
        self.register_buffer("centre", centre)
        self.register_buffer("members", centred.float())
        self.register_buffer("norms", centred.square().sum(1).float())
        self.centre: Tensor
        self.members: Tensor
        self.norms: Tensor

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Map (B, H, W, 3) uint8 to (B,), (B, H, W), (B, h, w) and (B, h, w) int64."""
        height, width = pictures.shape[1:3]
        features = self.network(pictures.permute(0, 3, 1, 2).float() / 255)
        distances, nearest = self.nearest(features)
        scores = distances
        if self.patch_scores is not None:
            patches = (features.flatten(0, 2), distances.flatten(), nearest.flatten())
            scores = self.patch_scores(*patches).view(distances.shape)
        pixels = anomaly_map(scores, height, width, self.first, self.pitch)
        return self.value(pixels), pixels, distances, nearest

    def value(self, pixels: Tensor) -> Tensor:
        """Return the (B,) values of (B, H, W) maps as `picture_value` does."""
        if not self.top_share:
            return pixels.amax((1, 2))
        share, flat = self.top_share, pixels.flatten(1)
        # Rounded in whole numbers, which runtimes divide exactly; a half goes up here.
        count = (2 * share.numerator * flat.shape[1] + share.denominator) // (2 * share.denominator)
        return flat.topk(torch.sym_max(count, 1), 1).values.double().mean(1).float()

    def nearest(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distances of (B, h, w, D) features to their nearest members, and these.

        As in `Screen`, the product only chooses the member: near zero its own value would be
        nothing but rounding.
        """
        centred = features - self.centre
        patches = centred.flatten(0, 2)
        lowest, nearest = self._lowest(patches, 0)
        for start in range(MEMBERS, len(self.members), MEMBERS):
            values, rows = self._lowest(patches, start)
            nearer = values < lowest
            lowest = torch.where(nearer, values, lowest)
            nearest = torch.where(nearer, rows, nearest)
        nearest = nearest.view(features.shape[:3])
        difference = centred - self.members[nearest]
        return difference.square().sum(-1).sqrt(), nearest

    def _lowest(self, patches: Tensor, start: int) -> tuple[Tensor, Tensor]:
        chosen = slice(start, start + MEMBERS)
        table = self.norms[chosen] - 2 * (patches @ self.members[chosen].T)
        values, rows = table.min(1)
        return values, rows + start
