"""Detectors from Python: fit, score, save and load in a line each. See docs/api.md.

detector = Detector("sequential_patchcore", size=256).fit(images)
result = detector.score(image)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from stainless import config
from stainless.dataset import ArraySample, Sample, read_as_learned, read_category, record_depth
from stainless.dataset.sample import GOOD
from stainless.errors import InputError
from train.augment import Ranges
from train.detectors import options
from train.detectors.detector import DEFAULT, Context, Score, Trainset, method
from train.detectors.model_file import Model
from train.detectors.request import describe
from train.regions import explained_regions
from train.scoring import at_models_depth, probability, score_picture
from train.verdicts import PICTURE, PIXEL, Labelled, rule_named
from train.verdicts.decision import GIVEN, decide
from train.why import why_picture

#: A picture: (H, W, 3) RGB or (H, W) grey, uint8; or the file of one.
Image = np.ndarray | str | Path


@dataclass(frozen=True)
class Result:
    """What a detector says of a picture.

    Attributes:
        value: score of the picture, higher is more anomalous.
        map: (H, W) float32, score of each pixel; None of a method that gives none.
        regions: connected regions at or above the threshold of pixels, the most anomalous first, as
            `train.regions.regions` describes them; None without such a threshold or a map.
        verdict: "anomalous" or "nominal"; None without a threshold.
        probability: that the picture is defective, of a model that `stainless calibrate` was given;
            else None.
    """

    value: float
    map: np.ndarray | None
    regions: list[dict[str, Any]] | None
    verdict: str | None
    probability: float | None = None


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
        self._learned = False

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
        detector._learned = True
        return detector

    def save(self, path: str | Path) -> None:
        """Write the model to a file, for `load` and for the commands.

        Raises:
            InputError: there is nothing to write before the first fit.
            OSError: the file cannot be written.
        """
        if not self._learned:
            raise InputError("the detector has learned nothing yet, expected fit or load before")
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
        return self._threshold(PIXEL)

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._model.thresholds[PIXEL] = {"value": float(value), "rule": GIVEN}

    @property
    def picture_threshold(self) -> float | None:
        """Score from which on a picture is anomalous; None where any anomalous pixel decides."""
        return self._threshold(PICTURE)

    @picture_threshold.setter
    def picture_threshold(self, value: float) -> None:
        self._model.thresholds[PICTURE] = {"value": float(value), "rule": GIVEN}

    def _threshold(self, of: str) -> float | None:
        entry = self._model.thresholds.get(of)
        return None if entry is None else float(entry["value"])

    def fit(
        self,
        images: Sequence[Image] | None = None,
        *,
        data: str | Path | None = None,
        category: str | None = None,
        white_level: int | None = None,
    ) -> Self:
        """Learn from nominal pictures; a method that continues learns more with every call.

        Args:
            images: the pictures, of any sizes that the method accepts.
            data: instead of images, root folder of a dataset in any layout that `stainless fit`
                reads.
            category: its folder there, of which the training split is taken.
            white_level: the value of white in 16-bit files; None for what the files say.

        Returns:
            This detector.

        Raises:
            InputError: a picture that cannot be used, which leaves the detector as it was; or a
                second fit of a method that does not continue; one line.
        """
        trainset = self._trainset(images, data, category, white_level)
        fits = self._model.metadata.setdefault("fits", [])
        if self._learned and not method(self.method).continues:
            raise InputError(f"a model of {self.method} cannot be continued with other pictures")
        trainset = replace(
            trainset, samples=read_as_learned(self._model.metadata, trainset.samples)
        )
        metadata = dict(self._model.metadata)
        record_depth(metadata, trainset.samples, is_first=not self._learned)
        self._learn(trainset)
        self._learned = True
        self._model.metadata.update(metadata)
        self._model.record_pretrained()
        self._model.thresholds.clear()
        self._model.calibration.clear()
        fits.append({**describe([trainset], self._context), "finished": True})
        return self

    def _learn(self, trainset: Trainset) -> None:
        """Fit; what is left of a fit that fails is thrown away."""
        model, state = self._model, None
        if self._learned:
            arrays, description = model.detector.state()
            state = {name: array.copy() for name, array in arrays.items()}, deepcopy(description)
        try:
            model.detector.fit([trainset])
        except BaseException:
            if state is None:
                model.detector = Model.new(model.method, model.settings, self._context).detector
            else:
                kind = type(model.detector)
                model.detector = kind.from_state(model.settings, *state, self._context)
            raise

    def fit_threshold(self, nominal: Sequence[Image], false_alarms: float = 0.05) -> Self:
        """Find the thresholds that flag a share of other nominal pictures, and set them.

        That of pixels leaves this share of the pictures with any anomalous pixel; that of pictures
        flags this share by their value.

        Args:
            nominal: pictures without defects that the detector has not learned from.
            false_alarms: share of such pictures that may be flagged.

        Returns:
            This detector.

        Raises:
            InputError: no pictures, or a share that is none.
        """
        scores = [self._score(image) for image in nominal]
        found = {PICTURE: np.array([score.value for score in scores])}
        maps = [score.map for score in scores if score.map is not None]
        if maps:
            found[PIXEL] = np.array([scored.max() for scored in maps], np.float32)
        for kind, highest in found.items():
            known = Labelled(highest, np.zeros(len(highest), bool))
            fitted = rule_named("false-alarms", kind).fit(known, false_alarms)
            self._model.thresholds[kind] = fitted.entry()
        return self

    def score(self, image: Image) -> Result:
        """Score a picture.

        Raises:
            InputError: a picture that cannot be used; one line.
        """
        score = self._score(image)
        regions = verdict = None
        if self.threshold is not None and score.map is not None:
            regions = explained_regions(self._model.detector, score, self.threshold)
        decision = decide(self._model.thresholds)
        if decision is not None and (decision.picture is not None or score.map is not None):
            verdict = decision.of(score.value, score.map)["verdict"]
        return Result(score.value, score.map, regions, verdict, probability(self._model, score))

    def why(self, image: Image) -> np.ndarray | None:
        """Return a picture of each anomalous region beside the nominal patch nearest to it.

        Returns:
            (h, w, 3) uint8 RGB; None without a region, a map or a threshold of pixels.

        Raises:
            InputError: a picture that cannot be used; one line.
        """
        score = self._score(image)
        if self.threshold is None or score.map is None:
            return None
        regions = explained_regions(self._model.detector, score, self.threshold)
        return why_picture(_sample(image, "image").load(), regions, self._model.detector)

    def members(self) -> list[dict[str, Any]]:
        """Return what was learned from by classes, as `stainless members` lists it.

        Raises:
            InputError: a method without members.
        """
        rows: list[dict[str, Any]] = self._model.remembering().members()
        return rows

    def weigh(self, **weights: float) -> Self:
        """Let members of classes count more or less; ends all thresholds. See `members`.

        Raises:
            InputError: a method without members, an unknown class or a weight below 0.
        """
        self._model.remembering().weigh(weights)
        self._model.thresholds.clear()
        return self

    def forget(self, *classes: str) -> str:
        """Take members of classes away; ends all thresholds.

        Returns:
            A line that says how many are gone and whether that is exact.

        Raises:
            InputError: a method without members, an unknown class, or too little would be left.
        """
        self._model, line = self._model.forget(classes)
        return line

    def _score(self, image: Image) -> Score:
        if not self._learned:
            raise InputError("the detector has learned nothing yet, expected fit or load before")
        sample = _sample(image, "image")
        if not isinstance(image, np.ndarray):
            (sample,) = at_models_depth(self._model, [sample])
        return score_picture(self._model.detector, sample, sample.load())

    def _trainset(
        self,
        images: Sequence[Image] | None,
        data: str | Path | None,
        category: str | None,
        white_level: int | None,
    ) -> Trainset:
        """Return the pictures to learn from."""
        if images is not None and data is None and category is None:
            samples = [
                _sample(image, f"image {number}", white_level)
                for number, image in enumerate(images)
            ]
            if not samples:
                raise InputError("fit: no images, expected one or more")
            return Trainset("images", samples)
        if images is None and data is not None and category is not None:
            samples = read_category(Path(data), category, "train", white_level=white_level)
            return Trainset(category, samples)
        raise InputError("fit: expected either images, or data and category")


def _sample(image: Image, name: str, white_level: int | None = None) -> Sample:
    """Return a nominal sample of a picture; the name is that of an array."""
    if isinstance(image, np.ndarray):
        return ArraySample.nominal(name, image)
    if not Path(image).is_file():
        raise InputError(f"{image}: no such file")
    return Sample(Path(image), GOOD, None, str(image), str(image), white_level=white_level)


def _context(report: Callable[[str], None] | None = None, **fields: Any) -> Context:
    """Return a context that is silent unless somebody listens."""
    weights = fields.pop("weights", None)
    context = Context(weights=Path(weights) if weights is not None else None, **fields)
    return replace(context, report=report or (lambda line: None))
