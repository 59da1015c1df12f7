"""The settings of Sequential PatchCore, and what is known of it without importing it."""

from __future__ import annotations

from dataclasses import dataclass

from stainless.errors import InputError
from train.detectors.detector import Method
from train.feature_settings import Features

#: Settings of the features in files of before there were others.
FEATURES = ("backbone", "stages", "pool_kernel", "pool_stride")

#: Members of the paper's coreset, and how often pictures are shown to it at most.
SIZE, EPOCHS = 2048, 10

#: The smallest value of each number.
LEAST = {"size": 2, "epochs": 1, "neighbours": 1, "reweighting": 0, "density": 0, "crop_px": 0}

#: Of the picture of a member.
LARGEST_CROP = 512


@dataclass(frozen=True)
class Settings(Features):
    """What a coreset is made of.

    Attributes:
        size: members of the coreset.
        epochs: largest number of passes over the pictures; fewer if one of them changes nothing.
        neighbours: members whose distances to a patch are averaged.
        reweighting: members around the nearest one by which a distance is weighted (PatchCore's
            equation 7); 0 for none.
        density: members around the nearest one whose distance to it is the unit of a distance; 0
            for distances as they are.
        top_share: share of a map's pixels, the highest, whose mean is the value of the picture; 0
            for the highest alone.
        crop_px: side of the picture that the model keeps of each member; 0 keeps none.
        without: classes whose patches are not learned from, such as water_stain or rendered.
    """

    size: int = SIZE
    epochs: int = EPOCHS
    neighbours: int = 1
    reweighting: int = 0
    density: int = 0
    top_share: float = 0.0
    crop_px: int = 48
    without: tuple[str, ...] = ()

    def validate(self, key: str) -> None:
        """Check the numbers that no extractor checks.

        Raises:
            InputError: one of them is too small; the message begins with `key` and its name.
        """
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise InputError(f"{key}.{name}: {getattr(self, name)}, expected at least {least}")
        if not 0 <= self.top_share <= 1:
            raise InputError(f"{key}.top_share: {self.top_share}, expected 0 to 1")
        if self.crop_px > LARGEST_CROP:
            raise InputError(f"{key}.crop_px: {self.crop_px}, expected at most {LARGEST_CROP}")


METHODS = {
    "sequential_patchcore": Method(
        settings=Settings,
        detector="train.detectors.sequential_patchcore.detector:SequentialPatchcore",
        summary="coreset of nominal patches chosen in fixed memory (Mao et al., arXiv 2501.09579)",
        melds=True,
        continues=True,
        explains=True,
        extended_by=("epochs",),
        small={"size": 64, "epochs": 2},
        formats={
            f"stainless sequential coreset {number}": (
                "train.detectors.sequential_patchcore.coreset_model:stored"
            )
            for number in (1, 2)
        },
        history="train.detectors.sequential_patchcore.history:history",
    )
}
