"""Pictures whose background is black: everything outside the part but a margin.

Source: Saghir, 2024, section 4.1, the ablation on artifacts of the background. How the part is
found is left open there. Here it is taken from the rendered labels, or told from the black cloth
by its brightness: what Otsu's threshold of the smoothed picture leaves above it, holes closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from stainless.dataset import Sample, load_areas
from stainless.errors import InputError
from stainless.files import replacing
from train.experiments.keys import content, digest

#: Standard deviation of the smoothing before Otsu's threshold, as a share of the longer side.
BLUR = 0.004


def by_threshold(picture: np.ndarray) -> np.ndarray:
    """Return where the largest bright thing of an (H, W, 3) uint8 picture is, (H, W) bool.

    Its holes belong to it.

    Raises:
        InputError: the picture is of one brightness.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if grey.min() == grey.max():
        raise InputError("is of one brightness, so that no part can be told from its background")
    grey = cv2.GaussianBlur(grey, (0, 0), max(0.5, BLUR * max(grey.shape)))
    _, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(outlines, key=cv2.contourArea)
    filled = cv2.drawContours(np.zeros_like(grey), [largest], -1, 1, cv2.FILLED)
    return filled > 0


def by_labels(sample: Sample) -> np.ndarray:
    """Return where the part is, from the areas among a rendered picture's labels.

    Raises:
        InputError: the picture has no areas.
    """
    areas = load_areas(sample)
    if not areas:
        raise InputError(
            f"{sample.image}: has no areas of its part among its labels, expected some; "
            "--black.part threshold finds it by its brightness"
        )
    return np.logical_or.reduce(list(areas.values()))


def blackened(picture: np.ndarray, part: np.ndarray, margin: float) -> np.ndarray:
    """Return an (H, W, 3) picture that is black outside the part.

    Args:
        picture: uint8.
        part: (H, W) bool.
        margin: kept around the part, as a share of the longer side.
    """
    reach = round(margin * max(part.shape))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    kept = cv2.dilate(part.astype(np.uint8), kernel) > 0
    return np.where(kept[..., None], picture, 0).astype(np.uint8)


def black_samples(samples: Sequence[Sample], how: str, margin: float, folder: Path) -> list[Sample]:
    """Return the samples with black backgrounds, written to files; those that are there are kept.

    Args:
        samples: of a dataset; name, label and ground truth stay.
        how: "labels" or "threshold".
        margin: as for `blackened`.
        folder: of the pictures.

    Raises:
        InputError: a part that cannot be found; names the picture.
    """
    found = []
    for sample in samples:
        name = digest([content(sample.image), how, margin])
        path = folder / f"{name}.png"
        if not path.is_file():
            picture = sample.load()
            try:
                part = by_labels(sample) if how == "labels" else by_threshold(picture)
            except InputError as error:
                named = str(sample.image) in str(error)
                raise error if named else InputError(f"{sample.image}: {error}") from None
            _, png = cv2.imencode(".png", blackened(picture, part, margin)[..., ::-1])
            with replacing(path) as beside:
                beside.write_bytes(png.tobytes())
        found.append(replace(sample, image=path))
    return found
