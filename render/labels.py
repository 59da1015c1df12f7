"""What the annotations' tables say: of classes, areas, lights and defects."""

from __future__ import annotations

from typing import Any

from render import layout
from render.part import Part, part
from render.scene import Scene


def class_indices(kind: Part) -> dict[str, int]:
    """Return the index of each class of a kind of part, in rising order; 0 is the bare surface."""
    indices = {**kind.impurities, **{name: flaw.index for name, flaw in kind.flaws.items()}}
    return dict(sorted(indices.items(), key=lambda entry: entry[1]))


def class_table(scene: Scene) -> dict[str, Any]:
    """Return what `classes.json` says of the annotations' indices."""
    kind = part(scene.part)
    switched_on = kind.switched_on(scene)
    classes = [
        {"index": index, "name": name, "kind": "defect" if name in kind.flaws else "impurity"}
        for name, index in class_indices(kind).items()
        if name in switched_on
    ]
    return {"classes": classes}


def area_table(scene: Scene) -> dict[str, Any]:
    """Return what `areas.json` says of the areas' indices."""
    areas = part(scene.part).areas(scene)
    return {"areas": [{"index": index, "name": name} for name, index in areas.items()]}


def light_table(scene: Scene) -> dict[str, Any]:
    """Return what `lights.json` says of the categories whose light has a name."""
    shots = part(scene.part).shots(scene)
    return {"lights": {layout.category(scene, shot): shot.light for shot in shots if shot.light}}


def defects_config(scene: Scene) -> list[dict[str, Any]]:
    """Return what LOCO's `defects_config.json` says of the values in its ground truth."""
    kind = part(scene.part)
    switched_on = kind.switched_on(scene)
    return [
        {
            "defect_name": name,
            "pixel_value": flaw.index,
            "saturation_threshold": flaw.saturation.threshold,
            "relative_saturation": flaw.saturation.relative,
        }
        for name, flaw in sorted(kind.flaws.items(), key=lambda entry: entry[1].index)
        if name in switched_on
    ]
