"""What can be set about the methods that learn by gradient; the defaults are anomalib's.

README.md lists what differs from anomalib, and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stainless.errors import InputError
from train.detectors.anomalib.checks import check_above_0, check_share


@dataclass(frozen=True)
class Length:
    """How long a method learns; all can be cut short in the same way.

    Attributes:
        steps: most steps; None for as many as the epochs have.
        minutes: time after which the training ends wherever it is.
        batch: pictures in a step.
    """

    steps: int | None = None
    minutes: float | None = None
    batch: int = 16

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        check_above_0(self, key)


@dataclass(frozen=True)
class Epochs(Length):
    """How long a method learns that counts in passes.

    Attributes:
        epochs: passes over the pictures.
    """

    epochs: int = 100


@dataclass(frozen=True)
class Windows:
    """What a step sees of each picture.

    Attributes:
        side: pixels that the shorter side of a picture is given; None leaves it as it is.
        window: side in pixels of the window that a step takes from each picture; None for the
            whole of the smallest.
    """

    side: int | None = 256
    window: int | None = None


@dataclass(frozen=True)
class DraemSettings(Windows, Epochs):
    """Settings of DRAEM.

    Attributes:
        learning_rate: at the start; a tenth of it after 400 epochs, a hundredth after 600.
        textures: folder of pictures that artificial anomalies are cut from, such as DTD; None makes
            them of noise.
        blend: shares, lowest and highest, of an artificial anomaly over the picture.
        width: channels of the first layer of the reconstruction; twice those of the other network.
        sspcab: put a self-supervised block (SSPCAB) into the reconstruction.
    """

    epochs: int = 700
    batch: int = 8
    learning_rate: float = 1e-4
    textures: str | None = None
    blend: tuple[float, float] = (0.1, 1.0)
    width: int = 128
    sspcab: bool = False

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        super().validate(key)
        if self.width < 2:
            raise InputError(f"{key}.width: {self.width}, expected 2 or more")
        low, high = self.blend
        if not 0 <= low <= high <= 1:
            raise InputError(f"{key}.blend: [{low}, {high}], expected two shares, low to high")


@dataclass(frozen=True)
class SupersimplenetSettings(Windows, Epochs):
    """Settings of SuperSimpleNet.

    Attributes:
        backbone: network that the features come from.
        stages: its stages, counted from 1; stage n has a stride of 2**n pixels.
        learning_rate: of the adaptor, and half that of the head.
        noise: standard deviation of artificial anomalies, in that of the features.
        threshold: of the Perlin noise above which a place becomes anomalous.
        picture_head: train the head that scores whole pictures; without it the value of a picture
            is the largest of its map.
    """

    backbone: str = "efficientnet_lite0"
    stages: tuple[int, ...] = (3, 4)
    epochs: int = 300
    batch: int = 32
    learning_rate: float = 1e-4
    noise: float = 0.5
    threshold: float = 0.2
    picture_head: bool = True

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        super().validate(key)
        check_share(self, key, "threshold")


@dataclass(frozen=True)
class GanomalySettings(Epochs):
    """Settings of GANomaly.

    Attributes:
        learning_rate: of both optimisers.
        momenta: of Adam.
        side: pixels that the longer side of a picture is given, a power of two; the rest of the
            square is empty.
        features: channels of the first layer.
        latent: length of the vector that a picture is encoded in.
        extra_layers: more layers at the finest scale.
        adversarial: weight of the adversarial loss.
        contextual: weight of the difference between picture and reconstruction.
        encoding: weight of the difference between their vectors.
    """

    batch: int = 32
    learning_rate: float = 2e-4
    momenta: tuple[float, float] = (0.5, 0.999)
    side: int = 256
    features: int = 64
    latent: int = 100
    extra_layers: int = 0
    adversarial: float = 1.0
    contextual: float = 50.0
    encoding: float = 1.0

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        check_above_0(self, key, but=("extra_layers", "adversarial", "contextual", "encoding"))
        if self.side < 16 or self.side & (self.side - 1):
            raise InputError(f"{key}.side: {self.side}, expected a power of two from 16 on")


@dataclass(frozen=True)
class CsflowSettings(Windows, Epochs):
    """Settings of CS-Flow.

    Attributes:
        encoder: network of the features; another than the published one is one of our backbones,
            whose fifth stage stands in with its first 304 channels.
        weights: weight file of EfficientNet-B5; null for those of our backbone.
        learning_rate: of Adam.
        hidden: channels in the cross convolutions.
        blocks: coupling blocks.
        clamp: of the coupling's scale.
    """

    encoder: str = "efficientnet_b5"
    weights: str | None = None
    epochs: int = 240
    learning_rate: float = 2e-4
    hidden: int = 1024
    blocks: int = 4
    clamp: int = 3


@dataclass(frozen=True)
class ReverseDistillationSettings(Windows, Epochs):
    """Settings of Reverse Distillation.

    Attributes:
        backbone: ResNet of the encoder, as timm names it.
        weights: its weight file.
        learning_rate: of Adam.
        combine: how the maps of the three scales become one.
    """

    backbone: str = "wide_resnet50_2"
    weights: str | None = None
    epochs: int = 200
    learning_rate: float = 5e-3
    combine: Literal["add", "multiply"] = "add"


@dataclass(frozen=True)
class EfficientAdSettings(Windows, Epochs):
    """Settings of EfficientAD.

    Attributes:
        weights: weight file of the teacher.
        imagenet: folder of natural pictures, such as ImageNette, on which the student is kept from
            following the teacher.
        size: of teacher and student.
        steps: most steps.
        batch: pictures in a step; 1 in the paper.
        learning_rate: of Adam; a tenth of it in the last twentieth of the steps.
        weight_decay: of Adam.
        side: pixels that the shorter side of a picture is given, 256 or more; None leaves it.
        channels: of the teacher's features.
        held_out: share of the nominal pictures that is not learned from and that the quantiles are
            taken on.
    """

    weights: str | None = None
    imagenet: str | None = None
    size: Literal["small", "medium"] = "small"
    epochs: int = 1000
    steps: int | None = 70000
    batch: int = 1
    learning_rate: float = 1e-4
    weight_decay: float = 1e-5
    channels: int = 384
    held_out: float = 0.1

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        check_above_0(self, key, but=("weight_decay", "held_out"))
        check_share(self, key, "held_out")


@dataclass(frozen=True)
class DinomalySettings(Windows, Length):
    """Settings of Dinomaly.

    Attributes:
        encoder: DINOv2 transformer, as timm names it.
        weights: its weight file.
        steps: of the optimiser.
        learning_rate: after the first 100 steps; it falls to a tenth along a cosine.
        dropout: of the bottleneck.
        recentering: take the class token off the patches (Dinomaly2).
    """

    encoder: str = "vit_base_patch14_reg4_dinov2"
    weights: str | None = None
    steps: int = 5000
    learning_rate: float = 2e-3
    side: int | None = 448
    dropout: float = 0.2
    recentering: bool = False

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        check_above_0(self, key, but=("dropout",))
        check_share(self, key, "dropout")
