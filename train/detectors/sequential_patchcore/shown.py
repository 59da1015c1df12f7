"""What the patches of a picture show, as it is shown to a coreset."""

from __future__ import annotations

import numpy as np

from stainless.dataset import Sample, load_annotation
from stainless.dataset.made import UNKNOWN, made
from train.augment import Augmentation, beyond_border
from train.detectors.sequential_patchcore.member_class import (
    BARE,
    BORDER,
    ClassTable,
    MemberClass,
)
from train.patch_classes import patch_classes
from train.patch_grid import PatchGrid

#: Beside the classes of annotations, which have 8 bits.
BORDER_INDEX = 256


def shown_classes(
    sample: Sample,
    size: tuple[int, int],
    how: Augmentation,
    cells: tuple[int, int],
    grid: PatchGrid,
    table: ClassTable,
) -> np.ndarray:
    """Return what lies on each patch: exactly, where the sample is annotated.

    Args:
        sample: its annotation is read anew, so that memory does not depend on their number.
        size: height and width of the picture.
        how: the variation in which it is shown.
        cells: rows and columns of patches.
        grid: where they lie.
        table: receives the classes.

    Returns:
        (rows * columns,) int16 numbers of the table.

    Raises:
        InputError: an annotation that cannot be used; names the file.
    """
    origin = made(sample).how
    pixels = np.zeros(size, np.uint16)
    named = {0: MemberClass(UNKNOWN, origin), BORDER_INDEX: MemberClass(BORDER, origin)}
    if sample.annotation is not None:
        annotation = load_annotation(sample)
        pixels[:] = annotation.classes
        named |= {k: MemberClass(known.name, origin) for k, known in annotation.names.items()}
        named[0] = MemberClass(BARE, origin)
    pixels = pixels[:, ::-1] if how.flip_horizontal else pixels
    pixels = pixels[::-1] if how.flip_vertical else pixels
    if how.border is not None:
        pixels = pixels.copy()
        pixels[beyond_border(*size, how.border)] = BORDER_INDEX
    found = patch_classes(pixels, *cells, grid).ravel()
    numbers = np.zeros(BORDER_INDEX + 1, np.int16)
    for index in np.unique(found).tolist():
        numbers[index] = table.number(named[index])
    return numbers[found]
