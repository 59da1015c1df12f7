"""What can be set about the methods that remember features; the defaults are anomalib's.

README.md lists what differs from anomalib, and why.
"""

from __future__ import annotations

from dataclasses import dataclass

from stainless.errors import InputError
from train.detectors.anomalib.checks import check_above_0, check_share


@dataclass(frozen=True)
class Memory:
    """What is remembered from.

    Attributes:
        every: learn from every Nth picture.
        side: pixels that the shorter side of a picture is given; None leaves it as it is.
        minutes: time after which no further picture is read.
    """

    every: int = 1
    side: int | None = 256
    minutes: float | None = None

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        check_above_0(self, key)


@dataclass(frozen=True)
class StageMemory(Memory):
    """Features of our backbones that are remembered.

    Attributes:
        backbone: network that the features come from.
        stages: its stages, counted from 1; stage n has a stride of 2**n pixels.
        blocks: of a vision transformer in its place, alone or joined as NAME+NAME: its blocks,
            counted from 0; none for those at half and at three quarters of its depth.
        window_px: side of the windows that it sees; null for whole pictures.
        window_stride_px: pixels from a window to the next; null for half of a window.
        shares: what each of the joined networks counts in the squared distance; none for equal
            shares.
        scale: factor by which all pictures are enlarged, of the size that `side` gives them.
    """

    backbone: str = "efficientnet_lite0"
    stages: tuple[int, ...] = (3, 4)
    blocks: tuple[int, ...] = ()
    window_px: int | None = None
    window_stride_px: int | None = None
    shares: tuple[float, ...] = ()
    scale: float = 1.0


@dataclass(frozen=True)
class PatchcoreSettings(StageMemory):
    """Settings of PatchCore.

    Attributes:
        ratio: share of all patches that become members.
        members: how many patches become members, instead of a share; all where there are fewer.
        neighbours: members around the nearest one by which the value of a picture is weighted.
        every: learn from every Nth picture; the choice takes a pass over all patches a member.
        minutes: time after which no further picture is read and no further member chosen.
    """

    ratio: float = 0.1
    members: int | None = None
    neighbours: int = 9

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        super().validate(key)
        check_share(self, key, "ratio")


@dataclass(frozen=True)
class MhPatchcoreSettings(StageMemory):
    """Settings of MH-PatchCore.

    Attributes:
        variance: share of the variance that the principal components keep.
        shrinkage: of the covariance, towards a multiple of the identity.
        members: most that the memory ends with.
        block: most that are kept of the patches that are taken at once.
        neighbours: members around the nearest one by which the value of a picture is weighted.
        batch: pictures whose patches are taken at once.
    """

    variance: float = 0.99
    shrinkage: float = 0.07
    members: int = 1000
    block: int = 256
    neighbours: int = 9
    batch: int = 32

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        check_above_0(self, key, but=("shrinkage",))
        check_share(self, key, "variance", "shrinkage")


@dataclass(frozen=True)
class PadimSettings(StageMemory):
    """Settings of PaDiM.

    Attributes:
        features: dimensions, chosen at random, of those that the stages have.
    """

    features: int = 100


@dataclass(frozen=True)
class AnomalyDinoSettings(Memory):
    """Settings of AnomalyDINO.

    Attributes:
        encoder: DINOv2 transformer, as timm names it.
        weights: its weight file.
        neighbours: nearest members whose distances are averaged.
        masking: leave out patches that look like background.
        ratio: share of all patches that become members; None for all of them.
    """

    encoder: str = "vit_small_patch14_dinov2"
    weights: str | None = None
    neighbours: int = 1
    masking: bool = False
    ratio: float | None = None
    side: int | None = 252

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        super().validate(key)
        check_share(self, key, "ratio")


@dataclass(frozen=True)
class RadSettings(Memory):
    """Settings of RAD.

    Attributes:
        encoder: transformer, as timm names it.
        weights: its weight file.
        blocks: of the encoder, counted from 0, whose tokens are compared.
        pictures: nominal pictures most like a picture, with which it is compared.
        positions: compare tokens with those of the same place only.
        radius: of such a place in tokens.
        share: of a map's pixels, the highest, whose mean is the value of the picture; 0 for the
            highest alone.
        half: keep the memory in 16 bits.
        side: pixels that both sides of a picture are given.
    """

    encoder: str = "vit_base_patch16_dinov3"
    weights: str | None = None
    blocks: tuple[int, ...] = (3, 6, 9, 11)
    pictures: int = 150
    positions: bool = True
    radius: int = 1
    share: float = 0.01
    half: bool = False
    side: int | None = 448

    def validate(self, key: str) -> None:
        """Raise InputError, with `key` in front, for a number out of its range."""
        check_above_0(self, key, but=("radius", "share"))
        check_share(self, key, "share")
        if self.side is None:
            raise InputError(f"{key}.side: null, expected a number: pictures must be of one size")
        if not self.blocks or min(self.blocks) < 0 or len(set(self.blocks)) < len(self.blocks):
            raise InputError(
                f"{key}.blocks: {list(self.blocks)}, expected different numbers from 0"
            )
