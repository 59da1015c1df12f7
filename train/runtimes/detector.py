"""An exported file as a detector: it scores and explains, and learns nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from stainless.errors import InputError
from train.detectors.detector import Arrays, Context, Metadata, Score, Trainset
from train.detectors.exportable import DISTANCES, MAP, NEAREST, SCORE
from train.detectors.model_file import Model
from train.patch_grid import PatchGrid
from train.runtimes.engine import Engine, engine
from train.runtimes.exported_file import ExportedFile, read_exported

#: Pictures of one size that are scored at a time.
BATCH = 8

FIXED = "an exported model only scores; fit the model that it was made of, and export it again"


class ExportedDetector:
    """Scores pictures with a runtime.

    Args:
        file: what was exported.
        engine: the runtime.

    Raises:
        InputError: the runtime cannot read the network.
    """

    def __init__(self, file: ExportedFile, engine: Engine) -> None:
        self.file, self.engine = file, engine
        try:
            self._run = engine.load(file.network)
        except Exception as error:  # each runtime has exceptions of its own
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{engine.name} cannot read the network: {reason}") from None

    def score(self, images: Sequence[np.ndarray]) -> list[Score]:
        """Score (H, W, 3) uint8 RGB pictures; neighbours of one size go together.

        Raises:
            InputError: a picture of a size that the network does not take.
        """
        scores: list[Score] = []
        while len(scores) < len(images):
            start = len(scores)
            shape = images[start].shape
            self._require_size(*shape[:2])
            end = start + 1
            while end < min(len(images), start + BATCH) and images[end].shape == shape:
                end += 1
            scores += self._scored(np.stack(images[start:end]))
        return scores

    def _require_size(self, height: int, width: int) -> None:
        size, least = self.file.size, self.file.smallest
        if size is not None and [height, width] != size:
            raise InputError(
                f"image of {width}x{height} pixels, expected {size[1]}x{size[0]}: the model "
                "takes pictures of one size"
            )
        if min(height, width) < least:
            raise InputError(
                f"image of {width}x{height} pixels is too small: the model needs {least} pixels"
            )

    def _scored(self, batch: np.ndarray) -> list[Score]:
        found = dict(zip(self.file.outputs, self._run(batch), strict=True))
        values, maps = found.pop(SCORE), found.pop(MAP, None)
        return [
            Score(
                float(values[place]),
                None if maps is None else maps[place],
                {name: array[place] for name, array in found.items()},
            )
            for place in range(len(batch))
        ]

    def explain(self, score: Score, x: int, y: int) -> dict[str, Any] | None:
        """Return the nominal patch that is nearest to the patch at a pixel, and its distance."""
        known = self.file.grid
        if known is None or NEAREST not in score.detail:
            return None
        nearest, grid = score.detail[NEAREST], PatchGrid(known["first"], known["pitch"])
        row, column = grid.cell(y, nearest.shape[0]), grid.cell(x, nearest.shape[1])
        member = self.file.members[int(nearest[row, column])]
        if member is None:
            return None
        here = {
            "distance": float(score.detail[DISTANCES][row, column]),
            "patch": list(grid.box(row, column)),
        }
        return {**member, **{key: value for key, value in here.items() if key in member}}

    def fit(self, trainsets: Sequence[Trainset]) -> None:
        """Refuse: what is exported is finished."""
        raise InputError(FIXED)

    def state(self) -> tuple[Arrays, Metadata]:
        """Refuse: what was learned lies in the network."""
        raise InputError(FIXED)

    @classmethod
    def from_state(
        cls, settings: Any, arrays: Arrays, metadata: Metadata, context: Context
    ) -> Self:
        """Refuse: it comes from a file of its own kind."""
        raise InputError(FIXED)


def open_exported(path: Path, runtime: str | None = None) -> Model:
    """Return the model of an exported file.

    Args:
        path: of the file.
        runtime: what computes; None for what the file was exported to.

    Raises:
        InputError: as `read_exported` and `engine`.
        OSError: the file cannot be read.
    """
    file = read_exported(path)
    used = engine(runtime) if runtime else engine(file.runtime, f"{path}: --runtime")
    try:
        detector = ExportedDetector(file, used)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return Model(
        file.method, file.settings, detector, file.metadata, file.thresholds, file.calibration
    )
