"""From a model and samples to records that metrics and rules can read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tqdm import tqdm

from stainless.dataset import Depth, Sample, at_depth
from stainless.errors import InputError
from stainless.own_files import OwnFiles
from train.calibration import Calibration
from train.detectors.detector import Detector, Score
from train.detectors.model_file import Model
from train.map_files import map_file, write_map
from train.metrics import Records, read_records


def score_picture(detector: Detector, sample: Sample, image: np.ndarray) -> Score:
    """Return the score of a sample's (H, W, 3) uint8 picture.

    Raises:
        InputError: the picture cannot be used; names its file.
    """
    try:
        return detector.score([image])[0]
    except InputError as error:
        named = str(sample.image) in str(error)
        raise error if named else InputError(f"{sample.image}: {error}") from None


def probability(model: Model, score: Score) -> float | None:
    """Return how probable a model holds a defect in a picture; None where it is not calibrated."""
    known = Calibration.from_record(model.calibration)
    return None if known is None else float(known.probability(score.value))


def picture_scores(model: Model, samples: Sequence[Sample]) -> tuple[np.ndarray, np.ndarray]:
    """Return the (N,) scores of pictures, and (N,) bool which of them are defective.

    Raises:
        InputError: a picture cannot be used; names its file.
    """
    values = [score_picture(model.detector, sample, sample.load()).value for sample in samples]
    return np.array(values), np.array([not sample.is_good for sample in samples], bool)


def at_models_depth(model: Model, samples: Sequence[Sample]) -> list[Sample]:
    """Return samples that are read with the white level that the model learned with.

    Where they have another depth than the model learned, `stainless.dataset.at_depth` warns.

    Raises:
        InputError: the model's file says no depth that there is.
    """
    known = model.metadata.get("depth")
    if known is None:
        return list(samples)
    return at_depth(samples, Depth.from_record(known))


@contextmanager
def scored_records(
    model: Model, samples: Sequence[Sample], folder: Path, own: OwnFiles | None = None
) -> Iterator[Records]:
    """Score samples and yield their records, the maps lying in files until the end.

    Args:
        model: scores the images.
        samples: what is scored.
        folder: where the maps are put, 4 bytes a pixel.
        own: keeps them there, as <folder>/maps/<sample name>.npy; None removes them.

    Raises:
        InputError: an image that cannot be used; names its file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    maps = folder / "maps" if own else Path(tempfile.mkdtemp(prefix=".maps.", dir=folder))
    values: dict[str, float] = {}
    mapped = set()
    try:
        for sample in tqdm(samples, desc="scoring", unit="image", disable=None, leave=False):
            score = score_picture(model.detector, sample, sample.load())
            values[sample.name] = score.value
            if score.map is None:
                continue
            mapped.add(sample.name)
            path = map_file(maps, sample.name)
            if own is not None:
                write_map(path, score.map, own.replacing)
            else:
                write_map(path, score.map)
        yield read_records(
            samples,
            lambda sample: map_file(maps, sample.name) if sample.name in mapped else None,
            lambda sample: values[sample.name],
        )
    finally:
        if own is None:
            shutil.rmtree(maps, ignore_errors=True)
