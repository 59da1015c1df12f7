"""The settings of the ensemble of scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from train.detectors import member_words
from train.detectors.detector import Method


@dataclass(frozen=True)
class Settings:
    """Members, how their scores are made comparable, and how they are joined.

    Attributes:
        members: what is combined: model files (FILE.safetensors), or methods with keys of their own
            ("simplenet steps=200"), which are fitted on the spot.
        calibration: carried takes the probabilities of the calibration that each member's file
            carries; nominal takes off the mean of a member's scores over the training pictures and
            divides by their standard deviation.
        join: mean or maximum of what the members say.
    """

    members: tuple[str, ...] = ("simplenet", "patchcore")
    calibration: Literal["carried", "nominal"] = "carried"
    join: Literal["mean", "maximum"] = "mean"

    def validate(self, key: str = "score_ensemble") -> None:
        """Check the members' words.

        Raises:
            InputError: one of them cannot be used; the message begins with `key` and its name.
        """
        member_words.check(self.members, key)


METHODS = {
    "score_ensemble": Method(
        settings=Settings,
        detector="train.detectors.score_ensemble.detector:ScoreEnsemble",
        summary="mean or maximum of the calibrated scores and maps of several detectors",
        combines=True,
        small={
            "members": ("simplenet epochs=1 batch=4", "sequential_patchcore size=64 epochs=1"),
            "calibration": "nominal",
        },
    )
}
