"""Connected anomalous regions of a picture, each with its peak and what explains it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from train.detectors.detector import Detector, Explainable, Score


def regions(
    anomaly_map: np.ndarray,
    threshold: float,
    explain: Callable[[int, int], dict[str, Any] | None] = lambda x, y: None,
) -> list[dict[str, Any]]:
    """Describe each connected region at or above a threshold, the most anomalous first.

    Args:
        anomaly_map: (H, W) float32.
        threshold: score from which on a pixel is anomalous.
        explain: returns the nominal patch that a pixel (x, y) was compared with.

    Returns:
        One JSON-able entry a region (8-connected): "box" [x, y, width, height] and "area" in
        pixels, "score" and "peak" [x, y] of its most anomalous pixel, and "nearest", what
        `explain` returns of the peak.
    """
    anomalous = (anomaly_map >= np.float32(threshold)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(anomalous, connectivity=8)
    found = []
    for label in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[label])
        window = np.s_[y : y + height, x : x + width]
        scores = np.where(labels[window] == label, anomaly_map[window], -np.inf)
        row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        peak = (x + int(column), y + int(row))
        found.append(
            {
                "box": [x, y, width, height],
                "area": area,
                "score": float(scores.max()),
                "peak": list(peak),
                "nearest": explain(*peak),
            }
        )
    return sorted(found, key=lambda region: -region["score"])


def explained_regions(detector: Detector, score: Score, threshold: float) -> list[dict[str, Any]]:
    """Describe the anomalous regions of a picture with what the detector says of their peaks.

    Args:
        detector: that gave the score; "nearest" is None where it is not `Explainable`.
        score: of the picture, with a map.
        threshold: score from which on a pixel is anomalous.
    """
    assert score.map is not None
    if not isinstance(detector, Explainable):
        return regions(score.map, threshold)
    explain = detector.explain
    return regions(score.map, threshold, lambda x, y: explain(score, x, y))
