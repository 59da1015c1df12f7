"""Where a dataset's files lie: the MVTec AD layout, and beside it what that layout has no room for.

See datasets/README.md for the whole.
"""

from __future__ import annotations

from pathlib import Path

from render.lights.ring import VARIANTS
from render.scene import Scene

MANIFEST = "manifest.jsonl"
SCENE = "scene.yaml"
PLAN = "plan.json"
PREVIEW = "preview.png"
CONTACT_SHEET = "contact_sheet.png"
ANNOTATIONS = "annotations"
CLASSES = f"{ANNOTATIONS}/classes.json"
VALIDATION = "validation"
GROUPS = "groups.csv"


def category(scene: Scene, variant: str, stained: bool) -> str:
    """Return the name of the category that a picture belongs to."""
    if scene.series is not None:
        return scene.series.category + VARIANTS[variant].suffix
    return ("stained" if stained else "clean") + VARIANTS[variant].suffix


def categories(scene: Scene) -> list[str]:
    """Return the names of all categories of a scene."""
    twins = (False, True) if scene.makes_twins() else (False,)
    return [category(scene, name, stained) for name in scene.lights.variants for stained in twins]


def stem(scene: Scene, sample: int, view: int) -> str:
    """Return the name of a picture's file, without its ending."""
    columns, rows = scene.camera.views
    return f"{sample:03d}" if columns * rows == 1 else f"{sample:03d}_{view:02d}"


def tree(category: str, split: str) -> Path:
    """Return the folder that holds a category's splits: a validation split has its own."""
    return Path(VALIDATION, category) if split == "validation" else Path(category)


def picture_file(category: str, split: str, kind: str, stem: str) -> Path:
    """Return where a picture lies, relative to the dataset; `kind` is `good` or a defect's name."""
    folder = "test" if split == "validation" else split
    return tree(category, split) / folder / kind / f"{stem}.png"


def truth_file(category: str, split: str, kind: str, stem: str) -> Path:
    """Return where the ground truth of a defective picture lies."""
    return tree(category, split) / "ground_truth" / kind / f"{stem}_mask.png"


def annotation_file(category: str, split: str, kind: str, stem: str, what: str) -> Path:
    """Return where an annotation lies: `class`, `instance` or `mask`."""
    picture = picture_file(category, split, kind, stem)
    return Path(ANNOTATIONS) / picture.parent / f"{stem}_{what}.png"
