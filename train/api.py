"""Detectors from Python: fit, score, save and load in a line each. See docs/api.md.

detector = Detector("sequential_patchcore", size=256).fit(images)
result = detector.score(image)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from stainless import config
from stainless.dataset import (
    ArraySample,
    Sample,
    as_picture,
    load_image,
    read_category,
    record_depth,
)
from stainless.dataset.sample import GOOD
from stainless.errors import InputError
from train.augment import Ranges
from train.detectors import options
from train.detectors.detector import DEFAULT, Context, Trainset, method
from train.detectors.model_file import Model
from train.detectors.request import describe
from train.regions import explained_regions
from train.verdicts import PIXEL, Labelled, rule_named

#: A picture: (H, W, 3) RGB or (H, W) grey, uint8; or the file of one.
Image = np.ndarray | str | Path


@dataclass(frozen=True)
class Result:
    """What a detector says of a picture.

    Attributes:
        value: score of the picture, higher is more anomalous.
        map: (H, W) float32, score of each pixel; None of a method that gives none.
        regions: connected regions at or above the detector's threshold, the most anomalous first,
            as `train.regions.regions` describes them; None without a threshold or a map.
    """

    value: float
    map: np.ndarray | None
    regions: list[dict[str, Any]] | None


class Detector:
    """A detector of any method that `stainless methods` lists.

    Args:
        method: its name.
        seed: of all that is drawn.
        device: where torch computes.
        weights: weight file of the backbone; None for the published ones.
        accelerator: "openvino" or None, for features on the processor.
        augment: vary the pictures while learning.
        report: receives a line about the progress of a fit now and then; None for silence.
        settings: keys of the method, as `stainless fit --method NAME --keys` lists them.

    Raises:
        InputError: (a ValueError) unknown method or key, a value that cannot be used, or weights
            that cannot be had; one line.
    """

    def __init__(
        self,
        method: str = DEFAULT,
        *,
        seed: int = 0,
        device: str = "cpu",
        weights: str | Path | None = None,
        accelerator: str | None = None,
        augment: bool = False,
        report: Callable[[str], None] | None = None,
        **settings: Any,
    ) -> None:
        context = _context(
            seed=seed,
            device=device,
            weights=weights,
            accelerator=accelerator,
            augmentation=Ranges() if augment else None,
            report=report,
        )
        chosen = options.from_values(method, settings)
        self._context = context
        self._model = Model.new(method, chosen, context)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        device: str = "cpu",
        weights: str | Path | None = None,
        accelerator: str | None = None,
    ) -> Self:
        """Read a model that `save`, `stainless fit` or `stainless meld` has written.

        Raises:
            InputError: not a model file, a damaged one, or of other weights.
            OSError: the file cannot be read.
        """
        detector = cls.__new__(cls)
        detector._context = _context(device=device, weights=weights, accelerator=accelerator)
        detector._model = Model.load(Path(path), detector._context)
        return detector

    def save(self, path: str | Path) -> None:
        """Write the model to a file, for `load` and for the commands.

        Raises:
            OSError: the file cannot be written.
        """
        self._model.save(Path(path))

    @property
    def method(self) -> str:
        """Name of the method."""
        return self._model.method

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as plain values."""
        plain: dict[str, Any] = config.plain(self._model.settings)
        return plain

    @property
    def threshold(self) -> float | None:
        """Score from which on a pixel is anomalous; None until it is set or fitted."""
        entry = self._model.thresholds.get(PIXEL)
        return None if entry is None else float(entry["value"])

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._model.thresholds[PIXEL] = {"value": float(value), "rule": "given"}

    def fit(
        self,
        images: Sequence[Image] | None = None,
        *,
        data: str | Path | None = None,
        category: str | None = None,
    ) -> Self:
        """Learn from nominal pictures; a method that continues learns more with every call.

        Args:
            images: the pictures, of any sizes that the method accepts.
            data: instead of images, root folder of a dataset in any layout that `stainless fit`
                reads.
            category: its folder there, of which the training split is taken.

        Returns:
            This detector.

        Raises:
            InputError: a picture that cannot be used, or a second fit of a method that does not
                continue; one line.
        """
        trainset = self._trainset(images, data, category)
        fits = self._model.metadata.setdefault("fits", [])
        if fits and not method(self.method).continues:
            raise InputError(f"a model of {self.method} cannot be continued with other pictures")
        self._model.detector.fit([trainset])
        record_depth(self._model.metadata, trainset.samples)
        self._model.thresholds.clear()
        fits.append({**describe([trainset], self._context), "finished": True})
        return self

    def fit_threshold(self, nominal: Sequence[Image], false_alarms: float = 0.05) -> Self:
        """Find the threshold that flags a share of other nominal pictures, and set it.

        Args:
            nominal: pictures without defects that the detector has not learned from.
            false_alarms: share of such pictures that may be flagged.

        Returns:
            This detector.

        Raises:
            InputError: no pictures, or a share that they cannot tell.
        """
        maps = (self._score(image).map for image in nominal)
        highest = np.array([found.max() for found in maps if found is not None], np.float32)
        labelled = Labelled(highest, np.zeros(len(highest), bool))
        fitted = rule_named("false-alarms", PIXEL).fit(labelled, false_alarms)
        self._model.thresholds[PIXEL] = fitted.entry()
        return self

    def score(self, image: Image) -> Result:
        """Score a picture.

        Raises:
            InputError: a picture that cannot be used; one line.
        """
        score = self._score(image)
        threshold = self.threshold
        regions = None
        if threshold is not None and score.map is not None:
            regions = explained_regions(self._model.detector, score, threshold)
        return Result(score.value, score.map, regions)

    def _score(self, image: Image) -> Any:
        if isinstance(image, np.ndarray):
            return self._model.detector.score([as_picture(image, "image")])[0]
        try:
            return self._model.detector.score([load_image(Path(image))])[0]
        except InputError as error:
            known = str(error).startswith(str(image))
            raise (error if known else InputError(f"{image}: {error}")) from None

    def _trainset(
        self, images: Sequence[Image] | None, data: str | Path | None, category: str | None
    ) -> Trainset:
        """Return the pictures to learn from."""
        if images is not None and data is None and category is None:
            samples = [_sample(image, number) for number, image in enumerate(images)]
            if not samples:
                raise InputError("fit: no images, expected one or more")
            return Trainset("images", samples)
        if images is None and data is not None and category is not None:
            return Trainset(category, read_category(Path(data), category, "train"))
        raise InputError("fit: expected either images, or data and category")


def _sample(image: Image, number: int) -> Sample:
    """Return a nominal sample of a picture; arrays are named by their place."""
    if isinstance(image, np.ndarray):
        return ArraySample.nominal(f"image {number}", image)
    if not Path(image).is_file():
        raise InputError(f"{image}: no such file")
    return Sample(Path(image), GOOD, None, str(image), str(image))


def _context(report: Callable[[str], None] | None = None, **fields: Any) -> Context:
    """Return a context that is silent unless somebody listens."""
    weights = fields.pop("weights", None)
    context = Context(weights=Path(weights) if weights is not None else None, **fields)
    return replace(context, report=report or (lambda line: None))
