"""What the files of a dataset are called: its categories, pictures, and what lies beside them.

See datasets/README.md for the whole, and `stainless.dataset.layouts` for the folders of a category.
"""

from __future__ import annotations

from render.part import Shot, part
from render.scene import Scene
from stainless.dataset.layouts import ANNOTATIONS, LABELLED, LAYOUTS, VALIDATION, Layout
from stainless.dataset.sample import GOOD

MANIFEST = "manifest.jsonl"
SCENE = "scene.yaml"
PLAN = "plan.json"
PREVIEW = "preview.png"
CONTACT_SHEET = "contact_sheet.png"
CLASSES = f"{ANNOTATIONS}/classes.json"
GROUPS = "groups.csv"


def layout_of(scene: Scene) -> Layout:
    """Return how a scene's dataset is laid out."""
    return LAYOUTS[scene.layout]


def is_labelled(scene: Scene) -> bool:
    """Tell whether pictures for validation lie in a labelled tree beside the layout's own."""
    groups = [] if scene.series is None else scene.series.groups
    defective = any(group.split == VALIDATION and group.defects for group in groups)
    return scene.layout == "loco" and defective


def places(scene: Scene, split: str, kind: str) -> list[str]:
    """Return the splits that a picture is filed under: good ones for validation perhaps under two.

    Args:
        scene: the dataset's scene.
        split: of the picture's sample.
        kind: of the picture, as `Layout.kind` returns it.
    """
    if split != VALIDATION or not is_labelled(scene):
        return [split]
    return [VALIDATION, LABELLED] if kind == GOOD else [LABELLED]


def category(scene: Scene, shot: Shot) -> str:
    """Return the name of the category that a picture belongs to."""
    name = scene.series.category if scene.series is not None else shot.twin or scene.part
    return name + shot.suffix


def categories(scene: Scene) -> list[str]:
    """Return the names of all categories of a scene."""
    return [category(scene, shot) for shot in part(scene.part).shots(scene)]


def stem(scene: Scene, sample: int, view: int) -> str:
    """Return the name of a picture's file, without its ending."""
    columns, rows = scene.camera.views
    return f"{sample:03d}" if columns * rows == 1 else f"{sample:03d}_{view:02d}"
