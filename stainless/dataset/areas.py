"""Areas of a product, each of which has a verdict of its own.

They lie beside a picture's other annotations as `<stem>_area.png`, an index a pixel;
`annotations/areas.json` names them: `{"areas": [{"index": 1, "name": "cap"}]}`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stainless.dataset.images import frame_of
from stainless.dataset.layouts import ANNOTATIONS, AREAS
from stainless.dataset.masks import load_indices
from stainless.dataset.sample import Sample
from stainless.dataset.text import read_json
from stainless.errors import InputError


def load_areas(sample: Sample) -> dict[str, np.ndarray]:
    """Return the areas of the product that an image shows, (H, W) bool by name.

    An area that the image does not show is there and empty; without a file of areas there are none.

    Raises:
        InputError: a file is corrupt or of another size, or an index has no name.
    """
    annotation = sample.annotation
    if annotation is None or not annotation.name.endswith("_class.png"):
        return {}
    path = annotation.with_name(annotation.name.removesuffix("_class.png") + "_area.png")
    if not path.is_file():
        return {}
    root = next(folder.parent for folder in path.parents if folder.name == ANNOTATIONS)
    names = _names(root / AREAS)
    indices = load_indices(path, frame_of(sample.image), np.uint8, sample.mask_frame)
    unknown = set(np.unique(indices).tolist()) - {0, *names}
    if unknown:
        raise InputError(f"{path}: has area {min(unknown)}, which areas.json does not name")
    return {name: indices == index for index, name in names.items()}


def read_area_map(path: Path, size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Return the areas in a file that holds for all pictures of a product that never moves.

    Args:
        path: an index a pixel; areas.json lies beside it, or in the folder `annotations` above it.
        size: height and width of the pictures.

    Raises:
        InputError: a file is missing, corrupt or of another size, or an index has no name.
    """
    above = next((folder for folder in path.parents if folder.name == ANNOTATIONS), path.parent)
    names = _names(above / Path(AREAS).name)
    indices = load_indices(path, size, np.uint8)
    unknown = set(np.unique(indices).tolist()) - {0, *names}
    if unknown:
        raise InputError(f"{path}: has area {min(unknown)}, which areas.json does not name")
    return {name: indices == index for index, name in names.items()}


def _names(path: Path) -> dict[int, str]:
    """Return the names of the areas by index."""
    content = read_json(path)
    try:
        entries = content["areas"]
        names = {int(entry["index"]): str(entry["name"]) for entry in entries}
    except (ValueError, KeyError, TypeError, OverflowError):
        raise InputError(f'{path}: expected {{"areas": [{{"index": 1, "name": "cap"}}]}}') from None
    if len(set(names.values())) < len(entries) or not all(1 <= index <= 255 for index in names):
        raise InputError(f"{path}: expected each index from 1 to 255 and each name once")
    return names
