"""The settings of SimpleNet, as published unless the README says why not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stainless.errors import InputError
from train.detectors.detector import Method
from train.feature_settings import Features
from train.training.settings import Training


@dataclass(frozen=True)
class Settings(Features, Training):
    """Features, the two small networks on them, and how these learn.

    Attributes:
        image_px: shorter side that pictures are scaled to, their shape kept; null for as they are.
        crop_px: side of the window of a larger picture that a step learns from, drawn anew in
            every epoch; null for whole pictures.
        noise: standard deviation of the noise that makes an adapted feature anomalous; null for the
            published 0.015 with the published backbone (timm:wide_resnet50_2), and with any other
            for 0.55 of the spread of its features over the training pictures.
        margin: score beyond which a nominal feature, or an anomalous one below its negative, costs
            nothing.
        hidden: width of the discriminator; null for two thirds of that of a feature.
        adapter_rate: learning rate of the adapter.
        discriminator_rate: learning rate of the discriminator.
        weight_decay: of both.
        blur_px: standard deviation of the anomaly map's blur in pixels; 0 for none.
        watch: share of the training pictures, drawn in whole groups, that nothing is learned from:
            the weights of the epoch with the lowest loss on them are kept; 0 for none, and the last
            weights.
        patience: epochs without a lower loss on them after which learning ends; 0 for any number.
        cache_mb: memory for the features of pictures that are the same in every epoch.
    """

    image_px: int | None = None
    crop_px: int | None = 288
    noise: float | None = None
    margin: float = 0.5
    hidden: int | None = None
    adapter_rate: float = 1e-4
    discriminator_rate: float = 2e-4
    weight_decay: float = 1e-5
    blur_px: float = 4.0
    watch: float = 0.0
    patience: int = 0
    cache_mb: int = 1024
    epochs: int = 160

    def validate(self, key: str = "simplenet") -> None:
        """Check the numbers that no extractor checks.

        Raises:
            InputError: one of them is out of its range; the message begins with `key` and its name.
        """
        super().validate(key)
        least = {"image_px": 1, "crop_px": 1, "hidden": 1, "cache_mb": 0, "patience": 0}
        for name, low in least.items():
            value = getattr(self, name)
            if value is not None and value < low:
                raise InputError(f"{key}.{name}: {value}, expected at least {low}")
        for name in ("noise", "margin", "adapter_rate", "discriminator_rate"):
            value = getattr(self, name)
            if value is not None and not (value > 0 and math.isfinite(value)):
                raise InputError(f"{key}.{name}: {value}, expected a number above 0")
        if not 0 <= self.watch < 1:
            raise InputError(f"{key}.watch: {self.watch}, expected a share from 0 to below 1")
        if self.patience and not self.watch:
            raise InputError(
                f"{key}.patience: {self.patience}, expected {key}.watch above 0 beside it"
            )
        for name in ("weight_decay", "blur_px"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise InputError(f"{key}.{name}: {value}, expected at least 0")


METHODS = {
    "simplenet": Method(
        settings=Settings,
        detector="train.detectors.simplenet.detector:SimpleNet",
        summary="features told from noisy ones by a small network (Liu et al., arXiv 2303.15140)",
        small={"epochs": 2, "batch": 2},
        history="train.detectors.simplenet.history:history",
    )
}
