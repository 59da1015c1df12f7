"""Where a dataset's files lie: the MVTec AD layout, and beside it what that layout has no room for.

See datasets/README.md for the whole.
"""

from __future__ import annotations

from pathlib import Path

from render.cover import CLASS_INDEX
from render.lights import VARIANTS
from render.scene import Scene

MANIFEST = "manifest.jsonl"
SCENE = "scene.yaml"
PLAN = "plan.json"
PREVIEW = "preview.png"
CONTACT_SHEET = "contact_sheet.png"
ANNOTATIONS = "annotations"
CLASSES = f"{ANNOTATIONS}/classes.json"


def category(variant: str, stained: bool) -> str:
    """Return the name of the category that a picture belongs to."""
    return ("stained" if stained else "clean") + VARIANTS[variant].suffix


def categories(scene: Scene) -> list[str]:
    """Return the names of all categories of a scene."""
    twins = (False, True) if scene.chosen_impurities() else (False,)
    return [category(name, stained) for name in scene.lights.variants for stained in twins]


def stem(scene: Scene, sample: int, view: int) -> str:
    """Return the name of a picture's file, without its ending."""
    columns, rows = scene.camera.views
    return f"{sample:03d}" if columns * rows == 1 else f"{sample:03d}_{view:02d}"


def picture_file(category: str, split: str, stem: str) -> Path:
    """Return where a picture of a nominal part lies, relative to the dataset."""
    return Path(category, split, "good", f"{stem}.png")


def annotation_file(category: str, split: str, stem: str, what: str) -> Path:
    """Return where an annotation lies: `class`, `instance` or `mask`."""
    return Path(ANNOTATIONS, category, split, "good", f"{stem}_{what}.png")


def class_table() -> dict[str, object]:
    """Return what `classes.json` says of the annotations' indices."""
    names = [
        {"index": index, "name": name, "kind": "impurity"} for name, index in CLASS_INDEX.items()
    ]
    return {"classes": names}
