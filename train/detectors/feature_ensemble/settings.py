"""The settings of the ensemble of features; the README says where each comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from stainless.errors import InputError
from train.detectors import member_words
from train.detectors.detector import Method
from train.training.settings import Training


@dataclass(frozen=True)
class Settings(Training):
    """Members, how their features become maps, and how the discriminator of these learns.

    Attributes:
        members: what is combined, the first first: model files (FILE.safetensors), or methods with
            keys of their own ("simplenet steps=200"), which are fitted on the spot; each must give
            features of patches.
        block: individual reduces the features of each member to its share of the maps, then brings
            these to the largest grid; global brings all features there, then reduces them together.
        maps: how many maps the discriminator sees; null for as many as the first member's features
            have dimensions.
        balance: give the maps of each member the same mean spread (individual block alone).
        patches: patches of a picture, drawn anew in every step, that are learned from; null for
            all.
        noise: standard deviation of the noise that makes a nominal feature anomalous; null for 0.55
            of the mean spread of the maps over the training pictures.
        margin: score beyond which a nominal feature, or an anomalous one below its negative, costs
            nothing.
        hidden: width of the discriminator; null for two thirds of the number of maps.
        projection_rate: learning rate of the layers that project members' features.
        discriminator_rate: learning rate of the discriminator.
        weight_decay: of both.
        blur_px: standard deviation of the anomaly map's blur in pixels; 0 for none.
        cache_mb: memory for the features of pictures that are the same in every epoch.
    """

    members: tuple[str, ...] = ("simplenet", "patchcore")
    block: Literal["individual", "global"] = "individual"
    maps: int | None = None
    balance: bool = False
    patches: int | None = 1296
    noise: float | None = None
    margin: float = 0.5
    hidden: int | None = None
    projection_rate: float = 1e-4
    discriminator_rate: float = 2e-4
    weight_decay: float = 1e-5
    blur_px: float = 4.0
    cache_mb: int = 1024
    epochs: int = 160

    def validate(self, key: str = "feature_ensemble") -> None:
        """Check every value.

        Raises:
            InputError: one of them cannot be used; the message begins with `key` and its name.
        """
        super().validate(key)
        member_words.check(self.members, key)
        for name, low in {"maps": 1, "patches": 2, "hidden": 1, "cache_mb": 0}.items():
            value = getattr(self, name)
            if value is not None and value < low:
                raise InputError(f"{key}.{name}: {value}, expected at least {low}")
        for name in ("noise", "margin", "projection_rate", "discriminator_rate"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise InputError(f"{key}.{name}: {value}, expected a number above 0")
        for name in ("weight_decay", "blur_px"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise InputError(f"{key}.{name}: {value}, expected at least 0")


METHODS = {
    "feature_ensemble": Method(
        settings=Settings,
        detector="train.detectors.feature_ensemble.detector:FeatureEnsemble",
        summary="detectors combined by their patch features (after Heller et al., 2023)",
        combines=True,
        small={
            "members": ("simplenet epochs=1 batch=4", "sequential_patchcore size=64 epochs=1"),
            "epochs": 2,
            "batch": 2,
        },
        history="train.detectors.feature_ensemble.history:history",
    )
}
