"""One pass over nominal pictures: picture by picture through the extractor into the coreset.

No more than one picture is held, so memory does not depend on their number. A pass is a function
of the coreset before it, the pictures and the seed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stainless.dataset import Sample
from stainless.dataset.made import made
from stainless.errors import InputError
from train.augment import Augmentation, augment, draw
from train.detectors.detector import Context, Trainset
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.shown import shown_classes
from train.features import FeatureExtractor
from train.patch_grid import GRID_WIDTH, square

#: The random stream of the order of pictures.
ORDER = 0


def run_epoch(
    extractor: FeatureExtractor,
    coreset: Coreset,
    trainsets: Sequence[Trainset],
    context: Context,
    number: int,
    crop_px: int = 0,
    without: Sequence[str] = (),
) -> None:
    """Show all pictures to a coreset once, in place.

    Args:
        extractor: of the features.
        coreset: learns.
        trainsets: concatenated in this order.
        context: with augmentation, seed, order, and the features that are kept.
        number: of the epoch, from 0.
        crop_px: side of the pictures of members that are kept; 0 keeps none.
        without: names of classes whose patches are not shown.

    Raises:
        InputError: a picture that cannot be used; names it.
    """
    sources = [
        coreset.sources.add(
            trainset.name, [sample.name for sample in trainset.samples], _parts(trainset)
        )
        for trainset in trainsets
    ]
    coreset.start_epoch()
    work = [
        (source, index, sample)
        for source, trainset in zip(sources, trainsets, strict=True)
        for index, sample in enumerate(trainset.samples)
    ]
    progress = tqdm(
        _order(context, len(work)),
        desc=f"epoch {number + 1}",
        unit="image",
        disable=None,
        leave=False,
    )
    for place in progress:
        source, index, sample = work[place]
        how = Augmentation()
        if context.augmentation is not None:
            how = draw(context.augmentation, context.seed, place, number)
        features, size, image = _features(extractor, sample, how, context)
        rows, columns, dimension = features.shape
        origin = np.empty((rows * columns, 3), np.int32)
        origin[:, :2] = source, index
        origin[:, 2] = _positions(extractor, rows, columns, size, how)
        classes = shown_classes(
            sample, size, how, (rows, columns), extractor.grid, coreset.notes.classes
        )
        patches, shown = features.view(-1, dimension), np.arange(rows * columns)
        if without:
            wrong = np.isin(classes, coreset.notes.classes.answering(without))
            shown = shown[~wrong]
            patches = patches[torch.from_numpy(shown).to(patches.device)]
        coreset.update(patches, origin[shown], classes[shown])
        if crop_px and coreset.notes.entered:
            entered = {slot: int(shown[k]) for slot, k in coreset.notes.entered.items()}
            image = sample.load() if image is None else image
            _keep_crops(coreset, image, entered, columns, extractor, crop_px)


def _parts(trainset: Trainset) -> dict[int, str]:
    """Return what pictures show, by index, where that is known."""
    parts = ((index, made(sample).part) for index, sample in enumerate(trainset.samples))
    return {index: part for index, part in parts if part is not None}


def _keep_crops(
    coreset: Coreset,
    image: np.ndarray,
    entered: dict[int, int],
    columns: int,
    extractor: FeatureExtractor,
    side: int,
) -> None:
    """Keep pictures of the members that have just entered, as they were seen.

    Args:
        coreset: whose members they are.
        image: (H, W, 3) uint8, as it was shown.
        entered: by slot which patch of the picture it is.
        columns: patches along the width.
        extractor: knows where patches lie.
        side: of a crop in pixels.
    """
    grid = extractor.grid
    for slot, patch in entered.items():
        row, column = divmod(patch, columns)
        x, y = grid.first + column * grid.pitch, grid.first + row * grid.pitch
        coreset.notes.crops[slot] = square(image, x, y, side)


def extract(extractor: FeatureExtractor, image: np.ndarray) -> Tensor:
    """Return the (h, w, D) patch features of an (H, W, 3) uint8 picture.

    Raises:
        InputError: the picture is too small.
    """
    batch = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    return extractor(batch)[0]


def _features(
    extractor: FeatureExtractor, sample: Sample, how: Augmentation, context: Context
) -> tuple[Tensor, tuple[int, int], np.ndarray | None]:
    """Return the features of a picture as it is shown, its height and width, and itself.

    The picture is None where the features were kept: it was not read.
    """
    if context.augmentation is None and context.features is not None:
        return context.features(sample), sample.size(), None
    image = sample.load()
    if context.augmentation is not None:
        image = augment(image, how)
    try:
        return extract(extractor, image), (image.shape[0], image.shape[1]), image
    except InputError as error:
        raise InputError(f"{sample.image}: {error}") from None


def _order(context: Context, count: int) -> list[int]:
    """Return in which order the pictures are shown."""
    if not context.shuffle:
        return list(range(count))
    # Augmentation draws with three keys: (image, epoch, purpose).
    sequence = np.random.SeedSequence(context.seed, spawn_key=(ORDER,))
    return np.random.default_rng(sequence).permutation(count).tolist()


def _positions(
    extractor: FeatureExtractor, rows: int, columns: int, size: tuple[int, int], how: Augmentation
) -> np.ndarray:
    """Return the position of each patch in the picture as it is stored, before any flip."""
    grid = extractor.grid

    def places(cells: int, pixels: int, flipped: bool) -> np.ndarray:
        centres = grid.centres(cells)
        if flipped:
            centres = pixels - 1 - centres
        return grid.cells(centres, cells)

    down = places(rows, size[0], how.flip_vertical)
    across = places(columns, size[1], how.flip_horizontal)
    return (down[:, None] * GRID_WIDTH + across).ravel()
