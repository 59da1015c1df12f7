"""A detector: extractor and coreset together, one file on disk, and what it says of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from stainless.errors import InputError
from train.anomaly_map import anomaly_map
from train.detectors.sequential_patchcore.coreset import Coreset
from train.features import FeatureExtractor
from train.patch_grid import GRID_WIDTH


@dataclass(frozen=True)
class Scored:
    """What was found on one image.

    Attributes:
        anomaly_map: (H, W) float32, distance to nominal per pixel.
        distances: (h, w) float32, distance of each patch to its nearest member.
        nearest: (h, w) int64, row of that member in the coreset.
    """

    anomaly_map: np.ndarray
    distances: np.ndarray
    nearest: np.ndarray

    @property
    def score(self) -> float:
        """Score of the image: its most anomalous pixel."""
        return float(self.anomaly_map.max())


class Detector:
    """Scores images by the distance of their patches to a coreset of nominal ones.

    Args:
        extractor: where the features come from.
        coreset: of that extractor's features.

    Raises:
        InputError: the coreset was built on other features.
    """

    def __init__(self, extractor: FeatureExtractor, coreset: Coreset) -> None:
        coreset.require(extractor.identity(), "the feature extractor")
        self.extractor = extractor
        self.coreset = coreset

    @classmethod
    def load(
        cls,
        path: Path,
        backbone: str | None = None,
        weights: str | Path | None = None,
        device: str | torch.device = "cpu",
        accelerator: str | None = None,
    ) -> Detector:
        """Read a model file and build the extractor that it was fitted with.

        Args:
            path: a coreset file.
            backbone: what the caller expects; None for whatever the file says.
            weights: as for `FeatureExtractor`.
            device: where to compute.
            accelerator: as for `FeatureExtractor`.

        Raises:
            InputError: not a model file, truncated or altered, of another backbone or weights.
            OSError: the file cannot be read.
        """
        coreset = Coreset.load(path, device=device)
        known = coreset.identity
        if backbone is not None and backbone != known.get("backbone"):
            raise InputError(
                f"{path}: was fitted with {known.get('backbone')}, not with {backbone}"
            )
        try:
            build = partial(
                FeatureExtractor,
                known["backbone"],
                known["stages"],
                known["pool_kernel"],
                known["pool_stride"],
            )
        except KeyError as missing:
            raise InputError(f"{path}: does not say its {missing}, so it is no model") from None
        extractor = build(weights=weights, device=device, accelerator=accelerator)
        if extractor.identity()["weights"] != known.get("weights"):
            raise InputError(
                f"{path}: was fitted with other weights of {known['backbone']}; give them with "
                "--weights"
            )
        return cls(extractor, coreset)

    @property
    def threshold(self) -> float | None:
        """Score from which on a pixel is anomalous; None until it is set for these members."""
        event = self.threshold_event
        return None if event is None else float(event["threshold"])

    @property
    def threshold_event(self) -> dict[str, Any] | None:
        """What `set_threshold` recorded last; None until it is set for these members."""
        for event in reversed(self.coreset.history):
            if event["event"] == "threshold":
                return event
            if event["event"] in ("epoch", "meld"):
                return None
        return None

    def set_threshold(self, threshold: float, **how: Any) -> None:
        """Record a threshold and, JSON-able, how it was found."""
        self.coreset.history.append({"event": "threshold", "threshold": threshold, **how})

    def features(self, image: np.ndarray) -> Tensor:
        """Return the (h, w, D) patch features of an (H, W, 3) uint8 picture.

        Raises:
            InputError: the image is too small.
        """
        batch = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
        return self.extractor(batch)[0]

    def features_of(self, image: np.ndarray, path: Path) -> Tensor:
        """Do as `features`, naming the file of a picture that cannot be used."""
        try:
            return self.features(image)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None

    def score(self, image: np.ndarray) -> Scored:
        """Score one picture.

        Args:
            image: (H, W, 3) uint8 RGB, of any size.

        Raises:
            InputError: the image is too small.
        """
        return self.score_features(self.features(image), *image.shape[:2])

    def score_features(self, features: Tensor, height: int, width: int) -> Scored:
        """Score the (h, w, D) features of a picture of `height` by `width` pixels."""
        rows, columns, dimension = features.shape
        distances, members = self.coreset.nearest(features.view(-1, dimension))
        grid = distances.view(rows, columns)
        pixels = anomaly_map(grid, height, width, self.extractor.first_centre, self.extractor.pitch)
        return Scored(
            pixels.cpu().numpy(), grid.cpu().numpy(), members.view(rows, columns).cpu().numpy()
        )

    def regions(self, scored: Scored, threshold: float) -> list[dict[str, Any]]:
        """Describe each connected anomalous region, the most anomalous first.

        Returns:
            One JSON-able entry a region: "box" [x, y, width, height] and "area" in pixels, "score"
            and "peak" [x, y] of its most anomalous pixel, and "nearest": "dataset", "image" and
            "box" of the nominal patch which the patch at the peak is nearest to, and its
            "distance"; None if the coreset does not know where that patch was seen.
        """
        anomalous = (scored.anomaly_map >= np.float32(threshold)).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(anomalous, connectivity=8)
        found = []
        for label in range(1, count):
            x, y, width, height, area = (int(value) for value in stats[label])
            window = np.s_[y : y + height, x : x + width]
            scores = np.where(labels[window] == label, scored.anomaly_map[window], -np.inf)
            row, column = np.unravel_index(int(scores.argmax()), scores.shape)
            peak = (x + int(column), y + int(row))
            found.append(
                {
                    "box": [x, y, width, height],
                    "area": area,
                    "score": float(scores.max()),
                    "peak": list(peak),
                    "nearest": self._nearest_nominal(scored, peak),
                }
            )
        return sorted(found, key=lambda region: -region["score"])

    def _nearest_nominal(self, scored: Scored, peak: tuple[int, int]) -> dict[str, Any] | None:
        rows, columns = scored.nearest.shape
        patches = self.extractor.grid
        row, column = patches.cell(peak[1], rows), patches.cell(peak[0], columns)
        origin = self.coreset.origin(int(scored.nearest[row, column]))
        if origin is None:
            return None
        return {
            "dataset": origin.dataset,
            "image": origin.image,
            "box": list(patches.box(*divmod(origin.position, GRID_WIDTH))),
            "distance": float(scored.distances[row, column]),
        }
