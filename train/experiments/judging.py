"""From a coreset, or a baseline's anomaly maps, to the figures of a method and its predictions."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stainless.dataset import Sample, image_size
from stainless.errors import InputError
from stainless.files import replacing, write_json
from train.detectors.sequential_patchcore.model import Detector
from train.experiments.feature_store import FeatureStore, digest
from train.map_files import map_file, read_map, write_map
from train.metrics import (
    CLASS_FIGURES,
    FIGURES,
    anomalous,
    evaluate,
    fit_threshold,
    read_records,
)

#: The two labelled parts.
VALIDATION, TEST = "validation", "test"

Parts = Mapping[str, Sequence[Sample]]


@contextmanager
def maps_of(detector: Detector, store: FeatureStore, parts: Parts, near: Path) -> Iterator[Path]:
    """Score all pictures and yield the folder with their maps, `<part>/<name>.npy`, for a while.

    Args:
        detector: scores them.
        store: has their features.
        parts: the pictures.
        near: an existing folder on the disk that has room for the maps.
    """
    folder = Path(tempfile.mkdtemp(prefix=".maps.", dir=near))
    try:
        for part, samples in parts.items():
            for sample in samples:
                height, width = image_size(sample.image)
                scored = detector.score_features(store(sample), height, width)
                write_map(map_file(folder / part, sample.name), scored.anomaly_map)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def result_file(out: Path, slug: str, seed: int) -> Path:
    """Return where the figures of a method lie."""
    return out / "figures" / f"{slug}.{seed}.json"


def judge(
    maps: Path,
    parts: Parts,
    key: str,
    out: Path,
    predictions: Path | None,
    took: Mapping[str, Any] | None = None,
) -> None:
    """Fit the threshold on the validation split, judge the test split with it, and write both.

    Args:
        maps: folder of the anomaly maps, `<part>/<name>.npy`.
        parts: the pictures.
        key: digest of everything the maps depend on, kept with the result.
        out: JSON file of the result: "key" and what `evaluate` returns.
        predictions: folder for the anomalous pixels of each test picture, 8-bit PNG; or None.
        took: what making the maps took, kept with the result.

    Raises:
        InputError: no defect in the validation split, or a wrong mask.
    """

    def place(part: str) -> Callable[[Sample], Path]:
        return lambda sample: map_file(maps / part, sample.name)

    threshold = fit_threshold(read_records(parts[VALIDATION], place(VALIDATION))).threshold
    result = evaluate(read_records(parts[TEST], place(TEST)), threshold)
    if predictions is not None:
        for sample in parts[TEST]:
            flagged = anomalous(read_map(place(TEST)(sample)), threshold)
            _, png = cv2.imencode(".png", flagged.astype(np.uint8) * 255)
            with replacing(predictions / f"{sample.name}.png") as beside:
                beside.write_bytes(png.tobytes())
    write_json(out, {"key": key, "took": took, **result})


def judged_key(made: str, judged_digest: str) -> str:
    """Return the key of the figures of a coreset, named `made`, on the labelled pictures."""
    return digest([made, judged_digest])


def predictions_folder(out: Path, slug: str) -> Path:
    """Return where the predictions of a method lie."""
    return out / "predictions" / slug


def judged(path: Path, key: str) -> dict[str, Any] | None:
    """Return the result in a file that `judge` wrote, None if it is missing or of other inputs."""
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        raise InputError(f"{path}: is no result, or a damaged one; remove it") from None
    return found if found.get("key") == key else None


def summary(result: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the figures of a result that stand in one line of Table II."""
    return {key: figure.of(result) for key, figure in FIGURES.items()}


def mean_and_spread(values: Sequence[float | None]) -> dict[str, float | None]:
    """Return "mean" and "spread" (standard deviation) over repeats.

    None where undefined: a value that is missing makes both so, a single one has no spread.
    """
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return {"mean": None, "spread": None}
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return {"mean": float(np.mean(known)), "spread": spread}


def class_figures(results: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the figures of each class over the repeats of one method, as the report wants them."""
    figures = {}
    for name, first in results[0]["classes"].items():
        of = [result["classes"][name] for result in results]
        figures[name] = {
            "kind": first["kind"],
            "instances": first["instances"],
            **{key: mean_and_spread([one[key] for one in of]) for key in CLASS_FIGURES},
            "recall": mean_curve([one["recall"] for one in of]),
        }
    return figures


def mean_curve(curves: Sequence[Sequence[float | None]]) -> list[float | None]:
    """Return the mean of curves, point by point; None where a curve has none."""
    return [mean_and_spread(values)["mean"] for values in zip(*curves, strict=True)]
