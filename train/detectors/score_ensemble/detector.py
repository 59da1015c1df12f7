"""An ensemble of scores: each member says what it says, calibrated, and the joined word counts.

Source: Saghir, "Ensemble Methods for Visual Anomaly Detection in Manufacturing Settings", 2024,
section 2.5: detectors of different kinds are first calibrated, then joined as any others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from tqdm import tqdm

from stainless.errors import InputError
from train.calibration import Calibration
from train.detectors.detector import Arrays, Context, Metadata, Score, Trainset, method
from train.detectors.members import Candidate, Member, gather, packed, pretrained, unpacked
from train.detectors.score_ensemble.scales import Carried, Moments, Nominal, Scale
from train.detectors.score_ensemble.settings import Settings

NAME = "score_ensemble"

JOINS: dict[str, Any] = {"mean": np.mean, "maximum": np.max}


class ScoreEnsemble:
    """Scores pictures and pixels by the mean or the maximum of what several detectors say.

    Args:
        settings: members, calibration, join.
        context: of the fit.

    Raises:
        InputError: settings that cannot be used.
    """

    def __init__(self, settings: Settings, context: Context) -> None:
        settings.validate(NAME)
        self.settings, self.context = settings, context
        self.members: list[Member] = []
        self.scales: list[Scale] = []

    def fit(self, trainsets: Sequence[Trainset]) -> None:
        """Fit the members that are not there yet, and find their scales.

        Raises:
            InputError: a member that cannot be combined, or a picture that cannot be used.
        """
        self.members = gather(self.settings.members, trainsets, self.context, NAME, self._require)
        if self.settings.calibration == "carried":
            self.scales = [_carried(member) for member in self.members]
        else:
            self.scales = list(self._nominal(trainsets))
        self.context.save()

    def _require(self, candidate: Candidate) -> None:
        """Refuse a member without maps, or without the calibration that is wanted."""
        if not method(candidate.method).maps:
            raise InputError(
                f"{NAME}.members: {candidate.word}: {candidate.method} gives no anomaly maps, "
                "expected a method that does; see `stainless methods`"
            )
        calibrated = candidate.stored is not None and candidate.stored.calibration
        if self.settings.calibration == "carried" and not calibrated:
            raise InputError(
                f"{NAME}.members: {candidate.word} carries no calibration, expected a model file "
                f"with one (`stainless calibrate`), or --{NAME}.calibration nominal"
            )

    def _nominal(self, trainsets: Sequence[Trainset]) -> list[Nominal]:
        """Return the scales by the training pictures."""
        samples = [sample for trainset in trainsets for sample in trainset.samples]
        if not samples:
            raise InputError(f"{NAME}: no nominal picture to learn from")
        moments = [Moments() for _ in self.members]
        for sample in tqdm(samples, desc="scoring", unit="image", disable=None):
            picture = sample.load()
            for member, known in zip(self.members, moments, strict=True):
                try:
                    known.add(member.model.detector.score([picture])[0])
                except InputError as error:
                    raise InputError(f"{sample.image}: {error}") from None
        return [known.scale() for known in moments]

    def score(self, images: Sequence[np.ndarray]) -> list[Score]:
        """Score (H, W, 3) uint8 RGB pictures.

        Raises:
            InputError: a picture that a member cannot use, or nothing has been learned.
        """
        if not self.scales:
            raise InputError(f"{NAME}: has learned nothing yet")
        return [self._score(image) for image in images]

    def _score(self, image: np.ndarray) -> Score:
        values, maps = [], []
        for member, scale in zip(self.members, self.scales, strict=True):
            (score,) = member.model.detector.score([image])
            values.append(scale.value(score.value))
            assert score.map is not None
            maps.append(scale.pixels(score.map))
        join = JOINS[self.settings.join]
        return Score(float(join(values)), join(np.stack(maps), axis=0).astype(np.float32))

    def pretrained(self) -> list[Metadata]:
        """Return the published weights that the members need."""
        return pretrained(self.members)

    def state(self) -> tuple[Arrays, Metadata]:
        """Return the members with all that they have learned, and their scales.

        Raises:
            InputError: nothing has been learned.
        """
        if not self.scales:
            raise InputError(f"{NAME}: has learned nothing yet")
        arrays, members = packed(self.members)
        scales = [scale.entry() for scale in self.scales if isinstance(scale, Nominal)]
        return arrays, {"members": members, "scales": scales}

    @classmethod
    def from_state(
        cls, settings: Settings, arrays: Arrays, metadata: Metadata, context: Context
    ) -> Self:
        """Return the detector of a state.

        Raises:
            InputError: it is incomplete, or a member is of other features or weights.
        """
        made = cls(settings, context)
        made.members = unpacked(arrays, metadata.get("members", []), context)
        if settings.calibration == "carried":
            made.scales = [_carried(member) for member in made.members]
        else:
            made.scales = [Nominal(**entry) for entry in metadata.get("scales", [])]
        if not made.scales or len(made.scales) != len(made.members):
            raise InputError("the state has not as many scales as members")
        return made


def _carried(member: Member) -> Carried:
    """Return the scale of the calibration that a member carries.

    Raises:
        InputError: it carries none.
    """
    found = Calibration.from_record(member.model.calibration)
    if found is None:
        raise InputError(f"{member.name} carries no calibration")
    return Carried(found)
