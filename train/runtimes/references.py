"""Pictures that an exported file carries with their scores by PyTorch.

Drawn textures, no photographs: nobody's parts leave the house with a model.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from train.detectors.detector import Score
from train.detectors.exportable import Graph

#: The random stream of the textures.
TEXTURES = 0

#: Pictures in a file, and by how much the sides of a next one grow, in pixels.
COUNT, GROWTH = 3, (29, 43)


def textures(graph: Graph, count: int = COUNT) -> list[np.ndarray]:
    """Return (H, W, 3) uint8 pictures of grooves with a bright spot, of sizes that a graph takes.

    Pairs of neighbours have one size, so that they make batches.
    """
    found = []
    for number in range(count):
        step = (number + 1) // 2
        size = graph.size or (
            graph.smallest + step * GROWTH[0],
            graph.smallest + step * GROWTH[1],
        )
        found.append(texture(*size, seed=number))
    return found


def texture(height: int, width: int, seed: int) -> np.ndarray:
    """Return one of them."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(TEXTURES,)))
    grooves = rng.normal(0, 25, (height, 1)) + rng.normal(0, 6, (height, width))
    tint = rng.normal(0, 8, 3)
    row, column = rng.integers(0, (height, width))
    rows, columns = np.ogrid[:height, :width]
    spot = 90 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 50)
    values = 120 + (grooves + spot)[..., None] + tint
    return np.ascontiguousarray(values.clip(0, 255).round().astype(np.uint8))


def stored(pictures: Sequence[np.ndarray], scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Return pictures and scores as a file keeps them."""
    kept = []
    for picture, score in zip(pictures, scores, strict=True):
        _, data = cv2.imencode(".png", picture[..., ::-1])
        peak = None if score.map is None else float(score.map.max())
        entry = {"png": base64.b64encode(data.tobytes()).decode(), "score": score.value}
        kept.append({**entry, "peak": peak})
    return kept


def pictures(references: Sequence[dict[str, Any]]) -> Iterator[tuple[np.ndarray, Score]]:
    """Yield the pictures of a file with their scores; as maps the highest pixel alone."""
    for entry in references:
        data = np.frombuffer(base64.b64decode(entry["png"]), np.uint8)
        picture = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
        peak = entry["peak"]
        scored_map = None if peak is None else np.full((1, 1), peak, np.float32)
        yield picture, Score(float(entry["score"]), scored_map)
