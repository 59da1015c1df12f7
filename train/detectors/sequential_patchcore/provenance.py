"""Where each member of a coreset was seen: dataset, image, place in the grid of patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Source, image and position of a patch of unknown origin.
UNKNOWN = -1


@dataclass(frozen=True)
class Origin:
    """Where a patch was seen.

    Attributes:
        dataset: name of the source.
        image: path of the image within it.
        position: place of the patch in its grid, numbered as `train.patch_grid` says: its row times
            GRID_WIDTH plus its column.
        part: the physical object that the image shows, such as "plate 12"; None where unknown.
    """

    dataset: str
    image: str
    position: int
    part: str | None = None


class Sources:
    """Names behind the numbers in a provenance array: datasets and their images."""

    def __init__(self) -> None:
        self._datasets: list[str] = []
        self._images: list[dict[int, str]] = []
        self._parts: list[dict[int, str]] = []

    def add(
        self,
        dataset: str,
        images: Mapping[int, str] | Sequence[str],
        parts: Mapping[int, str] | None = None,
    ) -> int:
        """Make a dataset known and return its number.

        Args:
            dataset: its name.
            images: path of each image, by index.
            parts: what an image shows, by index, where that is known.

        The same dataset, with the same path wherever an index is known already, keeps its number.
        """
        named = dict(images) if isinstance(images, Mapping) else dict(enumerate(images))
        for number, (name, known) in enumerate(zip(self._datasets, self._images, strict=True)):
            if name == dataset and all(known.get(i, path) == path for i, path in named.items()):
                known.update(named)
                self._parts[number].update(parts or {})
                return number
        self._datasets.append(dataset)
        self._images.append(named)
        self._parts.append(dict(parts or {}))
        return len(self._datasets) - 1

    def origin(self, row: np.ndarray) -> Origin | None:
        """Return the names behind (3,) source, image, position; None if unknown."""
        source, image, position = (int(value) for value in row)
        if not 0 <= source < len(self._datasets):
            return None
        known = self._images[source].get(image, str(image))
        return Origin(self._datasets[source], known, position, self._parts[source].get(image))

    def include(self, other: Sources, provenance: np.ndarray) -> np.ndarray:
        """Take over the names of other sources; return (N, 3) renumbered provenance."""
        renumbered = provenance.copy()
        entries = zip(other._datasets, other._images, other._parts, strict=True)
        for number, (name, images, parts) in enumerate(entries):
            renumbered[provenance[:, 0] == number, 0] = self.add(name, images, parts)
        return renumbered

    def used(self, provenance: np.ndarray) -> list[dict[str, Any]]:
        """Return, JSON-able, the names of the images that (N, 3) provenance refers to."""
        found: list[dict[str, Any]] = []
        entries = zip(self._datasets, self._images, self._parts, strict=True)
        for number, (name, images, parts) in enumerate(entries):
            wanted = np.unique(provenance[provenance[:, 0] == number, 1]).tolist()
            named = {str(i): images[i] for i in wanted if i in images}
            shown = {str(i): parts[i] for i in wanted if i in parts}
            found.append({"dataset": name, "images": named, **({"parts": shown} if shown else {})})
        return found

    @classmethod
    def from_json(cls, found: Sequence[Mapping[str, Any]]) -> Sources:
        """Return the sources that `used` gave."""
        sources = cls()
        for entry in found:
            sources._datasets.append(entry["dataset"])
            sources._images.append({int(i): path for i, path in entry["images"].items()})
            parts = entry.get("parts", {})
            sources._parts.append({int(i): part for i, part in parts.items()})
        return sources
