"""What SimpleNet computes, as one module that can be traced for other runtimes."""

from __future__ import annotations

from torch import Tensor, nn

from train.anomaly_map import anomaly_map
from train.backbones.static_padding import with_static_padding
from train.detectors.detector import PatchPlaces
from train.detectors.simplenet.head import Head
from train.features import FeatureExtractor


class PicturesToScores(nn.Module):
    """Pictures to scores and maps.

    Args:
        extractor: of the features.
        head: tells them from noisy ones.
        places: where the patches lie.
        sigma_px: of the map's blur.
        kernel_px: of the map's blur.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        head: Head,
        places: PatchPlaces,
        sigma_px: float,
        kernel_px: int,
    ) -> None:
        super().__init__()
        self.network = with_static_padding(extractor.network)
        self.head = head
        self.places = (places.first, places.pitch)
        self.blur = (sigma_px, kernel_px)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, H, W, 3) uint8 to (B,) and (B, H, W)."""
        height, width = pictures.shape[1:3]
        features = self.network(pictures.permute(0, 3, 1, 2).float() / 255)
        adapted = self.head.adapter(features.flatten(0, 2))
        scores = -self.head.discriminator(adapted)[:, 0].view(features.shape[:3])
        pixels = anomaly_map(scores, height, width, *self.places, *self.blur)
        return scores.amax((1, 2)), pixels
