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


@dataclass(frozen=True)
class Settings(Features):
    """What a coreset is made of.

    Attributes:
        size: members of the coreset.
        epochs: largest number of passes over the pictures; fewer if one of them changes nothing.
    """

    size: int = SIZE
    epochs: int = EPOCHS

    def validate(self, key: str) -> None:
        """Check the numbers that no extractor checks.

        Raises:
            InputError: one of them is too small; the message begins with `key` and its name.
        """
        for name, least in (("size", 2), ("epochs", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{key}.{name}: {getattr(self, name)}, expected at least {least}")


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
