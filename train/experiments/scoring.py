"""From a model to its figures, and to what it flags on each test picture."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stainless.dataset import Sample
from stainless.errors import InputError
from stainless.files import replacing, write_json
from stainless.measure import Watch, peak, restart_peak
from train.calibration import BOUNDED, Calibration, fit_all
from train.calibration.assessment import assess
from train.detectors.detector import Context, Detector, FeatureScoring, Score
from train.detectors.model_file import Model
from train.experiments.experiment import MethodEntry
from train.experiments.feature_store import FeatureStore, store_of
from train.map_files import map_file, read_map, write_map
from train.metrics import Records, anomalous, evaluate, read_records
from train.scoring import score_picture
from train.verdicts.choice import usual_rules
from train.verdicts.fitting import fit_thresholds, labelled, thresholds_of
from train.verdicts.rule import PICTURE, rule_named

#: The two labelled splits.
VALIDATION, TEST = "validation", "test"

Splits = Mapping[str, Sequence[Sample]]


class Scores:
    """Anomaly maps in files and scores of pictures, of the labelled splits.

    Args:
        folder: of the maps, `<split>/<name>.npy`.
        splits: the pictures.
    """

    def __init__(self, folder: Path, splits: Splits) -> None:
        self._folder = folder
        self._splits = splits
        self._values: dict[tuple[str, str], float] = {}

    def add(self, split: str, sample: Sample, score: Score) -> None:
        """Keep what a detector says of a picture.

        Raises:
            InputError: it gives no anomaly map.
        """
        if score.map is None:
            raise InputError("expected a detector that gives anomaly maps")
        self._values[split, sample.name] = score.value
        write_map(self.map_file(split, sample), score.map)

    def map_file(self, split: str, sample: Sample) -> Path:
        """Return where the map of a picture lies."""
        return map_file(self._folder / split, sample.name)

    def records(self, split: str) -> Records:
        """Return the pictures of a split with their maps, scores and ground truth."""
        return read_records(
            self._splits[split],
            lambda sample: self.map_file(split, sample),
            lambda sample: self._values[split, sample.name],
        )


@contextmanager
def scored(
    detector: Detector, store: FeatureStore | None, splits: Splits, near: Path
) -> Iterator[Scores]:
    """Score all pictures and yield what was found, for a while.

    Args:
        detector: scores them.
        store: has their features; None for a detector that scores no features.
        splits: the pictures.
        near: an existing folder on the disk that has room for the maps.

    Raises:
        InputError: a picture that the detector cannot use; names it.
    """
    folder = Path(tempfile.mkdtemp(prefix=".maps.", dir=near))
    scores = Scores(folder, splits)
    try:
        for split, samples in splits.items():
            for sample in samples:
                scores.add(split, sample, _score(detector, store, sample))
        yield scores
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _score(detector: Detector, store: FeatureStore | None, sample: Sample) -> Score:
    if store is not None and isinstance(detector, FeatureScoring):
        return detector.score_features(store(sample), *sample.size())
    return score_picture(detector, sample, sample.load())


def figures_file(out: Path, slug: str, seed: int) -> Path:
    """Return where the figures of a method lie."""
    return out / "figures" / f"{slug}.{seed}.json"


def predictions_folder(out: Path, slug: str) -> Path:
    """Return where the predictions of a method lie."""
    return out / "predictions" / slug


def measure(
    method: MethodEntry,
    model: Path,
    seed: int,
    device: str,
    features: Path | None,
    splits: Splits,
    out: Path,
    key: str,
    predict: bool,
    rules: Mapping[str, tuple[str, float | None]],
) -> None:
    """Score all pictures with a model; write its figures, and if `predict` its predictions.

    The thresholds of pixels and of pictures are fitted to the validation split, the figures are of
    the test split.

    Args:
        method: what the model is of.
        model: its file.
        seed: of this repeat.
        device: where torch computes.
        features: folder where features are kept; None computes them.
        splits: the pictures.
        out: folder of the experiment's results.
        key: name of the figures, kept with them.
        predict: whether to write the anomalous pixels of each test picture, 8-bit PNG.
        rules: of thresholds, as `Pictures.rules`; none for the usual ones.

    Raises:
        InputError: a validation split that no threshold of pixels can be fitted to, or a wrong
            mask.
    """
    detector = Model.load(model, Context(seed=seed, device=device)).detector
    restart_peak()
    watch = Watch()
    with scored(detector, store_of(method, device, features), splits, out) as scores:
        took = {
            **watch.spent(),
            "pictures": sum(len(samples) for samples in splits.values()),
            "peak_memory_mb": peak() / 1e6,
        }
        chosen = {kind: rule_named(rule, kind) for kind, (rule, _) in rules.items()}
        fitted = fit_thresholds(
            scores.records(VALIDATION),
            chosen or usual_rules(splits[VALIDATION]),
            dict(rules.values()),
        )
        thresholds = thresholds_of(fitted)
        if thresholds.pixel is None:
            raise InputError("the validation split has neither masks nor good pictures")
        figures = evaluate(scores.records(TEST), thresholds)
        figures["scoring"] = took
        figures["calibration"] = _calibrated(scores, figures)
        if predict:
            folder = predictions_folder(out, method.slug)
            _predict(splits[TEST], scores, thresholds.pixel, folder)
    write_json(figures_file(out, method.slug, seed), {"key": key, **figures})


def _calibrated(scores: Scores, figures: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how well curves fitted to the validation split are calibrated on the test split.

    None where the validation split has pictures of one class only.
    """
    found = labelled(scores.records(VALIDATION))[PICTURE]
    if found.defective.all() or not found.defective.any():
        return None
    entry = {"split": VALIDATION, "images": len(found.scores)}
    calibration = Calibration(BOUNDED, fit_all(found.scores, found.defective), entry)
    return assess(calibration, figures["per_image"])


def _predict(samples: Sequence[Sample], scores: Scores, threshold: float, folder: Path) -> None:
    """Write which pixels of test pictures are anomalous."""
    for sample in samples:
        found = read_map(scores.map_file(TEST, sample))
        _, png = cv2.imencode(".png", anomalous(found, threshold).astype(np.uint8) * 255)
        with replacing(folder / f"{sample.name}.png") as beside:
            beside.write_bytes(png.tobytes())


def read_figures(path: Path, key: str) -> dict[str, Any] | None:
    """Return the figures in a file that `measure` wrote, None if it is missing or of other inputs.

    Raises:
        InputError: it is damaged.
    """
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        raise InputError(f"{path}: holds no figures, or damaged ones; remove it") from None
    return found if found.get("key") == key else None
