"""What a detector makes of each flaw: its highest score there with the flaw, and without it.

The flaws of a plate share one render, but each is scored alone: the picture that is scored shows
the plate without flaws, but for all that lies nearer to this flaw than to any other. So no flaw
helps or hides another, however far a detector sees, and every trial is one flaw on one plate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from stainless.dataset import Sample
from stainless.errors import InputError
from train.detectors.detector import Context
from train.detectors.model_file import Model
from train.pod.batches import Plate, plates
from train.pod.design import Outcome, Trial
from train.pod.settings import Settings, Zones
from train.scoring import at_models_depth, score_picture


@dataclass(frozen=True)
class Inspector:
    """A detector that is measured.

    Attributes:
        name: as printed.
        model: file of its model.
        threshold: from which on a pixel is flagged.
    """

    name: str
    model: Path
    threshold: float


@dataclass(frozen=True)
class Scores:
    """The highest scores where a flaw is.

    Attributes:
        flawed: with it.
        bare: at the same place of the twin without it.
    """

    flawed: float
    bare: float

    def hit(self, threshold: float) -> bool | None:
        """Tell whether the flaw is found; None where its place is flagged without it already."""
        return None if self.bare >= threshold else self.flawed >= threshold


@dataclass(frozen=True)
class Response:
    """What became of a trial.

    Attributes:
        trial: the flaw.
        batch: where its plate is.
        grey: mean grey level of the clean plate where it lies, 0 to 255.
        clean: scores on the clean plate.
        impure: scores on the plate with impurities; None where none is near the flaw.
    """

    trial: Trial
    batch: int
    grey: float
    clean: Scores
    impure: Scores | None

    def zone(self, zones: Zones) -> str:
        """Return the zone of the light that it lies in."""
        return zones.of(self.grey)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Response:
        """Return what `to_json` returned."""
        trial = dict(value["trial"])
        x, y = trial.pop("center_mm")
        impure = value["impure"]
        return cls(
            Trial(center_mm=(float(x), float(y)), **trial),
            int(value["batch"]),
            float(value["grey"]),
            Scores(**value["clean"]),
            None if impure is None else Scores(**impure),
        )


def score_batch(
    model: Model, settings: Settings, batch: int, trials: Sequence[Trial], root: Path
) -> list[Response]:
    """Score a batch.

    Args:
        model: the detector.
        settings: of the measurement.
        batch: its number.
        trials: what was placed.
        root: the rendered dataset.

    Returns:
        What became of each trial that is in view, in their order.

    Raises:
        InputError: pictures that are damaged or that the detector cannot use.
    """
    found = []
    of_plate: dict[int, list[Trial]] = {}
    for trial in trials:
        of_plate.setdefault(trial.plate, []).append(trial)
    shown = tqdm(plates(root), f"score batch {batch}", len(of_plate), unit="plate", leave=False)
    for plate in shown:
        found += _of_plate(model, settings, batch, of_plate.get(plate.number, []), plate)
    return found


def _of_plate(
    model: Model, settings: Settings, batch: int, trials: Sequence[Trial], plate: Plate
) -> list[Response]:
    nearest = nearest_flaw(plate.instances)
    clean = _Pair(model, plate.clean, nearest)
    impure = None if plate.stained is None else _Pair(model, plate.stained, nearest)
    found = []
    for number, trial in enumerate(trials, start=1):
        mask = plate.instances == number
        if not mask.any():
            continue
        region = dilated(mask, settings.reach_px)
        near = (plate.impure & dilated(mask, settings.near_px)).any()
        found.append(
            Response(
                trial,
                batch,
                float(clean.bare[region].mean()),
                clean.scores(number, region),
                impure.scores(number, region) if impure is not None and near else None,
            )
        )
    return found


class _Pair:
    """A picture without flaws and its twin with all of them."""

    def __init__(self, model: Model, twins: tuple[Sample, Sample], nearest: np.ndarray) -> None:
        self._model, self._nearest = model, nearest
        self._sample, flawed = at_models_depth(model, twins)
        self.bare, self._flawed = self._sample.load(), flawed.load()
        self._scored = self._map(self.bare)

    def scores(self, number: int, region: np.ndarray) -> Scores:
        """Return the highest scores in a region, with one flaw and without."""
        alone = np.where((self._nearest == number)[..., None], self._flawed, self.bare)
        flawed = self._map(alone)
        return Scores(float(flawed[region].max()), float(self._scored[region].max()))

    def _map(self, picture: np.ndarray) -> np.ndarray:
        found = score_picture(self._model.detector, self._sample, picture).map
        if found is None:
            raise InputError(f"a model of {self._model.method} gives no anomaly maps")
        return found


def nearest_flaw(instances: np.ndarray) -> np.ndarray:
    """Return the number of the flaw that is nearest to each pixel, (H, W); 0 if there is none.

    Args:
        instances: (H, W), number of the flaw at each pixel, 0 for none.
    """
    if not instances.any():
        return np.zeros_like(instances)
    free = (instances == 0).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(
        free, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    numbers = np.zeros(int(labels.max()) + 1, instances.dtype)
    numbers[labels[instances > 0]] = instances[instances > 0]
    return np.asarray(numbers[labels])


def dilated(mask: np.ndarray, reach_px: int) -> np.ndarray:
    """Return a mask and all that is within so many pixels of it."""
    side = 2 * reach_px + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0)


def open_model(inspector: Inspector, context: Context) -> Model:
    """Return the model of an inspector.

    Raises:
        InputError: not a model file, or of a method without anomaly maps.
    """
    from train.detectors.detector import methods

    model = Model.load(inspector.model, context)
    if not methods()[model.method].maps:
        raise InputError(f"{inspector.model}: a model of {model.method} gives no anomaly maps")
    return model


def outcomes(
    settings: Settings, inspectors: Sequence[Inspector], responses: Sequence[Sequence[Response]]
) -> list[Outcome]:
    """Return what the design needs to know of the trials so far, on clean plates.

    Args:
        settings: of the measurement.
        inspectors: the detectors.
        responses: of each detector the same trials.
    """
    found = []
    for of_trial in zip(*responses, strict=True):
        first = of_trial[0]
        found.append(
            Outcome(
                first.trial.cell,
                first.trial.level,
                first.zone(settings.zones),
                first.trial.size,
                tuple(
                    each.clean.hit(inspector.threshold)
                    for each, inspector in zip(of_trial, inspectors, strict=True)
                ),
            )
        )
    return found
