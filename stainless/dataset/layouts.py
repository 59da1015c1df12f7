"""Where the files of a dataset lie, as pure functions of what they are.

Two layouts as their datasets were published: MVTec AD (Bergmann et al., "MVTec AD", CVPR 2019) and
MVTec LOCO AD (Bergmann et al., "Beyond Dents and Scratches", IJCV 2022). What they have no room for
lies beside the categories, in `annotations/`, the same for both.

A picture's place is named by category, split (`train`, `validation`, `test`, LABELLED), kind (the
folder that `Layout.kind` returns) and stem (its name without ending).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from stainless.dataset.sample import GOOD

ANNOTATIONS = "annotations"
VALIDATION = "validation"

#: The split of pictures for validation that lie, with their ground truth, in a tree of their own
#: where a layout has room for good ones alone.
LABELLED = "labelled"

#: What the indices of areas stand for.
AREAS = f"{ANNOTATIONS}/areas.json"

#: Under which light each category was taken.
LIGHTS = f"{ANNOTATIONS}/lights.json"

#: Kinds of ground truth: a damage, or a part that is whole but not as it should be.
STRUCTURAL, LOGICAL = "structural", "logical"
TRUTHS = (STRUCTURAL, LOGICAL)


class Layout(Protocol):
    """Names the files of a category; all paths are relative to the dataset."""

    @property
    def config(self) -> str | None:
        """The file of a category that says what the values of its ground truth mean, if any."""

    def kind(self, truths: Collection[str]) -> str:
        """Return the folder for a picture that shows these kinds of ground truth (TRUTHS)."""

    def tree(self, category: str, split: str) -> Path:
        """Return the folder that holds a category's pictures of a split, and their truth."""

    def picture(self, category: str, split: str, kind: str, stem: str) -> Path:
        """Return where a picture lies."""

    def truth(self, category: str, split: str, kind: str, stem: str, region: int) -> Path:
        """Return where the ground truth of one region, counted from 0, of a picture lies."""


class MVTec:
    """MVTec AD: one mask a picture, 255 where it is defective. Validation is a tree of its own."""

    config = None

    def kind(self, truths: Collection[str]) -> str:
        """Return `good` or `defective`."""
        return "defective" if truths else GOOD

    def tree(self, category: str, split: str) -> Path:
        """Return the category's folder; that of its validation pictures is a category beside it."""
        return Path(VALIDATION, category) if split == VALIDATION else Path(category)

    def picture(self, category: str, split: str, kind: str, stem: str) -> Path:
        """Return `<category>/<split>/<kind>/<stem>.png`."""
        folder = "test" if split == VALIDATION else split
        return self.tree(category, split) / folder / kind / f"{stem}.png"

    def truth(self, category: str, split: str, kind: str, stem: str, region: int = 0) -> Path:
        """Return `<category>/ground_truth/<kind>/<stem>_mask.png`, the same for all regions."""
        return self.tree(category, split) / "ground_truth" / kind / f"{stem}_mask.png"


class Loco:
    """MVTec LOCO AD: a file for each region, whose value says which defect it is.

    Its validation pictures are all good; labelled ones lie in a tree of their own beside it.
    """

    config = "defects_config.json"

    def kind(self, truths: Collection[str]) -> str:
        """Return the folder of a picture, the logical one where it shows both kinds."""
        if LOGICAL in truths:
            return "logical_anomalies"
        return "structural_anomalies" if truths else GOOD

    def tree(self, category: str, split: str) -> Path:
        """Return the category's folder, or that of its labelled pictures for validation."""
        return Path(VALIDATION, category) if split == LABELLED else Path(category)

    def picture(self, category: str, split: str, kind: str, stem: str) -> Path:
        """Return `<category>/<split>/<kind>/<stem>.png`."""
        folder = "test" if split == LABELLED else split
        return self.tree(category, split) / folder / kind / f"{stem}.png"

    def truth(self, category: str, split: str, kind: str, stem: str, region: int) -> Path:
        """Return `<category>/ground_truth/<kind>/<stem>/<region>.png`."""
        folder = self.tree(category, split) / "ground_truth" / kind
        return folder / stem / f"{region:03d}.png"


LAYOUTS: dict[str, Layout] = {"mvtec": MVTec(), "loco": Loco()}


def annotation_file(picture: Path, what: str) -> Path:
    """Return where an annotation of a picture lies: `class`, `instance`, `mask` or `area`.

    Args:
        picture: as `Layout.picture` returns it.
        what: the annotation.
    """
    return Path(ANNOTATIONS) / picture.parent / f"{picture.stem}_{what}.png"
