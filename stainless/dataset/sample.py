"""What one image of a dataset is: its file, its class, its ground truth, its group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stainless.dataset.images import image_size, load_image
from stainless.errors import InputError
from stainless.files import pixel_hash

#: The label of an image without a defect, as MVTec AD names the folder.
GOOD = "good"

#: What an annotated class can be. An impurity is nominal; ignored pixels count for nothing.
KINDS = ("defect", "impurity", "ignore")


@dataclass(frozen=True)
class AnnotationClass:
    """One class that pixels can be annotated with; `kind` is one of KINDS."""

    index: int
    name: str
    kind: str


@dataclass(frozen=True)
class Sample:
    """One image of a dataset and where its ground truth lies; nothing is decoded yet.

    Attributes:
        image: the picture.
        label: "good" or the class of the defect.
        mask: ground truth: a mask, a folder of masks (MVTec LOCO), a LabelMe or a COCO file.
            None for most good images, and where only the label is known (see `truth`).
        group: what must stay on one side of a split, such as the photographs of one part;
            the name where the dataset does not tell.
        name: unique in the category and the same on every machine, such as "test/crack/000".
        annotation: class index image beside which the instance image lies, or a file of shapes.
        classes: what the labels of shapes stand for; empty unless there is such a file.
        entry: the image's `file_name` in a COCO file; empty for other layouts.
        defects: MVTec LOCO's defects_config.json.
        mask_frame: "stored" or "upright": the picture that masks were drawn on, if it is turned by
            its orientation tag and their sizes do not tell; None where nobody has said.
        white_level: the value of 16-bit pixels that is white; None for what the file says.
    """

    image: Path
    label: str
    mask: Path | None
    group: str
    name: str
    annotation: Path | None = None
    classes: tuple[AnnotationClass, ...] = ()
    entry: str = ""
    defects: Path | None = None
    mask_frame: str | None = None
    white_level: int | None = None

    @property
    def truth(self) -> str:
        """What is known of the image: "pixel", or "picture" where it has a label but no mask."""
        return "pixel" if self.is_good or self.mask is not None else "picture"

    @property
    def is_good(self) -> bool:
        """Whether the image has no defect (it may have impurities)."""
        return self.label == GOOD

    def load(self) -> np.ndarray:
        """Return the picture as (H, W, 3) uint8 RGB.

        Raises:
            InputError: as `load_image`.
        """
        return load_image(self.image, self.white_level)

    def size(self) -> tuple[int, int]:
        """Return height and width in pixels."""
        return image_size(self.image)

    def stamp(self) -> str:
        """Return what tells the picture from another of its name.

        That is how many bytes its file has, and how it is read where somebody said.
        """
        white = "" if self.white_level is None else f" white {self.white_level}"
        return f"{self.image.stat().st_size}{white}"


@dataclass(frozen=True, eq=False)
class ArraySample(Sample):
    """A nominal picture that lies in memory.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
    """

    pixels: np.ndarray = field(default_factory=lambda: np.empty((0, 0, 3), np.uint8))

    @classmethod
    def nominal(cls, name: str, pixels: np.ndarray) -> ArraySample:
        """Return the sample of a picture.

        Args:
            name: unique among the pictures; messages name the picture by it.
            pixels: (H, W, 3) or grey (H, W) or (H, W, 1), uint8.

        Raises:
            InputError: an array of another shape or type.
        """
        return cls(Path(name), GOOD, None, name, name, pixels=as_picture(pixels, name))

    def load(self) -> np.ndarray:
        """Return the picture."""
        return self.pixels

    def size(self) -> tuple[int, int]:
        """Return height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def stamp(self) -> str:
        """Return the SHA-256 of the pixels."""
        return pixel_hash(self.pixels)


def as_picture(pixels: np.ndarray, name: str) -> np.ndarray:
    """Return an (H, W, 3) or grey (H, W) or (H, W, 1) uint8 array as (H, W, 3).

    Raises:
        InputError: an array of another shape or type; the message begins with `name`.
    """
    shape = pixels.shape
    if pixels.dtype != np.uint8 or not (
        pixels.size and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3)))
    ):
        raise InputError(
            f"{name}: {pixels.dtype} array of shape {shape}, expected uint8 of (H, W, 3) or (H, W)"
        )
    grey = pixels[..., None] if len(shape) == 2 else pixels
    return np.repeat(grey, 3, axis=2) if grey.shape[2] == 1 else np.ascontiguousarray(grey)


def annotation_classes(entries: Iterable[Mapping], source: Path | str) -> list[AnnotationClass]:
    """Check {"index", "name", "kind"} mappings read from `source` and return them typed.

    Raises:
        InputError: an entry lacks a key, its kind is unknown, or an index or name repeats.
    """
    found: list[AnnotationClass] = []
    for entry in entries:
        if not isinstance(entry, Mapping) or not {"index", "name", "kind"} <= set(entry):
            raise InputError(f'{source}: a class needs "index", "name" and "kind", got {entry!r}')
        index, name, kind = entry["index"], str(entry["name"]), entry["kind"]
        if kind not in KINDS:
            raise InputError(f"{source}: class {name!r} is {kind!r}, expected {', '.join(KINDS)}")
        if type(index) is not int or not 1 <= index <= 255:
            raise InputError(f"{source}: class {name!r} has index {index!r}, expected 1 to 255")
        if any(index == other.index or name == other.name for other in found):
            raise InputError(f"{source}: class {name!r} (index {index}) is given twice")
        found.append(AnnotationClass(index, name, kind))
    return found
